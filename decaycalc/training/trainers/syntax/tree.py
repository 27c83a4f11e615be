"""Tree: what every syntax makes of a file, mappings and lists of scalars as they were typed."""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from types import MappingProxyType

from decaycalc.errors import UnreadableFileError
from decaycalc.record import Record, replace

# How often a scheduler is stepped: with the optimizer, its length told in steps or, as
# `T_max=epochs * len(loader)`, in epochs.
EACH_STEP = "step"
EACH_STEP_IN_EPOCHS = "step, in epochs"
# The classes that a script makes the Trainer's arguments of, TRL's among them.
# Source: transformers 5.24.0 training_args.py; trl 1.10.0.dev0 (f2cd57710), trl/trainer.
OF_TRL = ("SFTConfig", "DPOConfig", "GRPOConfig", "KTOConfig", "ORPOConfig", "CPOConfig",
          "RLOOConfig", "RewardConfig", "OnlineDPOConfig", "BCOConfig", "PPOConfig")  # fmt: skip
ARGUMENT_CLASSES = ("TrainingArguments", "Seq2SeqTrainingArguments", *OF_TRL)
SET_BY_SCRIPT = "the script's own"  # a schedule that a script's loop sets in the groups
FLAGS_HOLD = "the script's own flags hold at their defaults: {}"
EDITS = "_base_edits_"  # the key of what a Python file changes of its bases
_REFERENCE = re.compile(r"\$\{(\.{0,9}[A-Za-z_][\w.\-]{0,200})\}")
_LONGEST_CHAIN = 10  # references that refer to references
MOST_NODES = 200_000  # values, some tens of megabytes as objects
_DEEPEST_NODE = 100
_MOST_PATHS = 20_000
_DEEPEST = 30


class Scalar(Record):
    """One value: its text as typed, None for null; `open` says why it cannot be known.

    `file` names the neighbour that holds it where that is not the file itself.
    """

    text: str | None
    line: int | None = None
    open: str = ""
    file: str = ""


class Items(Record):
    """A list of nodes."""

    items: tuple["Node", ...]
    line: int | None = None


class Entries(Record):
    """A mapping of names to nodes."""

    entries: Mapping[str, "Node"] = MappingProxyType({})
    line: int | None = None


Node = Scalar | Items | Entries


def check_size(root: Entries, name: str) -> None:
    """Check that a tree is no larger and no deeper than any configuration.

    What an alias of YAML or a name of Python puts in many places is counted in each: one kilobyte
    can hold 2^60 of them, and whatever walks the tree would do so without end.

    Raises:
        UnreadableFileError: it is; `name` is the file's.
    """
    pending: list[tuple[Node, int]] = [(root, 0)]
    count = 0
    while pending:
        node, depth = pending.pop()
        count += 1
        if count > MOST_NODES:
            raise UnreadableFileError(name, f"it holds more than {MOST_NODES} values")
        if depth > _DEEPEST_NODE:
            raise UnreadableFileError(name, f"it is nested more than {_DEEPEST_NODE} deep")
        if isinstance(node, Items):
            pending += [(part, depth + 1) for part in node.items]
        elif isinstance(node, Entries):
            pending += [(part, depth + 1) for part in node.entries.values()]


def find(root: Entries, path: str) -> Node | None:
    """Return the node at a dotted path, `a.b`; a key may itself hold dots. None if there is none.

    `${a.b}` is followed within the same file; `${.b}` stands beside the key that refers to it.
    """
    node, target = _walk(root, path), path
    for _ in range(_LONGEST_CHAIN):
        reference = _target(node)
        if reference is None:
            return node
        target = _absolute(target, reference)
        found = _walk(root, target)
        if found is None:
            return _unknown(node)
        node = found
    return _unknown(node)


def followed(root: Entries, path: str) -> tuple[str, ...]:
    """Return a path, and those that the reference there leads on to."""
    paths = [path]
    for _ in range(_LONGEST_CHAIN):
        reference = _target(_walk(root, paths[-1]))
        if reference is None:
            break
        paths.append(_absolute(paths[-1], reference))
    return tuple(paths)


def _walk(node: Node, path: str) -> Node | None:
    """Return the node at a path, keys with dots in them first."""
    if not isinstance(node, Entries):
        return None
    if path in node.entries:
        return node.entries[path]
    head, dot, rest = path.partition(".")
    while dot:
        below = node.entries.get(head)
        found = None if below is None else _walk(below, rest)
        if found is not None:
            return found
        more, dot, rest = rest.partition(".")
        head = f"{head}.{more}"
    return None


def _target(node: Node | None) -> str | None:
    """Return the path that a scalar refers to, None where it stands for itself."""
    if not isinstance(node, Scalar) or node.text is None:
        return None
    match = _REFERENCE.fullmatch(node.text.strip())
    return match[1] if match else None


def _absolute(path: str, reference: str) -> str:
    """Return the path that a reference at a path means; each dot at its head leaves a level.

    >>> _absolute("trainer.max_steps", ".ppo.max_steps"), _absolute("a.b.c", "..d")
    ('trainer.ppo.max_steps', 'a.d')
    """
    bare = reference.lstrip(".")
    above = path.split(".")[: -(len(reference) - len(bare))] if bare != reference else []
    return ".".join((*above, bare))


def _unknown(node: Node | None) -> Node:
    """Return the scalar that stands for a reference which leads nowhere."""
    text = node.text if isinstance(node, Scalar) else ""
    return Scalar(text=None, line=_line(node), open=f"{text} is not in the file")


def _line(node: Node | None) -> int | None:
    return None if node is None else node.line


def from_file(root: Entries, file: str) -> Entries:
    """Return a neighbour's tree, each scalar with the file that holds it."""
    return replace(root, entries={key: _marked(part, file) for key, part in root.entries.items()})


def _marked(node: Node, file: str) -> Node:
    if isinstance(node, Scalar):
        return replace(node, file=file)
    if isinstance(node, Items):
        return replace(node, items=tuple(_marked(part, file) for part in node.items))
    return from_file(node, file)


def joined(under: Entries, over: Entries) -> Entries:
    """Return two trees as one, mappings joined key by key; what is in `over` replaces the rest."""
    entries = dict(under.entries)
    for key, node in over.entries.items():
        below = entries.get(key)
        both = isinstance(below, Entries) and isinstance(node, Entries)
        entries[key] = joined(below, node) if both else node  # type: ignore[arg-type]  # both are
    return Entries(entries=entries, line=over.line)


def key_paths(root: Entries) -> frozenset[str]:
    """Return the dotted paths of all keys, those of inner mappings with and without their own."""
    # Aliases can make a small file hold endless paths.
    return frozenset(islice(_all_paths(root, "", 0), _MOST_PATHS))


def _all_paths(node: Entries, prefix: str, depth: int) -> Iterator[str]:
    for key, below in node.entries.items():
        yield f"{prefix}{key}"
        if isinstance(below, Entries) and depth < _DEEPEST:
            yield from _all_paths(below, f"{prefix}{key}.", depth + 1)


def mappings_of(node: Node | None) -> tuple[Entries, ...]:
    """Return the mappings that a list holds, or the one that stands by itself."""
    nodes = node.items if isinstance(node, Items) else (node,)
    return tuple(each for each in nodes if isinstance(each, Entries))


def leaves(root: Entries) -> Iterator[tuple[str, Scalar | Items]]:
    """Yield the dotted path and the node of every value that is no mapping, at most 20,000."""
    yield from islice(_all_leaves(root, "", 0), _MOST_PATHS)


def _all_leaves(node: Entries, prefix: str, depth: int) -> Iterator[tuple[str, Scalar | Items]]:
    for key, below in node.entries.items():
        if not isinstance(below, Entries):
            yield f"{prefix}{key}", below
        elif depth < _DEEPEST:
            yield from _all_leaves(below, f"{prefix}{key}.", depth + 1)
