"""TOML: what Python would read and could not write again is refused in one line."""

import pytest

from decaycalc.errors import UnreadableFileError
from decaycalc.files.toml_text import TomlSyntaxError, parse_toml


@pytest.mark.parametrize(
    "number", ["9" * 5000, "0x" + "f" * 5000, "0b" + "1" * 20_000, "0o" + "7" * 5000]
)
def test_an_integer_beyond_all_measure_is_refused_in_every_base(number):
    with pytest.raises(UnreadableFileError, match="an integer in it has thousands of digits"):
        parse_toml(f"a = {number}\n", "x.toml")


def test_a_long_hexadecimal_integer_is_read():
    assert parse_toml(f"a = 0x{'f' * 256}\n", "x.toml") == {"a": 2**1024 - 1}


def test_a_key_that_stands_twice_is_told_in_one_line_however_long_it_is():
    key = "a" * 5000
    with pytest.raises(TomlSyntaxError, match=r"Cannot declare \('aaa") as caught:
        parse_toml(f"[{key}]\n[{key}]\n", "x.toml")
    assert len(str(caught.value)) < 300
