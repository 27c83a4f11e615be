"""optax's optimizers: what their links hold for each leaf of the parameters."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any

from decaycalc.conventions.catalogue import conventions, find
from decaycalc.conventions.record import Convention
from decaycalc.errors import InvalidValueError
from decaycalc.training.live.apart import in_doubles
from decaycalc.training.live.optax_links import Chain, is_transformation, links_of, plain
from decaycalc.training.live.trial import numbers, small_shape

_PREFIX = "optax-"
AFTER_LR = "optax-decay-after-lr"
_D, _S, _T = ("add_decayed_weights", False), ("scale", False), ("trace", False)
_ADAM, _NESTEROV = ("scale_by_adam", False), ("trace", True)
# Chains that people make by hand, where the place of the decay decides.
_BY_HAND = {
    (_D, _S): "optax-sgd", (_D, _T, _S): "optax-sgd", (_D, _NESTEROV, _S): "optax-sgd",
    (_T, _D, _S): "optax-sgdw", (_NESTEROV, _D, _S): "optax-sgdw", (_D, _ADAM, _S): "optax-adam-l2",
}  # fmt: skip
_AFTER = ((_S, _D), (_T, _S, _D), (_NESTEROV, _S, _D))
_TRIED = 0.1  # an lr and a decay that each function is asked with


def is_optimizer(thing: Any) -> bool:
    """Return whether an object is a gradient transformation."""
    return is_transformation(thing)


def unwrapped(optimizer: Any) -> Any:
    """Return the transformation that a state of training holds (`tx`), else the same."""
    held = getattr(optimizer, "tx", None)
    return held if held is not None and is_transformation(held) else optimizer


def parameters_of(optimizer: Any) -> Any:
    """Return the parameters that a state of training holds, None where there are none."""
    return getattr(optimizer, "params", None) if unwrapped(optimizer) is not optimizer else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterLeaf:
    """One leaf of the parameters: its name, its shape, and the chain that its update passes."""

    name: str
    shape: tuple[int, ...]
    chain: Chain
    record: Convention | None

    @property
    def is_known(self) -> bool:
        """Whether its links tell the decay: by a record, or as there is none."""
        return self.record is not None or self.chain.weight_decay == 0.0

    @property
    def kind(self) -> tuple[object, ...]:
        """What leaves of one group share: the links of their lr and of their λ, and the record."""
        scales = [link for link, _ in self.chain.scales]
        links = [*scales, *filter(None, [self.chain.decay_link])]
        return (*(id(link.update) for link in links), self.record and self.record.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """An optimizer without what only feeds it, its leaves, and a small tree like its parameters."""

    base: Any
    small: Any
    leaves: tuple[ParameterLeaf, ...]

    @property
    def title(self) -> str:
        """The transformations by name, of the leaf that passes most."""
        longest = max((leaf.chain.links for leaf in self.leaves), key=len)
        return f"optax: {', '.join(link.name for link in longest)}"


def read(optimizer: Any, params: Any) -> Read:
    """Return what an optimizer holds for each leaf of the parameters; without any, of one layer.

    The optimizer's masks and labels are asked with small tensors of as many dimensions.

    Raises:
        InvalidValueError: no JAX in the process, no leaf or one that is no array, or a mask that
            fails.
    """
    jax = framework()
    held = usual() if params is None else params
    found = jax.tree_util.tree_flatten_with_path(held)[0]
    shapes = [_shape(path, leaf) for path, leaf in found]
    if not shapes:
        raise InvalidValueError("optimizer", "optax", "has no parameters")
    base, small = plain(optimizer), small_tree(held)
    leaves = []
    for at, ((path, _), shape) in enumerate(zip(found, shapes, strict=True)):
        try:
            chain = Chain(links=tuple(links_of(base, small, at)))
        except Exception as error:  # a mask may raise anything
            said = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            raise InvalidValueError("optimizer", "optax", f"its mask fails: {said}") from error
        leaves.append(
            ParameterLeaf(name=_path(path), shape=shape, chain=chain, record=record_of(chain))
        )
    return Read(base=base, small=small, leaves=tuple(leaves))


def framework() -> Any:
    """Return JAX, which is in the process where one of its optimizers is.

    Raises:
        InvalidValueError: it is not.
    """
    jax = sys.modules.get("jax")
    if jax is None:
        raise InvalidValueError("optimizer", "optax", "cannot be read: no JAX is in the process")
    return jax


def usual() -> dict[str, Any]:
    """Return what stands for parameters that nobody gave: a kernel and a bias."""
    shapes = {"bias": (3,), "kernel": (4, 3)}
    return {"dense": {name: SimpleNamespace(shape=shape) for name, shape in shapes.items()}}


def small_tree(params: Any) -> Any:
    """Return a tree of the same structure, with a small array for each leaf."""
    jax = framework()
    leaves, structure = jax.tree_util.tree_flatten(params)
    with in_doubles():
        arrays = [
            jax.numpy.asarray(numbers(shape, seed=100 + at)).reshape(shape)
            for at, shape in enumerate(small_shape(leaf.shape) for leaf in leaves)
        ]
    return jax.tree_util.tree_unflatten(structure, arrays)


def _shape(path: Any, leaf: Any) -> tuple[int, ...]:
    shape = getattr(leaf, "shape", None)
    if not isinstance(shape, tuple):
        text = f"{_path(path)} is not an array: give the arrays alone"
        raise InvalidValueError("params", type(leaf).__name__, text)
    return tuple(int(size) for size in shape)


def _path(path: Sequence[Any]) -> str:
    """Return a leaf's keys, joined by strokes."""
    parts = [
        next((getattr(entry, name) for name in ("key", "name", "idx") if hasattr(entry, name)), "")
        for entry in path
    ]
    return "/".join(map(str, parts)) or "params"


def record_of(chain: Chain) -> Convention | None:
    """Return the record of a chain: optax's own function that makes the same, or a known order."""
    names = chain.names
    if names in _AFTER:
        held = chain.weight_decay
        negative = not callable(held) and float(held) < 0
        return find(AFTER_LR if negative else "optax-decay-after-sgd")
    key = _BY_HAND.get(names) or _by_function(sys.modules.get("optax")).get(names)
    return None if key is None else find(key)


@cache
def _by_function(optax: Any) -> dict[Any, str]:
    """Return the chain that each function of the catalogue makes, in the optax of the process."""
    found: dict[Any, str] = {}
    for record in conventions():
        for key in (record.key, *record.aliases) if optax is not None else ():
            for names in _made(optax, key, record.parameter) if key.startswith(_PREFIX) else ():
                found.setdefault(names, record.key)
    return found


def _made(optax: Any, key: str, parameter: str) -> Iterator[Any]:
    """Yield the chain of the leaves that decay by a record's number."""
    name = key.removeprefix(_PREFIX).replace("-", "_")
    function: Any = getattr(optax, name, None) or getattr(optax.contrib, name, None)
    small = small_tree(usual())
    try:
        made = plain(function(learning_rate=_TRIED, **{parameter: _TRIED}))
        chains = [Chain(links=tuple(links_of(made, small, at))) for at in range(2)]
    except Exception:  # noqa: BLE001  (no such function, or one that needs more)
        return
    yield from (chain.names for chain in chains if chain.weight_decay == _TRIED)
