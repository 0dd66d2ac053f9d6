from dataclasses import replace

from tasks.report.contents import Contents
from tasks.report.results import write_results


def test_a_terminal_shows_scores_beside_their_baselines(contents: Contents) -> None:
    lines = write_results(contents).splitlines()
    assert lines[0].startswith("A chat model of 2.56 M parameters")
    assert "  docs                                 1.642     2.310" in lines
    # 62 % against 31 % at a standard error of 3.4 points: 9.0 of them
    assert "  which module                         2.0 %      62 %      31 %  9.0 s.e." in lines
    assert "✓ The control with shuffled passages is at chance, as it must be" in lines


def test_a_verdict_that_fails_is_marked(contents: Contents) -> None:
    worse = tuple(replace(row, model=9.0) for row in contents.bits_per_byte)
    text = write_results(replace(contents, bits_per_byte=worse))
    assert "✗ Held-out bits per byte below the bigram model's on 0 of 3 sources" in text


def test_a_corpus_alone_is_one_sentence(contents: Contents) -> None:
    text = write_results(Contents(title="x", funnels=contents.funnels[:1]))
    assert (
        text == "A corpus: 390 documents kept of 735 found in 1 source (22 links gave no page).\n"
    )
