"""TransferRequest: what a command line of `transfer` asks for, typed; nothing is computed yet."""

from fractions import Fraction
from typing import TYPE_CHECKING

from decaycalc.algebra.quantity import exact, finite
from decaycalc.conventions.run import Run
from decaycalc.conventions.runs import target_part
from decaycalc.errors import InvalidValueError, UsageError
from decaycalc.record import Record

if TYPE_CHECKING:
    from decaycalc.conventions.record import Convention


class TransferRequest(Record):
    """The options of `transfer` by their names; what is None, False or empty was not given."""

    value: str | None
    source: "Convention | None"
    target: "Convention | None"
    run: Run
    target_run: Run | None
    groups: tuple[str, ...]
    recipe: str | None
    kind: str | None
    to_dataset_size: str | None
    to_epochs: str | None
    to_steps: str | None
    to_width_ratio: str
    to_depth_ratio: str
    lr_rules: tuple[str, ...]
    holds: tuple[str, ...]
    match: str | None
    betas: tuple[str, str] | None
    parameters: str | None
    to_parameters: str | None
    schedule: str | None
    decay_schedule: str | None
    framework: str | None
    arch: str | None
    mask: str | None
    everything: bool
    explain: str | None

    @property
    def is_scheduled(self) -> bool:
        """Whether what the rules leave over a scheduled run is asked for."""
        return (self.schedule, self.decay_schedule) != (None, None)

    @property
    def new_run(self) -> Run | None:
        """What differs in the new run; None where nothing was given."""
        own = {
            "dataset_size": self.to_dataset_size,
            "epochs": self.to_epochs,
            "steps": self.to_steps,
        }
        known = {name: value for name, value in own.items() if value is not None}
        if not known:
            return self.target_run
        base = {} if self.target_run is None else vars(self.target_run)
        return target_part(**{**base, **known})

    @property
    def n_parameters(self) -> tuple[float | None, float | None]:
        """The parameters of the old network and of the new one, the same where none are given."""
        before = _count("parameters", self.parameters)
        after = _count("to_parameters", self.to_parameters)
        return before, before if after is None else after

    @property
    def flags_without_code(self) -> tuple[str, ...]:
        """The flags that were given and that say how an answer is shown, which code is not."""
        given = {
            "--explain": self.explain,
            "--all": self.everything,
            "--parameters": self.parameters,
            "--to-parameters": self.to_parameters,
        }
        return tuple(flag for flag, value in given.items() if value)

    @property
    def chosen_lr_rules(self) -> tuple[str, ...]:
        """The lr rules that are asked for; a match is one.

        Raises:
            UsageError: a match without the other optimizer, or with rules of another sort of move.
        """
        if self.match is None:
            return self.lr_rules
        if self.target is None:
            raise UsageError("--match update needs --to: the other optimizer's convention")
        if self.lr_rules or self.holds:
            raise UsageError("--match update is a rule of its own: leave out --lr-rule and --hold")
        return (self.match,)


def _count(name: str, text: str | None) -> float | None:
    return None if text is None else finite(positive(name, text), name)


def positive(name: str, text: str) -> Fraction:
    """Return an option's number.

    Raises:
        InvalidValueError: it is not above 0.
    """
    number = exact(text, name=name)
    if number <= 0:
        raise InvalidValueError(name, text, "must be positive")
    return number
