"""Training: a run whose every quantity says where it comes from, and the groups of its tensors."""

from collections.abc import Collection
from enum import StrEnum
from math import prod
from typing import TypedDict

from decaycalc.architecture.documents import GroupNumbersJson, NamedGroupJson
from decaycalc.architecture.treatment import Towards
from decaycalc.conventions.catalogue import find as find_convention
from decaycalc.conventions.record import Convention
from decaycalc.conventions.run import Run
from decaycalc.record import Record, replace

TYPED = "typed"
PUBLISHED = "recipe"
_DEVICES = "the number of devices is not in the file: give --world-size if it is not 1"


class Origin(StrEnum):
    """Where a quantity comes from."""

    FILE = "file"
    DEFAULT = "default"
    DERIVED = "derived"
    GIVEN = "given"
    MISSING = "missing"


class FoundJson(TypedDict):
    """One quantity of a run, as typed, and where it comes from."""

    name: str
    value: str | None
    origin: str
    where: str
    line: int | None
    note: str


class ExemptionJson(TypedDict):
    """Which tensors do not decay, in words; the setting that changes it, and the mask equal to it.

    `mask` is null where no mask says the same.
    """

    rule: str
    switch: str | None
    mask: str | None


class ImportedJson(TypedDict):
    """What was read of a training file, and what it leaves open."""

    kind: str
    trainer: str
    quantities: list[FoundJson]
    exempt: ExemptionJson | None
    missing: list[str]
    not_used: list[str]


class CoursePointJson(TypedDict):
    """The lr and the number of a group in one step, as a live scheduler sets them."""

    step: int
    lr: float
    weight_decay: float | None


class SelectedGroupJson(NamedGroupJson):
    """A group of tensors, and by what they are chosen."""

    selector: str


class GroupDecayJson(SelectedGroupJson, GroupNumbersJson):
    """One group of tensors and its decay."""

    sum_shrink: float | None
    timescale_steps: float | None
    survival: float | None


class FollowedGroupJson(GroupDecayJson):
    """A group of tensors, its decay, and what a live scheduler makes of it.

    `lr_range` is the lowest and the highest lr, `curve` some steps, the first and the last among
    them; null without a scheduler.
    """

    lr_range: list[float] | None
    curve: list[CoursePointJson] | None


class GroupNumberJson(TypedDict):
    """A group's number in another convention."""

    convention: str
    value: float | None
    lr: float | None


class ConvertedGroupJson(GroupDecayJson):
    """A group of tensors, and its numbers elsewhere."""

    conversions: list[GroupNumberJson]


class Sourced(Record):
    """One quantity with its origin; JSON's `quantities` of `inspect`.

    `value` is the text as typed, None where it is missing. `where` is the file's own key, the
    trainer and version of a default, or the formula of a derived quantity; `line` is a file's.
    """

    name: str
    value: str | None
    origin: Origin
    where: str = ""
    line: int | None = None
    note: str = ""

    def to_dict(self) -> FoundJson:
        """Return the quantity as JSON holds it."""
        return {
            "name": self.name,
            "value": self.value,
            "origin": self.origin.value,
            "where": self.where,
            "line": self.line,
            "note": self.note,
        }


class Exemption(Record):
    """Which tensors do not decay, in words, and the settings that change it.

    `mask` is the decay mask of a network that exempts the same, None where there is none.
    """

    rule: str
    switch: str = ""
    mask: str | None = None

    def to_dict(self) -> ExemptionJson:
        """Return the rule as JSON's `exempt`."""
        return {"rule": self.rule, "switch": self.switch or None, "mask": self.mask}


class Course(Record):
    """What a group's lr and λ are in each step, over its own: a live scheduler's.

    `decays` is None where the λ stays.
    """

    lrs: tuple[float, ...]
    decays: tuple[float, ...] | None = None


class Group(Record):
    """Tensors that share an lr and a decay.

    `selector` says which, as a pattern of names or in words. `lr` and `weight_decay` are absolute
    where they are set; else the run's own apply, times `lr_mult` and `decay_mult`. `update_share`
    is the share of steps that update the group. `course` takes the place of the run's schedule.
    """

    name: str
    selector: str = ""
    lr: str | None = None
    weight_decay: str | None = None
    lr_mult: str = "1"
    decay_mult: str = "1"
    update_share: str = "1"
    towards: Towards = Towards.ZERO
    course: Course | None = None


class GroupedTensor(Record):
    """One trained tensor of a live run: its shape, the groups that hold it, whether it decays."""

    name: str
    shape: tuple[int, ...]
    groups: tuple[str, ...]
    decays: bool

    @property
    def n_weights(self) -> int:
        """The number of its weights."""
        return prod(self.shape)


class LayerDecay(Record):
    """By what an lr falls from layer to layer towards the input.

    `rate` is a number as typed, above 0 and below 1; `counting` is how the trainer counts layers, a
    key of `architecture.layering.COUNTINGS`.
    """

    rate: str
    counting: str


class Network(Record):
    """The network that a run is told to train, by its name, and the mask that says what decays.

    `is_own` is whether the mask is the trainer's own rule; else it was given.
    """

    name: str
    mask: str
    is_own: bool


class Training(Record):
    """One training run with the origin of everything that entered it.

    `source` is what it was made from, as the user typed it, `kind` the trainer's key (`recipe`
    for a published run, `typed` for options alone). `own` is the convention itself where options
    name it: it may be the user's own, which the catalogue does not hold. `refusal` says why
    `value` decays nothing that a number could tell of.
    `alternatives` are the other readings that the file leaves open; `missing` names quantities
    without which there is no whole answer, `not_used` the file's keys that sound relevant and
    were not read. `unit` is what B counts; `tensors` are a live run's, or those of its `network`.
    `layer_decay` makes groups of a network's layers.
    """

    source: str
    kind: str
    title: str
    convention: str | None = None
    own: Convention | None = None
    value: str | None = None
    run: Run = Run()
    schedule: str | None = None
    decay_schedule: str | None = None
    unit: str = "examples"
    betas: tuple[str, str] | None = None
    eps: str | None = None
    quantities: tuple[Sourced, ...] = ()
    exempt: Exemption = Exemption(rule="not stated")
    groups: tuple[Group, ...] = ()
    alternatives: tuple["Training", ...] = ()
    missing: tuple[str, ...] = ()
    not_used: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    refusal: str = ""
    read_as: str | None = None
    reading: str = ""
    tensors: tuple[GroupedTensor, ...] = ()
    network: Network | None = None
    layer_decay: LayerDecay | None = None

    @property
    def record(self) -> Convention | None:
        """The convention by whose rule the number is read; None where it has none.

        Raises:
            UnknownNameError: a key that is none of the catalogue's.
        """
        key = self.read_as or self.convention
        return self.own if self.own is not None or key is None else find_convention(key)

    @property
    def whole_title(self) -> str:
        """What was read, with the reading where the file leaves several."""
        return f"{self.title}, {self.reading}" if self.reading else self.title

    @property
    def open_schedule(self) -> Sourced | None:
        """The schedule that the file has and no text says, None where it has none or is told."""
        found = next((each for each in self.quantities if each.name == "schedule"), None)
        is_open = found is not None and found.value is None and bool(found.where)
        return found if is_open and self.schedule is None else None

    @property
    def whole_notes(self) -> tuple[str, ...]:
        """The notes, and what nobody said: for answers that do not show where numbers come from."""
        return (*self.notes, *self.by_default(), *self.on_devices)

    @property
    def on_devices(self) -> tuple[str, ...]:
        """What is said of B where the file does not tell the number of devices, nothing else."""
        devices = next((each for each in self.quantities if each.name == "world_size"), None)
        is_open = devices is not None and devices.origin is Origin.DEFAULT
        return (_DEVICES,) if is_open else ()

    @property
    def told(self) -> tuple[str, ...]:
        """The whole notes, each with what it is a note on."""
        return tuple(f"{self.source}: {note}" for note in self.whole_notes)

    def by_default(self, *, but: Collection[str] = ()) -> tuple[str, ...]:
        """Return what holds by default, a text for each source; nothing of the names in `but`."""
        by_source: dict[str, list[str]] = {}
        for found in self.quantities:
            # The devices are not a trainer's default: one is taken where nobody says how many.
            if found.origin is Origin.DEFAULT and found.name not in {"world_size", *but}:
                by_source.setdefault(found.where, []).append(f"{found.name} {found.value}")
        return tuple(
            f"by default ({where}): {', '.join(names)}" for where, names in by_source.items()
        )

    def with_notes(self, *notes: str) -> "Training":
        """Return the training with further notes; an empty one is none."""
        return replace(self, notes=(*self.notes, *filter(None, notes)))

    def with_groups(self, *groups: Group) -> "Training":
        """Return the training with further groups."""
        return replace(self, groups=(*self.groups, *groups))

    def imported(self) -> ImportedJson:
        """Return what was read of a file and where each quantity comes from, as JSON holds it."""
        return {
            "kind": self.kind,
            "trainer": self.title,
            "quantities": [found.to_dict() for found in self.quantities],
            "exempt": self.exempt.to_dict(),
            "missing": list(self.missing),
            "not_used": list(self.not_used),
        }
