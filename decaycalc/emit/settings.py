"""What a snippet is written from, and the small parts that all writers share."""

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, TypeVar

from decaycalc.algebra.number import plural
from decaycalc.conventions.record import Convention
from decaycalc.conventions.run import Run
from decaycalc.conversion.assumptions import Assumption
from decaycalc.emit.schedule import schedule_lines
from decaycalc.errors import InvalidValueError, NoEquivalentError
from decaycalc.record import Record

if TYPE_CHECKING:
    from decaycalc.schedule import Schedule


class OwnGroup(Record):
    """Tensors whose names a pattern fits: their lr and number, each None where it is the run's."""

    pattern: str
    lr: float | None
    value: float | None


class SnippetSettings(Record):
    """What a snippet is written from: the target's own number and its run.

    `convention` is the target's; `source` and `given` are what the user had, for the comment.
    `mask` says what decays; of the `groups` the last one that fits a tensor and sets its lr (or its
    number) counts.
    """

    convention: Convention
    value: float
    source: Convention
    given: Fraction
    equivalence: str
    lr: float
    momentum: float
    dampening: float
    nesterov: bool
    run: Run
    mask: str
    schedule: "Schedule | None"
    decay_schedule: "Schedule | None"
    betas: tuple[float, float] | None
    eps: float | None
    assumptions: tuple[Assumption, ...] = ()
    groups: tuple[OwnGroup, ...] = ()

    @property
    def heading(self) -> str:
        """The snippet's first comment: what was converted, and how far the equality goes."""
        here, there = self.convention, self.source
        return (
            f"{there.parameter} {float(self.given)!r} of {there.key} is {here.parameter} "
            f"{self.value!r} of {here.key} ({self.equivalence})"
        )

    @property
    def eps_text(self) -> str | None:
        """Adam's epsilon as code, None where it is the framework's own."""
        return None if self.eps is None else repr(self.eps)

    @property
    def schedule_text(self) -> str:
        """The schedule in words; asked for only where there is one."""
        assert self.schedule is not None  # noqa: S101  (tells the type checker)
        steps = self.schedule.total_steps
        return f"{self.schedule.text} over {steps} {plural(steps, 'step')}"


def decay_lines(schedule: "Schedule", value: float, *, xp: str) -> list[str]:
    """Return a function `decay_multiplier` of the step, the decay over `value`."""
    text = f"Return weight decay over {value!r}: {schedule.text}"
    return function_lines("decay_multiplier", schedule, text, xp=xp)


def function_lines(name: str, schedule: "Schedule", text: str, *, xp: str) -> list[str]:
    """Return a function of the step that gives a schedule's multiplier; `text` documents it."""
    return [
        f"def {name}(step):",
        f'    """{text}."""',
        *(f"    {line}" for line in schedule_lines(schedule, xp=xp)),
        "",
        "",
    ]


Kind = TypeVar("Kind")


def written(settings: SnippetSettings, framework: str, known: Mapping[str, Kind]) -> Kind:
    """Return what a framework's writer has for the target's convention.

    Raises:
        NoEquivalentError: nothing.
    """
    found = known.get(settings.convention.key)
    if found is None:
        raise refuse_convention(settings, framework)
    return found


def refuse_convention(settings: SnippetSettings, framework: str) -> NoEquivalentError:
    """Return the error for a target that a framework's writer does not know."""
    return NoEquivalentError(
        settings.source.key, framework, f"no snippet is written for {settings.convention.key}"
    )


def require_mask(settings: SnippetSettings, *known: str) -> None:
    """Refuse a mask that a framework's writer does not know.

    Raises:
        InvalidValueError: it is one.
    """
    if settings.mask not in known:
        text = f"has no snippet here; use {' or '.join(known)}"
        raise InvalidValueError("decay mask", settings.mask, text)


def unequal(settings: SnippetSettings) -> str:
    """Return the note on a schedule that a trainer has no name for."""
    assert settings.schedule is not None  # noqa: S101  (only a schedule can be unequal)
    return f"the schedule {settings.schedule.text!r} has no equal there: set it yourself"


def call(name: str, arguments: dict[str, str | None]) -> str:
    """Return a call with keyword arguments, one a line; what is None is left out."""
    lines = [f"    {key}={text}," for key, text in arguments.items() if text is not None]
    return "\n".join([f"{name}(", *lines, ")"])


# Python's own modules, which stand first.
_STANDARD = frozenset({"import itertools", "import math", "import re"})


def assemble(settings: SnippetSettings, imports: tuple[str, ...], body: list[str]) -> str:
    """Return a snippet: its heading, the imports that its body uses, and the body."""
    text = "\n".join(body)
    head = [f"# {settings.heading}"]
    used = [line for line in ("import math", *imports) if _uses(text, line)]
    own = sorted(line for line in used if line in _STANDARD)
    used = [*own, *([""] if own else []), *(line for line in used if line not in _STANDARD)]
    gap = ["", ""] if body[0].startswith(("def ", "class ")) else [""]
    return "\n".join([*head, *used, *gap, text]) + "\n"


def _uses(text: str, line: str) -> bool:
    """Return whether a text uses the name that an import line binds."""
    name = line.rsplit(maxsplit=1)[-1]
    return re.search(rf"\b{name}[.(]", text) is not None
