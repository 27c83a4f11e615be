import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import decaycalc
from decaycalc.errors import InvalidValueError, escaped
from decaycalc.report.digits import column_texts, show
from decaycalc.report.document import document, to_json
from decaycalc.report.html import to_fragment, to_page
from decaycalc.report.plain import to_csv, to_jsonl, to_markdown
from decaycalc.report.table import (
    Column,
    Kind,
    Marked,
    Paragraph,
    Rank,
    Table,
    Tone,
    simple_table,
)
from decaycalc.report.text import to_svg, to_text

TABLE = Table(
    title="Numbers",
    columns=(
        Column(header="name"),
        Column(header="the value", kind=Kind.COPIED, tone=Tone.VALUE),
        Column(header="why", least=8),
        Column(header="also", rank=Rank.USEFUL),
        Column(header="formula", rank=Rank.EXTRA),
    ),
    rows=(
        ("[lr] :fire: *x*", 1.234567e-05, "a long reason for it", "b", "a|b"),
        ("second", None, Marked(content="short", tone=Tone.EXACT), "c", "c = d·e"),
    ),
    note="a note below",
)


@pytest.mark.parametrize(
    ("number", "kind", "text"),
    [
        (0, Kind.READ, "0"), (0.0, Kind.COPIED, "0"), (999, Kind.READ, "999"),
        (1000, Kind.READ, "1,000"), (-1234567, Kind.READ, "-1,234,567"), (60.0, Kind.READ, "60"),
        (0.1, Kind.COPIED, "0.1"), (1 / 3, Kind.READ, "0.3333"), (1 / 3, Kind.COPIED, "0.333333"),
        (1e-05, Kind.READ, "0.00001"), (2.0123456789e-310, Kind.COPIED, "2.01235e-310"),
        (9999.96, Kind.READ, "10,000"), (1e12, Kind.READ, "1e12"), (-2e-7, Kind.READ, "-2e-7"),
        (0.25, Kind.LEFT, "0.25"), (0.9999, Kind.LEFT, "0.9999"), (1.0, Kind.LEFT, "1"),
        (0.99999998, Kind.LEFT, "0.99999998"), (1 - 5e-12, Kind.LEFT, "1 - 5e-12"),
        (2.6e-20, Kind.LEFT, "2.6e-20"), (-0.4, Kind.LEFT, "-0.4"), (0.0, Kind.LEFT, "0"),
        (0.39378, Kind.SHARE, "39.4 %"), (0.99995, Kind.SHARE, "99.995 %"),
        (1 - 1e-15, Kind.SHARE, "100 %"), (1.0, Kind.SHARE, "100 %"), (0.0, Kind.SHARE, "0 %"),
        (3e-9, Kind.SHARE, "3e-7 %"), (123.0, Kind.SHARE, "12,300 %"), (0.5, Kind.TEXT, "0.5"),
        (1.7e308, Kind.SHARE, "1.7e308 times"), (-1e307, Kind.SHARE, "-1e307 times"),
    ],
)  # fmt: skip
def test_digits_are_decided_in_one_place(number, kind, text):
    assert show(number, kind) == text


def test_a_column_has_one_notation_and_units_their_own():
    column = Column(header="lr", kind=Kind.READ)
    assert column_texts(column, [0.1, 7.8e-8, 0.0]) == ["1e-1", "7.8e-8", "0"]
    cells = [Marked(content=5000.0, unit="steps"), Marked(content=10.667, unit="epochs"), 1e-9]
    assert column_texts(column, cells) == ["5,000 steps", "10.67 epochs", "1e-9"]


def test_words_and_lines_are_cells_too():
    column = Column(header="x")
    assert column_texts(column, [None, True, False, "a\nb", ("a", "b\x1b")]) == [
        "-", "yes", "no", "a\\nb", "a\nb\\x1b",
    ]  # fmt: skip


def test_what_a_terminal_would_obey_is_written_out():
    assert escaped("\x1b]0;PWN\x07x") == "\\x1b]0;PWN\\x07x"
    assert escaped("\ud800 λ") == "\\ud800 λ"
    assert "\x1b" not in to_text([simple_table("T", ("a",), [("\x1b[1m",)])], width=None,
                                 colour=False)  # fmt: skip


def test_cells_are_no_markup():
    text = to_text([TABLE], width=None, colour=False)
    assert "[lr] :fire: *x*" in text
    assert "1.23457e-5" not in text
    assert "0.0000123457" in text
    assert text.endswith("a note below\n")
    assert "\x1b" not in text


def shown(width):
    return to_text([TABLE], width=width, colour=False)


def test_a_table_that_is_too_wide_loses_columns_by_their_rank_then_becomes_records():
    assert "formula" in shown(90)
    assert "c = d·e" not in shown(66)
    assert "a long reason for it" in shown(66)
    folded = shown(60)
    assert " also" in folded
    assert "a long reason for it" not in folded
    assert "also" not in shown(48)
    records = shown(40)
    assert "formula     c = d·e" in records
    assert "also        c" in records


def test_a_word_that_is_too_wide_is_broken_behind_a_comma():
    columns = (
        Column(header="quantity"),
        Column(header="value", least=20),
        Column(header="from", least=24),
    )
    schedule = "wsd:warmup=200,ramp=one,decay=1000,final=0.1,shape=1-sqrt"
    table = Table(title="quantity", columns=columns, rows=(("schedule", schedule, "line 3"),))
    lines = to_text([table], width=50, colour=False).splitlines()[2:]
    words = [line.removeprefix(" schedule").removesuffix("line 3").strip() for line in lines]
    assert "".join(words) == schedule
    assert all(word.endswith(",") for word in words[:-1])
    assert to_text([table], width=None, colour=False).count("\n") == 3


@pytest.mark.parametrize("width", range(20, 120, 7))
def test_no_table_is_wider_than_the_terminal_nor_cut(width):
    text = shown(width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    assert "continued" not in text


CELLS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False), st.integers(), st.none(), st.booleans(),
    st.text(max_size=30), st.just("日本 語"),
)  # fmt: skip


@st.composite
def tables(draw):
    """Return a table of any shape."""
    n = draw(st.integers(1, 5))
    columns = tuple(
        Column(
            header=draw(st.text("abc日 ", min_size=1, max_size=12)),
            kind=draw(st.sampled_from(Kind)),
            rank=draw(st.sampled_from(Rank)) if place else Rank.KEY,
            least=draw(st.integers(0, 9)),
        )
        for place in range(n)
    )
    rows = draw(st.lists(st.tuples(*(CELLS for _ in columns)), max_size=4))
    return Table(title="T", columns=columns, rows=tuple(rows))


@given(tables(), st.integers(20, 140))
def test_any_table_fits_any_terminal_and_every_format_takes_it(table, width):
    from rich.cells import cell_len

    for line in to_text([table], width=width, colour=False).splitlines():
        assert cell_len(line) <= width
    assert to_markdown([table])
    assert to_page([table]).startswith("<!DOCTYPE html>")


def test_a_long_table_is_laid_out_in_parts_of_one_width():
    rows = [(f"name {place}", float(place)) for place in range(450)]
    text = to_text([simple_table("T", ("T", "n"), rows, numeric=("n",))], width=None, colour=False)
    lines = text.splitlines()
    assert len(lines) == 452
    assert len({len(line) for line in lines[2:]}) == 1
    assert sum("─" in line for line in lines) == 1


def test_colours_mean_something_where_they_are_wanted():
    text = to_text([Paragraph(text="head", tone=Tone.VALUE), TABLE], width=None, colour=True)
    assert text.startswith("\x1b[1mhead\x1b[0m\n")
    assert "\x1b[32mshort" in text
    assert "\x1b[2ma note below" in text
    assert "\x1b" not in to_text([TABLE], width=None, colour=False)


def test_an_empty_table_has_its_headers():
    empty = simple_table("None", ("a", "b"), ())
    for width in (20, None):
        assert " a   b" in to_text([empty], width=width, colour=False)
    assert to_svg((), width=None).startswith("<svg")


def test_a_picture_is_as_wide_as_the_widest_table():
    picture = to_svg((TABLE,), width=None)
    assert picture.count("Numbers") == 1
    assert "c&#160;=&#160;d·e" in picture
    assert "…" not in picture


def test_pages_escape_what_would_be_a_tag():
    table = Table(title="a", columns=(Column(header="a"),), rows=(("<script>",),), note="<b>")
    page = to_page([table, Paragraph(text="1 < 2")])
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "<p>1 &lt; 2</p>" in page
    assert '<p class="dim">&lt;b&gt;</p>' in page
    assert '<td class="number bold">0.0000123457</td>' in to_fragment([TABLE])
    assert '<p class="bold">Numbers</p>' in to_fragment([TABLE])


def test_markdown_escapes_what_would_end_a_cell_or_be_a_tag():
    lines = to_markdown([TABLE, TABLE]).split("\n\n")[1].splitlines()
    assert lines[:3] == [
        "| name | the value | why | also | formula |",
        "| --- | ---: | --- | --- | --- |",
        "| [lr] :fire: *x* | 0.0000123457 | a long reason for it | b | a\\|b |",
    ]
    assert to_markdown([TABLE]).endswith("\na note below\n")
    assert to_markdown([Paragraph(text="<script>\n\x1b")]) == "&lt;script&gt;<br>\n\\x1b\n"


def test_rows_become_csv_and_json_lines():
    rows = [{"a": 1, "b": [1, 2]}, {"a": None, "c": 1e-5}]
    assert to_csv(rows) == 'a,b,c\n1,"[1, 2]",\n,,1e-05\n'
    assert [json.loads(line) for line in to_jsonl(rows).splitlines()] == rows
    assert to_csv([]) == "\n"


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)"])
def test_a_spreadsheet_takes_a_text_for_a_text(text):
    ((cell,),) = list(csv.reader(io.StringIO(to_csv([{"a": text}]))))[1:]
    assert cell == f"'{text}"


def test_control_characters_are_written_out_in_csv():
    assert to_csv([{"a": "x\x1b]0;\x07\n"}]) == "a\nx\\x1b]0;\\x07\\n\n"


def test_a_document_begins_with_its_schema():
    assert list(document("convert", {"a": 1})) == ["schema", "schema_version", "version", "a"]
    assert document("convert", {})["schema"] == "decaycalc.convert"


def test_json_never_holds_a_number_that_is_not_finite():
    with pytest.raises(InvalidValueError, match="has no float64"):
        to_json({"a": float("nan")})
    assert to_json({"λ": 0.1}, indent=None) == '{"λ": 0.1}'


def test_json_holds_what_no_utf8_does():
    assert to_json({"a": "\ud800λ"}, indent=None) == '{"a": "\\ud800\\u03bb"}'


def test_a_frameworks_default_that_a_conversion_assumes_is_said_in_its_row(run):
    shown = run("convert", "1", "--from", "mean-l2", "--to", "sklearn-elastic-net")
    assert "l1_ratio 0.5, its default" in shown.out


def test_a_conversion_prints_in_one_line():
    single = decaycalc.convert("5e-4", source="caffe", target="keras-l2")
    assert str(single) == "keras-l2 l2 = 0.00025 (exact; l2 = weight_decay/2)"
    run = decaycalc.Run(lr="0.1", batch_size=128)
    moved = decaycalc.convert("1e-3", source="mean-l2", target="batch-sum-l2", run=run)
    assert " at lr 0.00078125 (exact" in str(moved)
