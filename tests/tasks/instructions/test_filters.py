import pytest

from tasks.instructions.filters import instruction_fault, tidy


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Sort these three words.", ""),
        ("Sort these words", "too_short"),
        (" ".join(["word"] * 151), "too_long"),
        (" ".join(["word"] * 150), ""),
        ("Describe the picture in front of you.", "blacklisted"),
        ("Plot the data of the year.", "blacklisted"),
        ("Tell me where to go today.", ""),
        ("Tell me where to go to today.", "blacklisted"),
        ("Explain the paragraph on mapping.", ""),  # whole words only
        ("Write a program that sorts words.", "program"),
        ("- Sort these three words.", "punctuation"),
        ("Über welchen Fluss führt die Brücke?", "non_ascii"),
        ("Nenne den Fluss, über den sie führt.", ""),  # only the first character counts
    ],
)
def test_the_reference_filters(text: str, reason: str) -> None:
    assert instruction_fault(text, 4, 150) == reason


def test_tidying_keeps_names_and_acronyms() -> None:
    assert tidy("  explain   NASA's\nplan for Mars: ") == "Explain NASA's plan for Mars"
    assert tidy("") == ""
