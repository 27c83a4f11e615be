"""Kinds of rows: what rows share that give the same quantities and say the same otherwise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from decaycalc.conversion.decay import epoch_note
from decaycalc.conversion.rounding import SIGNIFICANT_BITS, Storage
from decaycalc.conversion.shortcut import Ratio, Shortcut
from decaycalc.errors import DecaycalcError

# A number's and a decay's warning are looked for below so many of the least steps that count.
_LOSSY = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RowKind:
    """What rows of one kind share: the way to their numbers and the text around them.

    `ends` are the texts behind the last number, by whether an epoch's and whether a rounding's
    warning stand between their parts. `epoch` are the places of N and of B's factors, None where
    nothing is said of epochs.
    """

    shortcut: Shortcut
    constants: tuple[Ratio, ...]
    head: str
    between: tuple[str, ...]
    ends: Mapping[tuple[bool, bool], Sequence[str]]
    epoch: tuple[int, tuple[int, ...]] | None
    drop_last: bool
    storage: Storage

    def text(self, value: Ratio, ratios: Sequence[Ratio]) -> str | None:
        """Return a row's result, None where the single command's way has to be gone."""
        ratios = (*ratios, *self.constants)
        numbers = self.shortcut.numbers(value, ratios)
        if numbers is None:
            return None
        text = self.head
        for number, behind in zip(numbers, self.between, strict=True):
            text = f"{text}{number!r}{behind}"
        note, loss = self._note(ratios), self._loss(value, ratios)
        if loss is None:
            return None
        first, *rest = self.ends[bool(note), bool(loss)]
        text += first
        for warning, behind in zip(filter(None, (note, loss)), rest, strict=True):
            text += warning + behind
        return text

    def _note(self, ratios: Sequence[Ratio]) -> str:
        """Return the warning of an epoch that is not a whole number of steps, or nothing."""
        if self.epoch is None:
            return ""
        above, below = ratios[self.epoch[0]]
        for place in self.epoch[1]:
            above, below = above * ratios[place][1], below * ratios[place][0]
        whole, rest = divmod(above, below)
        return epoch_note(whole + bool(rest and not self.drop_last), above, below)

    def _loss(self, value: Ratio, ratios: Sequence[Ratio]) -> str | None:
        """Return the warning of a decay that rounding swallows, or nothing.

        None where the exact decay takes more than a recursion.
        """
        if self.shortcut.shrink is None:
            return ""
        first_order = self.shortcut.shrink.at(value, ratios)
        if first_order > _LOSSY * 2.0 ** -SIGNIFICANT_BITS[self.storage.dtype or "float32"]:
            return ""
        shrink = self.shortcut.per_step(first_order, ratios)
        return None if shrink is None else "".join(self.storage.warnings(shrink))


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedKind:
    """What rows of one kind share that are all refused for what they give, not for what it is."""

    shortcut: Shortcut
    constants: tuple[Ratio, ...]
    error: DecaycalcError

    def text(self, value: Ratio, ratios: Sequence[Ratio]) -> str | None:
        """Return None where a row may have another fault.

        Raises:
            DecaycalcError: the kind's.
        """
        if self.shortcut.takes(value, (*ratios, *self.constants)):
            # Without this the traceback of the one error grows by every row.
            raise self.error.with_traceback(None)
        return None
