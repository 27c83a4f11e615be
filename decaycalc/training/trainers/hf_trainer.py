"""Hugging Face's Trainer: TrainingArguments as YAML, JSON, flags or a dump; TRL, LLaMA-Factory.

Source: transformers 5.24.0 and 4.57.6 training_args.py, trainer.py, trainer_optimizer.py,
optimization.py; trl 1.10.0.dev0 (f2cd57710); LLaMA-Factory ff6d4d12e.
"""

from collections.abc import Callable
from fractions import Fraction

from decaycalc.record import replace
from decaycalc.training.reading.arguments import argument
from decaycalc.training.reading.devices import devices_field
from decaycalc.training.reading.numbers import decimal_text, from_zero
from decaycalc.training.reading.schedules import compose, percent, ratio
from decaycalc.training.reading.settings import Settings, derived, left_open
from decaycalc.training.reading.trainer import PER_DEVICE, Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Group, Sourced, Training
from decaycalc.training.trainers import hf_deepspeed, hf_optim, hf_passes
from decaycalc.training.trainers.syntax.tree import ARGUMENT_CLASSES, OF_TRL, Scalar

VERSION = "transformers 5.24.0"

# Two of these are the Trainer's; one of them with one of those that other programs took over.
OWN = (
    "per_device_train_batch_size", "per_device_eval_batch_size", "num_train_epochs",
    "lr_scheduler_type", "warmup_ratio", "eval_strategy", "evaluation_strategy", "save_strategy",
    "logging_strategy", "gradient_checkpointing_kwargs", "optim_args",
)  # fmt: skip
_SHARED = (
    "adam_beta1", "adam_beta2", "adam_epsilon", "gradient_accumulation_steps", "max_grad_norm",
)  # fmt: skip
# Names that others have too: one of them beside the first of the Trainer's own.
_BESIDE = ("optim", "max_steps", "output_dir", "save_steps", "logging_steps", "report_to")
# axolotl, SimpleTuner, diffusers, examples without the Trainer, DeepSpeed-Chat, DPR, the scripts of
# BERT's days and loops of one's own on DeepSpeed or Accelerate have these beside the Trainer's
# names; TrainingArguments takes no such flags.
_OTHER_PROGRAMS = (
    "base_model", "model_family", "lr_warmup_steps", "max_train_steps", "flag:num_warmup_steps",
    "flag:actor_learning_rate", "flag:bert_model", "warmup_proportion", "adam_betas",
    "flag:train_batch_size", "flag:warmup_percentage", "dev_batch_size",
    "flag:checkpointing_steps", "flag:snr_gamma", "flag:adam_weight_decay",
    "train_micro_batch_size_per_gpu", "mixed_precision",
)  # fmt: skip
# What runs a program on the Trainer: its class, and those of TRL.
MARKS = (
    "Trainer", "Seq2SeqTrainer", "SFTTrainer", "DPOTrainer", "GRPOTrainer", "RewardTrainer",
    "ORPOTrainer", "KTOTrainer", "CPOTrainer", "RLOOTrainer", "BCOTrainer", "GKDTrainer",
    "PPOTrainer", "OnlineDPOTrainer",
)  # fmt: skip
# Keys that only TRL's trainers have, whose default learning rates differ.
_TRL = ("dataset_mixture", "loss_type", "num_generations", "packing", "max_length")


def _optimizer(settings: Settings) -> Optimizer:
    name = settings.text("optimizer") or ""
    return hf_optim.find_optim("adafactor" if settings.is_on("adafactor") else name, settings)


def warmup(settings: Settings) -> str | None:
    """Return the warm-up as a length: steps, else the ratio of the run."""
    steps = settings.number("warmup_steps") or Fraction(0)
    if 0 < steps < 1:  # transformers 5 takes a share here
        return percent(steps)
    if steps >= 1:
        return str(int(steps))
    share = settings.number("warmup_ratio") or Fraction(0)
    return percent(share) if share > 0 else None


def find_schedule(settings: Settings, warm: str | None) -> str | None:
    """Return `get_scheduler`'s schedule with a warm-up as a text, None where it has none here.

    Source: transformers 5.24.0 optimization.py.
    """
    if hf_deepspeed.takes(settings, "scheduler"):
        return hf_deepspeed.schedule(settings, warm or warmup(settings))
    make = _SCHEDULES.get(settings.word("scheduler").rpartition(".")[2])
    return None if make is None else make(settings, warm)


def _schedule(settings: Settings) -> str | None:
    name = settings.word("scheduler").rpartition(".")[2]
    return find_schedule(settings, None if name == "constant" else warmup(settings))


def _goes_down_once(settings: Settings) -> bool:
    """Return whether a cosine is half a cycle: any other goes up again, or not to its end."""
    return settings.number("num_cycles") == Fraction(1, 2)


def _cosine(settings: Settings, warm: str | None) -> str | None:
    return None if not _goes_down_once(settings) else compose("cosine", warmup=warm)


def _cosine_with_min_lr(settings: Settings, warm: str | None) -> str | None:
    final = settings.number("min_lr_rate")
    final = ratio(settings, "min_lr", "lr") if final is None else final
    if final is None or not _goes_down_once(settings):  # the Trainer refuses the first too
        return None
    return compose("cosine", final=final, warmup=warm)


def _warmup_with_min_lr(settings: Settings, warm: str | None) -> str | None:
    """Return the cosine that is a step ahead, its warm-up too; None with a rate of its own."""
    plain = _cosine_with_min_lr(settings, warm)
    if plain is None or settings.number("warmup_lr_rate") is not None:
        return None
    return plain.replace("cosine", "cosine_warmup_with_min_lr", 1)


def stable_decay(settings: Settings, decay: int | None, warm: str | None) -> str | None:
    """Return warm-up, stable, decay; the warm-up begins where the decay ends."""
    own_length = settings.number("num_stable_steps") is not None
    if decay is None or own_length or settings.word("warmup_type") != "linear":
        return None
    low = settings.number("min_lr_ratio") or None
    shape = settings.text("decay_type")
    if shape == "cosine" and not _goes_down_once(settings):
        return None
    return compose("wsd", decay=decay, shape=shape, final=low, warmup=warm, start=warm and low)


_Make = Callable[[Settings, str | None], str | None]

# The schedules that every program on `get_scheduler` has alike; a constant one takes no warm-up.
COMMON: dict[str, _Make] = {
    "linear": lambda _, warm: compose("linear", warmup=warm),
    "constant": lambda _, __: "constant",
    "constant_with_warmup": lambda _, warm: compose("constant", warmup=warm),
    "inverse_sqrt": lambda settings, warm: compose(
        "inverse-sqrt", timescale=settings.count("timescale"), warmup=warm
    ),
}
_SCHEDULES: dict[str, _Make] = {
    **COMMON,
    "cosine": _cosine,
    "polynomial": lambda settings, warm: compose(
        "polynomial", power=settings.number("power"), final=ratio(settings, "lr_end", "lr"),
        warmup=warm,
    ),
    "cosine_with_restarts": lambda settings, warm: compose(
        "cosine-restarts", cycles=settings.count("num_restarts"), warmup=warm
    ),
    "cosine_with_min_lr": _cosine_with_min_lr,
    "cosine_warmup_with_min_lr": _warmup_with_min_lr,
    "warmup_stable_decay": lambda settings, warm: stable_decay(
        settings, settings.count("num_decay_steps"), warm
    ),
}  # fmt: skip


def trainer_exempt(settings: Settings) -> Exemption:
    """Return the Trainer's rule; an optimizer of DeepSpeed's own takes every tensor.

    Source: transformers 5.24.0 trainer.py, get_decay_parameter_names.
    """
    if hf_deepspeed.takes(settings, "optimizer"):
        return hf_deepspeed.NOTHING
    return Exemption(
        rule="names with bias, layernorm, rmsnorm, norm or _norm, and nn.LayerNorm modules",
        mask="hf",
    )


def _derive_lr(settings: Settings) -> Sourced | None:
    """Return what holds where the learning rate is not set: TRL's trainers have their own."""
    is_trl = settings.has("dataset_name") and settings.has("model_name_or_path")
    # transformers' own examples, run_clm.py and the like, have the Trainer's default.
    is_trl = is_trl and not settings.document.program.rpartition("/")[2].startswith("run_")
    is_trl = is_trl or settings.document.program in OF_TRL
    if is_trl or any(settings.has(key) for key in _TRL):
        note = "learning_rate is not set: TRL's trainers differ (SFT 2e-5, DPO and GRPO 1e-6 ...)"
        return left_open("lr", note)
    return None


def _other_epochs(settings: Settings) -> Sourced | None:
    """Return the epochs under the name that programs beside the Trainer have, as open-instruct.

    Beside mini-batches of rollouts they are passes over those, and the run has no length in epochs.
    """
    if not settings.has("num_epochs"):
        return None
    if settings.has("num_mini_batches"):
        return left_open("epochs", "num_epochs counts passes over rollouts: give --steps")
    return settings.read("epochs", "num_epochs")


def unit(settings: Settings) -> str:
    """Return what B counts."""
    if prompts := hf_passes.unit(settings):
        return prompts
    packing = settings.node("packing")
    is_packed = isinstance(packing, Scalar) and (packing.text or "").lower() == "true"
    return "packed sequences" if is_packed else "examples"


# Parts of a model that programs on the Trainer give an lr of their own; their decay is the rest's.
# Source: LLaVA c121f04 and LLaVA-NeXT df17966 llava/train/llava_trainer.py; 2U1/Qwen2-VL-Finetune
# 6695161 src/trainer/sft_trainer.py; ms-swift 3602360a5 swift/optimizers/multimodal.py.
_PARTS = {
    "mm_projector_lr": "names with mm_projector",
    "mm_vision_tower_lr": "names with vision_tower",
    "vision_lr": "names with visual",
    "merger_lr": "names with merger",
    "vit_lr": "the vision tower",
    "aligner_lr": "what lies between vision tower and language model",
}


def _part_groups(settings: Settings) -> tuple[Group, ...]:
    """Return the parts of a model with an lr of their own."""
    texts = {name: settings.told(name) for name in _PARTS}
    return tuple(
        Group(name=name.removesuffix("_lr"), selector=_PARTS[name], lr=lr)
        for name, text in texts.items()
        if (lr := from_zero(text)) is not None
    )


_SPLIT = ("split_batches", "accelerator_config.split_batches")


def batch_of(settings: Settings) -> tuple[str, ...]:
    """Return what makes up B: `split_batches` splits a device's batch among all devices.

    Source: transformers 5.24.0 training_args.py, train_batch_size; accelerate, Accelerator.
    """
    is_said = any(settings.has(path) for path in _SPLIT)
    return ("batch_size", "grad_accum") if is_said and settings.flag("split") else PER_DEVICE


def _of_one_process(settings: Settings) -> Sourced | None:
    """Return the devices of one process, which a W&B dump tells: its whole batch over a device's.

    Source: transformers 5.24.0 training_args.py, to_sanitized_dict, train_batch_size.
    """
    if not (settings.has("train_batch_size") and settings.has("eval_batch_size")):
        return None
    whole, own = settings.number("whole_batch_size"), settings.number("batch_size")
    if not whole or not own or (whole / own).denominator != 1 or whole == own:
        return None
    return derived("world_size", decimal_text(whole / own), "train_batch_size / a device's")


def finish(settings: Settings, made: Training) -> Training:
    """Give parts their own lr, and name the DeepSpeed file that may set the optimizer itself."""
    made = hf_passes.by_prompts(settings, made).with_groups(*_part_groups(settings))
    return made.with_notes(hf_deepspeed.note_on(settings))


# Source: transformers 5.24.0 trainer.py, get_total_train_batch_size.
FIELDS = (
    Field(name="optimizer", paths=("optim",), default="adamw_torch"),
    Field(name="adafactor", paths=("adafactor",), default="false", source="transformers 4.57.6"),
    Field(name="weight_decay", paths=("weight_decay",), default="0"),
    Field(name="lr", paths=("learning_rate",), default="5e-5", derive=_derive_lr),
    Field(name="beta1", paths=("adam_beta1",), default="0.9"),
    Field(name="beta2", paths=("adam_beta2",), default="0.999"),
    Field(name="eps", paths=("adam_epsilon",), default="1e-8"),
    argument("momentum", "optim_args", default="0"),
    argument("dampening", "optim_args", default="0"),
    argument("nesterov", "optim_args", default="false"),
    argument("decouple_lr", "optim_args", default="false"),
    Field(
        name="batch_size",
        paths=("per_gpu_train_batch_size", "per_device_train_batch_size"),
        default="8",
    ),
    Field(name="grad_accum", paths=("gradient_accumulation_steps",), default="1"),
    replace(
        devices_field(*(f"parallelism_config.{name}_size" for name in ("tp", "cp", "sp"))),
        derive=_of_one_process,
    ),
    Field(name="whole_batch_size", paths=("train_batch_size",)),
    Field(name="split_batches", paths=_SPLIT, default="false"),
    Field(name="steps", paths=("max_steps",), absent=("-1", "0"), overrule=hf_passes.steps),
    Field(
        name="epochs",
        paths=("num_train_epochs",),
        default="3",
        overrule=hf_passes.epochs,
        derive=_other_epochs,
    ),
    *hf_passes.FIELDS,
    Field(name="drop_last", paths=("dataloader_drop_last",), default="false"),
    Field(name="scheduler", paths=("lr_scheduler_type",), default="linear"),
    Field(name="warmup_steps", paths=("warmup_steps",), default="0"),
    Field(name="warmup_ratio", paths=("warmup_ratio",), default="0", source="transformers 4.57.6"),
    argument("num_cycles", "lr_scheduler_kwargs", default="0.5"),
    argument("num_restarts", "lr_scheduler_kwargs", key="num_cycles", default="1"),
    argument("power", "lr_scheduler_kwargs", default="1"),
    argument("lr_end", "lr_scheduler_kwargs", default="1e-7"),
    argument("timescale", "lr_scheduler_kwargs"),
    argument("min_lr", "lr_scheduler_kwargs"),
    argument("min_lr_rate", "lr_scheduler_kwargs"),
    argument("warmup_lr_rate", "lr_scheduler_kwargs"),
    argument("num_decay_steps", "lr_scheduler_kwargs"),
    argument("num_stable_steps", "lr_scheduler_kwargs"),
    argument("warmup_type", "lr_scheduler_kwargs", default="linear"),
    argument("decay_type", "lr_scheduler_kwargs", default="cosine"),
    argument("min_lr_ratio", "lr_scheduler_kwargs", default="0"),
)

# Names that sound as if they mattered; they say when to evaluate, log and save, how to compute,
# or belong to another loss. Source: the fields of TrainingArguments and of TRL's configurations.
HARMLESS = (
    "accelerator_config*", "auto_find_batch_size", "train_batch_size", "gradient_checkpointing*",
    "num_epochs", "num_mini_batches", "include_num_input_tokens_seen", "torch_empty_cache_steps",
    "beta", "ref_model_sync_steps",
    "ddp_*", "fsdp*", "dispatch_batches", "split_batches", "per_gpu_eval_batch_size",
    "optim_target_modules", "batch_eval_metrics", "hub_*", "vllm_*", "steps_per_generation",
    "num_iterations", "generation_batch_size", "lr_scheduler_kwargs*", "optim_args*",
    "sync_ref_model", *_PARTS, "model_init_kwargs*", "group_by_length",
)  # fmt: skip

TRAINER = Trainer(
    kind="hf-trainer",
    title="Hugging Face Trainer",
    version=VERSION,
    signatures=(
        Signature(any_of=OWN, at_least=2, none_of=_OTHER_PROGRAMS),
        *(Signature(all_of=(key,), any_of=_SHARED, none_of=_OTHER_PROGRAMS) for key in OWN),
        Signature(all_of=OWN[:1], any_of=_BESIDE, none_of=_OTHER_PROGRAMS),
        Signature(any_of=tuple(f"program:{name}" for name in ARGUMENT_CLASSES)),
    ),
    fields=FIELDS,
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=trainer_exempt,
    batch=batch_of,
    harmless=HARMLESS,
    unit=unit,
    finish=finish,
    arguments=OWN,
    marks=MARKS,
)
