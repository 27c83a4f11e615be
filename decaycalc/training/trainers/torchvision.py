"""torchvision's reference training scripts, by their flags.

Source: pytorch/vision references/classification/train.py (017e9b99); --bias-weight-decay and
--transformer-embedding-decay are newer and were not checked.
"""

from fractions import Fraction

from decaycalc.training.reading.exemptions import of_kinds
from decaycalc.training.reading.schedules import compose, epochs, ratio
from decaycalc.training.reading.settings import Settings, derived
from decaycalc.training.reading.trainer import PER_DEVICE, Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Sourced

_OWN = (
    "lr_step_size", "lr_gamma", "lr_warmup_epochs", "lr_warmup_method", "lr_warmup_decay",
    "norm_weight_decay", "bias_weight_decay", "transformer_embedding_decay", "ra_sampler",
    "ra_reps", "model_ema_steps", "train_crop_size", "val_crop_size",
)  # fmt: skip
_OPTIMIZERS = {
    "sgd": Optimizer(convention="torchvision", uses=("momentum",)),
    "sgd_nesterov": Optimizer(convention="torchvision", uses=("momentum", "nesterov")),
    "rmsprop": Optimizer(convention="pytorch-rmsprop", uses=("momentum",)),
    "adamw": Optimizer(convention="pytorch-adamw"),
}


def _optimizer(settings: Settings) -> Optimizer:
    name = settings.word("optimizer")
    reason = f"--opt {name[:40]!r} has no convention here"
    return _OPTIMIZERS.get(name, Optimizer(convention=None, refusal=reason))


def _nesterov(settings: Settings) -> Sourced:
    is_nesterov = "nesterov" in settings.word("optimizer")
    return derived("nesterov", str(is_nesterov).lower(), "--opt")


def _schedule(settings: Settings) -> str | None:
    """Return the scheduler, which begins when the warm-up has ended (SequentialLR)."""
    name, warm = settings.word("scheduler"), settings.number("lr_warmup_epochs") or Fraction(0)
    main = _main(settings, name)
    if main is None or warm <= 0:
        return main
    start = settings.number("lr_warmup_decay")
    if settings.word("lr_warmup_method") == "constant":
        first = compose("constant", value=start, until=epochs(warm))
    else:
        first = compose("linear", initial=start, final=1, per="1epochs", until=epochs(warm))
    return f"{first}+{main}"


def _main(settings: Settings, name: str) -> str | None:
    """Return the scheduler itself, stepped once an epoch."""
    if name == "steplr":
        size = settings.number("lr_step_size") or Fraction(1)
        return compose("step", every=epochs(size), gamma=settings.number("lr_gamma"))
    if name == "cosineannealinglr":
        final = ratio(settings, "lr_min", "lr") or None
        return compose("cosine", final=final, per="1epochs")
    if name == "exponentiallr":
        return compose("step", every="1epochs", gamma=settings.number("lr_gamma"))
    return None


def _exempt(settings: Settings) -> Exemption:
    names = ("norm_weight_decay", "bias_weight_decay", "transformer_embedding_decay")
    norms, biases, tables = (settings.number(name) for name in names)
    rules = ["norms"] if norms == 0 else []
    rules += ["biases"] if biases == 0 else []
    return of_kinds(
        *rules,
        switch="--norm-weight-decay, --bias-weight-decay, --transformer-embedding-decay",
        whole={norms, biases} <= {0, None} and tables is None,
    )


TRAINER = Trainer(
    kind="torchvision",
    title="torchvision references",
    version="torchvision references 017e9b99",
    signatures=(
        Signature(any_of=_OWN, at_least=2),
        *(
            Signature(all_of=(key,), any_of=("lr_scheduler", "data_path", "model", "opt"))
            for key in _OWN
        ),
    ),
    fields=(
        Field(name="optimizer", paths=("opt",), default="sgd"),
        Field(name="weight_decay", paths=("weight_decay", "wd"), default="1e-4"),
        Field(name="norm_weight_decay", paths=("norm_weight_decay",)),
        Field(name="bias_weight_decay", paths=("bias_weight_decay",)),
        Field(name="lr", paths=("lr",), default="0.1"),
        Field(name="momentum", paths=("momentum",), default="0.9"),
        Field(name="nesterov", derive=_nesterov),
        Field(name="batch_size", paths=("batch_size", "b"), default="32"),
        Field(name="grad_accum", default="1"),
        Field(name="world_size", default="1"),
        Field(name="epochs", paths=("epochs",), default="90"),
        Field(name="scheduler", paths=("lr_scheduler",), default="steplr"),
        Field(name="lr_step_size", paths=("lr_step_size",), default="30"),
        Field(name="lr_gamma", paths=("lr_gamma",), default="0.1"),
        Field(name="lr_min", paths=("lr_min",), default="0"),
        Field(name="lr_warmup_epochs", paths=("lr_warmup_epochs",), default="0"),
        Field(name="lr_warmup_method", paths=("lr_warmup_method",), default="constant"),
        Field(name="lr_warmup_decay", paths=("lr_warmup_decay",), default="0.01"),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=_exempt,
    batch=lambda _: PER_DEVICE,
    harmless=("model_ema*", "transformer_embedding_decay", "workers", "amp"),
)
