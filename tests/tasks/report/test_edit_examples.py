"""Examples of edits show what was hidden by its shape only, beside it too."""

from tasks.report.gather_edits import _example

TEXT = "Ask jane@example.org or call +49 30 1234 now, [12] please."


def change(span: str, replacement: str) -> dict[str, object]:
    start = TEXT.index(span)
    return {"start": start, "end": start + len(span), "replacement": replacement}


CHANGES = [
    change("jane@example.org", "<EMAIL>"),
    change("+49 30 1234", "<PHONE>"),
    change("[12]", ""),
]


def test_what_was_hidden_stays_hidden() -> None:
    row: dict[str, object] = {"id": "d1", "edits": CHANGES}
    mail, phone, cut = (_example(row, "http://a.org/", TEXT, span) for span in range(3))
    assert (mail.before, mail.cut, mail.replacement) == ("Ask ", "xxxx@xxxxxxx.xxx", "<EMAIL>")
    assert mail.after == " or call <PHONE> now,  please."
    assert (phone.before, phone.cut) == ("Ask <EMAIL> or call ", "+00 00 0000")
    assert (cut.before, cut.cut) == ("Ask <EMAIL> or call <PHONE> now, ", "[12]")
