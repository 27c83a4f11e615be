"""Columns that fit a width, and rows as records where none would."""

from decaycalc.report.layout import records, strips
from decaycalc.report.table import Column, Table
from decaycalc.report.text import to_text

WORDS = "a step takes the same share of a weight on both sides of the conversion"


def table(*columns, rows):
    return Table(title="T", columns=columns, rows=rows)


def test_prose_is_folded_at_its_most_however_wide_the_screen_is():
    folded = table(Column(header="why", least=12, most=30), rows=((WORDS,), ("short",)))
    for width in (None, 200):
        lines = to_text([folded], width=width, colour=False).splitlines()
        assert max(len(line.strip()) for line in lines[3:]) <= 30
        assert " ".join(line.strip() for line in lines[3:-1]) == WORDS


def test_the_lines_of_a_cell_are_folded_once():
    own = ("first line of some words", WORDS)
    shown = to_text(
        [table(Column(header="why", least=12, most=30), rows=((own,),))], width=24, colour=False
    )
    lines = [line.strip() for line in shown.splitlines()[3:]]
    assert lines == [
        "first line of some", "words", "a step takes the same", "share of a weight on",
        "both sides of the", "conversion",
    ]  # fmt: skip


def test_a_word_that_is_too_wide_is_broken_behind_a_mark():
    shown = to_text(
        [table(Column(header="k", least=12), rows=(("lr·weight_decay(pytorch-sgd)/momentum",),))],
        width=26, colour=False,
    )  # fmt: skip
    lines = [line.strip() for line in shown.splitlines()]
    assert lines[-2:] == ["lr·weight_decay(pytorch-", "sgd)/momentum"]


def test_records_give_values_the_width_that_they_need():
    columns = strips(
        table(Column(header="formula, reason and source"), Column(header="b"),
              rows=((WORDS, 1.0), ("x", 2.0)))
    )  # fmt: skip
    fields, values = records(columns, 40, title="T")
    assert (fields.width, values.width) == (10, 25)
    narrow = strips(table(Column(header="formula and source"), rows=(("x",),)))
    assert [strip.width for strip in records(narrow, 40, title="T")] == [18, 1]
