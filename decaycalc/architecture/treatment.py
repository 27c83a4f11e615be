"""What a group's tensors get: an lr and a decay, each a factor of the run's or a number of its own.

A rule is typed as `REGEX:lr*16,wd=0.1`: the tensors whose names it fits, then their settings; `*`
multiplies the run's number and `=` takes its place. `update_share=0.25` is the share of the steps
that update the group, `towards=initial` the point that its weights decay towards.
"""

import re
from enum import StrEnum
from fractions import Fraction
from typing import Any

from decaycalc.algebra.number import Number, exact
from decaycalc.errors import InvalidValueError
from decaycalc.record import Record, replace

MOST_FACTOR = 10**6  # beyond it a factor is a slip, such as an lr
# What a setting may be called, and the names that it is known by here.
WORDS = {"lr": "lr", "learning_rate": "lr", "wd": "wd", "weight_decay": "wd",
         "update_share": "update_share", "towards": "towards"}  # fmt: skip
FORM = (
    "must be REGEX:lr*FACTOR,wd*FACTOR, with = for a number of its own, then maybe "
    "update_share=SHARE, towards=initial"
)
_SETTING = re.compile(r"([a-z_]+) *([*=]) *(.*)")


class Towards(StrEnum):
    """The point that a group's weights decay towards: zero, or where they started (L2-SP)."""

    ZERO = "zero"
    INITIAL = "initial"


class Amount(Record):
    """An lr or a decay: `number` times the run's, or `number` itself where it is no factor."""

    number: Fraction
    is_factor: bool = True

    def of(self, base: Number | None) -> Fraction | None:
        """Return the amount itself, given the run's; None where it needs that and has none."""
        if not self.is_factor:
            return self.number
        return None if base is None else self.number * exact(base)

    def ratio(self, base: Number | None) -> float | None:
        """Return what multiplies the run's number; None where that is needed and unknown."""
        if self.is_factor:
            return float(self.number)
        return float(self.number / exact(base)) if base else None

    def times(self, factor: Fraction) -> "Amount":
        """Return the amount times a factor."""
        return Amount(number=self.number * factor, is_factor=self.is_factor)


WHOLE = Amount(number=Fraction(1))
NOTHING = Amount(number=Fraction(0))


class Treatment(Record):
    """A tensor's lr and decay; `name` is that of its group.

    `update_share` is the share of the steps that update the tensor, `towards` the point that it
    decays towards.
    """

    name: str
    lr: Amount = WHOLE
    decay: Amount = WHOLE
    update_share: Fraction = Fraction(1)
    towards: Towards = Towards.ZERO

    @property
    def settings(self) -> tuple[object, ...]:
        """All that tensors of one group have in common."""
        return self.lr, self.decay, self.update_share, self.towards

    @property
    def is_exempt(self) -> bool:
        """Whether the tensor does not decay at all."""
        return self.decay.number == 0


class GroupRule(Record):
    """What the tensors get whose names a regular expression fits; None leaves it."""

    pattern: str
    lr: Amount | None = None
    decay: Amount | None = None
    update_share: Fraction | None = None
    towards: Towards | None = None

    def applied(self, treatment: Treatment) -> Treatment:
        """Return what a tensor gets that the rule fits; what is exempt stays so."""
        changed = replace(
            treatment,
            lr=self.lr or treatment.lr,
            decay=treatment.decay if treatment.is_exempt else self.decay or treatment.decay,
            update_share=self.update_share or treatment.update_share,
            towards=self.towards or treatment.towards,
        )
        return treatment if changed == treatment else replace(changed, name=self.pattern)


def parse_group_rule(text: str) -> GroupRule:
    """Return the rule that `REGEX:SETTING[,SETTING]` spells.

    >>> parse_group_rule("lora_B:lr*16").lr.ratio(None)
    16.0

    Raises:
        InvalidValueError: it is not of that form, no pattern, or a number is out of bounds.
    """
    pattern, colon, settings = text.rpartition(":")
    if not colon or not pattern:
        raise InvalidValueError("group", text[:80], FORM)
    # Imported here: few runs have groups, and the module loads what starts processes.
    from decaycalc.architecture.names import compile_pattern  # noqa: PLC0415

    compile_pattern(pattern)
    found: dict[str, Any] = {}
    for setting in settings.split(","):
        name, made = _parse_setting(setting.strip(), text)
        if name in found:
            raise InvalidValueError("group", text[:80], f"gives {name} twice")
        found[name] = made
    return GroupRule(pattern=pattern, decay=found.pop("wd", None), **found)


def _parse_setting(setting: str, text: str) -> tuple[str, object]:
    """Return a setting's name, and what follows it."""
    shape = _SETTING.fullmatch(setting)
    if shape is None:
        raise InvalidValueError("group", text[:80], FORM)
    word, mark, said = shape.groups()
    name = WORDS.get(word)
    if name == "towards" and mark == "=":
        return name, _point(said, text)
    if name == "update_share" and mark == "=":
        return name, _share(exact(said, name=f"update_share of group {text[:40]!r}"), text)
    if name is None or name not in {"lr", "wd"}:
        raise InvalidValueError("group", text[:80], FORM)
    number = exact(said, name=f"{name} of group {text[:40]!r}")
    return name, _amount(number, name, is_factor=mark == "*", text=text)


def _amount(value: Fraction, name: str, *, is_factor: bool, text: str) -> Amount:
    if value < 0 or value > MOST_FACTOR:
        bounds = f"must have {name} from 0 to {MOST_FACTOR:g}"
        raise InvalidValueError("group", text[:80], bounds)
    return Amount(number=value, is_factor=is_factor)


def _share(value: Fraction, text: str) -> Fraction:
    if not 0 < value <= 1:
        raise InvalidValueError("group", text[:80], "must have update_share above 0, at most 1")
    return value


def _point(word: str, text: str) -> Towards:
    if word not in {point.value for point in Towards}:
        raise InvalidValueError("group", text[:80], f"must have towards={'|'.join(Towards)}")
    return Towards(word)
