"""TensorFlow's Object Detection API: pipeline.config, whose decay is the regularizers of its parts.

Source: tensorflow/models 1a84b373 research/object_detection/utils/learning_schedules.py, 02c04f49
builders/optimizer_builder.py, 08eebbce protos/optimizer.proto, builders/hyperparams_builder.py: L2
is scale · Σw² / 2 in Slim and in Keras.
"""

from collections.abc import Iterator

from decaycalc.record import replace
from decaycalc.training.reading.numbers import typed_number
from decaycalc.training.reading.optimizers import refused, unknown_optimizer
from decaycalc.training.reading.schedules import compose, factors, ratio, steps_of
from decaycalc.training.reading.settings import Settings, derived, left_open, text_of
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Sourced, Training
from decaycalc.training.trainers.syntax.document import Document
from decaycalc.training.trainers.syntax.tree import Entries, Items, Node, Scalar, find

_CONFIG = "train_config.optimizer"
_L2 = "tf-slim-l2"
_OVERRIDE = "model.ssd.feature_extractor.override_base_feature_extractor_hyperparams"
# The key of an optimizer's message, and whose steps it takes.
_OPTIMIZERS = {
    "momentum_optimizer": ("sgd", ("momentum",)),
    "rms_prop_optimizer": ("rmsprop", ()),
    "adam_optimizer": ("adam", ()),
}
_SUFFIX = "_learning_rate"


def _prepare(document: Document) -> Document:
    """Lift the optimizer's message and the lr's, each by the name that it has, to the top."""
    messages = find(document.root, _CONFIG)
    lifted: dict[str, Node] = {}
    entries = messages.entries if isinstance(messages, Entries) else {}
    for name, node in entries.items():
        if name in _OPTIMIZERS and isinstance(node, Entries):
            lifted |= {"optimizer": Scalar(text=name, line=node.line), "settings": node}
    rates = find(Entries(entries=lifted), "settings.learning_rate")
    for name, node in (rates.entries if isinstance(rates, Entries) else {}).items():
        lifted |= {"schedule": Scalar(text=name.removesuffix(_SUFFIX)), "rate": node}
    return replace(document, root=Entries(entries={**document.root.entries, **lifted}))


def _penalties(node: Node, key: str = "l2_regularizer") -> Iterator[str]:
    """Yield the weight of each regularizer of that kind in a tree; without one it is 1."""
    if isinstance(node, Items):
        for part in node.items:
            yield from _penalties(part, key)
    elif isinstance(node, Entries):
        for name, part in node.entries.items():
            if name == key and isinstance(part, Entries):
                yield text_of(part, "weight", "1.0")
            else:
                yield from _penalties(part, key)


def _weight_decay(settings: Settings) -> Sourced | None:
    """Return the one weight that all regularizers have; a model without any has none."""
    model = settings.node("model") or Entries()
    texts = tuple(dict.fromkeys(_penalties(model)))
    where = "model: l2_regularizer"
    if len({typed_number(text) for text in texts}) > 1:
        note = f"the parts of the model have regularizers of their own: {', '.join(texts)[:60]}"
        return left_open("weight_decay", note, where=where)
    return derived("weight_decay", texts[0] if texts else "0", where)


def _optimizer(settings: Settings) -> Optimizer:
    name = settings.word("optimizer")
    if any(_penalties(settings.node("model") or Entries(), "l1_regularizer")):
        return refused("an L1 regularizer is no weight decay")
    if name not in _OPTIMIZERS:
        return unknown_optimizer(name)
    return Optimizer(convention=_L2, uses=_OPTIMIZERS[name][1])


def _schedule(settings: Settings) -> str | None:
    name = settings.word("scheduler")
    if name == "constant":
        return "constant"
    make = {"cosine_decay": _cosine, "exponential_decay": _exponential, "manual_step": _manual}
    return make[name](settings) if name in make else None


def _cosine(settings: Settings) -> str | None:
    """Return half a cosine to the end of its steps, after a warm-up and what is held behind it."""
    total, warmup = steps_of(settings, "total_steps"), steps_of(settings, "warmup_steps")
    start, held = ratio(settings, "warmup_learning_rate", "lr"), steps_of(settings, "hold")
    if total is None:
        return None
    warm = {"warmup": warmup, "start": (start or None) if warmup else None}
    if held is None:
        length = None if total == settings.number("steps") else total
        return compose("cosine", **warm, length=length)
    until = (warmup or 0) + held
    return f"{compose('constant', **warm, until=until)}+{compose('cosine', length=total - until)}"


def _exponential(settings: Settings) -> str | None:
    if steps_of(settings, "burnin_steps") is not None:
        return None
    kind = "step" if settings.flag("staircase") else "exponential"
    every, gamma = steps_of(settings, "decay_steps"), settings.number("decay_factor")
    return compose(kind, every=every, gamma=gamma)


def _manual(settings: Settings) -> str | None:
    """Return the steps of a table of rates; a straight line to its first has no text."""
    rows = settings.node("rate.schedule")
    entries = rows.items if isinstance(rows, Items) else () if rows is None else (rows,)
    table = [row for row in entries if isinstance(row, Entries)]
    at = tuple(typed_number(text_of(row, "step")) for row in table)
    rates = (settings.number("lr"), *(typed_number(text_of(row, "learning_rate")) for row in table))
    known = tuple(rate for rate in rates if rate)
    steps = tuple(step for step in at if step is not None)
    if settings.flag("warmup") or not steps or len(known) != len(steps) + 1:
        return None
    return compose("step", at=steps, gamma=factors(known))


def _finish(settings: Settings, made: Training) -> Training:
    """Say by whose steps the penalty is minimised, and what SSD's base network keeps.

    Source: tensorflow/models object_detection/models/ssd_mobilenet_v1_feature_extractor.py.
    """
    is_own = bool(settings.entries("model.ssd")) and settings.told(_OVERRIDE).lower() != "true"
    own = "the base network keeps the penalty of its own code (4e-5 in MobileNet)"
    made = made.with_notes(f"{own}: {_OVERRIDE} is not set" if is_own else "")
    name = settings.word("optimizer")
    if name not in _OPTIMIZERS:
        return made
    return replace(made, run=replace(made.run, optimizer=_OPTIMIZERS[name][0]))


_RATES = ("learning_rate_base", "initial_learning_rate", "learning_rate")

TRAINER = Trainer(
    kind="tf-object-detection",
    title="TensorFlow Object Detection",
    version="tensorflow/models 08eebbce object_detection/protos/optimizer.proto",
    signatures=(
        Signature(
            all_of=("model", "train_config"),
            any_of=("train_input_reader", "eval_config", "eval_input_reader", "model.ssd",
                    "model.faster_rcnn", "model.center_net", "train_config.optimizer"),
            at_least=2,
        ),
    ),
    fields=(
        Field(name="optimizer", paths=("optimizer",)),
        Field(name="weight_decay", derive=_weight_decay),
        Field(name="lr", paths=tuple(f"rate.{name}" for name in _RATES), default="0.002"),
        Field(name="momentum", paths=("settings.momentum_optimizer_value",), default="0.9"),
        Field(name="batch_size", paths=("train_config.batch_size",)),
        Field(name="steps", paths=("train_config.num_steps",), absent=("0",)),
        Field(name="scheduler", paths=("schedule",)),
        *Field.within("rate", total_steps="4000000", warmup_learning_rate="0.0002",
                      warmup_steps="10000", decay_steps="4000000", decay_factor="0.95",
                      staircase="true", burnin_steps="0", warmup="false"),
        Field(name="hold", paths=("rate.hold_base_rate_steps",), default="0"),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=lambda _: Exemption(rule="what no regularizer of a part is given to"),
    batch=lambda _: ("batch_size",),  # of all replicas
    prepare=_prepare,
    harmless=("model*", "train_config*", "train_input*", "eval*", "settings*", "rate*",
              "schedule", "graph_rewriter*"),
    finish=_finish,
)  # fmt: skip
