"""`decaycalc guide`: short pages on weight decay."""

import sys

import click

from decaycalc.cli.command import Command
from decaycalc.cli.names import TOPIC
from decaycalc.cli.output import colour
from decaycalc.guide import EXPLANATIONS, HOW_TO, page, title


@click.command(
    "guide",
    cls=Command,
    examples=("decaycalc guide", "decaycalc guide founding-question"),
)
@click.argument("topic", type=TOPIC, required=False)
def command(topic: str | None) -> None:
    """Explain one thing about weight decay, with numbers; without TOPIC list the topics."""
    text = contents() if topic is None else page(topic)
    terminal = sys.stdout.isatty()
    sys.stdout.write(rendered(text, terminal=terminal) if topic and terminal else text)


def contents() -> str:
    """Return the topics with their titles, a line each."""
    width = max(map(len, (*EXPLANATIONS, *HOW_TO)))
    groups = (
        ("What weight decay is", EXPLANATIONS),
        ("What decaycalc does", HOW_TO),
        ("Every convention", ("catalogue",)),
    )
    blocks = [
        f"{heading}:\n" + "".join(f"  {topic:{width}}  {title(topic)}\n" for topic in topics)
        for heading, topics in groups
    ]
    return "\n".join(blocks) + "\n'decaycalc guide TOPIC' shows a page.\n"


def rendered(text: str, *, terminal: bool) -> str:
    """Return Markdown as text for a terminal."""
    import io
    import shutil

    from rich.console import Console
    from rich.markdown import Markdown

    wanted = colour(terminal=terminal)
    stream = io.StringIO()
    console = Console(
        file=stream,
        width=min(shutil.get_terminal_size().columns, 100),
        force_terminal=wanted,
        color_system="standard" if wanted else None,
        no_color=not wanted,
        legacy_windows=False,
    )
    # As plain text, for a console block is a mixture that no highlighter colours well.
    plain = text.replace("```console", "```text")
    console.print(Markdown(plain, code_theme="ansi_dark"))
    return stream.getvalue()
