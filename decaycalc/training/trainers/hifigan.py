"""HiFi-GAN's config.json, and BigVGAN's.

The file has no weight decay: torch's AdamW decays by its own 0.01. Source: hifi-gan 4769534
train.py, BigVGAN 7d2b454 train.py.
"""

from fractions import Fraction

from decaycalc.training.reading.exemptions import NONE_EXEMPT
from decaycalc.training.reading.optimizers import ADAMW
from decaycalc.training.reading.schedules import compose
from decaycalc.training.reading.settings import Settings, by_default
from decaycalc.training.reading.trainer import Field, Signature, Trainer
from decaycalc.training.record import Sourced, Training

_TORCH = "torch 2.13 optim.AdamW, to which the program gives no weight_decay"
_LEAST_OF_STEPS = Fraction(9999, 10000)
_OF_BIGVGAN = ("snake_logscale", "use_mpd", "use_cqtd_instead_of_mrd")


def _is_bigvgan(settings: Settings) -> bool:
    return any(map(settings.has, _OF_BIGVGAN))


def _epochs(settings: Settings) -> Sourced:
    """Return the default of --training_epochs, which no file has."""
    if _is_bigvgan(settings):
        return by_default("epochs", "100000", "BigVGAN 7d2b454 train.py")
    return by_default("epochs", "3100", "hifi-gan 4769534 train.py")


def _schedule(settings: Settings) -> str | None:
    """Return the fall once an epoch; BigVGAN's is once a step since its lr_decay is 0.9999996."""
    gamma = settings.number("lr_decay")
    if _is_bigvgan(settings) and gamma is not None and gamma > _LEAST_OF_STEPS:
        return compose("exponential", gamma=gamma)
    return compose("exponential", gamma=gamma, every="1epochs", per="1epochs")


def _finish(_: Settings, made: Training) -> Training:
    return made.with_notes("the discriminators have an optimizer of the same settings")


TRAINER = Trainer(
    kind="hifigan",
    title="HiFi-GAN",
    version="hifi-gan 4769534 train.py",
    signatures=(
        Signature(
            all_of=("adam_b1", "adam_b2", "lr_decay"),
            any_of=("upsample_rates", "resblock", "resblock_kernel_sizes", "num_mels"),
            at_least=2,
        ),
    ),
    fields=(
        Field(name="weight_decay", default="0.01", source=_TORCH),
        Field(name="lr", paths=("learning_rate",)),
        Field(name="beta1", paths=("adam_b1",)),
        Field(name="beta2", paths=("adam_b2",)),
        *Field.fixed(eps="1e-8", source="torch 2.13"),
        *Field.within("", batch_size=None, lr_decay=None),
        Field(name="epochs", derive=_epochs),
    ),
    optimizer=lambda _: ADAMW,
    schedule=_schedule,
    exempt=lambda _: NONE_EXEMPT,
    batch=lambda _: ("batch_size",),  # divided by the number of GPUs
    harmless=("num_*", "resblock*", "upsample_*", "segment_size", "seed", "*_size", "fm*",
              "sampling_rate", "dist_config*", "snake*", "use_*", "cqtd*", "discriminator*",
              "resolutions", "mpd*", "clip_grad_norm", "activation"),
    finish=_finish,
)  # fmt: skip
