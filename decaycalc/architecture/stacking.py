"""Layers stacked for a scan: tensors that share a leading axis, one entry for each layer.

`jax.lax.scan`, `flax.linen.scan` and `torch.vmap` keep the tensors of all layers in one, so that a
gain has two dimensions and a dense kernel three; what counts dimensions must count a layer's.
"""

from collections.abc import Iterator

from decaycalc.architecture.name_words import is_gain_name, is_shift

Shapes = list[tuple[str, tuple[int, ...]]]
LEAST_TENSORS = 2
# No network nests its stacks as deep; it bounds what a hostile name costs.
MOST_CONTAINERS = 16


def find_stacks(shapes: Shapes, *, forced: bool = False) -> dict[str, int]:
    """Return the number of layers stacked in each tensor that holds several, by its name.

    The tensors of a container are stacked if they share the size of their first axis and, unless
    `forced`, gains or shifts among them show it: they have one dimension more than a layer's would.
    Experts, and what is numbered already, are no layers of a stack.

    >>> find_stacks([("h/ln/scale", (12, 8)), ("h/fc/kernel", (12, 8, 8)), ("head/w", (8, 2))])
    {'h/ln/scale': 12, 'h/fc/kernel': 12}
    """
    below: dict[str, Shapes] = {}
    for name, shape in shapes:
        for container in _containers(name):
            below.setdefault(container, []).append((name, shape))
    found: dict[str, int] = {}
    for container, held in below.items():
        depth = 0 if _is_numbered(held, container) else _shared_axis(held, forced=forced)
        if depth:
            found.update(dict.fromkeys((name for name, _ in held), depth))
    return found


def _containers(name: str) -> Iterator[str]:
    """Yield what a tensor stands in, from the outermost; nothing below a number or experts."""
    start = n_found = 0
    for place, letter in enumerate(name):
        if letter in "./":
            part = name[start:place]
            if part.isdecimal() or "expert" in part.lower() or n_found == MOST_CONTAINERS:
                return
            start, n_found = place + 1, n_found + 1
            yield name[:start]


def _is_numbered(shapes: Shapes, container: str) -> bool:
    """Return whether a container's parts bear numbers: then each is a layer already."""
    after = len(container)
    return any(name[after:].replace("/", ".").partition(".")[0].isdecimal() for name, _ in shapes)


def _shared_axis(shapes: Shapes, *, forced: bool) -> int:
    """Return the size of the axis that tensors share before a layer's own; 0 if they share none."""
    sizes = {shape[0] if shape else 0 for _, shape in shapes}
    experts = any("expert" in name.lower() for name, _ in shapes)
    if sizes & {0, 1} or len(sizes) > 1 or len(shapes) < LEAST_TENSORS or experts:
        return 0
    vectors = [shape for name, shape in shapes if is_shift(name) or is_gain_name(name)]
    shown = all(len(shape) > 1 for shape in vectors) and (bool(vectors) or forced)
    return sizes.pop() if shown else 0
