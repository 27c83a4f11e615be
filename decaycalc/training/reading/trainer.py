"""Trainer: what is known of one training program, as a table; its module in `trainers/` has one.

To add a trainer, write one module in `decaycalc/training/trainers/` that defines `TRAINER`, and
its test; `python -m tests.renew` writes the index anew by which it is told, and no other file is
touched. See `Trainer` for what each field means.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from decaycalc.record import Record, replace
from decaycalc.training.record import Exemption, Sourced, Training
from decaycalc.training.trainers.syntax.document import Document

if TYPE_CHECKING:
    from decaycalc.training.reading.settings import Settings


class Signature(Record):
    """The key paths by which a trainer's file is told: all, enough, or none of some.

    Paths are dotted (`optimizer.lr`). Choose names that only this trainer has: learning_rate,
    weight_decay, batch_size, epochs, optimizer and their like never decide. Where two trainers
    fit, the one whose signature asks for more keys is taken.
    """

    all_of: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    at_least: int = 1
    none_of: tuple[str, ...] = ()

    def fits(self, paths: frozenset[str]) -> bool:
        """Return whether a file with these key paths is the trainer's."""
        enough = not self.any_of or self.count(paths) >= self.at_least
        return enough and paths.issuperset(self.all_of) and paths.isdisjoint(self.none_of)

    def count(self, paths: frozenset[str]) -> int:
        """Return how many of the keys in `any_of` are there."""
        return len(paths.intersection(self.any_of))

    @property
    def paths(self) -> tuple[str, ...]:
        """The keys that it asks for."""
        return (*self.all_of, *self.any_of)

    @property
    def weight(self) -> int:
        """How many keys it asks for."""
        return len(self.all_of) + (self.at_least if self.any_of else 0)

    def nearness(self, paths: frozenset[str]) -> int:
        """Return how many of its keys are there, for the hint of a refusal."""
        return len(paths.intersection(self.all_of)) + self.count(paths)


PER_DEVICE = ("batch_size", "grad_accum", "world_size")

Derive = Callable[["Settings"], Sourced | None]


class Field(Record):
    """One quantity of a trainer: where its file holds it, and what holds where the file is silent.

    `name` is decaycalc's word where there is one (lr, weight_decay, batch_size, grad_accum,
    world_size, epochs, steps, momentum, nesterov, beta1, beta2, eps, optimizer, scheduler), else
    the trainer's own; an option of that name overrides the file. `paths` are tried in order.
    `covers` are paths that `derive` reads. A text among `absent` counts as not set (max_steps: -1),
    one among `open` as missing (auto).
    `overrule` is asked before the file, `derive` when the file is silent, before `default`; a
    default's `source` names what proves it where that is not the trainer's own version.
    """

    name: str
    paths: tuple[str, ...] = ()
    covers: tuple[str, ...] = ()
    default: str | None = None
    source: str = ""
    absent: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    overrule: Derive | None = None
    derive: Derive | None = None
    note: str = ""

    @classmethod
    def within(
        cls, *sections: str, source: str = "", **defaults: str | None
    ) -> tuple["Field", ...]:
        """Return the fields that a file holds under their own names in a section, "" for its top.

        Of several sections the first that has a name counts.

        >>> [(each.paths, each.default) for each in Field.within("optim", beta1="0.9", decay=None)]
        [(('optim.beta1',), '0.9'), (('optim.decay',), None)]
        """
        places = [f"{section}." if section else "" for section in sections]
        return tuple(
            cls(name=name, paths=tuple(f"{place}{name}" for place in places), default=default,
                source=source)
            for name, default in defaults.items()
        )  # fmt: skip

    @classmethod
    def fixed(cls, *, source: str = "", **values: str) -> tuple["Field", ...]:
        """Return the fields that no file of a trainer sets."""
        return tuple(cls(name=name, default=text, source=source) for name, text in values.items())


def moved(fields: Iterable[Field], paths: Mapping[str, tuple[str, ...]]) -> tuple[Field, ...]:
    """Return a trainer's fields as another's file holds them: some, by name, at other paths."""
    return tuple(replace(each, paths=paths.get(each.name, each.paths)) for each in fields)


class Optimizer(Record):
    """What a trainer's optimizer makes of its weight decay.

    `convention` is a key of the catalogue, None where there is none. `refusal` says why the
    number in the file is not the decay of the weights; then there is no value at all. The names
    in `uses` (momentum, dampening, nesterov, beta1 ...) are the fields that it takes; `extras` are
    quantities that the convention needs beyond a run's own, as `("nbs", "64")`. `value` is the
    number handed on where it is not the file's own weight_decay.
    """

    convention: str | None
    uses: tuple[str, ...] = ()
    extras: tuple[tuple[str, str], ...] = ()
    refusal: str = ""
    note: str = ""
    value: Sourced | None = None


class Trainer(Record):
    """One training program's table.

    - `kind`: its key, lower case with hyphens, also the word for `--kind`.
    - `title`: its name as people write it; `version`: what was read for the defaults.
    - `signatures`: how its file is told; one of them must fit.
    - `fields`: its quantities, in the order in which they are shown.
    - `default`: settings, a field -> what holds where the file is silent and its script or class
      decides; asked before a field's own default.
    - `optimizer`: settings -> `Optimizer`; `classes.find_class` knows torch's and other libraries'.
    - `schedule`: settings -> the schedule's text, None where it has none here.
    - `exempt`: which tensors do not decay, and the decay mask equal to it, if there is one.
    - `batch`: settings -> the names of the fields whose product is B, `batch_size` first. Leave
      `world_size` out where the batch counts all devices.
    - `harmless`: keys that sound relevant and are not; a trailing `*` stands for any rest.
    - `unit`: settings -> what B counts.
    - `prepare`: the document -> the document, joined with its neighbours where they belong to it.
    - `finish`: settings and the training made so far -> the training, for oddities.
    - `marks`: names of which a program of it uses one at least: what makes its optimizer.
    - `arguments`: flags that its own class declares; a program with a parser for them is another.
    - `programs`: the programs that a Python file of settings is for, from its folder or above.
    - `config_is_settings`: whether `--config FILE` on its command line holds its settings.
    """

    kind: str
    title: str
    version: str
    signatures: tuple[Signature, ...]
    fields: tuple[Field, ...]
    optimizer: Callable[["Settings"], Optimizer]
    schedule: Callable[["Settings"], str | None]
    exempt: Callable[["Settings"], Exemption]
    batch: Callable[["Settings"], tuple[str, ...]] = lambda _: PER_DEVICE
    default: Callable[["Settings", Field], Sourced | None] = lambda _, __: None
    harmless: tuple[str, ...] = ()
    unit: Callable[["Settings"], str] = lambda _: "examples"
    prepare: Callable[[Document], Document] = lambda document: document
    finish: Callable[["Settings", Training], Training] = lambda _, made: made
    marks: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    config_is_settings: bool = True

    def field(self, name: str) -> Field | None:
        """Return the field of that name, None if it has none."""
        return next((each for each in self.fields if each.name == name), None)
