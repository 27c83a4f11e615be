"""What JSON holds of a decay under a schedule, apart from what computes it by numpy."""

from typing import TypedDict

from decaycalc.conventions.record import NumberJson
from decaycalc.conventions.run import RunJson
from decaycalc.conversion.assumptions import AssumptionJson


class EquilibriumJson(TypedDict):
    """What lr and decay let the weights of normalised layers settle at: a prediction.

    `norm` is that of all decayed weights, where a network says how many there are.
    """

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


class SurvivalPointJson(TypedDict):
    """One step of the run's course, from 0."""

    step: int
    multiplier: float
    decay_multiplier: float
    shrink: float
    survival: float
    update_weight: float | None


class ScheduleJson(SummaryJson):
    """A decay over a scheduled run, with its course."""

    source: NumberJson
    run: RunJson
    curve: list[SurvivalPointJson]
    assumptions: list[AssumptionJson]
    warnings: list[str]
