"""The table of trainers in the guide's page on training files, made from their own tables.

`python -m tests.renew` renews it.
"""

from pathlib import Path

from decaycalc import guide
from decaycalc.training.reading.recognise import trainers

PAGE = Path(guide.__file__).parent / "training-files.md"
HEADER = "| trainer | `--kind` | weight decay | lr | batch | defaults read in |"
SHOWN = ("weight_decay", "lr", "batch_size")


def keys_of(trainer, name):
    """Return the keys under which a trainer's file may hold a quantity."""
    field = trainer.field(name)
    paths = () if field is None else (*field.paths, *field.covers)[:2]
    return ", ".join(f"`{path}`" for path in paths) or "-"


def table():
    """Return the table, a trainer a row."""
    rows = [
        f"| {' | '.join(parts)} |"
        for parts in (
            (
                trainer.title,
                f"`{trainer.kind}`",
                *(keys_of(trainer, name) for name in SHOWN),
                trainer.version,
            )
            for trainer in trainers()
        )
    ]
    return "\n".join([HEADER, "|---|---|---|---|---|---|", *rows])


def page():
    """Return the page with the table as it is now."""
    text = PAGE.read_text(encoding="utf-8")
    before, found, rest = text.partition(HEADER)
    assert found, "the page has lost its table"
    after = rest.partition("\n\n")[2]
    return f"{before}{table()}\n" + (f"\n{after}" if after else "")
