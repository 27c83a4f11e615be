"""The conventions as data, one module a family, and `find` by key or alias.

Families are imported in their order, as far as a name needs them: the early ones hold what most
people ask for.
"""

from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from importlib import import_module

from decaycalc.conventions.record import Convention
from decaycalc.errors import InvalidValueError, UnknownNameError

# Those that hold a common convention; the others are two thirds of the records, which a table of
# the common ones need not import (a fifth of its start).
_WITH_COMMON = (
    "objectives",
    "pytorch",
    "keras",
    "optax",
    "classics",
    "sklearn",
    "papers",
    "hf_trainer",
)
FAMILIES = (
    *_WITH_COMMON,
    "jax",
    "statistics",
    "fastai",
    "language_model_trainers",
    "vision_trainers",
    "fused_optimizers",
    "muon_packages",
    "optimizer_packages",
    "optimizer_repositories",
    "timm",
    "timm_variants",
    "pytorch_optimizer",
    "pytorch_optimizer_coupled",
    "torch_optimizer",
    "heavyball",
    "paddle",
    "mxnet",
    "chainer",
    "mlx",
    "tinygrad",
    "flux",
    "dl4j",
    "languages",
)

_FEWEST = 3  # keys that begin alike before what they begin with is taken for a framework


@cache
def family(name: str) -> tuple[Convention, ...]:
    """Return the conventions of one family module, in their own order."""
    conventions: tuple[Convention, ...] = import_module(f"{__name__}.{name}").CONVENTIONS
    return conventions


@cache
def conventions() -> tuple[Convention, ...]:
    """Return every convention, family by family."""
    return tuple(convention for name in FAMILIES for convention in family(name))


@cache
def common() -> tuple[Convention, ...]:
    """Return the conventions that are shown unasked."""
    return tuple(record for name in _WITH_COMMON for record in family(name) if record.common)


def _lazily() -> Iterator[Convention]:
    """Yield every convention, importing a family only when those before it are used up."""
    for name in FAMILIES:
        yield from family(name)


def _is_called(convention: Convention, wanted: str) -> bool:
    return wanted == convention.key or wanted in convention.aliases


@lru_cache(maxsize=1024)
def _catalogued(wanted: str) -> Convention | None:
    """Return the catalogue's convention of a key or alias; rows name the same few again and again.

    Looking through the records takes as long as a whole conversion.
    """
    return next((record for record in _lazily() if _is_called(record, wanted)), None)


def find(name: str, *, extra: tuple[Convention, ...] = ()) -> Convention:
    """Return the convention of that key or alias; `extra` ones come before the catalogue's.

    Case does not matter, an underscore counts as a hyphen. A path out of code is a name too:
    `torch.optim.SGD`, `keras.regularizers.L2`.

    Raises:
        UnknownNameError: no convention is called so; the error suggests the nearest names, for a
            framework's the common ones.
    """
    wanted = name.strip().lower().replace("_", "-")
    found = next((record for record in extra if _is_called(record, wanted)), None)
    found = found or _catalogued(wanted) or _of_path(wanted)
    if found is None:
        raise _unknown(name, wanted, extra)
    return found


def convention_of(name: Convention | str) -> Convention:
    """Return a convention as it is, or the one that a name finds.

    Raises:
        UnknownNameError: no convention is called so.
        InvalidValueError: it is neither a name nor a convention.
    """
    if isinstance(name, Convention):
        return name
    if not isinstance(name, str):
        raise InvalidValueError("convention", name, "must be one key, or a Convention")
    return find(name)


def conventions_of(names: Iterable[Convention | str] | Convention | str) -> tuple[Convention, ...]:
    """Return several conventions, or the one that stands alone; as `convention_of` finds each."""
    if isinstance(names, str | Convention):
        return (convention_of(names),)
    return tuple(map(convention_of, names))


@lru_cache(maxsize=1024)
def _of_path(wanted: str) -> Convention | None:
    """Return the convention that a path out of code names."""
    # Imported here: most names are keys.
    from decaycalc.conventions.api_paths import (  # noqa: PLC0415
        is_path,
        is_stored_otherwise,
        key_of_path,
    )

    if is_stored_otherwise(wanted):
        wanted = wanted.replace("-", ".", 1)
    if not is_path(wanted):
        return None
    names = (name for record in conventions() for name in (record.key, *record.aliases))
    found = key_of_path(wanted, names)
    return None if found is None else _catalogued(found)


def _unknown(name: str, wanted: str, extra: tuple[Convention, ...]) -> UnknownNameError:
    """Return the error about a name that no convention has."""
    from decaycalc.conventions.api_paths import first_word, keys_of_path  # noqa: PLC0415

    several = keys_of_path(wanted)
    if several:
        hint = "('decaycalc conventions KEY' shows one whole)"
        return UnknownNameError("convention", name, (), likely=several, hint=hint)
    everything, framework = (*extra, *conventions()), first_word(wanted)
    own = [convention for convention in everything if convention.key.startswith(f"{framework}-")]
    if len(own) >= _FEWEST:
        usual = sorted(own, key=lambda convention: not convention.common)
        hint = f"('decaycalc conventions --framework {framework}' lists all {len(own)})"
        return UnknownNameError(
            "convention", name, (), likely=(convention.key for convention in usual), hint=hint
        )
    from decaycalc.conventions.likely_names import keys_alike  # noqa: PLC0415

    # An optimizer's bare name means a framework's own; the most used of them come first.
    likely = [c.key for c in (*conventions(), *own) if c.key.endswith(f"-{wanted}") or c in own]
    likely += keys_alike(wanted, everything)
    hint = "('decaycalc conventions' lists them)"
    return UnknownNameError("convention", name, (), hint=hint, likely=likely)
