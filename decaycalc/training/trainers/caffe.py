"""Caffe's solver.prototxt, with the network's batch size and multipliers where it lies beside it.

Source: BVLC/caffe src/caffe/proto/caffe.proto, src/caffe/solvers/*.cpp; every solver's L2 goes
through SGDSolver::Regularize. docs/multigpu.md: each GPU takes the network's batch size.
"""

from collections.abc import Callable

from decaycalc.record import replace
from decaycalc.training.reading.exemptions import of_kinds
from decaycalc.training.reading.optimizers import UNDAMPENED_SGD, refused, unknown_optimizer
from decaycalc.training.reading.schedules import by_scheduler, compose
from decaycalc.training.reading.settings import Settings, derived, of_file, text_of, texts_of
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Group, Sourced, Training
from decaycalc.training.trainers.syntax.document import Document, scalar_text
from decaycalc.training.trainers.syntax.tree import (
    Entries,
    Node,
    Scalar,
    find,
    from_file,
    joined,
    mappings_of,
)

_NETWORK = "network"  # the key under which the network's own file joins the solver's
# The numbers of the older `solver_type` field.
_NUMBERED = {"0": "sgd", "1": "nesterov", "2": "adagrad", "3": "rmsprop", "4": "adadelta",
             "5": "adam"}  # fmt: skip
_ADAPTIVE = frozenset({"adagrad", "rmsprop", "adadelta", "adam"})
_TENSORS = ("weight", "bias")


def _prepare(document: Document) -> Document:
    """Return the solver joined with its network, if that stands within it or is found beside it."""
    for key in ("train_net_param", "net_param"):
        own = document.root.entries.get(key)
        if isinstance(own, Entries):
            tree = Entries(entries={_NETWORK: own})
            return replace(document, root=joined(tree, document.root))
    named = scalar_text(document.root, "net") or scalar_text(document.root, "train_net")
    if named is None:
        return document
    network = document.neighbour(named) or document.neighbour(named.rpartition("/")[2])
    if network is None:
        return document
    tree = Entries(entries={_NETWORK: from_file(network.root, named.rpartition("/")[2])})
    return replace(document, root=joined(tree, document.root))


def _optimizer(settings: Settings) -> Optimizer:
    if (settings.text("regularization_type") or "").upper() != "L2":
        return refused("its regularisation is L1, which is no weight decay")
    word = settings.word("optimizer")
    name = _NUMBERED.get(word, word)
    if name in {"sgd", "nesterov"}:
        return Optimizer(convention="caffe", uses=UNDAMPENED_SGD)
    if name in _ADAPTIVE:
        return Optimizer(convention="caffe-adam", note=f"{name}'s L2 joins the gradient, as Adam's")
    return unknown_optimizer(word, setting="solver type")


def _nesterov(settings: Settings) -> Sourced:
    """Return whether the solver is Nesterov's."""
    word = settings.word("optimizer")
    return derived("nesterov", str(_NUMBERED.get(word, word) == "nesterov").lower(), "type")


def _multistep(settings: Settings) -> str | None:
    marks = settings.texts("stepvalue")
    if not marks or not all(mark.isdecimal() for mark in marks):
        return None
    return compose("step", at="/".join(marks), gamma=settings.number("gamma"))


_POLICIES: dict[str, Callable[[Settings], str | None]] = {
    "fixed": lambda _: "constant",
    "step": lambda settings: compose(
        "step", every=settings.count("stepsize"), gamma=settings.number("gamma")
    ),
    "multistep": _multistep,
    "exp": lambda settings: compose("exponential", gamma=settings.number("gamma")),
    "inv": lambda settings: compose(
        "inverse", gamma=settings.number("gamma"), power=settings.number("power")
    ),
    "poly": lambda settings: compose("polynomial", power=settings.number("power")),
}


def _layers(settings: Settings) -> tuple[Entries, ...]:
    """Return the network's layers, in either form."""
    nodes = (settings.node(f"{_NETWORK}.{key}") for key in ("layer", "layers"))
    return tuple(layer for node in nodes for layer in mappings_of(node))


def _batch_of(settings: Settings) -> Node | None:
    """Return the batch size of the first data layer that is not for testing only."""
    for layer in _layers(settings):
        rules = mappings_of(layer.entries.get("include"))
        if any("TEST" in texts_of(rule.entries.get("phase")) for rule in rules):
            continue
        for part in layer.entries.values():
            found = find(part, "batch_size") if isinstance(part, Entries) else None
            if found is not None:
                return found
    return None


def _batch_size(settings: Settings) -> Sourced | None:
    node = _batch_of(settings)
    if not isinstance(node, Scalar):
        return None
    return of_file("batch_size", node.text, f"{node.file}: batch_size")


def _groups(settings: Settings) -> tuple[Group, ...]:
    """Return the multipliers of every tensor that has some, layer by layer."""
    groups = []
    for layer in _layers(settings):
        name = (*texts_of(layer.entries.get("name")), "?")[0]
        for at, (lr, decay) in enumerate(_multipliers(layer)):
            tensor = _TENSORS[at] if at < len(_TENSORS) else str(at)
            selector = f"{name}.{tensor}"
            groups.append(Group(name=selector, selector=selector, lr_mult=lr, decay_mult=decay))
    return tuple(groups)


def _multipliers(layer: Entries) -> tuple[tuple[str, str], ...]:
    """Return each tensor's multipliers of lr and decay; the older form has a field for each."""
    if specs := mappings_of(layer.entries.get("param")):
        return tuple(
            (text_of(spec, "lr_mult", "1"), text_of(spec, "decay_mult", "1")) for spec in specs
        )
    lr, decay = texts_of(layer.entries.get("blobs_lr")), texts_of(layer.entries.get("weight_decay"))
    width = max(len(lr), len(decay))
    ones = ("1",) * width
    return tuple(zip((lr + ones)[:width], (decay + ones)[:width], strict=True))


def _finish(settings: Settings, made: Training) -> Training:
    """Add the layers' multipliers, and say where the network is not here."""
    named = settings.texts("net") or settings.texts("train_net")
    note = ""
    if settings.node(_NETWORK) is None:
        network = (
            f"network {named[0][:80]!r} is not here" if named else "the solver names no network"
        )
        note = f"{network}: batch size and multipliers are unknown"
    return replace(made, groups=_groups(settings) or made.groups).with_notes(note)


TRAINER = Trainer(
    kind="caffe",
    title="Caffe",
    version="caffe.proto",
    signatures=(
        Signature(all_of=("base_lr", "syntax:prototxt")),
        Signature(
            all_of=("base_lr",),
            any_of=("lr_policy", "solver_mode", "solver_type", "net", "train_net", "iter_size",
                    "stepsize", "stepvalue", "max_iter", "snapshot", "test_iter", "test_interval"),
        ),
    ),
    fields=(
        Field(name="optimizer", paths=("type", "solver_type"), default="SGD"),
        *Field.within("", regularization_type="L2", weight_decay="0"),
        Field(name="lr", paths=("base_lr",)),
        Field(name="momentum", paths=("momentum",), default="0"),
        Field(name="nesterov", derive=_nesterov),
        Field(name="batch_size", derive=_batch_size),
        Field(name="grad_accum", paths=("iter_size",), default="1"),
        Field(name="world_size", default="1"),
        Field(name="steps", paths=("max_iter",)),
        Field(name="scheduler", paths=("lr_policy",), default="fixed"),
        *Field.within("", gamma=None, power=None, stepsize=None, stepvalue=None),
    ),
    optimizer=_optimizer,
    schedule=by_scheduler(_POLICIES),
    exempt=lambda _: of_kinds(switch="decay_mult of a layer's param"),
    harmless=("network*", "net_param*", "train_net_param*", "test_net_param*", "average_loss",
              "momentum2", "delta"),
    prepare=_prepare,
    finish=_finish,
)  # fmt: skip
