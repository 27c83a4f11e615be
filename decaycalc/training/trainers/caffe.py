"""Import of Caffe's solver.prototxt, with the network's multipliers where it lies beside it."""

from pathlib import Path

from decaycalc.errors import UnreadableFileError
from decaycalc.training.published.record import Recipe
from decaycalc.training.trainers.result import (
    Imported,
    LayerMultiplier,
    compose,
    count,
    no_schedule,
    number,
    read_text,
    unread,
)
from decaycalc.training.trainers.syntax.prototext import Message, parse_prototext

# The solver's type, or its number in the older `solver_type` field.
_TYPES = {"sgd": "SGD", "nesterov": "Nesterov", "0": "SGD", "1": "Nesterov"}
_READ = {
    "base_lr", "gamma", "iter_size", "lr_policy", "max_iter", "momentum", "net", "power",
    "solver_type", "stepsize", "stepvalue", "train_net", "type", "weight_decay",
}  # fmt: skip
# Keys whose names sound as if they mattered; they only say when to test, show and save.
_HARMLESS = {
    "average_loss",
    "display",
    "snapshot",
    "test_interval",
    "test_iter",
    "test_initialization",
}


def read_caffe(path: Path) -> Imported:
    """Return the run of a Caffe solver, with its network's batch size and multipliers if found.

    Raises:
        UnreadableFileError: no solver, a solver of another kind than SGD, or L1 regularisation.
    Source: BVLC/caffe src/caffe/proto/caffe.proto, src/caffe/solvers/sgd_solver.cpp.
    """
    solver = parse_prototext(read_text(path), path)
    settings = solver.scalars()
    if "base_lr" not in settings:
        raise UnreadableFileError(str(path), "it sets no base_lr, so it is no Caffe solver")
    kind = _kind(settings, path)
    network, notes = _network(settings, path)
    schedule = _schedule(solver, settings, path)
    notes += no_schedule(settings.get("lr_policy"), schedule)
    batch = None if network is None else _batch_size(network, path)
    recipe = Recipe(
        name="imported",
        title=f"Caffe solver {path.name}",
        convention="caffe",
        value=number(settings, "weight_decay", path) or "0",
        lr=number(settings, "base_lr", path),
        momentum=number(settings, "momentum", path) or "0",
        nesterov=kind == "Nesterov",
        batch_size=None if batch is None else batch * (count(settings, "iter_size", path) or 1),
        steps=count(settings, "max_iter", path),
        schedule=schedule,
        source=str(path),
    )
    multipliers = () if network is None else _multipliers(network)
    used = (*_READ, *_HARMLESS, "regularization_type")
    return Imported(recipe=recipe, notes=notes + unread(settings, used), multipliers=multipliers)


def _kind(settings: dict[str, object], path: Path) -> str:
    """Return SGD or Nesterov; refuse what is neither, and L1."""
    kind = str(settings.get("type", settings.get("solver_type", "SGD")))
    if kind.lower() not in _TYPES:
        raise UnreadableFileError(str(path), f"solver type {kind!r} is neither SGD nor Nesterov")
    if settings.get("regularization_type", "L2") != "L2":
        raise UnreadableFileError(str(path), "its regularisation is L1, which is no weight decay")
    return _TYPES[kind.lower()]


def _schedule(solver: Message, settings: dict[str, object], path: Path) -> str | None:
    """Return the lr policy as a schedule's text, None for one that has no such text."""
    policy = settings.get("lr_policy", "fixed")
    gamma, power = number(settings, "gamma", path), number(settings, "power", path)
    every, marks = count(settings, "stepsize", path), "/".join(solver.texts("stepvalue"))
    texts = {
        "fixed": "constant",
        "step": compose("step", every=every, gamma=gamma),
        "multistep": compose("step", at=marks or None, gamma=gamma),
        "exp": compose("exponential", gamma=gamma),
        "inv": compose("inverse", gamma=gamma, power=power),
        "poly": compose("polynomial", power=power),
    }
    return texts.get(str(policy))


def _network(settings: dict[str, object], path: Path) -> tuple[Message | None, tuple[str, ...]]:
    """Return the network that the solver names if it lies where it can be found, and a note."""
    named = settings.get("net") or settings.get("train_net")
    if named is None:
        return None, ("the solver names no network: batch size and multipliers are unknown",)
    for candidate in (path.parent / str(named), path.parent / Path(str(named)).name):
        if candidate.is_file():
            return parse_prototext(read_text(candidate), candidate), ()
    return None, (f"network {named!r} is not here: batch size and multipliers are unknown",)


def _layers(network: Message) -> list[Message]:
    return network.messages("layer") + network.messages("layers")


def _batch_size(network: Message, path: Path) -> int | None:
    """Return the batch size of the first data layer that is not for testing only."""
    for layer in _layers(network):
        if any("TEST" in rule.texts("phase") for rule in layer.messages("include")):
            continue
        for _, part in layer.fields:
            if isinstance(part, Message) and "batch_size" in part.scalars():
                return count(part.scalars(), "batch_size", path)
    return None


def _multipliers(network: Message) -> tuple[LayerMultiplier, ...]:
    """Return the multipliers of every tensor that has some, layer by layer."""
    found = []
    for layer in _layers(network):
        name = (layer.texts("name") or ["?"])[0]
        specs = [spec.scalars() for spec in layer.messages("param")]
        if not specs:  # the older form: one field for each of weights and biases
            lr, decay = layer.texts("blobs_lr"), layer.texts("weight_decay")
            width = max(len(lr), len(decay))
            specs = [
                {
                    "lr_mult": lr[at] if at < len(lr) else "1",
                    "decay_mult": decay[at] if at < len(decay) else "1",
                }
                for at in range(width)
            ]
        for at, spec in enumerate(specs):
            tensor = ("weight", "bias")[at] if at < 2 else str(at)  # noqa: PLR2004
            found.append(
                LayerMultiplier(
                    layer=f"{name}.{tensor}",
                    lr_mult=str(spec.get("lr_mult", "1")),
                    decay_mult=str(spec.get("decay_mult", "1")),
                )
            )
    return tuple(found)
