"""What JSON holds of a verification, apart from what trains by numpy."""

from typing import TypedDict

from decaycalc.conventions.record import NumberJson


class SideJson(NumberJson):
    """One of the two trainings: its number, its lr and its update rule."""

    lr: float | None
    update: str


class DifferencePointJson(TypedDict):
    """How far the two are apart after a step."""

    step: int
    difference: float


class TrialJson(TypedDict):
    """One model that both trained."""

    model: str
    max_difference: float
    curve: list[DifferencePointJson]


class LoadedJson(TypedDict):
    """A framework, its version, and the conventions that it stood in for."""

    name: str
    version: str
    conventions: list[str]


# `with` is a word of Python's own.
_With = TypedDict("_With", {"with": list[LoadedJson]})


class VerificationJson(_With):
    """A claim, how it was put to the test, and what came out."""

    source: SideJson
    target: SideJson
    claim: str
    meaning: str
    method: str
    holds: bool
    max_difference: float
    tolerance: float
    steps: int
    schedule: str
    curve: list[DifferencePointJson]
    models: list[TrialJson]
    apart: list[TrialJson]
    notes: list[str]
