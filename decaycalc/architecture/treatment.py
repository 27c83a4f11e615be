"""What a group's tensors get: an lr and a decay, each a factor of the run's or a number of its own.

A rule is typed as `REGEX:lr*16,wd=0.1`: the tensors whose names it fits, then their settings; `*`
multiplies the run's number and `=` takes its place.
"""

from dataclasses import dataclass
from fractions import Fraction

from decaycalc.algebra.number import Number, exact
from decaycalc.errors import InvalidValueError
from decaycalc.record import Record

MOST_FACTOR = 10**6
LR_WORDS = ("lr", "learning_rate")
DECAY_WORDS = ("wd", "weight_decay")
FORM = "must be REGEX:lr*FACTOR,wd*FACTOR, with = for a number of its own"


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
    """A tensor's lr and decay; `name` is that of its group."""

    name: str
    lr: Amount = WHOLE
    decay: Amount = WHOLE

    @property
    def is_exempt(self) -> bool:
        """Whether the tensor does not decay at all."""
        return self.decay.number == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRule:
    """The lr and the decay of the tensors whose names a regular expression fits; None leaves it."""

    pattern: str
    lr: Amount | None = None
    decay: Amount | None = None

    def applied(self, treatment: Treatment) -> Treatment:
        """Return what a tensor gets that the rule fits; what is exempt stays so."""
        lr, decay = self.lr or treatment.lr, treatment.decay
        if self.decay is not None and not treatment.is_exempt:
            decay = self.decay
        if (lr, decay) == (treatment.lr, treatment.decay):
            return treatment
        return Treatment(name=self.pattern, lr=lr, decay=decay)


def parse_group_rule(text: str) -> GroupRule:
    """Return the rule that `REGEX:SETTING[,SETTING]` spells.

    >>> parse_group_rule("lora_B:lr*16").lr.ratio(None)
    16.0

    Raises:
        InvalidValueError: it is not of that form, or a number is out of bounds.
    """
    pattern, colon, settings = text.rpartition(":")
    if not colon or not pattern:
        raise InvalidValueError("group", text[:80], FORM)
    found: dict[str, Amount] = {}
    for setting in settings.split(","):
        name, amount = _parse_setting(setting.strip(), text)
        if name in found:
            raise InvalidValueError("group", text[:80], f"gives {name} twice")
        found[name] = amount
    return GroupRule(pattern=pattern, lr=found.get("lr"), decay=found.get("wd"))


def _parse_setting(setting: str, text: str) -> tuple[str, Amount]:
    """Return `lr` or `wd`, and the amount that follows it."""
    for mark in "*=":
        word, found, number = setting.partition(mark)
        name = _setting_name(word.strip())
        if found and name:
            value = exact(number.strip(), name=f"{name} of group {text[:40]!r}")
            return name, _checked(value, name, is_factor=mark == "*", text=text)
    raise InvalidValueError("group", text[:80], FORM)


def _setting_name(word: str) -> str:
    """Return `lr` or `wd` of a setting's word; nothing where it is neither."""
    return "lr" if word in LR_WORDS else "wd" if word in DECAY_WORDS else ""


def _checked(value: Fraction, name: str, *, is_factor: bool, text: str) -> Amount:
    if value < 0 or value > MOST_FACTOR:
        bounds = f"must have {name} from 0 to {MOST_FACTOR:g}"
        raise InvalidValueError("group", text[:80], bounds)
    return Amount(number=value, is_factor=is_factor)
