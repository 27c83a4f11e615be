"""Run: the quantities of one training run, each optional, and those derived from them."""

from collections.abc import Callable
from enum import StrEnum
from fractions import Fraction
from math import ceil, floor
from typing import Any, NewType

from decaycalc.algebra.number import plural
from decaycalc.algebra.quantity import NUMBERS, QUANTITIES, Number, exact
from decaycalc.conventions.families import check_optimizer
from decaycalc.errors import ContradictionError, InvalidValueError
from decaycalc.record import Record, replace


class Loss(StrEnum):
    """How the data loss is reduced over the examples."""

    MEAN = "mean"
    BATCH_SUM = "batch-sum"
    DATASET_SUM = "dataset-sum"

    @property
    def scale(self) -> str | None:
        """The quantity that the mean loss is multiplied by, None for the mean itself."""
        return {"batch-sum": "batch_size", "dataset-sum": "dataset_size"}.get(self.value)


# JSON's `run` and `target_run`: the quantities known, given or derived, by their names.
RunJson = NewType("RunJson", dict[str, int | float | bool | str])
_NUMBERS = tuple(quantity.name for quantity in NUMBERS)
BATCH = ("batch_size", "grad_accum", "world_size")
"""What multiplies to B, the examples of one optimizer step."""


class Run(Record):
    """One training run; what is None is unknown, or has the default that `get` knows.

    `batch_size` counts the examples of one micro-batch on one worker; times `grad_accum` times
    `world_size` it is B, the examples of one optimizer step. N and B may be counted in tokens,
    both in the same unit. `loss` is how the data loss is reduced, or as a number what it is of the
    mean loss. `optimizer` is what trains a penalty in a loss, which has none of its own. `extras`
    are the quantities that only some conventions need.
    """

    lr: Number | None = None
    momentum: Number | None = None
    dampening: Number | None = None
    nesterov: bool | None = None
    batch_size: Number | None = None
    grad_accum: Number | None = None
    world_size: Number | None = None
    dataset_size: Number | None = None
    epochs: Number | None = None
    steps: Number | None = None
    drop_last: bool = False
    loss: Loss | Number | None = None
    optimizer: str | None = None
    n_weights: Number | None = None
    n_layers: Number | None = None
    extras: tuple[tuple[str, Number], ...] = ()

    def __post_init__(self) -> None:
        """Make every number exact and check it.

        Raises:
            InvalidValueError: a value that its quantity cannot have.
            ContradictionError: quantities that cannot hold together.
        """
        fields = self.__dict__
        for name in _NUMBERS:
            value = fields[name]
            if value is not None:
                fields[name] = QUANTITIES[name].check(exact(value, name=name))
        for name in ("nesterov", "drop_last"):
            fields[name] = _flag(name, fields[name])
        if self.extras:
            fields["extras"] = tuple(
                (name, QUANTITIES[name].check(exact(value, name=name)))
                for name, value in self.extras
            )
        if self.loss is not None and not isinstance(self.loss, Loss):
            self.__dict__["loss"] = _loss(self.loss)
        if self.optimizer is not None:
            self.__dict__["optimizer"] = check_optimizer(self.optimizer)
        self._check_nesterov()
        self._check_size()
        self._check_length()

    @classmethod
    def part(cls, **given: Any) -> "Run":
        """Return a run of which only a part is said, to be laid `over` another.

        What can only be judged together (Nesterov without momentum) is checked then.
        """
        nesterov = given.pop("nesterov", None)
        run = cls(**given)
        run.__dict__["nesterov"] = _flag("nesterov", nesterov)
        return run

    def _check_nesterov(self) -> None:
        """Refuse what no framework runs: Nesterov without momentum, or with dampening."""
        if self.nesterov and not self.get("momentum"):
            raise ContradictionError("nesterov needs a momentum above 0")
        if self.nesterov and self.get("dampening"):
            raise ContradictionError("nesterov needs a dampening of 0")

    def _check_size(self) -> None:
        """Refuse a step of more examples than there are."""
        size, batch = self.given("dataset_size"), self.examples_per_step
        if size is not None and batch is not None and size < batch:
            raise ContradictionError(
                f"dataset_size {float(size):g} is below the {float(batch):g} examples of one step"
            )

    def _check_length(self) -> None:
        """Refuse a number of steps and a number of epochs that contradict each other."""
        if self.steps is None or self.epochs is None:
            return
        per_epoch, ratio = self.steps_per_epoch, self.epoch_ratio
        if per_epoch is None or ratio is None:
            return
        steps, epochs = exact(self.steps), exact(self.epochs)
        total = exact(epochs * per_epoch, name="steps")
        # Frameworks round an epoch up, down or not at all; any of these counts is sound.
        fewest = Fraction(per_epoch) if self.drop_last else ratio
        if not floor(epochs * fewest) <= steps <= ceil(epochs * ceil(ratio)):
            raise ContradictionError(
                f"steps {float(steps):g} contradict epochs {float(epochs):g}: "
                f"at {per_epoch} {plural(per_epoch, 'step')} an epoch that is {float(total):g}"
            )

    @property
    def examples_per_step(self) -> Fraction | None:
        """B, the examples of one optimizer step: batch_size * grad_accum * world_size.

        Raises:
            InvalidValueError: more than a float64 can hold.
        """
        if self.batch_size is None:
            return None
        if self.grad_accum is None and self.world_size is None:
            return exact(self.batch_size)
        product = exact(self.batch_size) * exact(self.grad_accum or 1) * exact(self.world_size or 1)
        return exact(product, name="examples_per_step")

    @property
    def epoch_ratio(self) -> Fraction | None:
        """N/B exactly, the number of steps in an epoch were the last batch not short."""
        batch = self.examples_per_step
        if self.dataset_size is None or batch is None:
            return None
        return exact(self.dataset_size) / batch

    @property
    def steps_per_epoch(self) -> int | None:
        """Optimizer steps in an epoch: N/B rounded up, or down where the last batch is dropped."""
        ratio = self.epoch_ratio
        if ratio is None:
            return None
        return floor(ratio) if self.drop_last else ceil(ratio)

    @property
    def total_steps(self) -> Fraction | None:
        """Optimizer steps of the run, as given or from the epochs (a part of a step counts).

        Raises:
            InvalidValueError: more than a float64 can hold.
        """
        if self.steps is not None:
            return exact(self.steps)
        if self.epochs is None or self.steps_per_epoch is None:
            return None
        return exact(Fraction(ceil(exact(self.epochs) * self.steps_per_epoch)), name="steps")

    @property
    def total_epochs(self) -> Fraction | None:
        """Epochs of the run, as given or from the steps."""
        if self.epochs is not None:
            return exact(self.epochs)
        if self.steps is None or not self.steps_per_epoch:
            return None
        return exact(self.steps) / self.steps_per_epoch

    def get(self, name: str) -> Fraction | None:
        """Return a quantity, given, derived or by its default; None when it is unknown."""
        derived = _DERIVED.get(name)
        if derived is not None:
            return derived(self)
        value = self.given(name)
        return QUANTITIES[name].default if value is None and name in QUANTITIES else value

    def given(self, name: str) -> Fraction | None:
        """Return a quantity as it was given, None when it was not."""
        # Every number was made exact when the run was.
        fields: dict[str, Any] = self.__dict__ if name in _NUMBERS else dict(self.extras)
        number: Fraction | None = fields.get(name)
        return number

    def over(self, other: "Run") -> "Run":
        """Return this run with everything that it leaves open taken from `other`."""
        changes = {
            name: getattr(other, name) for name in self._fields if getattr(self, name) is None
        }
        if changes.get("steps") is not None and self.batch_size is not None:
            # The length of another batch size's run is counted in epochs where both are known.
            changes["steps"] = None if other.epochs is not None else changes["steps"]
        if changes.get("nesterov") and self.momentum == 0:
            # Without momentum there is nothing that Nesterov could look ahead of.
            changes["nesterov"] = None
        changes["drop_last"] = self.drop_last or other.drop_last
        changes["extras"] = tuple({**dict(other.extras), **dict(self.extras)}.items())
        return replace(self, **changes)

    def to_dict(self) -> RunJson:
        """Return every known quantity, given or derived, by name: JSON's `run`."""
        values: dict[str, int | float | bool | str] = {}
        for name in (*_NUMBERS, *dict(self.extras)):
            value = self.get(name)
            if value is not None:
                values[name] = _plain(value)
        values["nesterov"] = bool(self.nesterov)
        values["drop_last"] = self.drop_last
        loss = self.loss or Loss.MEAN
        values["loss"] = loss.value if isinstance(loss, Loss) else _plain(exact(loss))
        if self.optimizer is not None:
            values["optimizer"] = self.optimizer
        if self.examples_per_step is not None:
            values["batch_size"] = _plain(exact(self.batch_size or 0))
            values["examples_per_step"] = _plain(self.examples_per_step)
        if self.steps_per_epoch is not None:
            values["steps_per_epoch"] = self.steps_per_epoch
        return RunJson(values)


def _plain(value: Fraction) -> int | float:
    return int(value) if value.denominator == 1 else float(value)


def _flag(name: str, value: Any) -> bool | None:
    """Return whether something is on; a text is none that says so, as any but the empty is true.

    Raises:
        InvalidValueError: it is neither true nor false.
    """
    if value is None or value is True or value is False:
        return None if value is None else bool(value)
    if isinstance(value, str) or str(value) not in {"True", "False", "0", "1"}:
        raise InvalidValueError(name, value, "must be true or false")
    return bool(value)


def _loss(name: Number) -> Loss | Fraction:
    """Return the loss reduction of that name, or what the loss is of the mean loss as a number."""
    word = name.strip().lower() if isinstance(name, str) else ""
    if word in [loss.value for loss in Loss]:
        return Loss(word)
    try:
        number = exact(name, name="loss")
    except InvalidValueError:
        number = Fraction(0)
    if number <= 0:
        text = f"must be one of {', '.join(Loss)}, or what the loss is of the mean loss, as 8"
        raise InvalidValueError("loss", name, text)
    return number


def _nominal_batch(run: Run) -> Fraction | None:
    """Return YOLOv5's examples per step: its batch size times its own accumulation.

    Source: ultralytics/yolov5 train.py, accumulate = max(round(nbs / batch_size), 1), where
    batch_size is that of all devices.
    """
    if run.batch_size is None:
        return None
    if run.grad_accum is not None:
        return run.examples_per_step
    nominal = dict(run.extras).get("nbs", 64)
    batch = exact(run.batch_size) * exact(run.world_size or 1)
    return batch * max(round(exact(nominal) / batch), 1)


def _gradient_scale(run: Run) -> Fraction | None:
    """Return what Adam divides a gradient by, the gradient's RMS plus epsilon."""
    rms, eps = run.get("gradient_rms"), run.get("eps")
    return None if rms is None or eps is None else rms + eps


def _one_minus(name: str, run: Run) -> Fraction | None:
    value = run.get(name)
    return None if value is None else 1 - value


_DERIVED: dict[str, Callable[[Run], Fraction | None]] = {
    "batch_size": lambda run: run.examples_per_step,
    "steps": lambda run: run.total_steps,
    "epochs": lambda run: run.total_epochs,
    "steps_per_epoch": lambda run: (
        None if run.steps_per_epoch is None else Fraction(run.steps_per_epoch)
    ),
    "one_minus_momentum": lambda run: _one_minus("momentum", run),
    "one_minus_dampening": lambda run: _one_minus("dampening", run),
    "gradient_scale": _gradient_scale,
    "one_minus_l1_ratio": lambda run: _one_minus("l1_ratio", run),
    "nominal_batch": _nominal_batch,
}
