"""compare: two runs side by side in common units, and the factors that multiply to their ratio."""

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, TypedDict

from decaycalc.algebra.quantity import exact
from decaycalc.conventions.record import ANY, SGD
from decaycalc.findings.size import NOTHING
from decaycalc.inspection import Inspection, InspectionJson, inspect, network_of
from decaycalc.record import Result
from decaycalc.training.record import Training

if TYPE_CHECKING:
    from decaycalc.architecture.tensors import Architecture
    from decaycalc.conventions.run import Run

_TIMES = 1.1  # a ratio below it is told in per cent
_SAME = 1e-9  # relative: what rounding leaves of a ratio of one


class ComparedRowJson(TypedDict):
    """One quantity on both sides; `ratio` is the second over the first."""

    name: str
    values: list[float | str | None]
    ratio: float | None


class FactorJson(TypedDict):
    """One of the factors that multiply to a ratio, and of which."""

    name: str
    factor: float
    of: str


class ComparisonJson(TypedDict):
    """Two runs side by side, and what makes their decays differ."""

    sides: list[InspectionJson]
    rows: list[ComparedRowJson]
    groups: list[ComparedRowJson]
    factors: list[FactorJson]
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One quantity on both sides; `units` are what a count counts, empty for all else."""

    name: str
    values: tuple[float | str | None, float | str | None]
    units: tuple[str, str] = ("", "")

    @property
    def ratio(self) -> float | None:
        """The second side's number over the first's; None where there is none, or in two units."""
        one, other = self.values
        if self.units[0] != self.units[1]:
            return None
        if isinstance(one, str) or isinstance(other, str) or not one or other is None:
            return None
        return other / one

    def to_dict(self) -> ComparedRowJson:
        """Return the row as JSON's `rows` holds it."""
        return {"name": self.name, "values": list(self.values), "ratio": self.ratio}


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """One of the factors that multiply to the ratio of the decay per step, and then of its sum."""

    name: str
    factor: float
    of: str

    def to_dict(self) -> FactorJson:
        """Return the factor as JSON's `factors` holds it."""
        return {"name": self.name, "factor": self.factor, "of": self.of}


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison(Result):
    """Two inspections side by side; groups stand beside each other by name."""

    sides: tuple[Inspection, Inspection]
    rows: tuple[Row, ...]
    groups: tuple[Row, ...]
    factors: tuple[Factor, ...]
    verdict: str

    def to_dict(self) -> ComparisonJson:
        """Return the comparison as JSON holds it, without the three schema keys."""
        return {
            "sides": [side.to_dict() for side in self.sides],
            "rows": [row.to_dict() for row in self.rows],
            "groups": [row.to_dict() for row in self.groups],
            "factors": [factor.to_dict() for factor in self.factors],
            "verdict": self.verdict,
        }


def compare(
    one: Inspection | str,
    other: Inspection | str,
    *,
    run: "Run | None" = None,
    schedule: str | None = None,
    decay_schedule: str | None = None,
    kinds: tuple[str | None, ...] = (None, None),
    architecture: "Architecture | None" = None,
    mask: str | None = None,
) -> Comparison:
    """Return two runs side by side: published ones' names, files, or inspections.

    What is given of `run` and the schedules takes the place of each one's own, in a name or a file
    that is read here.
    `architecture` is the network that both train, its tensors grouped by each one's own rule, or
    by `mask`.

    Raises:
        UnknownNameError: no run is called so, and no file is.
        UnreadableFileError: a file that is no training configuration.
    """
    more: Any = {"architecture": architecture, "mask": mask, "schedule": schedule}
    sides = tuple(
        side
        if isinstance(side, Inspection)
        else inspect(side, run=run, kind=kind, decay_schedule=decay_schedule, **more)
        for side, kind in zip((one, other), kinds, strict=True)
    )
    first, second = sides
    return Comparison(
        sides=(first, second),
        rows=tuple(_row(name, first, second) for name in _NUMBERS),
        groups=tuple(_groups(first, second)),
        factors=tuple(_factors(first, second)),
        verdict=_verdict(first, second),
    )


def _number(side: Inspection, name: str) -> float | str | None:
    """Return one quantity of a side, in the common unit."""
    training, run = side.training, side.training.run
    if name in {"convention", "schedule", "decay_schedule"}:
        text: str | None = getattr(training, name)
        return text
    network = network_of(training)
    numbers = {
        "n_decayed": None if network is None else network["n_decayed"],
        "value": None if training.value is None else exact(training.value),
        "lr": run.get("lr"),
        "momentum": run.get("momentum") if _has_momentum(training) else None,
        "examples_per_step": run.examples_per_step,
        "steps": run.total_steps,
    }
    return _float(numbers[name] if name in numbers else getattr(side.figures, name))


def _has_momentum(training: Training) -> bool:
    """Return whether a momentum is said, or means something to the run's optimizer."""
    record = training.record
    said = training.run.given("momentum") is not None
    return said or record is None or record.optimizer in {SGD, ANY}


def _float(number: object) -> float | None:
    return None if number is None else float(number)  # type: ignore[arg-type]


_NUMBERS = ("convention", "value", "lr", "momentum", "examples_per_step", "steps", "schedule",
            "decay_schedule", "shrink", "sum_shrink", "survival", "timescale_steps",
            "timescale_epochs", "timescale_run_fraction", "n_decayed")  # fmt: skip


def _row(name: str, first: Inspection, second: Inspection) -> Row:
    values = _number(first, name), _number(second, name)
    if name == "examples_per_step":
        return Row(name=name, values=values, units=(first.training.unit, second.training.unit))
    return Row(name=name, values=values)


def _groups(first: Inspection, second: Inspection) -> list[Row]:
    """Return the decay per step of each group, those of one name beside each other."""
    shrinks = [
        {each.group.name: each.figures.shrink for each in side.groups} for side in (first, second)
    ]
    names = dict.fromkeys((*shrinks[0], *shrinks[1]))
    return [Row(name=name, values=(shrinks[0].get(name), shrinks[1].get(name))) for name in names]


def _factors(first: Inspection, second: Inspection) -> list[Factor]:
    """Return the factors of the decay per step, then those that its sum has besides.

    Each is the second side's over the first's; what the conventions multiply by is the rest, so
    that the product is the ratio.
    """
    found = _of_the_step(first, second)
    found += _of_the_sum(first, second)
    return [factor for factor in found if abs(factor.factor - 1) > _SAME]


def _of_the_step(first: Inspection, second: Inspection) -> list[Factor]:
    ratio = _row("shrink", first, second).ratio
    if not ratio:
        return []
    parts = {
        "weight decay": _row("value", first, second).ratio,
        "lr": _row("lr", first, second).ratio,
        "1/(1 - momentum)": _momentum(second) / _momentum(first),
    }
    known = {name: part for name, part in parts.items() if part}
    rest = ratio / prod(known.values())
    return [
        *(Factor(name=name, factor=part, of="step") for name, part in known.items()),
        Factor(name="what the conventions multiply by", factor=rest, of="step"),
    ]


def _momentum(side: Inspection) -> float:
    """Return 1/(1 - momentum), 1 where there is none."""
    momentum = float(side.training.run.get("momentum") or 0)
    return 1 / (1 - momentum) if momentum < 1 else 1.0


def _of_the_sum(first: Inspection, second: Inspection) -> list[Factor]:
    whole, step = _row("sum_shrink", first, second).ratio, _row("shrink", first, second).ratio
    steps = _row("steps", first, second).ratio
    if not whole or not step or not steps:
        return []
    return [
        Factor(name="steps", factor=steps, of="sum"),
        Factor(name="mean of the schedule", factor=whole / step / steps, of="sum"),
    ]


def _verdict(first: Inspection, second: Inspection) -> str:
    """Return one sentence: whether the two runs decay alike, and by how much they differ."""
    sums = [_total(side) for side in (first, second)]
    if all(total is not None and total < NOTHING for total in sums):
        shown = " and ".join(f"{total:.3g}" for total in sums)
        return f"indistinguishable by decay: the sums of lr·λ over the runs are {shown}"
    for name, words in (("sum_shrink", "over the run"), ("shrink", "a step")):
        ratio = _row(name, first, second).ratio
        if ratio is not None:
            return _said(ratio, words)
    return "the two cannot be compared: one of them has no decay per step"


def _total(side: Inspection) -> float | None:
    """Return the sum of the decays over the run; nothing decays where the number is 0."""
    value = side.training.value
    if value is not None and exact(value) == 0:
        return 0.0
    return side.figures.sum_shrink


def _said(ratio: float, words: str) -> str:
    if abs(ratio - 1) < _SAME:
        return f"the second takes as much off a weight {words} as the first"
    more, factor = ("more", ratio) if ratio > 1 else ("less", 1 / ratio if ratio else 0.0)
    if not factor:
        return f"the second takes nothing off a weight {words}"
    if factor < _TIMES:
        share = f"{100 * abs(ratio - 1):.2g} %"
        return f"the second takes {share} {more} off a weight {words} than the first"
    return f"the second takes {factor:.4g} times {more} off a weight {words} than the first"
