"""What JSON holds of a decay under a schedule, apart from what computes it by numpy."""

from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

from decaycalc.conventions.record import NumberJson
from decaycalc.conventions.run import RunJson
from decaycalc.conversion.assumptions import AssumptionJson


class EquilibriumJson(TypedDict):
    """What lr and decay let the weights of normalised layers settle at: a prediction."""

    rms: float | None
    norm: float | None
    rotation: float
    relaxation_steps: float
    label: str
    setting: str


class SummaryJson(TypedDict):
    """What a decay does over a whole scheduled run."""

    schedule: str
    decay_schedule: str | None
    follows_schedule: str
    shrink_at_peak: float
    total_steps: int
    sum_shrink: float
    survival: float
    timescale_at_peak_steps: float | None
    mean_timescale_steps: float | None
    mean_update_age_steps: float | None
    half_mass_age_steps: int | None
    timescale_run_fraction: float | None
    equilibrium: EquilibriumJson | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """One step of the run's course, from 0.

    `decay_multiplier` is the decay's own schedule, 1 where it has none. `shrink` is the exact
    long-run shrink at the step's lr and decay, `survival` what is left of the initial weights after
    the step, `update_weight` the share of this step's update in the final weights (None where they
    are no moving average).
    """

    step: int
    multiplier: float
    decay_multiplier: float
    shrink: float
    survival: float
    update_weight: float | None

    def to_dict(self) -> "PointJson":
        """Return the step as JSON's `curve` holds it."""
        return {name: getattr(self, name) for name in self.__slots__}


PointJson = Annotated[dict[str, Any], CurvePoint]


class ScheduleJson(SummaryJson):
    """A decay over a scheduled run, with its course."""

    source: NumberJson
    run: RunJson
    curve: list[PointJson]
    assumptions: list[AssumptionJson]
    warnings: list[str]
