"""BEiT's scripts by their flags, and VideoMAE's, which were made from them.

Source: unilm 768a3c8 beit/run_{class_finetuning,beit_pretraining}.py, beit2/run_*.py; VideoMAE
14ef8d8 run_{class_finetuning,mae_pretraining}.py, utils.py. Scripts that were made from VideoMAE's:
unmasked_teacher 4fb4049 single_modality/run_*.py, VideoMamba f3427e4 video_sm/run_*.py.
"""

from decaycalc.record import replace
from decaycalc.training.reading.decays import by_layer, over_the_run
from decaycalc.training.reading.numbers import decimal_text
from decaycalc.training.reading.optimizers import ADAM
from decaycalc.training.reading.settings import Settings, by_default, derived, left_open
from decaycalc.training.reading.trainer import PER_DEVICE, Derive, Field, Optimizer, Signature
from decaycalc.training.record import Sourced, Training
from decaycalc.training.trainers import convnext

_SCRIPTS = ("run_class_finetuning.py", "run_beit_pretraining.py", "run_beitv2_pretraining.py",
            "run_mae_pretraining.py", "run_umt_pretraining.py",
            "run_videomamba_pretraining.py")  # fmt: skip
_OF_VIDEO = ("num_frames", "sampling_rate", "num_sample", "short_side_size", "tubelet_size",
             "mask_type", "test_num_segment", "test_num_crop", "decoder_depth")  # fmt: skip
_OF_BEIT = ("rel_pos_bias", "disable_rel_pos_bias", "abs_pos_emb", "layer_scale_init_value",
            "disable_weight_decay_on_rel_pos_bias", "shared_rel_pos_bias", "num_mask_patches",
            "discrete_vae_weight_path", "tokenizer_weight")  # fmt: skip
# What the scripts of unmasked_teacher, InternVideo2 and VideoMamba alone take, or are named.
_OF_FORK = ("prefix", "split", "test_best", "use_decord", "delete_head", "checkpoint_num",
            "orig_t_size", "use_learnable_pos_emb", "clip_teacher")  # fmt: skip
_BEIT, _VIDEOMAE = "unilm 768a3c8 beit", "VideoMAE 14ef8d8"
# What BEiT's parsers of fine-tuning and pre-training default to, then VideoMAE's.
_DEFAULTS = {
    "lr": ("5e-4", "5e-4", "1e-3", "1.5e-4"),
    "min_lr": ("1e-6", "1e-5", "1e-6", "1e-5"),
    "epochs": ("30", "300", "30", "800"),
    "warmup_epochs": ("5", "5", "5", "40"),
    "layer_decay": ("0.9", "1", "0.75", "1"),
}
_PER = 256  # examples, of whose step VideoMAE's --lr is the lr


def _is_video(settings: Settings) -> bool | None:
    """Return whether it is VideoMAE's script, None where nothing tells it from BEiT's."""
    program = settings.document.program
    if any(map(settings.has, _OF_VIDEO)) or _is_fork(settings):
        return True
    is_beit = "beit" in program or "beit" in settings.told("model")
    return False if is_beit or any(map(settings.has, _OF_BEIT)) else None


def _is_fork(settings: Settings) -> bool:
    """Return whether it is a script that was made from VideoMAE's, whose --lr is of 256 clips."""
    of_its_own = any(map(settings.has, _OF_FORK))
    return of_its_own or any(name in settings.document.program for name in ("umt", "videomamba"))


def _default(settings: Settings, field: Field) -> Sourced | None:
    """Return the default that the script has for a field; it is open which script that is."""
    name, is_video = field.name.removeprefix("base_"), _is_video(settings)
    if name not in _DEFAULTS:
        return None
    if is_video is None:
        note = f"{name} is not set, and BEiT's script and VideoMAE's have their own"
        return left_open(name, note, where=f"the script's {name}")
    value = _DEFAULTS[name][2 * is_video + ("pretraining" in settings.document.program)]
    return by_default(name, value, _VIDEOMAE if is_video else _BEIT)


def _scaled(name: str) -> Derive:
    """Return VideoMAE's scaling of an lr by the batch; another program by that script's is open."""

    def overrule(settings: Settings) -> Sourced | None:
        is_video = _is_video(settings)
        base = None if is_video is False else settings.number(f"base_{name}")
        if base is None:
            return None
        if is_video is None:
            note = f"BEiT takes {name} as it is, VideoMAE {name} · B / {_PER}: give --lr"
            return left_open(name, note, where=name)
        clips = _clips(settings) if _is_fork(settings) else 1
        scaled = base * (settings.product(*PER_DEVICE, whole=True) or 0) * (clips or 0) / _PER
        counted = "B" if clips == 1 else "B · num_sample"
        where = f"{name} · {counted} / {_PER}"
        return derived(name, decimal_text(scaled) if scaled else None, where)

    return overrule


def _optimizer(settings: Settings) -> Optimizer:
    """Return the flag's, or with DeepSpeed its Adam, whose adam_w_mode the script turns on."""
    if settings.has("enable_deepspeed"):
        return Optimizer(convention="deepspeed-adam", uses=ADAM)
    return convnext.TRAINER.optimizer(settings)


def _clips(settings: Settings) -> int | None:
    """Return the clips that are taken of each video: several by default in fine-tuning alone."""
    is_fine = "finetuning" in settings.document.program and _is_video(settings)
    return settings.count("num_sample") if is_fine or settings.has("num_sample") else 1


def _unit(settings: Settings) -> str:
    """Return what B counts: videos, each of which is taken several clips of."""
    count = _clips(settings)
    return "examples" if count == 1 else f"videos of {count or 'several'} clips"


def _finish(settings: Settings, made: Training) -> Training:
    return by_layer(over_the_run(settings, made), settings, "beit")


_OWN = {
    "lr": (
        Field(name="base_lr", paths=("lr",)),
        Field(name="lr", paths=("lr",), overrule=_scaled("lr")),
    ),
    "min_lr": (
        Field(name="base_min_lr", paths=("min_lr",)),
        Field(name="min_lr", paths=("min_lr",), overrule=_scaled("min_lr")),
    ),
    **{
        name: (Field(name=name, paths=(name,)),)
        for name in ("epochs", "warmup_epochs", "layer_decay")
    },
    "world_size": (Field(name="world_size", default="1"),),
    "nodes": (),
    "ngpus": (Field(name="num_sample", paths=("num_sample",), default="2", source=_VIDEOMAE),),
}  # fmt: skip

TRAINER = replace(
    convnext.TRAINER,
    kind="beit",
    title="BEiT and VideoMAE",
    version="unilm 768a3c8 and VideoMAE 14ef8d8",
    signatures=tuple(
        Signature(
            all_of=(f"program:{script}",),
            any_of=("data_path", "model", "opt", "lr", "batch_size", "output_dir", "epochs"),
            at_least=2,
            none_of=("blr",),
        )
        for script in _SCRIPTS
    ),
    fields=tuple(
        each for field in convnext.TRAINER.fields for each in _OWN.get(field.name, (field,))
    ),
    optimizer=_optimizer,
    default=_default,
    unit=_unit,
    finish=_finish,
)
