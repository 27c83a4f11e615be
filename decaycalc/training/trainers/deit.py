"""DeiT's main.py and run_with_submitit.py by their flags.

Source: deit 7e160fe main.py, run_with_submitit.py; timm 0.3.2's scheduler and optimizer factory.
"""

from decaycalc.training.reading.arguments import betas
from decaycalc.training.reading.exemptions import TIMM_EXEMPT
from decaycalc.training.reading.optimizers import ADAM, ADAMW, UNDAMPENED_SGD, by_name
from decaycalc.training.reading.schedules import Options, compose, epochs, of_lr
from decaycalc.training.reading.settings import Settings, derived, lr_per, submitit_devices
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Sourced

_PER = 512  # examples, of whose step --lr is the lr
_OPTIMIZERS = {
    "adamw": ADAMW,
    "adam": Optimizer(convention="pytorch-adam", uses=ADAM),
    "sgd": Optimizer(convention="pytorch-sgd", uses=UNDAMPENED_SGD),
    "fusedlamb": Optimizer(convention="apex-fused-lamb", uses=ADAM),
    "fusedadamw": Optimizer(convention="apex-fused-adam", uses=ADAM),
}


def _scaled(settings: Settings) -> Sourced | None:
    """Return --lr · B / 512, or itself with --unscale-lr."""
    if settings.number("base_lr") is None or settings.flag("unscale_lr"):
        return None
    scaled = lr_per(_PER, "lr", base="base_lr", batch=("batch_size", "world_size"))(settings)
    return derived("lr", None, f"lr · B / {_PER}") if scaled is None else scaled


def _schedule(settings: Settings) -> str | None:
    """Source: timm 0.3.2 scheduler/{cosine,step}_lr.py, a step an epoch, the warm-up over it."""
    name, count = settings.word("scheduler"), settings.number("warmup_epochs")
    warm: Options = {"per": "1epochs"}
    if count:
        warm |= {"over": "run", "warmup": epochs(count),
                 "start": of_lr(settings, "warmup_lr")}  # fmt: skip
    if name == "cosine":
        return compose("cosine", **warm, final=of_lr(settings, "min_lr"))
    return None


TRAINER = Trainer(
    kind="deit",
    title="DeiT",
    marks=("create_optimizer", "create_scheduler"),
    version="deit 7e160fe main.py",
    signatures=(
        Signature(
            all_of=("data_path",),
            any_of=("unscale_lr", "distillation_type", "teacher_model", "repeated_aug",
                    "no_repeated_aug", "ThreeAugment", "bce_loss", "eval_crop_ratio",
                    "train_mode", "attn_only"),
            none_of=("blr", "update_freq", "micro_batch_size"),
        ),
    ),
    fields=(
        Field(name="optimizer", paths=("opt",), default="adamw"),
        Field(name="weight_decay", paths=("weight_decay",), default="0.05"),
        Field(name="base_lr", paths=("lr",), default="5e-4"),
        Field(name="unscale_lr", paths=("unscale_lr",), default="false"),
        Field(name="lr", overrule=_scaled, paths=("lr",), default="5e-4"),
        Field(name="momentum", paths=("momentum",), default="0.9"),
        Field(name="nesterov", default="true"),
        *betas("opt_betas", "0.9", "0.999"),
        Field(name="eps", paths=("opt_eps",), default="1e-8"),
        Field(name="batch_size", paths=("batch_size", "batch"), default="64"),
        Field(name="world_size", derive=submitit_devices, default="1"),
        *Field.within("", nodes="2", ngpus="8", epochs="300"),
        Field(name="drop_last", default="true"),
        Field(name="scheduler", paths=("sched",), default="cosine"),
        *Field.within("", warmup_epochs="5", warmup_lr="1e-6", min_lr="1e-5"),
    ),
    optimizer=by_name(_OPTIMIZERS),
    schedule=_schedule,
    exempt=lambda _: TIMM_EXEMPT,
    batch=lambda _: ("batch_size", "world_size"),
    harmless=("teacher*", "distillation*", "mixup*", "cooldown_epochs", "model_ema*",
              "color_jitter", "smoothing"),
)  # fmt: skip
