"""Short pages on weight decay and on this program, in Markdown; the tests run what they show."""

import os

from decaycalc.conventions.catalogue import FAMILIES
from decaycalc.errors import UnknownNameError

EXPLANATIONS = (
    "founding-question",
    "weight-decay-by-framework",
    "sum-and-mean",
    "full-batch-and-minibatch",
    "momentum",
    "adam-and-adamw",
    "schedules-and-timescales",
    "which-tensors",
    "choosing-a-value",
    "mup",
    "porting-a-paper",
)
"""What weight decay is: pages whose every number is computed."""

HOW_TO = (
    "conversions",
    "networks",
    "schedules",
    "recipes",
    "training-files",
    "scripts-and-ci",
    "python",
    "at-scale",
    "proof",
    "your-own-convention",
    "security",
    "contributing",
)
"""What decaycalc does: pages whose every console block is executed."""

RULES = ("rules",)
"""What the rules DC... mean: generated."""

CATALOGUE = ("catalogue", *(f"catalogue/{name}" for name in FAMILIES))
"""Every convention, one page a family: generated."""

TOPICS = (*EXPLANATIONS, *HOW_TO, *RULES, *CATALOGUE)
ALIASES = {
    "why-not-divide-by-the-number-of-weights": "founding-question",
    "founding": "founding-question",
    "frameworks": "weight-decay-by-framework",
    "sum": "sum-and-mean",
    "mean": "sum-and-mean",
    "minibatch": "full-batch-and-minibatch",
    "bengio": "full-batch-and-minibatch",
    "adam": "adam-and-adamw",
    "adamw": "adam-and-adamw",
    "schedules": "schedules-and-timescales",
    "timescales": "schedules-and-timescales",
    "tensors": "which-tensors",
    "choosing": "choosing-a-value",
    "width": "mup",
    "porting": "porting-a-paper",
}


def page(topic: str) -> str:
    """Return a topic's page as Markdown.

    Raises:
        UnknownNameError: no such topic.
    """
    wanted = topic.strip().lower()
    hyphened = wanted.replace("_", "-")
    name = wanted if wanted in TOPICS else ALIASES.get(hyphened, hyphened)
    if name not in TOPICS:
        raise UnknownNameError("topic", topic, (*TOPICS, *ALIASES), hint=_hint(name))
    # Not importlib.resources, nor pathlib: they cost a start more than all the rest of it.
    path = os.path.join(os.path.dirname(__file__), f"{name}.md")  # noqa: PTH118, PTH120
    with open(path, encoding="utf-8") as file:  # noqa: PTH123
        return _without_comments(file.read())


def _hint(name: str) -> str:
    """Return what lists the topics, and what shows a framework or a convention of that name."""
    # Imported here: a page needs no catalogue.
    from decaycalc.conventions.catalogue import conventions  # noqa: PLC0415

    known = (key for each in conventions() for key in (each.key, each.key.partition("-")[0]))
    own = f"; 'decaycalc conventions {name}' shows what it means by its numbers"
    return f"('decaycalc guide' lists them{own if name in known else ''})"


def title(topic: str) -> str:
    """Return the heading of a topic's page."""
    return page(topic).partition("\n")[0].removeprefix("# ")


def _without_comments(text: str) -> str:
    """Return the page without the comments that tell the tests how a number is computed."""
    head, opened, rest = text.partition("<!--")
    while opened:
        head += rest.partition("-->")[2]
        head, opened, rest = head.partition("<!--")
    return head
