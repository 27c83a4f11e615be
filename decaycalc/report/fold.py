"""Names that differ by a number alone as one name: `h.{0-11}.ln_1.weight`."""

import re
from collections.abc import Hashable, Sequence

from decaycalc.record import Record

# A whole part of a path that is a number: the 3 of h.3.ln_1, not the 1.
_INDEX = re.compile(r"(?<![^./])(\d+)(?![^./])")


class Fold(Record):
    """A name for several, and the places of those that it stands for."""

    name: str
    members: tuple[int, ...]


class _Split(Record):
    """A name's texts with the numbers between them; a number may be a range already."""

    parts: tuple[str, ...]
    members: tuple[int, ...]


def fold_names(names: Sequence[str], alike: Sequence[Hashable]) -> tuple[Fold, ...]:
    """Return the names folded where they differ by a number and are `alike`, in their order.

    >>> names = ["h.0.ln.weight", "h.0.ln.bias", "h.1.ln.weight", "h.1.ln.bias", "wte.weight"]
    >>> [fold.name for fold in fold_names(names, ["a", "b", "a", "b", "c"])]
    ['h.{0-1}.ln.weight', 'h.{0-1}.ln.bias', 'wte.weight']
    """
    splits = [
        _Split(parts=tuple(_INDEX.split(name)), members=(place,))
        for place, name in enumerate(names)
    ]
    deepest = max((len(split.parts) // 2 for split in splits), default=0)
    for depth in range(deepest, 0, -1):
        splits = _folded(splits, 2 * depth - 1, alike)
    return tuple(Fold(name="".join(split.parts), members=split.members) for split in splits)


def _folded(splits: Sequence[_Split], place: int, alike: Sequence[Hashable]) -> list[_Split]:
    """Return the splits folded over the number at one place."""
    groups: dict[Hashable, list[_Split]] = {}
    for split in splits:
        if place < len(split.parts):
            rest = (split.parts[:place], split.parts[place + 1 :])
            groups.setdefault((rest, alike[split.members[0]]), []).append(split)
        else:
            groups[split.members] = [split]
    return [_joined(group, place) if len(group) > 1 else group[0] for group in groups.values()]


def _joined(group: Sequence[_Split], place: int) -> _Split:
    numbers = [int(split.parts[place]) for split in group]
    parts = list(group[0].parts)
    parts[place] = f"{{{_ranges(sorted(numbers))}}}"
    return _Split(
        parts=tuple(parts), members=tuple(place for split in group for place in split.members)
    )


def _ranges(numbers: Sequence[int]) -> str:
    """Return sorted numbers as ranges, `0-3,5`."""
    texts: list[str] = []
    start = previous = numbers[0]
    for number in [*numbers[1:], -1]:
        if number != previous + 1:
            texts.append(str(start) if start == previous else f"{start}-{previous}")
            start = number
        previous = number
    return ",".join(texts)
