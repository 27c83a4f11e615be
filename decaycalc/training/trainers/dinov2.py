"""DINOv2's YAML configurations, laid over its own defaults.

Source: dinov2 b8931f7 dinov2/configs/ssl_default_config.yaml, utils/{config,param_groups,utils}.py,
train/train.py.
"""

from fractions import Fraction
from math import sqrt

from decaycalc.algebra.number import finite
from decaycalc.training.reading.decays import over_the_run
from decaycalc.training.reading.numbers import decimal_text
from decaycalc.training.reading.optimizers import ADAMW
from decaycalc.training.reading.schedules import compose, of_lr
from decaycalc.training.reading.settings import Settings, derived, product_of
from decaycalc.training.reading.trainer import Field, Signature, Trainer
from decaycalc.training.record import Exemption, Group, Sourced, Training

_PER = 1024  # examples, of whose step base_lr is the lr
# Keys that DINOv3 alone has.
OF_DINOV3 = (
    "schedules.lr.peak", "optim.schedule_trunc_extra", "optim.dino_head_wd_multiplier",
    "gram.use_loss", "multidistillation.enabled", "train.sharded_eval_checkpoint",
)  # fmt: skip
SHARED = (
    "train.batch_size_per_gpu", "train.OFFICIAL_EPOCH_LENGTH", "teacher.momentum_teacher",
    "teacher.warmup_teacher_temp_epochs", "optim.freeze_last_layer_epochs",
    "optim.patch_embed_lr_mult", "optim.layerwise_decay", "optim.scaling_rule",
    "dino.head_n_prototypes", "ibot.head_n_prototypes", "ibot.separate_head",
    "ibot.mask_ratio_min_max", "crops.local_crops_number", "student.drop_path_uniform",
)  # fmt: skip


def devices_share(settings: Settings, per: int) -> Fraction | None:
    """Return the examples of a step over `per`; None where a part is missing."""
    size = settings.product("batch_size", "world_size", whole=True)
    return None if size is None else size / per


def by_square_root(name: str, base: Fraction, share: Fraction, formula: str) -> Sourced:
    """Return an lr times the square root of a share, to twelve digits where that has no end."""
    lr = finite(base * Fraction(sqrt(finite(share, "batch_size"))), name)
    return derived(name, f"{lr:.12g}", formula)


def _lr(settings: Settings) -> Sourced | None:
    """Return base_lr · sqrt(B / 1024), which takes the place of optim.lr."""
    base, share = settings.number("base_lr"), devices_share(settings, _PER)
    if base is None or share is None:
        return None
    return by_square_root("lr", base, share, f"optim.base_lr · sqrt(B / {_PER})")


def in_steps(name: str, of: str) -> Field:
    """Return the field of a length in steps, of one in epochs of OFFICIAL_EPOCH_LENGTH steps."""
    formula = f"{of} · OFFICIAL_EPOCH_LENGTH"
    return Field(name=name, derive=product_of(name, formula, of, "epoch_length"))


def warmup_of(settings: Settings) -> int | None:
    """Return a warm-up in steps; numpy's linspace reaches the peak one step before its end."""
    return int(settings.number("warmup_steps") or 0) or None


def _schedule(settings: Settings) -> str:
    final = of_lr(settings, "min_lr")
    return compose("cosine", warmup=warmup_of(settings), final=final)


def exempt(_: Settings) -> Exemption:
    """Source: dinov2 b8931f7 dinov2/utils/param_groups.py."""
    return Exemption(rule="names that end in .bias, names with norm or gamma")


def by_layer(settings: Settings, made: Training) -> Training:
    """Return a training with the lr of the patch embedding, and what is said of the blocks."""
    mult = settings.number("patch_embed_lr_mult")
    if mult is not None and mult != 1:
        own = Group(
            name="patch_embed", selector="names with patch_embed", lr_mult=decimal_text(mult)
        )
        made = made.with_groups(own)
    rate = settings.text("layerwise_decay")
    if settings.number("layerwise_decay") == 1:
        return made
    note = f"layerwise_decay {rate}: a block's lr, and its decay of a step, fall towards the input"
    return made.with_notes(note)


def _finish(settings: Settings, made: Training) -> Training:
    return by_layer(settings, over_the_run(settings, made))


# What both DINOv2 and DINOv3 have, with the same defaults.
FIELDS = (
    Field(name="optimizer", default="adamw"),
    *Field.within("optim", weight_decay="0.04", weight_decay_end="0.4"),
    Field(name="beta1", paths=("optim.adamw_beta1",), default="0.9"),
    Field(name="beta2", paths=("optim.adamw_beta2",), default="0.999"),
    Field(name="eps", default="1e-8", source="torch 2.13"),
    Field(name="batch_size", paths=("train.batch_size_per_gpu",), default="64"),
    Field(name="world_size", default="1"),
    Field(name="epoch_length", paths=("train.OFFICIAL_EPOCH_LENGTH",), default="1250"),
    Field(name="epochs_of_length", paths=("optim.epochs",), default="100"),
    in_steps("steps", "epochs_of_length"),
    Field(name="warmup_epochs", paths=("optim.warmup_epochs",), default="10"),
    in_steps("warmup_steps", "warmup_epochs"),
    *Field.within("optim", min_lr="1e-6", patch_embed_lr_mult="0.2", layerwise_decay="0.9"),
)
HARMLESS = (
    "MODEL*", "compute_precision*", "dino*", "ibot*", "train*", "student*", "teacher*", "crops*",
    "evaluation*", "optim.lr", "optim.clip_grad", "optim.freeze_last_layer_epochs",
    "optim.scaling_rule", "gram*", "hrft*", "distillation*", "multidistillation*",
)  # fmt: skip
TRAINER = Trainer(
    kind="dinov2",
    title="DINOv2",
    version="dinov2 b8931f7 ssl_default_config.yaml",
    signatures=(
        Signature(any_of=(*SHARED, "optim.base_lr"), at_least=3, none_of=OF_DINOV3),
        Signature(
            all_of=(SHARED[0],), any_of=(*SHARED[1:], "student.block_chunks"), none_of=OF_DINOV3
        ),
    ),
    fields=(
        *FIELDS[:3],
        Field(name="base_lr", paths=("optim.base_lr",), default="0.004"),
        Field(name="lr", derive=_lr),
        *FIELDS[3:],
    ),
    optimizer=lambda _: ADAMW,
    schedule=_schedule,
    exempt=exempt,
    batch=lambda _: ("batch_size", "world_size"),
    harmless=HARMLESS,
    finish=_finish,
)
