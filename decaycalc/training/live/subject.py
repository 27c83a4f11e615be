"""Subjects: the kinds of tensors whose decay `probe` looks at, one by one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from decaycalc.algebra.quantity import exact
from decaycalc.conventions.record import Convention
from decaycalc.errors import InvalidValueError
from decaycalc.training.live import (
    keras_like,
    keras_trial,
    optax_like,
    optax_trial,
    torch_like,
    torch_trial,
)
from decaycalc.training.live.conventions import convention_of
from decaycalc.training.live.read import NO_OPTIMIZER
from decaycalc.training.live.told import number_text
from decaycalc.training.live.trial import CopyTrial

_LR = 1e-3  # what stands in for an lr of 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSubject:
    """One kind of tensor: the trial of its optimizer, its own lr and λ (None: it has none).

    `trial` is None where the numbers cannot be read, and none can be set. `exempt` says that the
    optimizer leaves these tensors out, whatever its λ is; `whole` is what a step takes off in all,
    by its λ or not, where that is known; `reason` says why it is not.
    """

    name: str
    n_dims: int
    record: Convention | None = None
    trial: CopyTrial | None = None
    lr: float | None = None
    weight_decay: float | None = None
    exempt: bool = False
    whole: float | None = None
    reason: str = ""


def subjects_of(optimizer: Any, model: Any) -> Iterator[ProbeSubject]:
    """Yield the kinds of tensors of an optimizer, torch's, Keras's or optax's.

    Raises:
        InvalidValueError: an object that is none, or one that cannot be read.
    """
    if torch_like.is_optimizer(optimizer):
        return _of_torch(optimizer)
    if keras_like.is_optimizer(optimizer):
        return _of_keras(optimizer, model)
    if optax_like.is_optimizer(optimizer):
        return _of_optax(optimizer, model)
    name = type(optimizer).__name__
    raise InvalidValueError("optimizer", name, f"cannot be probed: it {NO_OPTIMIZER}")


def _of_torch(optimizer: Any) -> Iterator[ProbeSubject]:
    """Yield each number of dimensions in each group."""
    for at, group in enumerate(optimizer.param_groups):
        kinds: dict[int, Any] = {}
        for parameter in group["params"]:
            kinds.setdefault(len(parameter.shape), parameter)
        lr = group.get("initial_lr", group.get("lr"))
        for _, like in sorted(kinds.items()):
            yield ProbeSubject(
                name=torch_like.group_name(at, group),
                n_dims=len(like.shape),
                trial=torch_trial.trial_of(optimizer, group, like),
                record=convention_of(optimizer, group),
                lr=None if lr is None else _finite(lr, "lr") or _LR,
                weight_decay=_decay_of(group),
            )


def _decay_of(group: Mapping[str, Any]) -> float | None:
    """Return a group's λ, 0 for None; None where it has none.

    Raises:
        InvalidValueError: it is not a finite number.
    """
    if "weight_decay" not in group:
        return None
    return _finite(group["weight_decay"] or 0, "weight_decay")


def _finite(value: Any, name: str) -> float:
    return float(exact(number_text(value, name) or 0))


def _of_keras(optimizer: Any, model: Any) -> Iterator[ProbeSubject]:
    """Yield each number of dimensions that decays, that is exempt, and that has a λ of its own."""
    options = optimizer.get_config()
    record = convention_of(optimizer, options)
    lr = keras_like.lr_text(options)
    kinds: dict[tuple[str, bool, int], keras_like.Variable] = {}
    for variable in keras_like.variables_of(optimizer, model) or keras_like.usual(optimizer):
        kind = (variable.decay, variable.excluded, len(variable.shape))
        kinds.setdefault(kind, variable)
    for kind, variable in sorted(kinds.items()):
        yield ProbeSubject(
            name="exempt" if variable.excluded else kind[0],
            n_dims=len(variable.shape),
            trial=keras_trial.trial_of(optimizer, variable, options),
            record=record,
            lr=float(lr or 0) or _LR,
            weight_decay=float(options.get(variable.decay) or 0),
            exempt=variable.excluded,
        )


def _of_optax(optimizer: Any, params: Any) -> Iterator[ProbeSubject]:
    """Yield each number of dimensions, lr, λ and order of links, the unreadable by its share."""
    found = optax_like.read(optimizer, params)
    kinds: dict[tuple[object, ...], int] = {}
    for at, leaf in enumerate(found.leaves):
        kinds.setdefault((leaf.kind, len(leaf.shape)), at)
    shares, reason = _shares(found)
    for number, at in enumerate(kinds.values()):
        leaf, name = found.leaves[at], f"group {number}"
        lr, own = _number(leaf.chain.lr), _number(leaf.chain.weight_decay)
        if own is None or lr is None:
            yield ProbeSubject(name=name, n_dims=len(leaf.shape), record=leaf.record,
                               whole=shares[at], reason=reason)  # fmt: skip
        else:
            yield ProbeSubject(
                name=name,
                n_dims=len(leaf.shape),
                trial=optax_trial.trial_of(found, at),
                record=leaf.record,
                lr=lr or _LR,
                weight_decay=abs(own),
                exempt=leaf.chain.decay_link is None,
                whole=None if callable(leaf.chain.lr) else shares[at],
            )


def _shares(found: optax_like.Read) -> tuple[tuple[float | None, ...], str]:
    """Return what a step takes off each leaf, and why that is not known where it is not."""
    try:
        return optax_trial.shares_of(found), "its numbers cannot be read"
    except InvalidValueError as error:
        return (None,) * len(found.leaves), str(error)


def _number(held: Any) -> float | None:
    """Return a number, a schedule's at its start, None where there is none."""
    return None if held is None else float(held(0) if callable(held) else held)
