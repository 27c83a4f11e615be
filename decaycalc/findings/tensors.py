"""DC2xx: which tensors decay. These rules need the tensors: a live optimizer, or --arch."""

import re
from collections.abc import Iterator

from decaycalc.algebra.quantity import exact
from decaycalc.findings.record import Hit, Level, Rule, Subject
from decaycalc.training.record import GroupedTensor

_SHOWN = 3
_MATRIX = 2  # what has fewer dimensions is a bias, a norm or a scale
# Tables of positions, classes and words are exempt in many ordinary set-ups, heads in some.
_TABLES = re.compile(
    r"embed|pos_|cls_token|token|wte|wpe|relative_position|logit_scale|lm_head|norm|bias|scale|gamma"
)

# A patch embedding is a convolution.
_EMBEDDINGS = re.compile(r"(?<!patch_)embed|wte|wpe")


def _named(tensors: list[GroupedTensor]) -> str:
    names = ", ".join(tensor.name for tensor in tensors[:_SHOWN])
    more = len(tensors) - _SHOWN
    return f"{names} and {more} more" if more > 0 else names


def _small(subject: Subject) -> list[GroupedTensor]:
    """Return the 1-D tensors: biases and the gains of norms."""
    return [tensor for tensor in subject.training.tensors if len(tensor.shape) < _MATRIX]


def _of_own_rule(subject: Subject) -> Level | None:
    """Return a note for what a trainer's own rule does: no code of the user's can have lost it."""
    network = subject.training.network
    return Level.NOTE if network is not None and network.is_own else None


def _everything_decays(subject: Subject) -> Iterator[Hit]:
    tensors = subject.training.tensors
    small = [tensor for tensor in _small(subject) if tensor.decays]
    if small and all(tensor.decays for tensor in tensors):
        yield Hit(message=f"nothing is exempt: {_named(small)} decay too")


def _some_small_decay(subject: Subject) -> Iterator[Hit]:
    small = [tensor for tensor in _small(subject) if tensor.groups]  # the rest is in no group
    decayed = [tensor for tensor in small if tensor.decays]
    if decayed and len(decayed) < len(small):
        message = f"some 1-D tensors are exempt, but {_named(decayed)} decay"
        yield Hit(message=message, level=_of_own_rule(subject))


def _nothing_decays(subject: Subject) -> Iterator[Hit]:
    tensors = subject.training.tensors
    numbers = (subject.training.value, *(each.weight_decay for each in subject.training.groups))
    wanted = any(exact(number) > 0 for number in numbers if number is not None)
    if tensors and wanted and not any(tensor.decays for tensor in tensors):
        flat = all(len(tensor.shape) < _MATRIX for tensor in tensors)
        why = ": every parameter is flat, so that ndim < 2 exempts all of them" if flat else ""
        yield Hit(message=f"no tensor decays{why}")


def _matrix_exempt(subject: Subject) -> Iterator[Hit]:
    tensors = subject.training.tensors
    lost = [
        tensor
        for tensor in tensors
        if len(tensor.shape) >= _MATRIX and not tensor.decays and tensor.groups
        and not _TABLES.search(tensor.name.lower())
    ]  # fmt: skip
    if lost and any(tensor.decays for tensor in tensors):
        groups = ", ".join(sorted({group for tensor in lost for group in tensor.groups})[:_SHOWN])
        # Without names a table of embeddings, which many exempt, looks like any matrix.
        named = any("[" not in tensor.name for tensor in lost)
        level = _of_own_rule(subject) if named else Level.NOTE
        yield Hit(message=f"matrices without decay: {_named(lost)}", where=groups, level=level)


def _twice(subject: Subject) -> Iterator[Hit]:
    twice = [tensor for tensor in subject.training.tensors if len(tensor.groups) > 1]
    if twice:
        yield Hit(message=f"in two groups, and updated twice: {_named(twice)}")


def _nowhere(subject: Subject) -> Iterator[Hit]:
    lost = [tensor for tensor in subject.training.tensors if not tensor.groups]
    if lost:
        yield Hit(message=f"in no group of the optimizer: {_named(lost)}")


def _embeddings(subject: Subject) -> Iterator[Hit]:
    found = [
        tensor for tensor in subject.training.tensors
        if tensor.decays and _EMBEDDINGS.search(tensor.name.lower())
    ]  # fmt: skip
    if found:
        yield Hit(message=f"embeddings decay: {_named(found)}")


def _lora(subject: Subject) -> Iterator[Hit]:
    found = [tensor for tensor in subject.training.tensors if "lora_" in tensor.name.lower()]
    if any(tensor.decays for tensor in found):
        yield Hit(message="λ decays A and B of the adapters: BA by (1 - lr·λ)² towards the base")


def _unread_scale(subject: Subject) -> Iterator[Hit]:
    scaled = [group for group in subject.training.groups if "lr_scale" in group.selector]
    lrs = {group.lr for group in subject.training.groups}
    if scaled and len(lrs) == 1 and len(subject.training.groups) > 1:
        names = ", ".join(group.name for group in scaled[:_SHOWN])
        yield Hit(message=f"lr_scale stands in {names}, but every group has the same lr")


RULES = (
    Rule(
        code="DC201", name="everything-decays", level=Level.NOTE,
        summary="No tensor is exempt: biases and the gains of norms decay too.",
        fix="put tensors of fewer than two dimensions into a group with weight_decay 0",
        source="the optimizer's groups", find=_everything_decays,
    ),
    Rule(
        code="DC202", name="exemption-has-gaps", level=Level.WARNING,
        summary="Some 1-D tensors are exempt and others decay.",
        fix="let one rule exempt them all", source="the optimizer's groups", find=_some_small_decay,
    ),
    Rule(
        code="DC203", name="nothing-decays", level=Level.ERROR,
        summary="A weight decay is set, and every tensor is exempt from it.",
        fix="make the groups before parameters are flattened (FSDP: use_orig_params=True)",
        source="the optimizer's groups", find=_nothing_decays,
    ),
    Rule(
        code="DC204", name="embeddings-decay", level=Level.NOTE,
        summary="Tables of embeddings decay.", fix="exempt them if that is not meant",
        source="the optimizer's groups", find=_embeddings,
    ),
    Rule(
        code="DC205", name="parameter-twice", level=Level.ERROR,
        summary="A parameter stands in two groups and is updated twice.",
        fix="take it out of one", source="the optimizer's groups", find=_twice,
    ),
    Rule(
        code="DC206", name="parameter-nowhere", level=Level.WARNING,
        summary="A trainable parameter is in no group.",
        fix="hand it to the optimizer, or freeze it", source="the optimizer's groups",
        find=_nowhere,
    ),
    Rule(
        code="DC207", name="group-without-decay", level=Level.WARNING,
        summary="Matrices are in a group that lost its weight decay.",
        fix="give the group weight_decay", source="the optimizer's groups", find=_matrix_exempt,
    ),
    Rule(
        code="DC208", name="lora", level=Level.NOTE,
        summary="The adapters' factors decay: their product towards the base weights.",
        fix="nothing, if that is meant", source="algebra: (1 - lr·λ)²", find=_lora,
    ),
    Rule(
        code="DC209", name="scale-not-read", level=Level.WARNING,
        summary="Groups hold an lr_scale that no scheduler has applied.",
        fix="set each group's lr, or use the scheduler that reads lr_scale (timm's)",
        source="timm 1.0.31 optim/_param_groups.py", find=_unread_scale,
    ),
)  # fmt: skip
