"""Levanter's YAML configurations.

Source: levanter 9263f81e src/levanter/optim/config.py, optim/muon.py, trainer.py.
"""

from fractions import Fraction

from decaycalc.record import replace
from decaycalc.training.reading.exemptions import of_kinds
from decaycalc.training.reading.optimizers import ADAM, by_name
from decaycalc.training.reading.schedules import compose
from decaycalc.training.reading.settings import Settings, by_default
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Sourced, Training
from decaycalc.training.trainers.syntax.document import Document
from decaycalc.training.trainers.syntax.tree import Entries, Scalar, find

# Adam is optax's scale_by_adam, then the decay, then lr.
_OPTIMIZERS = {
    "adam": Optimizer(convention="optax-adamw", uses=ADAM),
    "muon": Optimizer(
        convention="optax-muon",
        note="tensors that are no matrices of hidden layers have adam_lr instead (6e-4 by default)",
    ),
    "sophia-h": Optimizer(convention="optax-sophia"),
}
_FALLS = ("cosine", "linear")
_TIMESCALE = 10_000  # steps from which inv_sqrt falls


def _prepare(document: Document) -> Document:
    """Lift the type of a schedule that is written as a mapping."""
    inner = find(document.root, "optimizer.lr_schedule.type")
    if not isinstance(inner, Scalar):
        return document
    entries = {**document.root.entries, "lr_schedule_type": inner}
    return replace(document, root=Entries(entries=entries, line=document.root.line))


def _class_default(settings: Settings) -> Sourced | None:
    """Return the decay of an optimizer whose own default is not 0.1."""
    if settings.word("optimizer") != "muon":
        return None
    return by_default("weight_decay", "0", "levanter 9263f81e optim/muon.py")


def _steps(settings: Settings, name: str) -> int | None:
    """Return a number of steps; up to 1 it is a share of the run, rounded down."""
    amount, total = settings.number(name), settings.number("steps")
    if amount is None or total is None:
        return None
    return int(amount * total) if amount <= 1 else int(amount)


def _schedule(settings: Settings) -> str | None:
    """Source: levanter optim/config.py, OptimizerConfig.lr_scheduler."""
    if any(settings.has(f"optimizer.{key}") for key in ("cycle_length", "cycles", "haps")):
        return None
    name, warm = settings.word("scheduler"), _steps(settings, "warmup") or None
    final = settings.number("min_lr_ratio")
    if name == "constant":
        return compose("constant", warmup=warm)
    total = settings.number("steps") or Fraction(0)
    if name not in {*_FALLS, *_INVERSES} or settings.number("cooldown"):
        return None
    decay, rest = _steps(settings, "decay"), int(total) - (warm or 0)
    length = rest if decay is None else min(decay, rest)
    if name in _INVERSES:
        return _INVERSES[name](warm, length, int(total), final)
    if length == rest:
        return compose(name, warmup=warm, final=final)
    return compose("wsd", warmup=warm, decay=length, final=final, shape=name)


def _inverse(warm: int | None, length: int, total: int, final: Fraction | None) -> str | None:
    """Return 1/(1 + (1/min - 1)·u/D) over the last D steps.

    Source: levanter 9263f81e optim/config.py, _inv_decay_schedule.
    """
    if not final or length <= 0:
        return None
    gamma = f"{float((1 / final - 1) / length):.12g}"
    if length + (warm or 0) == total:
        return compose("inverse", warmup=warm, gamma=gamma, floor=final)
    held = compose("constant", warmup=warm, until=total - length)
    return f"{held} + {compose('inverse', gamma=gamma, floor=final)}"


def _inverse_root(warm: int | None, length: int, total: int, final: Fraction | None) -> str | None:
    """Return 1/sqrt(t/10000) from step 10,000 on.

    Source: levanter 9263f81e optim/config.py, _inv_sqrt_decay_schedule.
    """
    if (warm or 0) > _TIMESCALE or length + (warm or 0) != total:
        return None
    held = compose("constant", warmup=warm, until=_TIMESCALE)
    return f"{held} + {compose('inverse-sqrt', timescale=_TIMESCALE, floor=final)}"


_INVERSES = {"inv": _inverse, "inv_sqrt": _inverse_root}


def _exempt(settings: Settings) -> Exemption:
    switch = "optimizer.weight_decay_modules, optimizer.default_weight_decay_mask"
    named = " or ".join(settings.texts("optimizer.weight_decay_modules"))
    usual = "LayerNorm, RMSNorm, Embedding and bias in the path"
    mask = settings.node("optimizer.default_weight_decay_mask")
    default = (mask.text or "").lower() if isinstance(mask, Scalar) else ""
    if named and default != "true":
        return Exemption(rule=f"all but names that match {named[:200]}", switch=switch)
    if named:
        return Exemption(rule=f"{usual}, unless they match {named[:200]}", switch=switch)
    if default == "false":
        return of_kinds(switch=switch)
    return Exemption(rule=usual, switch=switch)


def _finish(settings: Settings, made: Training) -> Training:
    """Let λ follow lr once more where the decay is AdamC's."""
    if not settings.has("optimizer.adamc_weight_decay") or not settings.flag("adamc"):
        return made
    return replace(made, decay_schedule=made.schedule)


TRAINER = Trainer(
    kind="levanter",
    title="Levanter",
    version="levanter 9263f81e",
    signatures=(
        Signature(
            any_of=("trainer.mp", "trainer.train_batch_size", "trainer.num_train_steps",
                    "trainer.per_device_parallelism", "trainer.model_axis_size",
                    "optimizer.min_lr_ratio", "optimizer.lr_schedule"),
            at_least=2,
            none_of=("syntax:Python",),
        ),
    ),
    fields=(
        Field(name="optimizer", paths=("optimizer.type",), default="adam"),
        Field(name="weight_decay", paths=("optimizer.weight_decay",), default="0.1",
              derive=_class_default),
        Field(name="lr", paths=("optimizer.learning_rate",), default="6e-4"),
        *Field.within("optimizer", beta1="0.9", beta2="0.95"),
        Field(name="eps", paths=("optimizer.epsilon",), default="1e-8"),
        Field(name="adamc", paths=("optimizer.adamc_weight_decay",)),
        Field(name="batch_size", paths=("trainer.train_batch_size",), default="512",
              open=("-1",), note="it is per_device_parallelism times the devices"),
        Field(name="steps", paths=("trainer.num_train_steps",), default="400000"),
        Field(name="scheduler", paths=("lr_schedule_type", "optimizer.lr_schedule"),
              default="cosine"),
        Field(name="warmup", paths=("optimizer.warmup", "optimizer.warmup_ratio"), default="0.01"),
        *Field.within("optimizer", decay=None, cooldown=None, min_lr_ratio="0.1"),
    ),
    optimizer=by_name(_OPTIMIZERS),
    schedule=_schedule,
    exempt=_exempt,
    prepare=_prepare,
    finish=_finish,
    # train_batch_size counts all devices.
    batch=lambda _: ("batch_size",),
    unit=lambda _: "sequences",
    harmless=("trainer*", "data*", "model*", "optimizer.weight_decay_modules",
              "optimizer.default_weight_decay_mask", "optimizer.lr_schedule*",
              "optimizer.cycle*", "optimizer.rewarmup", "optimizer.adam_lr", "optimizer.gamma",
              "optimizer.skip_bad_steps", "epoch", "hf_save_steps"),
)  # fmt: skip
