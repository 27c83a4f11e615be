"""Layers stacked for a scan: tensors that share an axis, one entry of it for each layer.

`jax.lax.scan`, `flax.linen.scan` and `torch.vmap` keep the tensors of all layers in one, so that a
gain has two dimensions and a dense kernel three; what counts dimensions must count a layer's. The
axis is the first, or the second (T5X's and MaxText's scan axis) where only that is shared.
"""

from collections.abc import Iterator

from decaycalc.architecture.name_words import is_gain_name, is_shift
from decaycalc.record import Record

Shapes = list[tuple[str, tuple[int, ...]]]
KERNELS = frozenset({"kernel", "recurrent_kernel"})
KERNEL_DIMENSIONS = 2  # the least that a kernel has
LEAST_TENSORS = 2  # an axis that one tensor has is not shared
# No network nests its stacks as deep; it bounds what a hostile name costs.
MOST_CONTAINERS = 16


class Stack(Record):
    """How many layers a tensor holds, and along which of its axes."""

    size: int = 1
    axis: int = 0

    def layer(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of one layer's part of the tensor."""
        return shape if self.size == 1 else shape[: self.axis] + shape[self.axis + 1 :]


ALONE = Stack()


def find_stacks(shapes: Shapes, *, forced: bool = False) -> dict[str, Stack]:
    """Return how many layers are stacked in each tensor that holds several, by its name.

    The tensors of a container are stacked if they share the size of an axis and, unless
    `forced`, gains or shifts among them show it: they have one dimension more than a layer's would.
    Experts, and what is numbered already, are no layers of a stack.

    >>> find_stacks([("h/ln/scale", (12, 8)), ("h/fc/kernel", (12, 8, 9)), ("head/w", (8, 2))])
    {'h/ln/scale': Stack(size=12, axis=0), 'h/fc/kernel': Stack(size=12, axis=0)}
    """
    below: dict[str, Shapes] = {}
    for name, shape in shapes:
        for container in _containers(name):
            below.setdefault(container, []).append((name, shape))
    found: dict[str, Stack] = {}
    for container, held in below.items():
        stack = ALONE if _is_numbered(held, container) else _stack_of(held, forced=forced)
        if stack.size > 1:
            found.update(dict.fromkeys((name for name, _ in held), stack))
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


def _stack_of(shapes: Shapes, *, forced: bool) -> Stack:
    """Return the stack that tensors are, by an axis that they share; else `ALONE`."""
    if len(shapes) < LEAST_TENSORS or any("expert" in name.lower() for name, _ in shapes):
        return ALONE
    if not forced and any(_is_lone_kernel(name, shape) for name, shape in shapes):
        return ALONE
    vectors = [shape for name, shape in shapes if is_shift(name) or is_gain_name(name)]
    if not all(len(shape) > 1 for shape in vectors) or not (vectors or forced):
        return ALONE
    first, second = (_shared(shapes, axis) for axis in (0, 1))
    if first:
        return ALONE if first == 1 else Stack(size=first, axis=0)
    # Heads of as many entries share their second axis too: (64, 64) beside (4096, 64, 64).
    if second > 1 and not any(shape[:2] == (second, second) for shape in vectors):
        return Stack(size=second, axis=1)
    return ALONE


def _is_lone_kernel(name: str, shape: tuple[int, ...]) -> bool:
    """Return whether a kernel has two axes, so none of layers: a GRU's beside its two biases."""
    leaf = name.replace("/", ".").rpartition(".")[2].removesuffix(":0")
    return leaf in KERNELS and len(shape) == KERNEL_DIMENSIONS


def _shared(shapes: Shapes, axis: int) -> int:
    """Return the size of an axis that all tensors have alike, 0 if they do not."""
    sizes = {shape[axis] if len(shape) > axis else 0 for _, shape in shapes}
    return sizes.pop() if len(sizes) == 1 else 0
