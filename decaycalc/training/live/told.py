"""What every live optimizer's Training holds: numbers as texts, quantities, the convention."""

from collections.abc import Mapping
from typing import Any

from decaycalc.algebra.quantity import exact
from decaycalc.conventions.record import Convention
from decaycalc.conventions.run import Run
from decaycalc.errors import InvalidValueError
from decaycalc.training.live.conventions import class_path
from decaycalc.training.live.scheduler import Followed
from decaycalc.training.reading.numbers import decimal_text
from decaycalc.training.record import Exemption, Group, GroupedTensor, Origin, Sourced, Training

_KIND = "live"
_OF_SGD = ("momentum", "dampening")


def number_text(value: Any, name: str) -> str | None:
    """Return a framework's number (a float, a tensor of one) as a text; None where there is none.

    Raises:
        InvalidValueError: something else than a finite number.
    """
    if value is None:
        return None
    try:
        return decimal_text(exact(repr(float(value)), name=name))
    except (TypeError, ValueError, OverflowError):
        raise InvalidValueError(name, str(value), "must be a number") from None


def live_training(
    optimizer: object,
    *,
    source: str | None,
    record: Convention | None,
    options: Mapping[str, Any],
    groups: tuple[Group, ...],
    tensors: tuple[GroupedTensor, ...],
    dtype: str | None = None,
    followed: Followed | None = None,
) -> Training:
    """Return the Training of a live optimizer; `options` are those of its leading group."""
    path, leading = class_path(optimizer), _leading(groups)
    texts = {
        "optimizer": path,
        "weight_decay": leading.weight_decay,
        "lr": leading.lr,
        "dtype": dtype,
        "schedule": None if followed is None else followed.name,
        **_momentum(record, options),
    }
    return Training(
        source=source or type(optimizer).__name__,
        kind=_KIND,
        title=path,
        convention=None if record is None else record.key,
        value=leading.weight_decay,
        run=_run(record, leading, options, counted_from(options, optimizer)),
        betas=_betas(options),
        eps=_eps(options.get("eps")),
        quantities=_given(texts, where=leading.name),
        exempt=Exemption(rule=_exempt(groups)),
        groups=groups,
        notes=() if followed is None else followed.notes,
        missing=() if leading.lr is not None else ("lr",),
        refusal="" if record else f"{path} is not in the catalogue: 'decaycalc probe' measures it",
        tensors=tensors,
    )


def _leading(groups: tuple[Group, ...]) -> Group:
    """Return the first group that decays, else the first."""
    decayed = (group for group in groups if group.weight_decay not in {None, "0"})
    return next(decayed, groups[0])


def counted_from(options: Mapping[str, Any], optimizer: object) -> float | None:
    """Return the lr of all groups that a decay may count from; None where there is none.

    That is what a group keeps of the constructor's (timm) or its largest (optimi; of other
    optimizers a scheduler's), else the constructor's own.
    """
    defaults = getattr(optimizer, "defaults", {})
    kept = [options.get("max_lr_snapshot"), options.get("max_lr") if "max_lr" in defaults else None]
    found = next((each for each in (*kept, defaults.get("lr")) if each is not None), None)
    text = number_text(found, "lr")
    return None if text is None else float(text) or None


def _reference_lr(
    record: Convention | None, leading: Group, lr: float | None
) -> tuple[tuple[str, float], ...]:
    """Return the lr that a decay counts from, where it is another than the leading group's."""
    name = None if record is None or record.counts_from_group else record.reference_lr
    if name is None or lr is None or leading.lr is None or float(leading.lr) in {0.0, lr}:
        return ()
    return ((name, lr),)


def _run(
    record: Convention | None, leading: Group, options: Mapping[str, Any], counted: float | None
) -> Run:
    """Return the run that the leading group steps by; its decay may count from an lr of all."""
    momentum = _momentum(record, options)
    number = momentum.get("momentum")
    has_buffer = number is not None and float(number) > 0
    return Run(
        lr=leading.lr,
        momentum=number,
        dampening=momentum.get("dampening"),
        nesterov=(bool(options.get("nesterov")) or None) if has_buffer else None,
        extras=(*_reference_lr(record, leading, counted), *_projection(record, options)),
    )


def _projection(
    record: Convention | None, options: Mapping[str, Any]
) -> tuple[tuple[str, float], ...]:
    """Return AdamP's and SGDP's own share where a group has it."""
    ratio = options.get("wd_ratio")
    if record is None or not record.is_projected or not isinstance(ratio, float | int):
        return ()
    return (("wd_ratio", float(ratio)),)


def _given(texts: Mapping[str, str | None], *, where: str) -> tuple[Sourced, ...]:
    """Return what is known as quantities that a group of the optimizer gives."""
    return tuple(
        Sourced(name=name, value=text, origin=Origin.GIVEN, where=where)
        for name, text in texts.items()
        if text is not None
    )


def _momentum(record: Convention | None, options: Mapping[str, Any]) -> dict[str, str | None]:
    """Return what an SGD's group says of its momentum; other optimizers mean another thing.

    Of those that divide the decay by 1 - momentum (SGDP) it is said even where it is 0.
    """
    momentum = options.get("momentum")
    names = () if record is None or record.monomial is None else record.monomial.names
    if "one_minus_momentum" in names:
        return {"momentum": number_text(momentum, "momentum")}
    if record is None or record.optimizer != "sgd" or not momentum:
        return {}
    # optimi's dampening is a flag: 1 - momentum of the gradient.
    given = {"dampening": momentum} if options.get("dampening") is True else options
    return {
        "momentum": number_text(momentum, "momentum"),
        "dampening": number_text(given.get("dampening"), "dampening"),
    }


def _betas(options: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the first two betas, None where there are no two numbers."""
    betas = options.get("betas")
    if not isinstance(betas, tuple | list) or len(betas) < len(_OF_SGD):
        return None
    first, second = (number_text(beta, "betas") for beta in betas[:2])
    return None if first is None or second is None else (first, second)


def _eps(eps: Any) -> str | None:
    """Return an epsilon; Adafactor has two, which are of another kind."""
    return None if isinstance(eps, tuple | list) else number_text(eps, "eps")


def _exempt(groups: tuple[Group, ...]) -> str:
    """Return in words which groups do not decay."""
    names = [group.name for group in groups if group.weight_decay in {None, "0"}]
    return f"what {', '.join(names)} hold{'' if len(names) > 1 else 's'}" if names else "nothing"
