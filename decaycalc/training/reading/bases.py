"""Bases: a file laid over those that it names as its bases, where they lie beside it."""

from collections.abc import Iterator

from decaycalc.errors import UnreadableFileError
from decaycalc.record import replace
from decaycalc.training.reading.settings import texts_of
from decaycalc.training.trainers.syntax.document import Document
from decaycalc.training.trainers.syntax.tree import (
    EDITS,
    Entries,
    Scalar,
    check_size,
    from_file,
    joined,
)

# MMEngine's and mmcv's; PaddleDetection's and detectron2's; RT-DETR's.
KEYS = ("_base_", "_BASE_", "__include__")
# The keys of a mapping that takes its base's place: MMEngine's, PaddleSeg's.
_REPLACING = {"_delete_": ("True",), "_inherited_": ("False", "false")}
_DEEPEST_BASE = 5
_MOST_BASES = 50  # of a file and of what they stand on together; eight is much


def bases_of(document: Document) -> tuple[str, ...]:
    """Return the names of the files that a document stands on."""
    nodes = (document.root.entries.get(key) for key in KEYS)
    return tuple(name for node in nodes for name in texts_of(node))


def missing_bases(document: Document) -> tuple[str, ...]:
    """Return a note for each base that is not beside the file."""
    absent = [name for name in bases_of(document) if document.neighbour(name) is None]
    return tuple(f"{name[:80]} is not here: what it sets is not known" for name in absent)


def with_bases(document: Document) -> Document:
    """Return a document laid over the files that it names as its bases, where they lie beside it.

    Raises:
        UnreadableFileError: they are more, or hold more, than any configuration.
    """
    return _laid_over(document, 0, iter(range(_MOST_BASES)))


def _laid_over(document: Document, depth: int, left: Iterator[int]) -> Document:
    """Return a document laid over its bases; each takes one of those that are `left`."""
    under = Entries()
    for name in bases_of(document) if depth < _DEEPEST_BASE else ():
        if next(left, None) is None:
            raise UnreadableFileError(document.name, f"it stands on more than {_MOST_BASES} files")
        neighbour = document.neighbour(name)
        if neighbour is not None:
            root = _laid_over(neighbour, depth + 1, left).root
            under = joined(under, from_file(root, name.rpartition("/")[2]))
            check_size(under, document.name)
    under, own = _changed(under, _own(document, under))
    return replace(document, root=_replaced(joined(under, own), own))


def _own(document: Document, under: Entries) -> Entries:
    """Return what a document sets itself; what it takes from its bases is looked up there."""
    if not document.text or not under.entries:
        return document.root
    # Imported here: few files speak of what their bases hold.
    from decaycalc.training.trainers.syntax.python_text import parse_python  # noqa: PLC0415

    own = parse_python(document.text, document.name, under)
    check_size(own, document.name)
    return own


def _changed(under: Entries, own: Entries) -> tuple[Entries, Entries]:
    """Return the bases with what a file changes of them, and what it sets itself."""
    edits = own.entries.get(EDITS)
    if not isinstance(edits, Entries):
        return under, own
    rest = {key: node for key, node in own.entries.items() if key != EDITS}
    return joined(under, edits), replace(own, entries=rest)


def _replaced(whole: Entries, own: Entries) -> Entries:
    """Return the joined tree; a mapping that asks for that takes its base's place whole."""
    entries = dict(whole.entries)
    for key, node in own.entries.items():
        if isinstance(node, Entries):
            below = entries[key]
            deletes = any(
                isinstance(mark := node.entries.get(key), Scalar) and mark.text in texts
                for key, texts in _REPLACING.items()
            )
            keeps = isinstance(below, Entries) and not deletes
            entries[key] = _replaced(below, node) if keeps else node  # type: ignore[arg-type]
    return Entries(entries=entries, line=whole.line)
