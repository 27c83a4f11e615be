"""A live optimizer's class and options to the catalogue: by its path, then by a package's keys."""

from collections.abc import Iterator, Mapping
from typing import Any

from decaycalc.conventions.catalogue import find
from decaycalc.conventions.catalogue.shapes import TIMES_LR
from decaycalc.conventions.record import Convention, Coupling
from decaycalc.errors import UnknownNameError
from decaycalc.training.reading.classes import OptimizerClass, find_class

# Where an option of a constructor is kept under another name.
_KEPT_AS = {"decoupled_weight_decay": ("decoupled_weight_decay", "decoupled_wd")}
# Flags of a group that turn a coupled decay decoupled, and those that have no record of their own.
_DECOUPLING = ("decoupled_decay", "decoupled", "no_prox", "weight_decouple", "decouple_wd")
# Flags that take lr, or all of it but the schedule, out of a decay.
_WITHOUT_LR = {"fixed_decay": "fixed", "decouple_lr": "decoupled"}
# Flags by which the Adafactor of these packages decays by an lr of its own, which has no record.
# timm's and Keras' have such flags too, and decay by the group's lr: both were measured.
_OWN_LR = ("relative_step", "scale_parameter")
_BY_OWN_LR = ("pytorch-optimizer-adafactor", "torch-optimizer-adafactor")
# What the constructor's lr was divided by stands in the groups already.
_DIVIDED = {"pytorch-optimizer-grokfastadamw": "pytorch-optimizer-decoupled"}
# Flags of a group that decay only where update and weight agree in sign.
_CAUTIOUS = ("cautious_weight_decay", "cautious_wd")
_CORRECTED = "corrected_weight_decay"
_TIMM_STEMS = {"adamwlegacy": "adamw", "nvnovograd": "novograd",
               "adafactorbigvision": "adafactorbv"}  # fmt: skip


def class_path(optimizer: object) -> str:
    """Return the dotted path of an object's class."""
    return f"{type(optimizer).__module__}.{type(optimizer).__qualname__}"


def convention_of(optimizer: object, options: Mapping[str, Any]) -> Convention | None:
    """Return what the catalogue has for an optimizer's class under a group's options.

    A class that steps as its parent does is its parent. None where the catalogue has nothing, or
    where an option makes another rule of it than the record's.
    """
    for kind in type(optimizer).__mro__:
        found = _of_class(kind, optimizer, options)
        if found is not None or vars(kind).keys() & {"step", "update_step"}:
            return found
    return None


def _of_class(kind: type, optimizer: object, options: Mapping[str, Any]) -> Convention | None:
    root, name = kind.__module__.partition(".")[0], kind.__name__
    known = find_class(f"{root}.{name}")
    if known is not None:
        record = _record(_key_of_known(known, optimizer, options))
        coupled = record is not None and record.coupling is Coupling.COUPLED
        return None if coupled and options.get("decouple_wd") else record
    candidates = _of_timm(name.lower(), options) if root == "timm" else iter((f"{root}.{name}",))
    return next((record for key in candidates if (record := _fitting(key, options))), None)


def _key_of_known(
    known: OptimizerClass, optimizer: object, options: Mapping[str, Any]
) -> str | None:
    """Return the key that a class's own flags choose, None where no record says what they make."""
    flags = {
        flag: bool(options.get(name, getattr(optimizer, name, None)))
        for flag in known.flags
        for name in _KEPT_AS.get(flag, (flag,))
        if name in options or hasattr(optimizer, name)
    }
    return known.optimizer(flags).convention


def _record(key: str | None) -> Convention | None:
    try:
        return None if key is None else find(key)
    except UnknownNameError:
        return None


def _fitting(key: str, options: Mapping[str, Any]) -> Convention | None:
    """Return the record of a key where no flag of the group contradicts it."""
    record = _record(key)
    word = next((word for flag, word in _WITHOUT_LR.items() if options.get(flag)), None)
    if record is not None and word is not None:
        record = _without_lr(record, word, options)
    if record is not None and record.key in _BY_OWN_LR and any(map(options.get, _OWN_LR)):
        return None
    record = None if record is None else _record(_DIVIDED.get(record.key, record.key))
    if record is not None and any(options.get(flag) for flag in _CAUTIOUS):
        record = _record(f"{record.key}-cautious")
    if record is not None and not _mixes_alike(record, options):
        return None
    flags = [bool(options[name]) for name in _DECOUPLING if options.get(name) is not None]
    if record is None or record.refusal is not None or not flags:
        return record
    decoupled = any(flags) or "no_prox" in options  # a proximal step is decoupled too
    agrees = (record.coupling is Coupling.DECOUPLED) == decoupled
    # Where the decoupled form has a record of its own, this one is the flag's other value.
    return record if agrees or (not decoupled and _record(f"{record.key}w")) else None


def _without_lr(record: Convention, word: str, options: Mapping[str, Any]) -> Convention | None:
    """Return the record of a decay that a flag takes lr out of.

    A coupled decay's flag does nothing; where the decay is more than a share of lr, its own record
    says what is left, or none does.
    """
    if options.get("weight_decouple") is False:
        return record
    own = _record(f"{record.key}-{word}")
    plain = word == "fixed" and record.shrink == TIMES_LR and not record.proximal
    return own or (_record("pytorch-optimizer-fixed") if plain else None)


def _mixes_alike(record: Convention, options: Mapping[str, Any]) -> bool:
    """Return whether a group mixes gradient and buffer by the numbers that the record is for."""
    presumed = () if record.mixture is None else record.mixture.settings
    return all(options.get(name, number) == number for name, number in presumed)


def _of_timm(name: str, options: Mapping[str, Any]) -> Iterator[str]:
    """Yield timm's own names of a class under its options, the most special first."""
    stem = _TIMM_STEMS.get(name, name)
    stem = str(options.get("algo", stem)) if stem == "muon" else stem
    cautious = "c" if options.get("caution") else ""
    if options.get("unscaled_wd"):
        yield f"timm-{stem}-unscaled{'-corrected' if options.get(_CORRECTED) else ''}"
    elif options.get(_CORRECTED):
        bare = stem.removesuffix("w")
        yield f"timm-{cautious}{bare}cd" if bare == "lamb" else f"timm-{cautious}{bare}c"
    elif options.get("trust_clip") and not any(options.get(flag) for flag in _DECOUPLING):
        yield f"timm-{stem}c"
        yield f"timm-{stem}"
    else:
        if any(options.get(flag) for flag in _DECOUPLING):
            yield f"timm-{cautious}{stem}w"
        yield f"timm-{cautious}{stem}"
