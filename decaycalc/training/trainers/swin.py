"""Swin Transformer's YAML configurations, and those of its many descendants.

Source: Swin-Transformer f82860b config.py, main.py, optimizer.py, lr_scheduler.py.
"""

from fractions import Fraction

from decaycalc.training.reading.arguments import betas
from decaycalc.training.reading.decays import by_layer
from decaycalc.training.reading.exemptions import TIMM_EXEMPT
from decaycalc.training.reading.optimizers import ADAM, ADAMW, UNDAMPENED_SGD, by_name
from decaycalc.training.reading.schedules import Options, compose, epochs, ratio
from decaycalc.training.reading.settings import Settings, by_default, left_open, lr_per
from decaycalc.training.reading.trainer import PER_DEVICE, Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Sourced, Training

_OPTIMIZERS = {
    "adamw": ADAMW,
    "sgd": Optimizer(convention="pytorch-sgd", uses=UNDAMPENED_SGD),
    "fused_adam": Optimizer(convention="apex-fused-adam", uses=ADAM),
    "fused_lamb": Optimizer(convention="apex-fused-lamb", uses=ADAM),
}
# main.py sets lr after the optimizer's step, by the index of that step.
_DELAY = 1
_LEAST_LINEAR = Fraction(1, 100)


# Whether a fork's program counts its cosine from the end of the warm-up, by MODEL.TYPE: many were
# made before config.py had the key, and hand timm no warmup_prefix.
_PREFIX = {
    **dict.fromkeys(("swin", "swinv2", "swin_mlp", "swin_moe"),
                    ("true", "Swin-Transformer f82860b")),
    "vssm": ("true", "VMamba 2ed52ea"),
    "iwin": ("true", "Iwin-Transformer 84c7fb8"),
    "vit": ("false", "SimMIM d3e29bc"),
    "tiny_vit": ("false", "Cream 4a13c40 TinyViT"),
    **dict.fromkeys(("intern_image", "intern_image_meta_former"), ("false", "InternImage 31c962d")),
}  # fmt: skip


def _prefix(settings: Settings) -> Sourced:
    """Return what the program of the file's model says; that of another model is not known."""
    model = "".join(settings.texts("MODEL.TYPE"))
    if model in _PREFIX:
        return by_default("warmup_prefix", *_PREFIX[model])
    note = f"MODEL.TYPE {model[:40]}: whether its program's cosine begins after the warm-up"
    return left_open("warmup_prefix", note, where="TRAIN.LR_SCHEDULER.WARMUP_PREFIX")


def _is_plain(settings: Settings) -> bool:
    return settings.texts("MODEL.TYPE") == ("vit",)


def _schedule(settings: Settings) -> str | None:
    """Source: lr_scheduler.py, build_scheduler: timm's schedulers, stepped with the optimizer."""
    name = settings.word("scheduler")
    count = settings.number("warmup_epochs")
    warm: Options = {}
    if count:
        warm = {"warmup": epochs(count), "start": ratio(settings, "warmup_lr", "base_lr") or None}
    if name == "cosine":
        if count and settings.text("warmup_prefix") is None:
            return None
        over = "run" if count and not settings.flag("warmup_prefix") else None
        final = ratio(settings, "min_lr", "base_lr") or None
        return compose("cosine", **warm, final=final, over=over, delay=_DELAY)
    if name == "linear":
        return compose("linear", **warm, final=_LEAST_LINEAR, delay=_DELAY)
    gamma = settings.number("gamma" if name == "multistep" else "decay_rate")
    if name == "step":
        every = epochs(settings.number("decay_epochs") or Fraction(1))
        return compose("step", every=every, gamma=gamma, **warm, delay=_DELAY)
    at = "/".join(settings.texts("TRAIN.LR_SCHEDULER.MULTISTEPS"))
    if name != "multistep" or not at:
        return None
    return compose("step", at=f"{at}epochs", gamma=gamma, **warm, delay=_DELAY)


def _finish(settings: Settings, made: Training) -> Training:
    """Give earlier layers less lr, as main_simmim_ft.py alone does; a ViT's are SimMIM's.

    Source: SimMIM d3e29bc optimizer.py.
    """
    return by_layer(made, settings, "beit" if _is_plain(settings) else "swin")


_SCHEDULER = "TRAIN.LR_SCHEDULER"

TRAINER = Trainer(
    kind="swin",
    title="Swin Transformer",
    version="Swin-Transformer f82860b",
    signatures=(
        Signature(
            all_of=("MODEL.TYPE",),
            any_of=("TRAIN.BASE_LR", "TRAIN.WARMUP_LR", "TRAIN.WARMUP_EPOCHS", "TRAIN.MIN_LR",
                    "TRAIN.EPOCHS", "MODEL.SWIN.EMBED_DIM", "MODEL.SWINV2.EMBED_DIM",
                    "MODEL.SWIN_MLP.EMBED_DIM", "MODEL.SWIN_MOE.EMBED_DIM"),
            none_of=("SOLVER.BASE_LR",),
        ),
    ),
    fields=(
        Field(name="optimizer", paths=("optim", "TRAIN.OPTIMIZER.NAME"), default="adamw"),
        Field(name="weight_decay", paths=("TRAIN.WEIGHT_DECAY",), default="0.05"),
        Field(name="base_lr", paths=("TRAIN.BASE_LR",), default="5e-4"),
        Field(name="lr", derive=lr_per(512, "TRAIN.BASE_LR", base="base_lr", batch=PER_DEVICE)),
        *betas("TRAIN.OPTIMIZER.BETAS", "0.9", "0.999"),
        Field(name="eps", paths=("TRAIN.OPTIMIZER.EPS",), default="1e-8"),
        Field(name="momentum", paths=("TRAIN.OPTIMIZER.MOMENTUM",), default="0.9"),
        Field(name="nesterov", default="true"),
        Field(name="batch_size", paths=("batch_size", "DATA.BATCH_SIZE"), default="128"),
        Field(name="grad_accum", default="1", absent=("0",),
              paths=("accumulation_steps", "TRAIN.ACCUMULATION_STEPS")),
        Field(name="world_size", default="1"),
        Field(name="epochs", paths=("TRAIN.EPOCHS",), default="300"),
        Field(name="drop_last", default="true", source="Swin-Transformer f82860b data/build.py"),
        Field(name="scheduler", paths=(f"{_SCHEDULER}.NAME",), default="cosine"),
        Field(name="warmup_epochs", paths=("TRAIN.WARMUP_EPOCHS",), default="20"),
        Field(name="warmup_lr", paths=("TRAIN.WARMUP_LR",), default="5e-7"),
        Field(name="min_lr", paths=("TRAIN.MIN_LR",), default="5e-6"),
        Field(name="warmup_prefix", paths=(f"{_SCHEDULER}.WARMUP_PREFIX",), derive=_prefix),
        Field(name="decay_epochs", paths=(f"{_SCHEDULER}.DECAY_EPOCHS",), default="30"),
        Field(name="decay_rate", paths=(f"{_SCHEDULER}.DECAY_RATE",), default="0.1"),
        Field(name="gamma", paths=(f"{_SCHEDULER}.GAMMA",), default="0.1"),
        Field(name="layer_decay", paths=("TRAIN.LAYER_DECAY",)),
    ),
    optimizer=by_name(_OPTIMIZERS),
    schedule=_schedule,
    exempt=lambda _: TIMM_EXEMPT,
    harmless=("MODEL*", "DATA*", "AUG*", "TEST*", "TRAIN.CLIP_GRAD", "TRAIN.LR_SCHEDULER*",
              "TRAIN.AUTO_RESUME", "TRAIN.EMA*", "SAVE_FREQ", "PRINT_FREQ", "AMP*"),
    finish=_finish,
)  # fmt: skip
