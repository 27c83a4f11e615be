"""Groups: the rules of `--group` laid over a training's own groups, and each group as a run."""

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from decaycalc.algebra.number import Number, exact
from decaycalc.architecture.treatment import Amount, GroupRule, Treatment, parse_group_rule
from decaycalc.conventions.record import Convention
from decaycalc.conventions.run import Run
from decaycalc.errors import ContradictionError, InvalidValueError, MissingQuantityError
from decaycalc.record import replace
from decaycalc.training.reading.numbers import decimal_text
from decaycalc.training.record import (
    TYPED,
    Exemption,
    Group,
    GroupedTensor,
    Network,
    Training,
)

if TYPE_CHECKING:
    from decaycalc.architecture.groups import TensorGroup
    from decaycalc.architecture.tensors import Architecture

# What a trainer's file has where the decay is all that tells its tensors apart.
_PLAIN = frozenset({"decayed", "exempt", "all"})
REST = Group(name="others", selector="the other tensors")


def grouped(
    training: Training,
    texts: tuple[str, ...],
    *,
    architecture: "Architecture | None" = None,
    mask: str | None = None,
) -> Training:
    """Return a training with the groups that rules `REGEX:lr*16,wd=0.1` make beside its own.

    On a network, and of a live optimizer, they are the groups of all tensors, by name; else each
    rule is one by itself, a factor counted from the run's own numbers.

    Raises:
        InvalidValueError: a rule that is malformed, or fits no tensor.
        ContradictionError: a rule without effect, or for a bare count of weights.
        UndecidableError: names do not tell the exemptions that the mask asks for.
    """
    rules = tuple(map(parse_group_rule, texts))
    if architecture is not None:
        return _of_network(training, rules, architecture, mask)
    if not rules:
        return training
    if training.tensors:
        for rule in rules:
            training = _of_tensors(training, rule)
        return training
    rest = Treatment(name=REST.name)
    made = tuple(group_of(rule.applied(rest)) for rule in rules)
    return replace(training, groups=(*(training.groups or (REST,)), *made))


def group_of(treatment: Treatment) -> Group:
    """Return the group of what its tensors get."""
    lr, decay = treatment.lr, treatment.decay
    return Group(
        name=treatment.name,
        selector=treatment.name,
        **_amounts("lr", "lr_mult", lr),
        **_amounts("weight_decay", "decay_mult", decay),
        update_share=decimal_text(treatment.update_share),
        towards=treatment.towards,
    )


def _amounts(name: str, factor: str, amount: Amount) -> dict[str, Any]:
    """Return an amount by the group's field for it: the number itself, or the factor."""
    return {factor if amount.is_factor else name: decimal_text(amount.number)}


def by_pattern(training: Training, texts: tuple[str, ...]) -> tuple[tuple[Group, Training], ...]:
    """Return each rule as a group, its selector a pattern, with the run of its tensors.

    Raises:
        InvalidValueError: a rule that is malformed.
    """
    groups = (_alone(training, parse_group_rule(text)) for text in texts)
    return tuple((group, own_run(training, group)) for group in groups)


def _alone(training: Training, rule: GroupRule) -> Group:
    """Return the group of a rule; what it sets is told from what it leaves by being absolute."""
    known = replace(
        rule,
        lr=_absolute(rule.lr, training.run.given("lr")),
        decay=_absolute(rule.decay, training.value),
    )
    return replace(group_of(known.applied(Treatment(name=rule.pattern))), selector=rule.pattern)


def _absolute(amount: Amount | None, base: Number | None) -> Amount | None:
    """Return an amount as a number of its own, as far as what it is a factor of is known."""
    number = None if amount is None else amount.of(base)
    return amount if number is None else Amount(number=number, is_factor=False)


def on_network(
    training: Training,
    texts: tuple[str, ...],
    *,
    architecture: "Architecture",
    mask: str | None = None,
) -> Training:
    """Return a file's training, and its other readings, with the groups of a network's tensors.

    What decays is what the trainer exempts, or what `mask` says in its place; `texts` are rules as
    `grouped` takes them.

    Raises:
        ContradictionError: a run that has its tensors already, or a bare count of weights.
        MissingQuantityError: no mask is equal to the trainer's rule, and none is given.
        As `grouped`.
    """
    from decaycalc.architecture.masks import notes_on  # noqa: PLC0415  (a network, if there is one)

    chosen = _mask_on(training, architecture, mask)
    made = grouped(training, texts, architecture=architecture, mask=chosen)
    left = f"its own groups are left out: {_left_open(training)}"
    given = Exemption(rule=f"what {chosen} exempts", mask=chosen)
    return replace(
        made,
        network=Network(name=architecture.name, mask=chosen, is_own=mask is None),
        exempt=training.exempt if mask is None else given,
        alternatives=tuple(
            on_network(other, texts, architecture=architecture, mask=mask)
            for other in training.alternatives
        ),
        notes=(
            *made.notes,
            *notes_on(architecture, mask=chosen),
            *((left,) if _others(training) else ()),
        ),
    )


def _mask_on(training: Training, architecture: "Architecture", mask: str | None) -> str:
    """Return the mask by which a network's tensors decay, checked to be told and to have some."""
    if training.tensors:
        raise ContradictionError("a live optimizer has its tensors: it takes no other network")
    if architecture.is_bare_count:
        raise ContradictionError("a bare number of weights has no tensors that rules could look at")
    own = _own_mask(training)
    if mask is None and own is None:
        what = f"which tensors of {architecture.name[:80]!r} decay ({_left_open(training)})"
        raise MissingQuantityError(what, ("decay_mask",))
    from decaycalc.architecture.masks import find_mask  # noqa: PLC0415

    return find_mask(mask or own)


def mask_of(training: Training, mask: str | None) -> str | None:
    """Return the mask by which a run's tensors decay: the one asked for, else the trainer's own."""
    return _own_mask(training) if mask is None else mask


def with_mask_noted(training: Training, mask: str | None) -> Training:
    """Return a training that says so where the default mask stands in for the trainer's rule."""
    if training.kind == TYPED or mask_of(training, mask) is not None:
        return training
    from decaycalc.architecture.masks import DEFAULT_MASK  # noqa: PLC0415

    note = f"its own rule of what decays is no mask ({_left_open(training)}): {DEFAULT_MASK} is "
    return replace(training, notes=(*training.notes, f"{note}taken; --decay-mask names another"))


def _own_mask(training: Training) -> str | None:
    """Return the mask equal to what a trainer exempts, None where its groups are others."""
    return None if _others(training) else training.exempt.mask


def _others(training: Training) -> list[str]:
    """Return a file's groups beside what decays and what is exempt, which are told by words."""
    return [each.name for each in training.groups if each.name not in _PLAIN]


def _left_open(training: Training) -> str:
    """Return in words what no mask says of a trainer's groups."""
    return ", ".join(_others(training))[:200] or f"exempt: {training.exempt.rule}"


def _of_network(
    training: Training,
    rules: tuple[GroupRule, ...],
    architecture: "Architecture",
    mask: str | None,
) -> Training:
    """Return a training with the groups of a network's tensors."""
    from decaycalc.architecture.groups import (  # noqa: PLC0415  (a network, if there is one)
        Choice,
        group_tensors,
        treatments,
    )
    from decaycalc.architecture.masks import DEFAULT_MASK  # noqa: PLC0415

    choice = Choice(mask=mask or DEFAULT_MASK, groups=rules, **_by_layer(training))
    found = group_tensors(architecture, treatments(architecture, choice))
    if training.layer_decay is not None:
        found = _by_lr(found)
    nothing = training.value is not None and exact(training.value) == 0
    tensors = tuple(
        GroupedTensor(
            name=tensor.name,
            shape=tensor.shape,
            groups=(each.treatment.name,),
            decays=not (nothing or each.treatment.is_exempt),
        )
        for each in found
        for tensor in each.tensors
    )
    groups = (group_of(each.treatment) for each in found)
    return replace(training, groups=tuple(groups), tensors=tensors)


def _by_layer(training: Training) -> dict[str, Any]:
    """Return how a trainer's lr falls from layer to layer, as a choice of groups has it."""
    own = training.layer_decay
    return {} if own is None else {"layer_decay": float(own.rate), "counting": own.counting}


def _by_lr(found: tuple["TensorGroup", ...]) -> tuple["TensorGroup", ...]:
    """Return groups that differ in lr, each called by its own, those of the whole lr first."""
    told = (replace(each, treatment=_called_by_lr(each.treatment)) for each in found)
    return tuple(
        sorted(told, key=lambda each: (each.treatment.is_exempt, -each.treatment.lr.number))
    )


def _called_by_lr(treatment: Treatment) -> Treatment:
    """Return what a group gets, its lr in its name where it is a share of the run's."""
    lr = treatment.lr
    if not lr.is_factor or lr.number == 1:
        return treatment
    return replace(treatment, name=f"{treatment.name}, lr × {float(lr.number):.6g}")


def _of_tensors(training: Training, rule: GroupRule) -> Training:
    """Return a live training with the tensors that a rule fits taken out of their groups.

    Raises:
        InvalidValueError: it fits none, or a tensor without a name.
    """
    from decaycalc.architecture.names import match_names  # noqa: PLC0415  (it starts processes)

    hits = match_names(rule.pattern, tuple(tensor.name for tensor in training.tensors))
    if not any(hits):
        raise InvalidValueError("group", rule.pattern[:80], "fits no tensor's name")
    pairs = zip(training.tensors, hits, strict=True)
    held = dict.fromkeys(name for tensor, hit in pairs if hit for name in tensor.groups)
    taken = {name: _taken(training, name, rule, len(held) > 1) for name in held}
    tensors = tuple(
        _moved(tensor, taken) if hit else tensor
        for tensor, hit in zip(training.tensors, hits, strict=True)
    )
    left = {name for tensor in tensors for name in tensor.groups}
    kept = (group for group in training.groups if group.name in left or group.name not in held)
    return replace(training, groups=(*kept, *taken.values()), tensors=tensors)


def _taken(training: Training, name: str, rule: GroupRule, told: bool) -> Group:  # noqa: FBT001
    """Return what a rule makes of one group of a live optimizer; an exempt one stays so."""
    group = next(each for each in training.groups if each.name == name)
    value = value_of(training, group)
    lr = None if rule.lr is None else rule.lr.of(lr_of(training, group))
    # What is exempt stays so, as under a mask.
    decay = None if rule.decay is None or value == 0 else rule.decay.of(value)
    changes = {"lr": lr, "weight_decay": decay, "update_share": rule.update_share}
    return replace(
        group,
        name=f"{rule.pattern} of {name}" if told else rule.pattern,
        selector=rule.pattern,
        towards=rule.towards or group.towards,
        **{name: decimal_text(said) for name, said in changes.items() if said is not None},
    )


def _moved(tensor: GroupedTensor, taken: dict[str, Group]) -> GroupedTensor:
    """Return a tensor in the groups that a rule has made of its own."""
    decays = tensor.decays and any(taken[n].weight_decay != "0" for n in tensor.groups)
    groups = tuple(taken[name].name for name in tensor.groups)
    return replace(tensor, groups=groups, decays=decays)


def lr_of(training: Training, group: Group) -> Fraction | None:
    """Return a group's lr, multiplied out; None where it is a factor of one that is not known."""
    own = training.run.given("lr")
    if group.lr is not None:
        return exact(group.lr)
    return None if own is None else own * exact(group.lr_mult)


def value_of(training: Training, group: Group) -> Fraction | None:
    """Return a group's number, multiplied out; None where it is a factor of an unknown one."""
    if group.weight_decay is not None:
        return exact(group.weight_decay)
    return None if training.value is None else exact(training.value) * exact(group.decay_mult)


def own_run(training: Training, group: Group) -> Training:
    """Return a group as a run: its lr and its number multiplied out, and its share of the steps.

    A group that stands still (lr 0) has a number of 0, unless its decay goes on without lr.
    """
    lr, value = lr_of(training, group), value_of(training, group)
    if lr == 0 and not _goes_on(training.record):
        value = Fraction(0)
    extras = dict(training.run.extras)
    if group.update_share != "1":
        extras["update_share"] = exact(group.update_share)
    extras |= _reference_lr(training, lr)
    return replace(
        training,
        value=None if value is None else decimal_text(value),
        run=replace(training.run, lr=lr or None, extras=tuple(extras.items())),
        groups=(),
        tensors=(),
    )


def _reference_lr(training: Training, lr: Fraction | None) -> dict[str, Fraction]:
    """Return the lr that a group's decay counts from, where its own lr is not the run's.

    The constructor's stays the run's; one of each group is to the run's as its lr is.
    """
    record, base = training.record, training.run.given("lr")
    name = None if record is None else record.reference_lr
    if record is None or name is None or not lr or base is None or lr == base:
        return {}
    said = training.run.given(name)
    if record.counts_from_group:
        return {} if said is None else {name: said * lr / base}
    return {name: base if said is None else said}


def _goes_on(record: Convention | None) -> bool:
    """Return whether a decay goes on without lr: one whose number alone is its decay per step.

    One that counts from the constructor's lr stops with the group's.
    """
    if record is None or record.shrink is None or "lr" in record.shrink.names:
        return False
    return record.reference_lr is None or record.counts_from_group


def other_run(training: Training, own: Training, target_run: Run | None) -> Run | None:
    """Return the run that a group is converted to: its lr is of the run's there what it is here.

    `own` is the group's run, as `own_run` returns it.
    """
    lr, here = (each.run.given("lr") for each in (training, own))
    there = None if target_run is None else target_run.given("lr")
    if there is None or lr is None or here is None:
        return target_run
    return replace(target_run or Run(), lr=there * here / lr)
