"""axolotl's YAML, on the Hugging Face Trainer.

Source: axolotl 067b021c8 utils/schemas/training.py, utils/config/__init__.py,
core/builders/base.py, core/trainers/mixins/{optimizer,scheduler}.py.
"""

from fractions import Fraction
from math import ceil

from decaycalc.record import replace
from decaycalc.training.reading.schedules import compose, percent
from decaycalc.training.reading.settings import Settings, derived
from decaycalc.training.reading.trainer import PER_DEVICE, Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Sourced, Training
from decaycalc.training.trainers import hf_trainer

_ADAM = ("beta1", "beta2", "eps")
_OWN = {
    "optimi_adamw": Optimizer(convention="optimi-adamw", uses=_ADAM),
    "ao_adamw_4bit": Optimizer(convention="pytorch-adamw", uses=_ADAM),
    "ao_adamw_8bit": Optimizer(convention="pytorch-adamw", uses=_ADAM),
    "ao_adamw_fp8": Optimizer(convention="pytorch-adamw", uses=_ADAM),
    "adopt_adamw": Optimizer(convention="pytorch-adamw", uses=_ADAM),
    "came_pytorch": Optimizer(convention="pytorch-optimizer-came"),
    "muon": Optimizer(convention="muon-keller"),
    "dion": Optimizer(convention="dion"),
    "flash_adamw": Optimizer(convention="pytorch-adamw", uses=_ADAM),
    "flash_lion": Optimizer(convention="lion-pytorch"),
    "flash_adam": Optimizer(convention="pytorch-adam", uses=_ADAM),
    "flash_sgd": Optimizer(convention="pytorch-sgd", uses=("momentum",)),
}
_NO_SCALAR = ("q_galore_adamw8bit", "sinkgd")
_LEAST_SHARE = Fraction(3, 100)
_MOST_STEPS = 100
_OWN_GROUPS = ("lr_groups", "embedding_lr", "embedding_lr_scale", "loraplus_lr_ratio")


def _optimizer(settings: Settings) -> Optimizer:
    name = settings.word("optimizer")
    if name in _OWN:
        return _OWN[name]
    if name in _NO_SCALAR:
        return Optimizer(convention=None, refusal=f"{name} has no convention here")
    return hf_trainer.find_optim(name, settings)


def _total_steps(settings: Settings) -> int | None:
    """Return the run's steps where they are known: the warm-up is a share of them."""
    steps = settings.number("steps")
    if steps and steps > 0:
        return int(steps)
    size, epochs = settings.number("dataset_size"), settings.number("epochs")
    parts = [settings.number(name) for name in PER_DEVICE]
    if size is None or epochs is None or any(not part for part in parts):
        return None
    batch = Fraction(1)
    for part in parts:
        batch *= part or 1
    return ceil(epochs * ceil(size / batch))


def _warmup(settings: Settings) -> str:
    """Return the warm-up: steps, else a ratio, else min(int(0.03 · steps), 100); 1 becomes 2."""
    steps = settings.number("warmup_steps")
    if steps is not None:
        return str(max(int(steps), 0))
    share, total = settings.number("warmup_ratio"), _total_steps(settings)
    if total is None:
        return percent(_LEAST_SHARE if share is None else share)
    count = min(int(_LEAST_SHARE * total), _MOST_STEPS) if share is None else int(share * total)
    return str(2 if count == 1 else count)


def _note_warmup(settings: Settings) -> str:
    """Return the condition under which 3 % is the warm-up, empty where it is known."""
    if settings.has("warmup_steps") or settings.has("warmup_ratio"):
        return ""
    if _total_steps(settings) is not None:
        return ""
    return "axolotl's default warm-up is min(3 % of the steps, 100): give --steps for its length"


def _schedule(settings: Settings) -> str | None:
    name = settings.word("scheduler")
    if name == "rex":
        return None
    warm = None if (steps := _warmup(settings)) == "0" else steps
    if name == "one_cycle":
        return "one-cycle"
    if name != "cosine":
        return hf_trainer.find_schedule(settings, warm)
    if settings.flag("lr_quadratic_warmup"):  # it knows no least lr
        return compose("cosine", warmup=warm, warmup_power=2)
    final = settings.number("cosine_min_lr_ratio") or None
    constant = settings.number("cosine_constant_lr_ratio")
    length = percent(constant) if constant and final else None  # axolotl asks for both
    return compose("cosine", length=length, final=final, warmup=warm)


def _accumulation(settings: Settings) -> Sourced | None:
    """Return batch_size // micro_batch_size where the file sets the whole batch of a device."""
    whole, micro = settings.count("device_batch_size"), settings.count("batch_size")
    if whole is None or micro is None:
        return None
    return derived("grad_accum", str(max(whole // micro, 1)), "batch_size // micro_batch_size")


def _exempt(settings: Settings) -> Exemption:
    usual, switch = hf_trainer.trainer_exempt(settings), ", ".join(_OWN_GROUPS)
    if any(settings.has(key) for key in _OWN_GROUPS):
        rule = f"{usual.rule}; embeddings, lm_head and modules_to_save too"
        return Exemption(rule=rule, switch=switch)
    return replace(usual, switch=switch)


def _unit(settings: Settings) -> str:
    if settings.flag("sample_packing"):
        length = settings.text("sequence_len") or "?"
        return f"packs of {length[:12]} tokens"
    return "examples"


def _finish(settings: Settings, made: Training) -> Training:
    note = _note_warmup(settings)
    return replace(made, notes=(*made.notes, note)) if note else made


_REPLACED = {"optimizer", "weight_decay", "lr", "batch_size", "grad_accum", "epochs", "scheduler",
             "warmup_steps", "warmup_ratio", "adafactor", "steps"}  # fmt: skip

_OF_THE_TRAINER = tuple(
    replace(field, source=field.source or hf_trainer.VERSION)
    for field in hf_trainer.FIELDS
    if field.name not in _REPLACED
)

TRAINER = Trainer(
    kind="axolotl",
    title="axolotl",
    version="axolotl 067b021c8",
    signatures=(
        Signature(
            all_of=("base_model",),
            any_of=("micro_batch_size", "gradient_accumulation_steps", "datasets"),
            at_least=1,
        ),
    ),
    fields=(
        Field(name="optimizer", paths=("optimizer",), default="adamw_torch_fused"),
        Field(name="weight_decay", paths=("weight_decay",), default="0"),
        Field(name="lr", paths=("learning_rate",)),
        Field(name="device_batch_size", paths=("batch_size",)),
        Field(name="batch_size", paths=("micro_batch_size",), default="1"),
        Field(name="grad_accum", paths=("gradient_accumulation_steps",), default="1",
              derive=_accumulation),
        Field(name="steps", paths=("max_steps",), absent=("-1", "0")),
        Field(name="epochs", paths=("num_epochs",), default="1"),
        Field(name="dataset_size"),
        Field(name="scheduler", paths=("lr_scheduler",), default="cosine"),
        Field(name="warmup_steps", paths=("warmup_steps",)),
        Field(name="warmup_ratio", paths=("warmup_ratio",)),
        Field(name="cosine_min_lr_ratio", paths=("cosine_min_lr_ratio",)),
        Field(name="cosine_constant_lr_ratio", paths=("cosine_constant_lr_ratio",)),
        Field(name="lr_quadratic_warmup", paths=("lr_quadratic_warmup",), default="false"),
        Field(name="sample_packing", paths=("sample_packing",), default="false"),
        Field(name="sequence_len", paths=("sequence_len",), default="512"),
        *_OF_THE_TRAINER,
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=_exempt,
    harmless=(*hf_trainer.HARMLESS, "datasets*", "test_datasets*", "wandb_*", "lora_*",
              "lr_groups*",              "micro_batch_size", "evals_per_epoch", "saves_per_epoch"),
    unit=_unit,
    finish=_finish,
)  # fmt: skip
