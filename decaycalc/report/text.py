"""Tables and paragraphs as text and SVG through rich."""

import io
import re
from collections.abc import Iterable, Iterator

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from decaycalc.report.layout import Strip, fitted, records, strips
from decaycalc.report.table import ENDLESS, Block, Paragraph, Table, Tone

# Rich pads nothing on the right, so a width beyond any table means the natural one.
_NATURAL = ENDLESS
# Paragraphs are folded here where the natural width is asked for.
_PROSE = 100
# Rows that rich lays out at a time: all at once it would hold every cell of a long table.
_ROWS = 200


def to_text(blocks: Iterable[Block], *, width: int | None, colour: bool) -> str:
    """Return the blocks as text; `width` None is their natural width, `colour` adds escapes."""
    stream = io.StringIO()
    _print(blocks, _console(stream, width=width, colour=colour))
    lines = stream.getvalue().splitlines()
    return "\n".join(line.rstrip() for line in lines).strip("\n") + "\n"


def to_svg(blocks: Iterable[Block], *, width: int | None) -> str:
    """Return the blocks as an SVG picture."""
    shown = tuple(blocks)
    # One column more: rich's picture cuts the last one off.
    wide = 1 + (width or _widest(to_text(shown, width=None, colour=False)))
    console = _console(io.StringIO(), width=wide, colour=True, record=True)
    _print(shown, console)
    return console.export_svg(title="decaycalc")


def _widest(text: str) -> int:
    return max((Text(line).cell_len for line in text.splitlines()), default=1)


def _console(
    stream: io.StringIO, *, width: int | None, colour: bool, record: bool = False
) -> Console:
    """Return a console that takes every text as it is."""
    return Console(
        file=stream,
        width=width or _NATURAL,
        force_terminal=colour,
        color_system="standard" if colour else None,
        no_color=not colour,
        record=record,
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
    )


def _print(blocks: Iterable[Block], console: Console) -> None:
    width = None if console.width == _NATURAL else console.width
    for block in blocks:
        for part in renderables(block, width=width):
            console.print(part)


def rich_group(blocks: Iterable[Block]) -> Group:
    """Return the blocks as one rich renderable in their natural width."""
    return Group(*(part for block in blocks for part in renderables(block, width=None)))


def renderables(block: Block, *, width: int | None) -> Iterator[RenderableType]:
    """Yield a block's parts for a console of that width, an empty line before it."""
    if isinstance(block, Paragraph):
        if block.apart:
            yield Text()
        yield _prose(block.text, block.tone, width)
        return
    yield Text()
    yield from _table(block, width)
    if block.note:
        yield _prose(block.note, Tone.QUIET, width)


def _prose(text: str, tone: Tone, width: int | None) -> Text:
    """Return a text folded at blanks, each of its own lines beginning one."""
    lines = (line for own in text.split("\n") for line in _folded(own, width or _PROSE))
    return Text("\n".join(lines), style=tone.value)


def _folded(line: str, width: int) -> list[str]:
    """Return a line as itself, or as several where it is too wide."""
    if cell_len(line) <= width:
        return [line]
    # Imported here: most lines of prose are short enough.
    from textwrap import wrap  # noqa: PLC0415

    return wrap(line, width, break_on_hyphens=False)  # a key or an option is one word


def _table(table: Table, width: int | None) -> Iterator[RenderableType]:
    """Yield the title where no header says it, then the rows, some at a time."""
    columns = strips(table)
    if width is None:
        laid: tuple[Strip, ...] | None = columns
    else:
        laid = fitted(columns, width)
    if laid is None or table.title != table.columns[0].header:
        yield Text(table.title, style="bold")
    if laid is None:
        laid = records(columns, width or _NATURAL, title=table.title)
    folded = any(map(_is_folded, laid))
    for start in range(0, len(laid[0].texts) or 1, _ROWS):
        yield _rich_table(laid, slice(start, start + _ROWS), folded=folded)


def _rich_table(columns: tuple[Strip, ...], rows: slice, *, folded: bool) -> RichTable:
    """Return some rows as rich's table; the first of them stand below the headers.

    Where no cell is `folded`, they are one row of many lines: it looks the same and takes half the
    time.
    """
    headed = rows.start == 0 and any(strip.header for strip in columns)
    shown = RichTable(
        box=SIMPLE_HEAD, show_header=headed, show_edge=False, border_style="dim", pad_edge=True
    )
    for strip in columns:
        justify = "right" if strip.is_number else "left"
        shown.add_column(strip.header, justify=justify, width=strip.width, overflow="fold")  # type: ignore[arg-type]
    cells = [_cells(strip, rows) for strip in columns]
    if not folded:
        cells = [[Text("\n").join(column)] for column in cells if column]
    for row in zip(*cells, strict=True):
        shown.add_row(*row)
    return shown


def _is_folded(strip: Strip) -> bool:
    """Return whether a cell takes more than one line."""
    return strip.is_folded or any("\n" in text for text in strip.texts)


def _cells(strip: Strip, rows: slice) -> list[Text]:
    texts: Iterable[str] = strip.texts[rows]
    if strip.is_folded:
        texts = (_broken(text, strip.width) for text in texts)
    pairs = zip(texts, strip.tones[rows], strict=True)
    return [Text(text, style=tone.value) for text, tone in pairs]


def _broken(text: str, width: int) -> str:
    """Return a text whose words are broken behind a mark, as a comma, where they are too wide.

    rich folds a word at its last column, within `final` of a schedule as well.
    """
    words = (word if len(word) <= width else _broken_word(word, width) for word in text.split(" "))
    return " ".join(words)


def _broken_word(word: str, width: int) -> str:
    lines = [""]
    for part in re.findall(r"[^,/·_-]+[,/·_-]*|[,/·_-]+", word):
        if lines[-1] and len(lines[-1] + part) > width:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)
