import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from decaycalc.report.document import document, to_json
from decaycalc.report.grid import Grid
from decaycalc.report.plain import to_csv, to_jsonl, to_markdown
from decaycalc.report.table import Table, show_cell
from decaycalc.report.text import rich_table, to_html, to_svg, to_text

TABLE = Table(
    title="Numbers",
    headers=("name", "the value", "formula"),
    rows=(("[lr] :fire: *x*", 1.234567e-05, "a|b"), ("second", None, "c = d·e")),
    numeric=("the value",),
    note="a note below",
)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, "-"), (True, "yes"), (False, "no"), (0, "0"), (9999, "9999"), (10000, "10,000"),
        (-1234567, "-1,234,567"), (60.0, "60"), (0.1, "0.1"), (1 / 3, "0.33333333"),
        (1e-05, "1e-05"), (2.0123456789e-310, "2.0123457e-310"), ("as it is", "as it is"),
    ],
)  # fmt: skip
def test_digits_are_decided_in_one_place(cell, text):
    assert show_cell(cell) == text


def test_cells_are_no_markup():
    text = to_text([TABLE], width=None, colour=False)
    assert "[lr] :fire: *x*" in text
    assert "1.234567e-05" in text
    assert text.endswith("a note below\n")
    assert "\x1b" not in text


def test_a_table_that_fits_stays_whole():
    grid = Grid.of(TABLE)
    assert list(grid.parted(grid.width)) == [grid]


def test_headers_are_broken_before_columns_are_parted():
    wide = Table(
        title="T", headers=("a", "one two three"), rows=(("x", 1),), numeric=("one two three",)
    )
    (narrow,) = Grid.of(wide).parted(12)
    assert [column[0] for column in narrow.columns] == ["a", "one\ntwo\nthree"]
    assert narrow.right == [False, True]


def test_parted_columns_repeat_the_first_and_tell_a_continuation():
    parts = list(Grid.of(TABLE).parted(34))
    assert [part.title for part in parts] == ["Numbers", "Numbers, continued"]
    assert [part.columns[0][0] for part in parts] == ["name", "name"]
    assert [part.note for part in parts] == ["", "a note below"]
    assert "continued" in to_text([TABLE], width=34, colour=False)


CELLS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False), st.integers(), st.none(),
    st.text(st.characters(exclude_categories=("C", "Z", "M")), max_size=9), st.just("日本 語"),
)  # fmt: skip


@st.composite
def tables(draw):
    """Return a table of any shape, its headers of one or more lines."""
    words = st.lists(st.text("abc日", min_size=1), min_size=1, max_size=3).map("\n".join)
    headers = draw(st.lists(words, min_size=1, max_size=4, unique=True))
    rows = draw(st.lists(st.tuples(*(CELLS for _ in headers)), min_size=1, max_size=4))
    numeric = tuple(draw(st.lists(st.sampled_from(headers))))
    return Table(title="T", headers=tuple(headers), rows=tuple(rows), numeric=numeric)


@given(tables())
def test_a_grid_looks_as_the_table_of_rich_does(table):
    shown = []
    for renderable in (Grid.of(table), rich_table(Grid.of(table))):
        console = Console(file=io.StringIO(), width=1000, markup=False, emoji=False)
        console.print(renderable, highlight=False)
        shown.append([line.rstrip() for line in console.file.getvalue().rstrip().splitlines()])
    assert shown[0] == shown[1]


def test_titles_and_headers_are_bold_where_colour_is_wanted():
    text = to_text([TABLE], width=None, colour=True)
    assert text.startswith("\x1b[1mNumbers\x1b[0m\n")
    assert text.count("\x1b[1m") == 2
    assert "\x1b" not in to_text([TABLE], width=None, colour=False)


def test_characters_that_move_the_cursor_are_left_to_rich():
    grid = Grid.of(Table(title="T", headers=("a",), rows=(("x\by",),)))
    assert not grid.fits(100)
    assert "xy" in to_text([Table(title="T", headers=("a",), rows=(("x\by",),))], width=None,
                           colour=False)  # fmt: skip


def test_what_is_too_wide_even_alone_is_folded_not_cut():
    text = to_text([TABLE], width=20, colour=False)
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 20


def test_an_empty_table_has_its_headers():
    empty = Table(title="None", headers=("a", "b"), rows=())
    assert "a" in to_text([empty], width=20, colour=False)
    assert to_svg((), width=None).startswith("<svg")


def test_pictures_and_pages_hold_the_tables():
    assert "Numbers" in to_html([TABLE], width=None)
    assert "1.234567e-05" in to_svg((TABLE,), width=None)


def test_markdown_escapes_what_would_end_a_cell():
    lines = to_markdown([TABLE, TABLE]).split("\n\n")[1].splitlines()
    assert lines[:3] == [
        "| name | the value | formula |",
        "| --- | ---: | --- |",
        "| [lr] :fire: *x* | 1.234567e-05 | a\\|b |",
    ]
    assert to_markdown([TABLE]).endswith("\na note below\n")


def test_rows_become_csv_and_json_lines():
    rows = [{"a": 1, "b": [1, 2]}, {"a": None, "c": 1e-5}]
    assert to_csv(rows) == 'a,b,c\n1,"[1, 2]",\n,,1e-05\n'
    assert [json.loads(line) for line in to_jsonl(rows).splitlines()] == rows
    assert to_csv([]) == "\n"


def test_a_document_begins_with_its_schema():
    assert list(document("convert", {"a": 1})) == ["schema", "schema_version", "version", "a"]
    assert document("convert", {})["schema"] == "decaycalc.convert"


def test_json_never_holds_a_number_that_is_not_finite():
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_json({"a": float("nan")})
    assert to_json({"λ": 0.1}, indent=None) == '{"λ": 0.1}'


def test_a_frameworks_default_that_a_conversion_assumes_is_noted(run):
    shown = run("convert", "1", "--from", "mean-l2", "--to", "sklearn-elastic-net")
    assert "l1_ratio = 0.5, its default" in shown.out
