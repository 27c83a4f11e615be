"""Parameter groups: which tensors decay, with which multiple of the decay, at which share of lr."""

from collections.abc import Iterable

from decaycalc.algebra.number import exact
from decaycalc.architecture.layering import layers_of
from decaycalc.architecture.masks import DEFAULT_MASK, decayed
from decaycalc.architecture.tensors import Architecture, Tensor
from decaycalc.architecture.treatment import NOTHING, GroupRule, Treatment
from decaycalc.errors import ContradictionError, InvalidValueError
from decaycalc.record import Record, replace


class Choice(Record):
    """What decays: a mask, then what regular expressions change about it.

    Where `decay_only` is given it takes the mask's place. Of the rules in `groups` the last one
    that fits a tensor and sets its lr (or its decay) counts; what the mask exempts stays exempt.
    `layer_decay` multiplies lr by itself once more for each layer below the head; layers are
    counted as `counting` says, a key of `layering.COUNTINGS`.

    Raises:
        InvalidValueError: a layer decay out of bounds.
    """

    mask: str = DEFAULT_MASK
    decay_only: tuple[str, ...] = ()
    no_decay: tuple[str, ...] = ()
    groups: tuple[GroupRule, ...] = ()
    layer_decay: float | None = None
    counting: str = "timm"

    def __post_init__(self) -> None:
        if self.layer_decay is not None and not 0 < self.layer_decay <= 1:
            raise InvalidValueError("layer decay", self.layer_decay, "must be above 0, at most 1")


class TensorGroup(Record):
    """Tensors that share a decay and an lr."""

    treatment: Treatment
    tensors: tuple[Tensor, ...]

    @property
    def n_weights(self) -> int:
        """Number of weights in the group."""
        return sum(tensor.n_weights for tensor in self.tensors)


def treatments(architecture: Architecture, choice: Choice) -> tuple[Treatment, ...]:
    """Return what each tensor gets; nothing for a bare count.

    Raises:
        UnknownNameError: no such mask.
        InvalidValueError: a pattern that is none, takes too long, or fits no tensor.
        ContradictionError: patterns for a bare count, which has no names; a rule without effect.
        UndecidableError: names do not tell the depth or the exemptions that are asked for.
    """
    _check_names(architecture, choice)
    names = tuple(tensor.name for tensor in architecture.tensors)
    marks = _marks(architecture, choice, names)
    scales = lr_multiples(architecture, choice.layer_decay, counting=choice.counting)
    # One record for all tensors that are treated alike: there may be 100,000 of them.
    unruled = {pair: _unruled(*pair) for pair in set(zip(marks, scales, strict=True))}
    made = [unruled[pair] for pair in zip(marks, scales, strict=True)]
    for rule in choice.groups:
        hits = _any_match((rule.pattern,), names)
        _check_effect(rule, [each for each, hit in zip(made, hits, strict=True) if hit])
        ruled = {key: rule.applied(each) for key, each in distinct(made).items()}
        made = [ruled[id(each)] if hit else each for each, hit in zip(made, hits, strict=True)]
    return tuple(made)


def distinct(made: Iterable[Treatment]) -> dict[int, Treatment]:
    """Return each record once, by its identity: equal ones may stand more than once."""
    return {id(each): each for each in made}


def _check_names(architecture: Architecture, choice: Choice) -> None:
    """Check that patterns have names to match."""
    patterns = (*choice.decay_only, *choice.no_decay, *choice.groups)
    if architecture.is_bare_count and (patterns or choice.layer_decay is not None):
        raise ContradictionError("a bare number of weights has no tensor names to match")


def _marks(
    architecture: Architecture, choice: Choice, names: tuple[str, ...]
) -> tuple[bool, ...] | list[bool]:
    """Return for each tensor whether it decays."""
    marks = (
        decayed(architecture, mask=choice.mask)
        if not choice.decay_only
        else _any_match(choice.decay_only, names)
    )
    if not choice.no_decay:
        return marks
    spared = _any_match(choice.no_decay, names)
    return [mark and not hit for mark, hit in zip(marks, spared, strict=True)]


def _unruled(mark: bool, scale: float) -> Treatment:  # noqa: FBT001  (one of a column of marks)
    """Return what a tensor gets before any rule."""
    made = Treatment(name="decayed") if mark else Treatment(name="exempt", decay=NOTHING)
    return made if scale == 1 else replace(made, lr=made.lr.times(exact(scale)))


def _check_effect(rule: GroupRule, fitted: list[Treatment]) -> None:
    """Check that a rule fits some tensor, and that the decay that it sets has an effect."""
    if not fitted:
        raise InvalidValueError("group", rule.pattern[:80], "fits no tensor's name")
    if rule.decay is not None and all(each.is_exempt for each in fitted):
        raise ContradictionError(
            f"every tensor that group {rule.pattern[:80]!r} fits is exempt, so its decay has no "
            "effect; choose another --decay-mask"
        )


def _any_match(patterns: tuple[str, ...], names: tuple[str, ...]) -> list[bool]:
    """Return for each name whether one of the patterns is found in it."""
    # Imported here: few choices have patterns, and matching starts processes.
    from decaycalc.architecture.names import match_names  # noqa: PLC0415

    columns = [match_names(pattern, names) for pattern in patterns]
    return [any(row) for row in zip(*columns, strict=True)]


def group_tensors(
    architecture: Architecture, made: tuple[Treatment, ...]
) -> tuple[TensorGroup, ...]:
    """Return the parameter groups of what each tensor gets, decayed ones first.

    Exempt tensors that a rule fits beside decayed ones are a group with a name of its own.
    """
    keys = {key: each.settings for key, each in distinct(made).items()}
    found: dict[tuple[object, ...], tuple[Treatment, list[Tensor]]] = {}
    for tensor, each in zip(architecture.tensors, made, strict=True):
        found.setdefault(keys[id(each)], (each, []))[1].append(tensor)
    decayed = {each.name for each, _ in found.values() if not each.is_exempt}
    groups = [
        TensorGroup(treatment=_told_apart(each, decayed), tensors=tuple(tensors))
        for each, tensors in found.values()
    ]
    return tuple(sorted(groups, key=lambda group: group.treatment.is_exempt))


def _told_apart(treatment: Treatment, decayed: set[str]) -> Treatment:
    """Return what an exempt group gets, its name none of a decayed group's."""
    if not treatment.is_exempt or treatment.name not in decayed:
        return treatment
    return replace(treatment, name=f"{treatment.name}, exempt")


def lr_multiples(
    architecture: Architecture, layer_decay: float | None, *, counting: str = "timm"
) -> tuple[float, ...]:
    """Return each tensor's share of lr under layer-wise lr decay: 1 for all without.

    The highest layer keeps lr whole; each below it has `layer_decay` times the lr of the next.

    Raises:
        UndecidableError: the names do not tell the layers.

    Source: timm 1.0.31, optim/_param_groups.py, `param_groups_layer_decay`.
    """
    if layer_decay is None or not architecture.tensors:
        return (1.0,) * len(architecture.tensors)
    layers = layers_of(tuple(tensor.name for tensor in architecture.tensors), counting)
    top = max(layers)
    return tuple(layer_decay ** (top - layer) for layer in layers)
