"""The documents: what each holds after the three keys that it begins with.

The code that writes them is checked against these annotations, and schemas.json is made of them;
running, no command imports them.
"""

from typing import Any, NotRequired, TypedDict

from decaycalc.answers import AnswerJson
from decaycalc.architecture.documents import InventoryJson
from decaycalc.checks import CheckedJson
from decaycalc.comparison import ComparisonJson
from decaycalc.conventions.record import ConventionJson
from decaycalc.conversion.assumptions import AssumptionJson
from decaycalc.conversion.convert import ConversionJson, LayerJson
from decaycalc.emit.code import SnippetJson
from decaycalc.explanation.step import ExplanationJson
from decaycalc.findings.record import FindingJson, RuleJson
from decaycalc.inspection import InspectionJson
from decaycalc.report.neighbours import NeighbourJson
from decaycalc.report.schedule import KindJson
from decaycalc.survival.documents import ScheduleJson
from decaycalc.training.live.probe import ProbeJson
from decaycalc.training.published.measured import RecipeJson
from decaycalc.training.record import FoundJson, GroupDecayJson, ImportedJson
from decaycalc.transfers.laws import ProjectionJson
from decaycalc.transfers.records import RuleNumbersJson, TransferJson
from decaycalc.transfers.suggested import SuggestedJson
from decaycalc.verification.documents import VerificationJson


class EmittedJson(TypedDict):
    """What `--emit` writes."""

    snippet: SnippetJson


class ConvertJson(AnswerJson):
    """One number in every other convention."""

    nearest_recipes: list[NeighbourJson]


class OriginsJson(TypedDict):
    """What `--recipe` adds to a result: where each quantity comes from."""

    quantities: NotRequired[list[FoundJson]]


class FurtherConvertJson(ConvertJson, OriginsJson):
    """One number in every other convention, with what `--group`, `--explain`, `--recipe` add."""

    explanation: NotRequired[list[ExplanationJson]]


class ConventionsJson(TypedDict):
    """What each framework means by its number."""

    conventions: list[ConventionJson]


class SchedulesJson(TypedDict):
    """The schedules that can be asked for."""

    schedules: list[KindJson]


class ArchJson(InventoryJson):
    """A network's tensors, and what the decay of a step takes for granted."""

    assumptions: list[AssumptionJson]


class MovedJson(TransferJson):
    """A decay in another run, with the laws that were asked for."""

    laws: list[ProjectionJson]
    warnings: list[str]


class MovedGroupJson(GroupDecayJson):
    """A group of tensors, and its move by every rule."""

    rules: list[RuleNumbersJson]


class FurtherMovedJson(MovedJson, OriginsJson):
    """A decay in another run, with what `--group`, `--explain` and `--recipe` add."""

    groups: NotRequired[list[MovedGroupJson]]
    explanation: NotRequired[list[ExplanationJson]]


class FurtherScheduleJson(ScheduleJson, OriginsJson):
    """A decay over a scheduled run, with what `--group` and `--recipe` add."""

    groups: NotRequired[list[GroupDecayJson]]


class RecipesJson(TypedDict):
    """Published runs, or what was read of a file."""

    recipes: list[RecipeJson]
    imported: NotRequired[ImportedJson]


class FoundInJson(FindingJson):
    """A finding, and the file that it is of."""

    file: str


class CheckJson(TypedDict):
    """What came of assertions and of the rules."""

    checks: list[CheckedJson]
    findings: list[FoundInJson]
    passed: bool


class OptionJson(TypedDict):
    """One option of a command, and where its value comes from."""

    option: str
    value: Any
    source: str


class ConfigJson(TypedDict):
    """What `--show-config` shows."""

    options: list[OptionJson]


class VersionJson(TypedDict):
    """The versions that a bug report needs."""

    python: str
    click: str | None
    numpy: str | None
    rich: str | None


class ErrorFieldsJson(TypedDict):
    """What went wrong, with further fields by its type."""

    type: str
    message: str


class ErrorJson(TypedDict):
    """What stands on stderr in a result's place."""

    error: ErrorFieldsJson


class BadRowJson(ErrorJson):
    """What stands in a bad row's place."""

    line: int


class RowJson(TypedDict):
    """What stands behind a row of one target."""

    result: float | None
    result_parameter: str
    result_lr: float | None
    result_equivalence: str
    result_note: str
    result_assumptions: list[AssumptionJson]
    result_layers: NotRequired[list[LayerJson]]
    result_warnings: list[str]


class RowOfConversionsJson(TypedDict):
    """What stands behind a row of several targets."""

    conversions: list[ConversionJson]
    result_warnings: list[str]


# A document is of one of these kinds.
DOCUMENTS: dict[str, tuple[Any, ...]] = {
    "convert": (FurtherConvertJson, EmittedJson),
    "conventions": (ConventionsJson,),
    "schedule": (FurtherScheduleJson, SchedulesJson),
    "arch": (ArchJson,),
    "transfer": (FurtherMovedJson, EmittedJson),
    "recipes": (RecipesJson, EmittedJson),
    "inspect": (InspectionJson,),
    "probe": (ProbeJson,),
    "compare": (ComparisonJson,),
    "suggest": (SuggestedJson,),
    "verify": (VerificationJson,),
    "check": (CheckJson,),
    "rule": (RuleJson,),
    "config": (ConfigJson,),
    "version": (VersionJson,),
}
# What stands outside of documents: errors on stderr, results of rows and bad rows of bulk.
OTHERS: dict[str, Any] = {
    "error": ErrorJson,
    "bad-row": BadRowJson,
    "row": RowJson,
    "row-of-conversions": RowOfConversionsJson,
}
