"""Networks that only names and shapes tell of, and whether their layers are stacked."""

from decaycalc.architecture.guess import guess_tensors
from decaycalc.architecture.tensors import Architecture, Tensor
from decaycalc.errors import ContradictionError
from decaycalc.record import replace

_SAID = "layers are stacked"
_ORDINALS = ("first", "second")


def from_names(name: str, tensors: tuple[Tensor, ...], classes: int | None = None) -> Architecture:
    """Return the network of tensors that are known by name, with a note if layers are stacked."""
    return Architecture(
        name=name,
        tensors=tensors,
        n_classes=classes,
        undecayed=None,
        notes=_notes(tensors),
    )


def _notes(tensors: tuple[Tensor, ...]) -> tuple[str, ...]:
    """Return a note about stacked layers, none where there are none."""
    stacked = [tensor for tensor in tensors if tensor.stack > 1]
    if not stacked:
        return ()
    axes = " or ".join(_ORDINALS[axis] for axis in sorted({each.stack_axis for each in stacked}))
    depths = " and ".join(str(depth) for depth in sorted({tensor.stack for tensor in stacked}))
    some = f"{len(stacked)} tensors ({stacked[0].name[:60]!r} ...)"
    note = (
        f"{_SAID}: the {axes} axis of {some} is read as {depths} layers; masks and Σw² are a "
        "layer's own, while code that counts dimensions sees one more (--not-stacked reads it as "
        "one layer)"
    )
    return (note,)


def restack(architecture: Architecture, *, stacked: bool | None) -> Architecture:
    """Return the network with its first axes read as layers, or not; None leaves it as it is.

    Raises:
        ContradictionError: its layers are known already, or no tensors share a first axis.
    """
    if stacked is None:
        return architecture
    if architecture.undecayed is not None:
        raise ContradictionError(
            f"the layers of {architecture.name[:80]!r} are known; only a file's may be stacked"
        )
    old = architecture.tensors
    guessed = guess_tensors(((t.name, t.shape) for t in old), stacked=stacked)
    usual = guess_tensors((t.name, t.shape) for t in old)
    if stacked and all(tensor.stack == 1 for tensor in guessed):
        raise ContradictionError("no tensors of one container share an axis: none is stacked")
    kept = tuple(
        replace(new, role=tensor.role) if tensor.role is not told.role else new
        for tensor, told, new in zip(old, usual, guessed, strict=True)
    )
    notes = tuple(note for note in architecture.notes if not note.startswith(_SAID))
    return replace(architecture, tensors=kept, notes=(*_notes(kept), *notes))
