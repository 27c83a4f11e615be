"""MaxDiffusion's YAML configurations: optax's AdamW, and a constant lr behind a warm-up.

Source: MaxDiffusion 7cfb8801 src/maxdiffusion/max_utils.py (create_learning_rate_schedule,
create_optimizer), pyconfig.py.
"""

from fractions import Fraction

from decaycalc.training.reading.exemptions import NONE_EXEMPT
from decaycalc.training.reading.numbers import decimal_text
from decaycalc.training.reading.optimizers import ADAM
from decaycalc.training.reading.schedules import compose
from decaycalc.training.reading.settings import Settings, derived, left_open
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Sourced

_SIZES = ("batch_size", "world_size")


def _schedule(settings: Settings) -> str | None:
    steps, share = settings.number("schedule_steps"), settings.number("warmup_fraction")
    steps = settings.number("steps") if steps is None else steps
    if not share:
        return "constant"
    return None if steps is None else compose("constant", warmup=int(steps * share) or None)


def _scaled(settings: Settings) -> Sourced | None:
    """Return the lr times the batch, where that is asked for."""
    if "lr" in settings.given or not settings.flag("scale_lr"):
        return None
    base, sizes = settings.number("base_lr"), [settings.number(name) for name in _SIZES]
    if base is None or None in sizes:
        note = "scale_lr multiplies learning_rate by the batch, which is not known"
        return left_open("lr", note, where="scale_lr")
    for size in sizes:
        base *= size or Fraction(1)
    return derived("lr", decimal_text(base), "learning_rate · B")


TRAINER = Trainer(
    kind="maxdiffusion",
    title="MaxDiffusion",
    version="MaxDiffusion 7cfb8801 configs/base14.yml",
    signatures=(
        Signature(
            all_of=("per_device_batch_size", "max_train_steps", "adam_weight_decay"),
            any_of=("learning_rate_schedule_steps", "warmup_steps_fraction", "adam_b1",
                    "mesh_axes", "scale_lr"),
        ),
    ),
    fields=(
        Field(name="optimizer", default="adamw"),
        Field(name="weight_decay", paths=("adam_weight_decay",)),
        Field(name="base_lr", paths=("learning_rate",)),
        Field(name="scale_lr", paths=("scale_lr",), default="false"),
        Field(name="lr", paths=("learning_rate",), overrule=_scaled),
        Field(name="beta1", paths=("adam_b1",), default="0.9"),
        Field(name="beta2", paths=("adam_b2",), default="0.999"),
        Field(name="eps", paths=("adam_eps",), default="1e-8"),
        Field(name="batch_size", paths=("per_device_batch_size",)),
        Field(name="world_size", default="1"),
        Field(name="steps", paths=("max_train_steps",), absent=("-1",)),
        Field(name="epochs", paths=("num_train_epochs",)),
        Field(name="schedule_steps", paths=("learning_rate_schedule_steps",), absent=("-1",)),
        Field(name="warmup_fraction", paths=("warmup_steps_fraction",), default="0"),
    ),
    optimizer=lambda _: Optimizer(convention="optax-adamw", uses=ADAM),
    schedule=_schedule,
    exempt=lambda _: NONE_EXEMPT,
    batch=lambda _: _SIZES,
    harmless=("text_encoder_learning_rate", "profiler*", "num_train_epochs", "*_parallelism",
              "snr_gamma", "timestep*", "diffusion_scheduler*", "global_batch*"),
)  # fmt: skip
