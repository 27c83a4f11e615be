"""detectron2's LazyConfig files of Python, and detrex' and others' that are made of its parts.

Source: detectron2 02b5c4e2 configs/common/{optim,coco_schedule,train}.py, solver/lr_scheduler.py,
tools/lazyconfig_train_net.py; detrex e244e6c configs/common/*.py; fvcore 0.1.5
common/param_scheduler.py.
"""

import re
from fractions import Fraction
from itertools import pairwise

from decaycalc.record import replace
from decaycalc.training.reading.arguments import betas
from decaycalc.training.reading.by_class import optimizer_of
from decaycalc.training.reading.exemptions import of_kinds
from decaycalc.training.reading.numbers import from_zero, typed_number
from decaycalc.training.reading.schedules import AT_THE_END, Options, compose
from decaycalc.training.reading.settings import Settings
from decaycalc.training.reading.trainer import Field, Signature, Trainer
from decaycalc.training.record import Exemption, Group, Training
from decaycalc.training.trainers.syntax.document import Document
from decaycalc.training.trainers.syntax.python_text import TAKEN
from decaycalc.training.trainers.syntax.tree import (
    Entries,
    Items,
    Node,
    Scalar,
    from_file,
    joined,
)

_PARTS = ("optimizer", "lr_multiplier", "train", "dataloader")
_DEEPEST = 5
_NAMED = re.compile(r"lr_multiplier_(?:(\d{1,3})x|(\d{1,3})ep)")
_SHORT = (60_000, 80_000, 90_000)  # the marks of 1x and 2x
_DROPS = {12: 11, 24: 20, 36: 30, 50: 40}  # detrex: epochs, and when the lr falls
_OF_DETECTRON2 = "detectron2 02b5c4e2 configs/common/"


def _tree(file: str, **entries: "str | tuple[str, ...] | Entries") -> Entries:
    """Return settings of one of the common files."""
    nodes: dict[str, Node] = {}
    for name, value in entries.items():
        if isinstance(value, Entries):
            nodes[name] = value
        elif isinstance(value, tuple):
            nodes[name] = Items(items=tuple(Scalar(text=text, file=file) for text in value))
        else:
            nodes[name] = Scalar(text=value, file=file)
    return Entries(entries=nodes)


_OPTIM = f"{_OF_DETECTRON2}optim.py"
_NORMS = _tree(_OPTIM, weight_decay_norm="0.0")
_COMMON = {
    "optim.py:SGD": _tree(_OPTIM, _call_="torch.optim.SGD", lr="0.02", momentum="0.9",
                          weight_decay="1e-4", params=_NORMS),
    "optim.py:AdamW": _tree(_OPTIM, _call_="torch.optim.AdamW", lr="1e-4", weight_decay="0.1",
                            betas=("0.9", "0.999"), params=_NORMS),
    "train.py:train": _tree(f"{_OF_DETECTRON2}train.py", max_iter="90000"),
    "coco.py:dataloader": _tree("", train=_tree(f"{_OF_DETECTRON2}data/coco.py",
                                                total_batch_size="16")),
}  # fmt: skip


def _named_schedule(name: str) -> Entries | None:
    """Return coco_schedule.py's schedule of that name: of as many times 90,000 steps, or epochs."""
    match = _NAMED.fullmatch(name.partition("_warmup")[0])
    count = 0 if match is None else int(match[1] or match[2])
    if match is not None and match[1] and count:
        whole = count * 90_000
        marks = _SHORT if count <= 2 else (whole - 60_000, whole - 20_000, whole)  # noqa: PLR2004
        return _multistep(f"{_OF_DETECTRON2}coco_schedule.py", marks, Fraction(1000, whole))
    if count not in _DROPS:
        return None
    warm = Fraction(1, 1000 * count) if name.endswith("_warmup") else Fraction(0)
    return _multistep("detrex e244e6c coco_schedule.py", (_DROPS[count], count), warm)


def _multistep(file: str, marks: tuple[int, ...], warm: Fraction) -> Entries:
    """Return a schedule that falls to a tenth at each mark but the last, where the run ends."""
    steps = _tree(
        file,
        _call_="MultiStepParamScheduler",
        values=("1.0", "0.1", "0.01")[: len(marks)],
        milestones=tuple(map(str, marks)),
    )
    return _tree(
        file,
        _call_="WarmupParamScheduler",
        scheduler=steps,
        warmup_factor="0.001",
        warmup_method="linear",
        warmup_length=f"{float(warm):.15g}",
    )


def _prepare(document: Document) -> Document:
    """Lay each part over what it is taken from, be that beside the file or one of the common."""
    made = {
        name: _whole(document, node, 0)
        for name in _PARTS
        if (node := document.root.entries.get(name)) is not None
    }
    return replace(document, root=Entries(entries={**document.root.entries, **made}))


def _whole(document: Document, node: Node, depth: int) -> Node:
    """Return a setting laid over what it is taken from, as far as that is known."""
    place = node.entries.get(TAKEN) if isinstance(node, Entries) else None
    if not isinstance(place, Scalar) or not isinstance(node, Entries) or depth > _DEEPEST:
        return node
    file, _, name = (place.text or "").rpartition(":")
    beside = document.neighbour(file)
    under = None if beside is None else beside.root.entries.get(name)
    if beside is not None and isinstance(under, Entries) and under.entries:
        below = _whole(beside, from_file(under, file), depth + 1)
    else:
        own = file.rpartition("/")[2]
        known = _named_schedule(name) if own == "coco_schedule.py" else _COMMON.get(f"{own}:{name}")
        below = Entries() if known is None else known
    kept = {key: part for key, part in node.entries.items() if key != TAKEN or not below}
    over = Entries(entries=kept, line=node.line)
    return joined(below, over) if isinstance(below, Entries) and below.entries else node


def _schedule(settings: Settings) -> str | None:
    """Source: fvcore 0.1.5 MultiStepParamScheduler, CosineParamScheduler: by shares of the run."""
    outer, steps = (settings.text("scheduler") or "").rpartition(".")[2], settings.number("steps")
    is_warm = outer == "WarmupParamScheduler"
    place = "lr_multiplier.scheduler" if is_warm else "lr_multiplier"
    share = settings.number("warmup_length") if is_warm else Fraction(0)
    if steps is None or share is None:
        return None
    length = round(share * steps)
    method = settings.word("warmup_method")
    power = AT_THE_END if method == "constant" else None
    start = settings.number("warmup_factor") if length else None
    warm: Options = {"warmup": length, "start": start, "warmup_power": power} if length else {}
    kind = settings.told(f"{place}._call_").rpartition(".")[2]
    if method not in {"linear", "constant"}:
        return None
    if kind == "MultiStepParamScheduler":
        return _steps(settings, place, warm)
    first, last = (typed_number(settings.told(f"{place}.{x}_value")) for x in ("start", "end"))
    if kind != "CosineParamScheduler" or first != 1 or last is None:
        return None
    return compose("cosine", final=last or None, over="run" if length else None, **warm)


def _steps(settings: Settings, place: str, warm: Options) -> str | None:
    """Return the drops at shares of the run; None where they are not by one factor from 1."""
    values, marks = (
        [typed_number(text) for text in settings.texts(f"{place}.{name}")]
        for name in ("values", "milestones")
    )
    last = typed_number(settings.told(f"{place}.num_updates"))
    known = [number for number in (*values, *marks) if number]
    if len(known) < len(values) + len(marks) or not values or values[0] != 1 or not marks:
        return None
    if last is None:
        if settings.node(f"{place}.num_updates") is not None:
            return None
        last = marks.pop()
    gamma = values[1] if len(values) > 1 else None
    falls = all(b == a * gamma for a, b in pairwise(values) if a and gamma)
    if last is None or len(marks) != len(values) - 1 or not falls:
        return None
    if not marks:
        return compose("constant", **warm)
    steps = settings.number("steps") or Fraction(0)
    at = "/".join(str(-int(-(mark * steps / last) // 1)) for mark in marks if mark is not None)
    return compose("step", at=at, gamma=gamma, **warm)


def _exempt(settings: Settings) -> Exemption:
    kinds = {"norms": "weight_decay_norm", "biases": "weight_decay_bias"}
    zero = [kind for kind, name in kinds.items() if settings.number(name) == 0]
    return of_kinds(*zero, switch="optimizer.params", whole=not _overrides(settings))


def _overrides(settings: Settings) -> tuple[Group, ...]:
    """Return the tensors by whose own name an lr or a decay is set."""
    groups = []
    for name, node in settings.entries("optimizer.params.overrides").items():
        own = node.entries if isinstance(node, Entries) else {}
        texts = {key: part.text for key, part in own.items() if isinstance(part, Scalar)}
        lr, decay = (from_zero(texts.get(key) or "") for key in ("lr", "weight_decay"))
        groups.append(Group(name=name, selector=f"tensors named {name}", lr=lr, weight_decay=decay))
    return tuple(groups)


def _finish(settings: Settings, made: Training) -> Training:
    """Give what is overridden, and say what scales the lr of tensors and what is not here."""
    notes = []
    node = settings.node("optimizer.params.lr_factor_func")
    if node is not None:
        rate = settings.told("optimizer.params.lr_factor_func.lr_decay_rate")
        told = f"lr_decay_rate {rate}: a block's" if rate else "lr_factor_func: a tensor's"
        notes.append(f"{told} lr, and its decay of a step, are scaled by its name")
    for name in _PARTS:
        text = settings.told(f"{name}.{TAKEN}")[:80]
        if text:
            notes.append(
                f"{name} is taken from {text}, which is not here: what it sets is not known"
            )
    return made.with_groups(*_overrides(settings)).with_notes(*notes)


TRAINER = Trainer(
    kind="detectron2-lazy",
    title="detectron2's LazyConfig",
    version="detectron2 02b5c4e2 configs/common",
    signatures=(
        Signature(all_of=("syntax:Python", "optimizer", "lr_multiplier"), any_of=("train",)),
    ),
    fields=(
        Field(name="optimizer", paths=("optimizer._call_",)),
        Field(name="weight_decay", paths=("optimizer.params.weight_decay",
                                          "optimizer.weight_decay")),
        Field(name="lr", paths=("optimizer.lr",)),
        *Field.within("optimizer", source="torch 2.13", momentum="0", dampening="0",
                      nesterov="false"),
        *betas("optimizer.betas", "0.9", "0.999", source="torch 2.13"),
        Field(name="eps", paths=("optimizer.eps",), default="1e-8", source="torch 2.13"),
        Field(name="batch_size", paths=("dataloader.train.total_batch_size",)),
        Field(name="steps", paths=("train.max_iter",)),
        Field(name="scheduler", paths=("lr_multiplier._call_",)),
        *Field.within("lr_multiplier", warmup_length=None, warmup_factor=None,
                      warmup_method="linear"),
        *Field.within("optimizer.params", weight_decay_norm=None, weight_decay_bias=None),
    ),
    optimizer=optimizer_of,
    schedule=_schedule,
    exempt=_exempt,
    # total_batch_size is of all devices.
    batch=lambda _: ("batch_size",),
    harmless=("model*", "train*", "dataloader*", "optimizer*", "lr_multiplier*"),
    prepare=_prepare,
    finish=_finish,
)  # fmt: skip
