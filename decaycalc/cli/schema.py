"""`decaycalc schema`: the JSON Schemas of the outputs."""

import click

from decaycalc.cli.command import Command
from decaycalc.cli.names import DOCUMENT
from decaycalc.cli.output import write_to_stdout


@click.command(
    "schema",
    cls=Command,
    examples=("decaycalc schema", "decaycalc schema convert", "decaycalc schema error"),
)
@click.argument("name", type=DOCUMENT, required=False)
def command(name: str | None) -> None:
    """Print the JSON Schema of the document called NAME, or the documents' names.

    Documents change by addition only: a schema of today accepts the documents of tomorrow.
    """
    from decaycalc.report.document import to_json
    from decaycalc.report.schemas import NAMES, schema

    text = "\n".join(NAMES) if name is None else to_json(schema(name))
    write_to_stdout(text + "\n")
