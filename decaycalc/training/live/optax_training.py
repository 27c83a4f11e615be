"""An optax optimizer as a Training: a group for each lr, λ and order of links."""

from typing import Any

from decaycalc.conventions.catalogue import find
from decaycalc.conventions.run import Run
from decaycalc.record import replace
from decaycalc.training.live.apart import in_doubles
from decaycalc.training.live.optax_like import AFTER_LR, ParameterLeaf, Read, framework, read
from decaycalc.training.live.optax_trial import shares_of
from decaycalc.training.live.told import live_training, number_text
from decaycalc.training.record import Course, Group, GroupedTensor, Training

_MEASURED = "per-step-shrink"
_NOTE = "measured by the steps of a small copy: its numbers cannot be read"
_MOST_STEPS = 5_000_000  # the lr of each step is kept, and asked of the schedule


def training_of(
    optimizer: Any, params: Any = None, *, run: Run | None = None, source: str | None = None
) -> Training:
    """Return the run of an optax optimizer: one `Group` for each lr, λ and order of links.

    Schedules are asked for the lr and the λ of each step of `run`, where its length is known. Of
    links that the catalogue does not know the decay is measured, by steps of a small copy.

    Raises:
        InvalidValueError: no JAX in the process, parameters that are no arrays, a mask that fails.
    """
    total = (run or Run()).total_steps
    steps = None if total is None or total > _MOST_STEPS else int(total)
    found = read(optimizer, params)
    shares = _shares(found)
    groups, members = _grouped(found.leaves, shares, steps)
    pairs = zip(found.leaves, members, strict=True)
    leading = next((leaf for leaf, member in pairs if member.decays), found.leaves[0])
    unread = not leading.is_known and None not in shares
    told = live_training(
        optimizer,
        source=source or "optax",
        record=leading.record or (find(_MEASURED) if unread or leading.is_known else None),
        options={"momentum": leading.chain.momentum, "nesterov": leading.chain.nesterov},
        groups=groups,
        tensors=() if params is None else members,
    )
    scheduled = steps is None and any(callable(leaf.chain.lr) for leaf in found.leaves)
    return replace(
        told, title=found.title, missing=("steps",) if scheduled else (),
        notes=(_NOTE,) if unread else (),
    )  # fmt: skip


def _grouped(
    leaves: tuple[ParameterLeaf, ...], shares: tuple[float | None, ...], steps: int | None
) -> tuple[tuple[Group, ...], tuple[GroupedTensor, ...]]:
    """Return the groups of leaves of one kind, and each leaf with its group."""
    groups: dict[Any, Group] = {}
    members = []
    for leaf, share in zip(leaves, shares, strict=True):
        kind = leaf.kind if leaf.is_known else ("measured", share)
        if kind not in groups:
            groups[kind] = _group(f"group {len(groups)}", leaf, share, steps)
        group = groups[kind]
        decays = group.weight_decay not in {None, "0"}
        members.append(
            GroupedTensor(name=leaf.name, shape=leaf.shape, groups=(group.name,), decays=decays)
        )
    return tuple(groups.values()), tuple(members)


def _shares(found: Read) -> tuple[float | None, ...]:
    """Return each leaf's measured decay per step, where its links do not tell it."""
    if all(leaf.is_known for leaf in found.leaves):
        return (None,) * len(found.leaves)
    return tuple(None if share is None else round_to(share) for share in shares_of(found))


def round_to(share: float) -> float:
    """Return a share without what rounding adds to one leaf's and not to another's."""
    return float(f"{share:.9g}")


def _group(name: str, leaf: ParameterLeaf, share: float | None, steps: int | None) -> Group:
    """Return the group of a leaf: its own lr and λ, or the decay that was measured."""
    if not leaf.is_known:
        return Group(name=name, weight_decay=None if share is None else number_text(share, "share"))
    sign = -1 if leaf.record is not None and leaf.record.key == AFTER_LR else 1
    lrs, lr = _course(leaf.chain.lr, steps)
    decays, most = _course(leaf.chain.weight_decay, steps)
    return Group(
        name=name,
        lr=number_text(lr, "lr"),
        weight_decay=None if most is None else number_text(sign * most, "weight_decay"),
        course=None if lrs is None and decays is None else Course(
            lrs=lrs or (1.0,) * len(decays or ()), decays=decays
        ),
    )  # fmt: skip


def _course(held: Any, steps: int | None) -> tuple[tuple[float, ...] | None, float | None]:
    """Return a schedule's multipliers of each step and its peak; a number is its own peak."""
    if not callable(held):
        return None, None if held is None else float(held)
    if steps is None:
        return None, None
    jax = framework()
    with in_doubles():
        values = jax.vmap(held)(jax.numpy.arange(steps))
        found = [float(value) for value in jax.numpy.asarray(values).tolist()]
    peak = max(found)
    return tuple(each / (peak or 1) for each in found), peak
