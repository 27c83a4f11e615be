"""Settings: a file's quantities as one trainer reads them, each found with its origin."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING

from decaycalc.errors import UnreadableFileError
from decaycalc.record import replace
from decaycalc.training.reading.numbers import decimal_text, typed_number
from decaycalc.training.reading.trainer import Derive, Field, Trainer
from decaycalc.training.record import Origin, Sourced
from decaycalc.training.trainers.syntax.document import Document
from decaycalc.training.trainers.syntax.tree import Entries, Items, Node, Scalar, find, mappings_of

if TYPE_CHECKING:
    from decaycalc.training.reading.program import Beside

_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0", "none", ""})
_LARGEST_COUNT = 10**18  # beyond any run, and exact in 64 bits
# What forms and Python's own dumps write for a value that is not set.
_NOT_SET = frozenset({None, "", "None"})
MANDATORY = "???"  # what OmegaConf writes for a value that has to be given
ONE_DEVICE = "the file does not tell the number of devices"


class Settings:
    """The quantities of one document, looked up by the names of a trainer's fields.

    What has been asked for is remembered in `consulted`: that, and nothing else, entered the
    result and is reported. `asked` has the names one by one, so that it can be told what a
    schedule was made from.
    """

    def __init__(
        self,
        document: Document,
        trainer: Trainer,
        given: Mapping[str, str] | None = None,
        program: "Beside | None" = None,
    ) -> None:
        self.document, self.trainer, self.program = document, trainer, program
        self.given = dict(given or {})
        self.consulted: dict[str, Sourced] = {}
        self.asked: list[str] = []
        self.opened: list[str] = []  # paths of texts that were looked up and are open

    def find(self, name: str) -> Sourced:
        """Return a quantity with its origin: given, else the file's, derived, or a default."""
        self.asked.append(name)
        known = self.consulted.get(name)
        if known is None:
            known = self.consulted[name] = self._find(name)
        return known

    def _find(self, name: str) -> Sourced:
        if name in self.given:
            return Sourced(name=name, value=self.given[name], origin=Origin.GIVEN)
        field = self.trainer.field(name)
        if field is None:
            return left_open(name)
        found = None if field.overrule is None else field.overrule(self)
        found = self.in_file(field) if found is None else found
        if found is None and name == "world_size":
            found = self._devices()
        found = self.of_program(field) if found is None else found
        if found is None and field.derive is not None:
            found = field.derive(self)
        found = self.trainer.default(self, field) if found is None else found
        return self._default(field) if found is None else found

    def in_file(self, field: Field) -> Sourced | None:
        """Return what the file says, None where it is silent."""
        for path in field.paths:
            node = find(self.document.root, path)
            if node is None:
                continue
            waiting = open_part(path, node)
            if not waiting and isinstance(node, Items) and node.items and not texts_of(node):
                waiting = f"{path} is a list of settings"
            if waiting:
                return left_open(field.name, waiting, where=path, line=node.line)
            if not isinstance(node, Scalar):
                whole = ",".join(texts_of(node)) if isinstance(node, Items) else "{...}"
                node = Scalar(text=whole or None, line=node.line)
            text = None if node.text is None else node.text.strip()
            if text is not None and text in field.open:
                note = f"{path} is {text!r}" + (f": {field.note}" if field.note else "")
                return left_open(field.name, note, where=path, line=node.line)
            if text not in _NOT_SET and not _is_among(text, field.absent):
                return _sourced(field, path, node)
        return None

    def of_program(self, field: Field) -> Sourced | None:
        """Return the default that the program beside the file declares, None where it has none.

        Programs fill in the number of devices themselves.
        """
        if self.program is None or field.name == "world_size":
            return None
        for path in field.paths:
            one = self.program.default(path)
            if one is not None and one.is_open:
                note = f"--{path} has a default that is only known when {one.file} runs"
                return left_open(field.name, note, where=f"{one.file}: {path}", line=one.line)
            if one is not None and one.text not in _NOT_SET and one.text not in field.absent:
                return by_default(field.name, one.text, one.file)
        made = self.program.literal(field.name)
        return None if made is None else by_default(field.name, *made)

    def _devices(self) -> Sourced | None:
        """Return the number of devices that a launcher gives."""
        devices = self.document.devices
        if devices is None:
            return None
        where = f"{devices.file}: num_processes" if devices.file else "the launcher"
        return of_file("world_size", devices.text, where, devices.line)

    def _default(self, field: Field) -> Sourced:
        """Return a field's default, or what says that it is missing."""
        if field.default is None:
            return left_open(field.name)
        found = by_default(field.name, field.default, field.source or self.trainer.version)
        return replace(found, note=ONE_DEVICE if field.name == "world_size" else field.note)

    def text(self, name: str) -> str | None:
        """Return a quantity's text, None where it is missing."""
        return self.find(name).value

    def word(self, name: str) -> str:
        """Return a quantity's text in lower case, empty where it is missing."""
        return (self.text(name) or "").strip().lower()

    def counts_all(self, name: str) -> bool:
        """Return whether the file sets, be it openly, the batch of all devices under that name.

        A batch size that is given takes its place.
        """
        if "batch_size" in self.given:
            return False
        found = self.find(name)
        return found.value is not None or bool(found.where)

    def number(self, name: str) -> Fraction | None:
        """Return a quantity as an exact number, None where it is missing.

        Raises:
            UnreadableFileError: it is not a number.
        """
        found = self.find(name)
        if found.value is None:
            return None
        number = typed_number(found.value)
        if number is None:
            raise self.fail(found, "is not a number")
        return number

    def count(self, name: str) -> int | None:
        """Return a quantity as a whole number of at least 1, None where it is missing.

        Raises:
            UnreadableFileError: it is not.
        """
        number = self.number(name)
        if number is None:
            return None
        if number.denominator != 1 or not 1 <= number <= _LARGEST_COUNT:
            raise self.fail(self.find(name), "is not a whole number from 1 on")
        return int(number)

    def flag(self, name: str) -> bool:
        """Return a quantity as yes or no; what is missing is no.

        Raises:
            UnreadableFileError: it is neither.
        """
        word = self.word(name)
        if word in _TRUE:
            return True
        if word not in _FALSE:
            raise self.fail(self.find(name), "is neither true nor false")
        return False

    def is_on(self, name: str) -> bool:
        """Return whether the file itself turns a flag on that it and the trainer call alike.

        Raises:
            UnreadableFileError: it is neither true nor false.
        """
        return self.has(name) and self.flag(name)

    def product(self, *names: str, whole: bool = False) -> Fraction | None:
        """Return the product of quantities, None where one is missing.

        Raises:
            UnreadableFileError: one is not a number, or with `whole` not a count from 1 on.
        """
        parts = [self.count(name) if whole else self.number(name) for name in names]
        known = [part for part in parts if part is not None]
        return Fraction(prod(known)) if len(known) == len(parts) else None

    def read(self, name: str, *paths: str) -> Sourced | None:
        """Return a quantity from the first of some paths that the file sets, None where none is."""
        return self.in_file(Field(name=name, paths=paths))

    def told(self, path: str) -> str:
        """Return the text at a path of the file, a list's all in one; empty where there is none."""
        return "".join(texts_of(self.node(path)))

    def texts(self, path: str) -> tuple[str, ...]:
        """Return the texts of a list at a path of the file; of a scalar, its one text."""
        node = find(self.document.root, path)
        if open_part(path, node):
            self.opened.append(path)
        return texts_of(node)

    def is_list(self, path: str) -> bool:
        """Return whether the file holds a list at a path."""
        return isinstance(find(self.document.root, path), Items)

    def has(self, path: str) -> bool:
        """Return whether the file holds a path and does not set it to null."""
        node = find(self.document.root, path)
        return node is not None and not (isinstance(node, Scalar) and node.text is None)

    def node(self, path: str) -> Node | None:
        """Return the node at a path of the file."""
        return find(self.document.root, path)

    def entries(self, path: str) -> Mapping[str, Node]:
        """Return the mapping at a path of the file, empty where there is none."""
        node = find(self.document.root, path)
        return node.entries if isinstance(node, Entries) else {}

    def listed(self, path: str) -> tuple[Entries, ...]:
        """Return the mappings in a list at a path of the file."""
        return mappings_of(self.node(path)) if self.is_list(path) else ()

    def fail(self, found: Sourced, reason: str) -> UnreadableFileError:
        """Return the complaint about one quantity of the file."""
        place = "" if found.line is None else f"line {found.line}: "
        shown = found.value if found.value is None else found.value[:60]
        return UnreadableFileError(
            self.document.name, f"{place}{found.where or found.name} {shown!r} {reason}"
        )


def _is_among(text: str | None, others: tuple[str, ...]) -> bool:
    """Return whether a text is one of some, numbers however they are written: -1 and -1.0."""
    if text in others:
        return True
    number = typed_number(text or "")
    return number is not None and number in {typed_number(each) for each in others}


def texts_of(node: Node | None) -> tuple[str, ...]:
    """Return the texts of a list's scalars, of a scalar its one; none for anything else."""
    if isinstance(node, Items):
        return tuple(text for part in node.items for text in texts_of(part))
    if isinstance(node, Scalar) and node.text is not None:
        return (node.text,)
    return ()


def open_part(path: str, node: Node | None) -> str:
    """Return what a value, or the first open one of a list's, waits for; empty where it is known.

    >>> open_part("a", Items(items=(Scalar(text="1"), Scalar(text="${b}"))))
    'a: ${b} is not resolved here'
    """
    if isinstance(node, Items):
        return next(filter(None, (open_part(path, part) for part in node.items)), "")
    if not isinstance(node, Scalar):
        return ""
    return f"{path}: {node.open}" if node.open else _waits(path, (node.text or "").strip())


def text_of(entry: Entries, key: str, default: str = "") -> str:
    """Return a mapping's one text under a key, the first of a list."""
    return (*texts_of(entry.entries.get(key)), default)[0]


def whole_or(whole: str, *parts: str) -> Callable[[Settings], tuple[str, ...]]:
    """Return what says which fields make up B: all devices' batch where it is set, else a product.

    `whole` is the field of the first; `parts` are the others', each device's batch first.
    """
    return lambda settings: (whole,) if settings.counts_all(whole) else parts


def unit_of(whole: str, count: str | None, part: str) -> str:
    """Return what B counts where each of it holds so many parts.

    >>> unit_of("prompts", "8", "completions"), unit_of("packs", None, "tokens")
    ('prompts of 8 completions', 'packs')
    """
    return f"{whole} of {count[:9]} {part}" if count else whole


def derived(name: str, value: str | None, formula: str, *, note: str = "") -> Sourced:
    """Return a quantity that follows from others by a formula."""
    return Sourced(name=name, value=value, origin=Origin.DERIVED, where=formula, note=note)


def product_of(name: str, formula: str, *parts: str) -> Derive:
    """Return what derives a quantity as the product of others, nothing where one is missing."""

    def derive(settings: Settings) -> Sourced | None:
        product = settings.product(*parts)
        return None if product is None else derived(name, decimal_text(product), formula)

    return derive


def by_default(name: str, value: str | None, where: str) -> Sourced:
    """Return a quantity that the file leaves to what `where` says."""
    return Sourced(name=name, value=value, origin=Origin.DEFAULT, where=where)


def of_file(name: str, value: str | None, where: str, line: int | None = None) -> Sourced:
    """Return a quantity that a file sets, by its key and line."""
    return Sourced(name=name, value=value, origin=Origin.FILE, where=where, line=line)


def left_open(name: str, note: str = "", *, where: str = "", line: int | None = None) -> Sourced:
    """Return a quantity that is not known, and why; `where` is the key that leaves it open."""
    return Sourced(name=name, value=None, origin=Origin.MISSING, where=where, line=line, note=note)


def submitit_devices(settings: Settings) -> Sourced | None:
    """Return submitit's devices: nodes times GPUs a node."""
    return None if "submitit" not in settings.document.program else nodes_times_gpus(settings)


def nodes_times_gpus(settings: Settings) -> Sourced:
    """Return the devices that submitit is asked for."""
    devices = settings.product("nodes", "ngpus", whole=True)
    return derived("world_size", None if devices is None else str(devices), "nodes · ngpus")


def lr_per(examples: int, formula: str, *, base: str, batch: tuple[str, ...]) -> Derive:
    """Return what derives an lr that is `base` for a step of so many examples; B is of `batch`."""

    def derive(settings: Settings) -> Sourced | None:
        lr, size = settings.number(base), settings.product(*batch, whole=True)
        if lr is None or size is None:
            return None
        return derived("lr", decimal_text(lr * size / examples), f"{formula} · B / {examples}")

    return derive


def _waits(path: str, text: str) -> str:
    """Return what a value waits for: to be given, or a resolver of Hydra's or OmegaConf's."""
    if text == MANDATORY:
        return f"{path} is to be given: it is ??? there"
    return f"{path}: {text[:60]} is not resolved here" if "${" in text else ""


def _sourced(field: Field, path: str, node: Scalar) -> Sourced:
    text = None if node.text is None else node.text.strip()
    where = f"{node.file}: {path}" if node.file else path
    return of_file(field.name, text, where, node.line)
