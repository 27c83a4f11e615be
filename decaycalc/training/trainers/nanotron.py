"""nanotron's YAML configurations.

Source: nanotron 2411b022 config/config.py, helpers.py.
"""

from fractions import Fraction

from decaycalc.training.reading.exemptions import of_patterns
from decaycalc.training.reading.optimizers import ADAMW, unknown_optimizer
from decaycalc.training.reading.schedules import compose, ratio
from decaycalc.training.reading.settings import Settings
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Training

_SCHEDULER = "optimizer.learning_rate_scheduler"
_FACTORY = "optimizer.optimizer_factory"
_EXCLUDED = "optimizer.weight_decay_exclude_named_params"
_WARMUPS = ("linear", "", "constant")
_SHAPES = {"linear": "linear", "cosine": "cosine", "1-sqrt": "1-sqrt"}


def _optimizer(settings: Settings) -> Optimizer:
    name = settings.word("optimizer").removesuffix("optimizerargs")
    if name == "adamw":
        return ADAMW
    if name == "sgd":
        return Optimizer(convention="pytorch-sgd")
    return unknown_optimizer(name)


def _schedule(settings: Settings) -> str | None:
    """Return the schedule; with a starting step nanotron subtracts the warm-up once more.

    Source: nanotron 2411b022 helpers.py, lr_scheduler_builder.
    """
    style, shape = settings.word("warmup_style"), _SHAPES.get(settings.word("scheduler"))
    warmup, steps = settings.number("warmup_steps") or Fraction(0), settings.number("steps")
    if shape is None or style not in _WARMUPS or steps is None:
        return None
    start = settings.number("decay_start")
    length = settings.number("decay_steps")
    length = steps - warmup - (start or 0) if length is None else length
    begin = warmup if start is None else start
    if style == "constant":  # a warm-up at the peak, after which lr falls
        start, warmup = begin, Fraction(0)
    final = ratio(settings, "min_lr", "lr") if settings.text("min_lr") else Fraction(1)
    if final == 1:
        return compose("constant", warmup=int(warmup) or None)
    end = begin + length
    whole = None if end == steps else int(end)
    if start is None and shape != "1-sqrt":
        return compose(shape, warmup=int(warmup) or None, length=whole, final=final)
    return compose(
        "wsd", warmup=int(warmup) or None, length=whole, decay=int(length), final=final, shape=shape
    )


def _finish(settings: Settings, made: Training) -> Training:
    """Say what use_mup makes of lr: the file's is that of norms, embeddings and square matrices.

    Source: nanotron 2411b022 scaling/parametrization.py, LearningRateForSpectralMup.
    """
    if settings.told("model.init_method.use_mup").lower() != "true":
        return made
    note = (
        "use_mup: a linear layer's lr is lr · fan_out / fan_in, and so is its decay of a step;"
        " what is shown is of norms, embeddings and square layers"
    )
    return made.with_notes(note)


TRAINER = Trainer(
    kind="nanotron",
    title="nanotron",
    version="nanotron 2411b022",
    signatures=(Signature(all_of=(f"{_SCHEDULER}.learning_rate",)),),
    fields=(
        # In Python the factory is the call of a class; older files had Adam's numbers alone.
        Field(name="optimizer", paths=(f"{_FACTORY}.name", f"{_FACTORY}._call_"), default="adamW"),
        Field(name="weight_decay", paths=("optimizer.weight_decay",)),
        Field(name="lr", paths=(f"{_SCHEDULER}.learning_rate",)),
        Field(name="beta1", paths=(f"{_FACTORY}.adam_beta1", "optimizer.adam_beta1")),
        Field(name="beta2", paths=(f"{_FACTORY}.adam_beta2", "optimizer.adam_beta2")),
        Field(name="eps", paths=(f"{_FACTORY}.adam_eps", "optimizer.adam_eps")),
        Field(name="batch_size", paths=("tokens.micro_batch_size",)),
        Field(name="grad_accum", paths=("tokens.batch_accumulation_per_replica",), default="1"),
        Field(name="world_size", paths=("parallelism.dp",)),
        Field(name="sequence_length", paths=("tokens.sequence_length",)),
        Field(name="steps", paths=("tokens.train_steps",)),
        Field(name="scheduler", paths=(f"{_SCHEDULER}.lr_decay_style",), default="linear"),
        Field(name="warmup_steps", paths=(f"{_SCHEDULER}.lr_warmup_steps",), default="0"),
        Field(name="warmup_style", paths=(f"{_SCHEDULER}.lr_warmup_style",), default="linear"),
        Field(name="decay_start", paths=(f"{_SCHEDULER}.lr_decay_starting_step",)),
        Field(name="decay_steps", paths=(f"{_SCHEDULER}.lr_decay_steps",)),
        Field(name="min_lr", paths=(f"{_SCHEDULER}.min_decay_lr",)),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=lambda settings: of_patterns(settings.texts(_EXCLUDED), switch=_EXCLUDED),
    batch=lambda _: ("batch_size", "grad_accum", "world_size", "sequence_length"),
    unit=lambda _: "tokens",
    harmless=("optimizer.clip_grad", "optimizer.zero_stage", "optimizer.accumulate_grad*",
              f"{_FACTORY}.torch_adam_is_fused", "optimizer.torch_adam_is_fused", "lighteval*",
              "checkpoints*", "data_stages*", "logging*",
              "parallelism*", "tokens.limit*", "tokens.val*", "general*", "model*",
              "optimizer.weight_decay_exclude*"),
    finish=_finish,
)  # fmt: skip
