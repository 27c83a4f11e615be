"""`decaycalc guide`: short pages on weight decay."""

import sys

import click

from decaycalc.cli.command import Command
from decaycalc.cli.names import TOPIC
from decaycalc.cli.output import take_width, write_to_stdout
from decaycalc.cli.screen import colour, columns, is_long, is_terminal
from decaycalc.cli.screen import page as show_paged
from decaycalc.guide import EXPLANATIONS, HOW_TO, RULES, page, title

_WIDEST = 100  # columns that prose is read in


@click.command(
    "guide",
    cls=Command,
    examples=("decaycalc guide", "decaycalc guide founding-question"),
    is_configurable=False,
)
@click.argument("topic", type=TOPIC, required=False)
@click.option("--width", metavar="COLUMNS", help="Width of the page.  [default: up to 100]")
def command(topic: str | None, width: str | None) -> None:
    """Explain one thing about weight decay, with numbers; without TOPIC list the topics."""
    asked, terminal = take_width(width), is_terminal(sys.stdout)
    text = contents() if topic is None else page(topic)
    if topic is not None and (terminal or asked):
        text = rendered(text, width=asked, terminal=terminal)
    (show_paged if is_long(text) else write_to_stdout)(text)


def contents() -> str:
    """Return the topics with their titles, a line each."""
    width = max(map(len, (*EXPLANATIONS, *HOW_TO)))
    groups = (
        ("What weight decay is", EXPLANATIONS),
        ("What decaycalc does", (*HOW_TO, *RULES)),
        ("Every convention", ("catalogue",)),
    )
    blocks = [
        f"{heading}:\n" + "".join(f"  {topic:{width}}  {title(topic)}\n" for topic in topics)
        for heading, topics in groups
    ]
    return "\n".join(blocks) + "\n'decaycalc guide TOPIC' shows a page.\n"


def rendered(text: str, *, width: int | None, terminal: bool) -> str:
    """Return Markdown as text, as wide as asked or as the terminal is, up to 100 columns."""
    import io

    from rich.console import Console
    from rich.markdown import Markdown

    wanted = colour(terminal=terminal)
    stream = io.StringIO()
    console = Console(
        file=stream,
        width=width or min(columns(None, terminal=terminal) or _WIDEST, _WIDEST),
        force_terminal=wanted,
        color_system="standard" if wanted else None,
        no_color=not wanted,
        legacy_windows=False,
    )
    # As plain text, for a console block is a mixture that no highlighter colours well.
    plain = text.replace("```console", "```text")
    console.print(Markdown(plain, code_theme="ansi_dark"))
    return stream.getvalue()
