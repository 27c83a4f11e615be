"""JSON that is what it claims, read in linear time."""

import pytest

from decaycalc.errors import UnreadableFileError
from decaycalc.files.json_text import parse_json


def test_numbers_may_keep_their_text():
    assert parse_json('{"a": [1e-4, 3]}', "f", parse_number=str) == {"a": ["1e-4", "3"]}
    assert parse_json('{"a": [0.5, 3]}', "f") == {"a": [0.5, 3]}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[1,", "line 1, column 4"),
        ("[NaN]", "NaN is not a number"),
        ('{"a": 1, "b": 2, "a": 3}', "'a' stands twice"),
        ('["\\ud800"]', "half of a surrogate pair"),
        ("[" * 100_000, "nested too deeply"),
        ("1" * 5000, "digits"),
    ],
)
def test_what_is_not_json_is_refused_in_one_line(text, reason):
    with pytest.raises(UnreadableFileError, match=reason) as caught:
        parse_json(text, "f.json")
    assert "\n" not in str(caught.value)


def test_a_whole_surrogate_pair_is_a_character():
    assert parse_json('"\\ud83d\\ude00"', "f") == "\U0001f600"


def test_a_double_key_among_many_is_found_without_counting_each():
    text = "{" + ",".join(f'"{i}": 0' for i in range(50_000)) + ', "49999": 1}'
    with pytest.raises(UnreadableFileError, match="'49999' stands twice"):
        parse_json(text, "f")
