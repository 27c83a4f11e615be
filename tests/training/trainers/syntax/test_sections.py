"""Darknet's cfg files: sections whose first names count."""

import pytest

from decaycalc.errors import UnreadableFileError
from decaycalc.training.trainers.syntax.sections import parse_sections
from decaycalc.training.trainers.syntax.tree import Entries, Scalar, find


def test_the_first_of_equal_sections_and_keys_counts_with_its_line() -> None:
    text = "# one\n\n; two\n[ net ]\ndecay = 0.1\ndecay=0.2\nsteps=[1=2]\n[net]\ndecay=0.3\n"
    found = parse_sections(text, "yolo.cfg")
    assert found == Entries(
        entries={
            "net": Entries(
                entries={
                    "decay": Scalar(text="0.1", line=5),
                    "steps": Scalar(text="[1=2]", line=7),
                }
            )
        }
    )


def test_a_line_that_only_begins_as_a_section_does_is_a_setting() -> None:
    found = parse_sections("[net]\n[a=1\n", "yolo.cfg")
    assert find(found, "net.[a") == Scalar(text="1", line=2)


@pytest.mark.parametrize(
    ("text", "line", "shown"),
    [
        ("decay=0.1\n", 1, "decay=0.1"),
        ("[net]\ndecay\n", 2, "decay"),
        ("[net]\n\n" + "y" * 41, 3, "y" * 40),
        ("[net\n", 1, "[net"),
        ("net]\n", 1, "net]"),
    ],
)
def test_what_is_no_setting_is_named_with_its_line(text: str, line: int, shown: str) -> None:
    with pytest.raises(UnreadableFileError) as caught:
        parse_sections(text, "yolo.cfg")
    assert str(caught.value).endswith(f"line {line}: expected key=value, not '{shown}'")
