"""Tables and paragraphs as HTML, for a page and for a notebook."""

from collections.abc import Iterable
from html import escape

from decaycalc.report.layout import Strip, strips
from decaycalc.report.table import Block, Paragraph, Table, Tone

# Colours that a white and a black page both show; what is dim is half of the page's own.
STYLE = """.decaycalc {font-family: ui-monospace, monospace; font-size: 0.9em}
.decaycalc table {border-collapse: collapse; margin: 0.8em 0 0.2em}
.decaycalc th {border-bottom: 1px solid currentColor; text-align: left}
.decaycalc th, .decaycalc td {padding: 0.1em 0.8em; vertical-align: top; white-space: pre-line}
.decaycalc .number {text-align: right}
.decaycalc p {margin: 0.8em 0 0; white-space: pre-line}
.decaycalc .bold {font-weight: bold}
.decaycalc .green {color: #2e8b57}
.decaycalc .yellow {color: #b8860b}
.decaycalc .red {color: #d9534f}
.decaycalc .dim {opacity: 0.6}"""


def to_page(blocks: Iterable[Block]) -> str:
    """Return the blocks as a page."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>decaycalc</title>\n</head>\n<body>\n{to_fragment(blocks)}\n</body>\n</html>\n"
    )


def to_fragment(blocks: Iterable[Block]) -> str:
    """Return the blocks as a part of a page, with the style that it needs."""
    body = "\n".join(map(_block, blocks))
    return f'<div class="decaycalc">\n<style>\n{STYLE}\n</style>\n{body}\n</div>'


def _block(block: Block) -> str:
    if isinstance(block, Paragraph):
        return f"<p{_class(block.tone)}>{escape(block.text)}</p>"
    return _table(block)


def _table(table: Table) -> str:
    columns = strips(table)
    caption = "" if table.title == columns[0].header else f"{_paragraph(table.title, Tone.VALUE)}\n"
    head = "".join(
        f"<th{_class(Tone.PLAIN, strip)}>{escape(strip.header)}</th>" for strip in columns
    )
    rows = "\n".join(f"<tr>{_row(columns, place)}</tr>" for place in range(len(table.rows)))
    note = f"\n{_paragraph(table.note, Tone.QUIET)}" if table.note else ""
    return f"{caption}<table>\n<tr>{head}</tr>\n{rows}\n</table>{note}"


def _row(columns: tuple[Strip, ...], place: int) -> str:
    return "".join(
        f"<td{_class(strip.tones[place], strip)}>{escape(strip.texts[place])}</td>"
        for strip in columns
    )


def _paragraph(text: str, tone: Tone) -> str:
    return _block(Paragraph(text=text, tone=tone))


def _class(tone: Tone, strip: Strip | None = None) -> str:
    number = "number" if strip is not None and strip.is_number else ""
    names = " ".join(filter(None, (number, tone.value)))
    return f' class="{names}"' if names else ""
