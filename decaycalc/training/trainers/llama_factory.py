"""LLaMA-Factory's YAML, JSON and flags, on the Hugging Face Trainer.

Source: LLaMA-Factory ff6d4d12e src/llamafactory/train/trainer_utils.py (create_custom_optimizer,
create_custom_scheduler), hparams/{finetuning_args,megatron_bridge_args,parser}.py.
"""

from decaycalc.record import replace
from decaycalc.training.reading.devices import devices_field
from decaycalc.training.reading.exemptions import of_kinds
from decaycalc.training.reading.optimizers import refused
from decaycalc.training.reading.settings import Settings
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Group, Training
from decaycalc.training.trainers import hf_optim, hf_trainer

# Optimizers of its own: they pass weight_decay on, but decide by another rule what is exempt.
_OWN_RULE = ("use_galore", "use_apollo", "use_badam", "loraplus_lr_ratio")
_NOTHING_EXEMPT = ("use_muon", "use_adam_mini")

# Keys that it takes under USE_MCA or USE_MEGATRON_BRIDGE alone.
_MEGATRON = (
    "tensor_model_parallel_size", "pipeline_model_parallel_size", "expert_model_parallel_size",
    "context_parallel_size", "use_distributed_optimizer", "bias_activation_fusion",
    "apply_rope_fusion", "megatron_pretrained_checkpoint",
)  # fmt: skip
# What devices share a micro-batch by, in its Megatron modes and in HyperParallel's.
# Source: LLaMA-Factory ff6d4d12e hparams/{parser,finetuning_args}.py; sequences are shared in
# 360-LLaMA-Factory 6fd8b286 src/llamafactory/data/loader.py.
_PARTS = (
    *_MEGATRON[:2],
    "context_parallel_size",
    "hyper_parallel_cp_size",
    "sequence_parallel_size",
)
_REPLACED = {"adafactor", "lr", "world_size"}


def _optimizer(settings: Settings) -> Optimizer:
    megatron = next((name for name in _MEGATRON if settings.has(name)), None)
    if megatron is not None:
        reason = f"{megatron}: this is its Megatron mode, whose own optimizer and exemptions hold"
        return refused(f"{reason}; give --convention and --value")
    if settings.is_on("use_muon"):
        note = "matrices by Muon and the rest by its AdamW: both decay by lr · weight_decay"
        return Optimizer(convention="muon-keller", note=note)
    return hf_optim.find_optim(settings.text("optimizer") or "", settings)


def _schedule(settings: Settings) -> str | None:
    name = settings.word("scheduler")
    if name == "warmup_stable_decay" and settings.number("num_decay_steps") is None:
        return _filled_in(settings)
    warm = None if name == "constant" else hf_trainer.warmup(settings)
    return hf_trainer.find_schedule(settings, warm)


def _filled_in(settings: Settings) -> str | None:
    """Return the schedule whose decay takes two thirds of what follows the warm-up."""
    steps, warm = settings.count("steps"), settings.number("warmup_steps") or 0
    if steps is None or warm >= steps:
        return None
    remaining = steps - int(warm)
    decay = remaining - remaining // 3
    return hf_trainer.stable_decay(settings, decay, hf_trainer.warmup(settings))


def _exempt(settings: Settings) -> Exemption:
    switch = ", ".join((*_OWN_RULE, *_NOTHING_EXEMPT))
    if any(map(settings.is_on, _NOTHING_EXEMPT)):
        return of_kinds(switch=switch)
    if any(settings.has(name) for name in _OWN_RULE):
        return Exemption(rule="LayerNorm modules and names with bias", switch=switch)
    return replace(hf_trainer.trainer_exempt(settings), switch=switch)


# Source: LLaMA-Factory ff6d4d12e src/llamafactory/hparams.
_USES = frozenset(
    {"use_adam_mini", "use_apollo", "use_asft_loss", "use_audio_in_video", "use_badam",
     "use_dft_loss", "use_dora", "use_eaft_loss", "use_fast_tokenizer", "use_galore",
     "use_hyper_parallel", "use_kt", "use_kv_cache", "use_llama_pro", "use_mca", "use_muon",
     "use_reentrant_gc", "use_rslora", "use_swanlab", "use_unsloth", "use_unsloth_gc",
     "use_v1_kernels", "use_cache", "use_cpu", "use_legacy_prediction_loop", "use_liger_kernel",
     "use_mps_device", "use_fp8", "use_ref_model"}
)  # fmt: skip


def _of_a_fork(settings: Settings) -> str:
    """Return a note on a switch that only a fork has: its optimizer may be one."""
    names = (name for name in settings.document.root.entries if name.startswith("use_"))
    own = (name for name in names if name not in _USES)
    named = [name for name in own if settings.told(name).lower() in {"true", "1", "yes"}]
    if not named:
        return ""
    return f"{', '.join(named)[:100]}: a fork's own, and so may be its optimizer and its decay"


def _finish(settings: Settings, made: Training) -> Training:
    """Give LoRA+'s B matrices their own lr, and say what is a fork's."""
    made = hf_trainer.finish(settings, made).with_notes(_of_a_fork(settings))
    share = settings.text("loraplus_lr_ratio")
    if share is None:
        return made
    settings.number("loraplus_lr_ratio")
    return made.with_groups(Group(name="lora_B", selector="names with lora_B", lr_mult=share))


TRAINER = Trainer(
    kind="llama-factory",
    title="LLaMA-Factory",
    version="transformers 5.24.0",
    signatures=(
        Signature(
            all_of=("stage", "finetuning_type"), any_of=hf_trainer.OWN, none_of=("base_model",)
        ),
    ),
    fields=(
        *(field for field in hf_trainer.FIELDS if field.name not in _REPLACED),
        devices_field(*_PARTS),
        Field(name="lr", paths=("learning_rate",), default="5e-5"),
        *Field.within("", use_muon="false", use_adam_mini="false", loraplus_lr_ratio=None),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=_exempt,
    batch=hf_trainer.batch_of,
    harmless=(*hf_trainer.HARMLESS, "loraplus_lr_embedding", "badam_*", "galore_*", "apollo_*",
              "lora_*", "pref_beta", "ppo_*", "freeze_*"),
    unit=hf_trainer.unit,
    finish=_finish,
)  # fmt: skip
