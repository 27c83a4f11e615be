"""axolotl's YAML, on the Hugging Face Trainer.

Source: axolotl 067b021c8 utils/schemas/training.py, utils/config/__init__.py,
core/builders/base.py, core/trainers/mixins/{optimizer,scheduler}.py.
"""

from fractions import Fraction
from math import ceil

from decaycalc.record import replace
from decaycalc.training.reading.arguments import argument
from decaycalc.training.reading.devices import devices_field
from decaycalc.training.reading.numbers import decimal_text, typed_number
from decaycalc.training.reading.optimizers import ADAM, ADAMW, refused
from decaycalc.training.reading.schedules import compose, percent
from decaycalc.training.reading.settings import Settings, derived, texts_of, unit_of
from decaycalc.training.reading.trainer import PER_DEVICE, Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Group, Origin, Sourced, Training
from decaycalc.training.trainers import hf_deepspeed, hf_optim, hf_passes, hf_trainer

_OWN = {
    "optimi_adamw": Optimizer(convention="optimi-adamw", uses=ADAM),
    "ao_adamw_4bit": ADAMW,
    "ao_adamw_8bit": ADAMW,
    "ao_adamw_fp8": ADAMW,
    "adopt_adamw": ADAMW,
    "came_pytorch": Optimizer(convention="pytorch-optimizer-came"),
    "muon": Optimizer(convention="muon-keller"),
    "dion": Optimizer(convention="dion"),
    "flash_adamw": ADAMW,
    "flash_lion": Optimizer(convention="lion-pytorch"),
    "flash_adam": Optimizer(convention="pytorch-adam", uses=ADAM),
    "flash_sgd": Optimizer(convention="pytorch-sgd", uses=("momentum",)),
}
_NO_SCALAR = ("q_galore_adamw8bit", "sinkgd")
_LEAST_SHARE = Fraction(3, 100)  # of the steps, its warm-up unless the file says one
_MOST_STEPS = 100
_OWN_GROUPS = ("lr_groups", "embedding_lr", "embedding_lr_scale")
_PARALLEL = ("tensor_parallel_size", "context_parallel_size")
_MESH = ("dp_shard_size", "dp_replicate_size", *_PARALLEL)


def _optimizer(settings: Settings) -> Optimizer:
    """Return what axolotl's optimizer makes of weight_decay; LoRA+ gives it to no weight.

    Source: peft 0.18.0 optimizers/loraplus.py: its groups have loraplus_weight_decay, 0.0, which
    axolotl 067b021c8 core/trainers/mixins/optimizer.py does not set.
    """
    made = _by_name(settings)
    if not settings.has("loraplus_lr_ratio") or made.refusal:
        return made
    where = "peft 0.18.0 optimizers/loraplus.py"
    zero = Sourced(name="weight_decay", value="0", origin=Origin.DERIVED, where=where)
    note = "axolotl does not pass weight_decay to LoRA+: nothing decays"
    return replace(made, value=zero, note=note)


def _by_name(settings: Settings) -> Optimizer:
    name = settings.word("optimizer")
    if name in _OWN:
        return _OWN[name]
    if name in _NO_SCALAR:
        return refused(f"{name} has no convention here")
    return hf_optim.find_optim(name, settings)


def _total_steps(settings: Settings) -> int | None:
    """Return the run's steps where they are known: the warm-up is a share of them."""
    steps = settings.number("steps")
    if steps and steps > 0:
        return int(steps)
    size, epochs = settings.number("dataset_size"), settings.number("epochs")
    batch = settings.product(*PER_DEVICE)
    if size is None or epochs is None or not batch:
        return None
    return ceil(epochs * ceil(size / batch))


def _warmup(settings: Settings) -> str:
    """Return the warm-up: steps, else a ratio, else min(int(0.03 · steps), 100); 1 becomes 2."""
    steps = settings.number("warmup_steps")
    if steps is not None:
        count = max(int(steps), 0)
        return str(2 if count == 1 else count)
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


def _one_cycle(settings: Settings, warm: str | None) -> str | None:
    """Return torch's OneCycleLR, which goes up over the warm-up; None where its share is open.

    Source: axolotl 067b021c8 core/trainers/mixins/scheduler.py, create_scheduler.
    """
    total, rise = _total_steps(settings), settings.number("pct_start")
    if rise is None and warm is not None and warm.endswith("%"):
        rise = Fraction(warm.removesuffix("%")) / 100
    elif rise is None and total is not None:
        rise = Fraction(warm or 0) / total
    if not rise:  # nor is there a text for one that begins at the peak
        return None
    return compose(
        "one-cycle",
        rise=rise,
        div=settings.number("div_factor"),
        final_div=settings.number("final_div_factor"),
        phases=3 if settings.flag("three_phase") else None,
        shape="linear" if settings.word("anneal_strategy") == "linear" else None,
    )


def _schedule(settings: Settings) -> str | None:
    name = settings.word("scheduler")
    jagged = settings.has("jagged_restart_steps") and settings.text("jagged_restart_steps")
    if name == "rex" or jagged:
        return None
    warm = None if (steps := _warmup(settings)) == "0" else steps
    if hf_deepspeed.takes(settings, "scheduler"):
        return hf_deepspeed.schedule(settings, warm)
    if name == "one_cycle":
        return _one_cycle(settings, warm)
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
    """Return the Trainer's rule, or that of axolotl's own groups, which its own optimizers have.

    Source: axolotl 067b021c8 core/trainers/mixins/optimizer.py; axolotl-contribs-mit 0.0.6
    muon/muon.py and dist_muon.py.
    """
    usual, switch = hf_trainer.trainer_exempt(settings), ", ".join(_OWN_GROUPS)
    name, is_spread = settings.word("optimizer"), any(settings.has(key) for key in _MESH)
    if hf_deepspeed.takes(settings, "optimizer"):
        return usual
    if name == "muon" and not is_spread:
        return Exemption(rule="nothing", switch="1-D tensors are not trained, unless on a mesh")
    if name in _OWN or any(settings.has(key) for key in _OWN_GROUPS):
        rule = f"{usual.rule}; embeddings, lm_head and modules_to_save too"
        return Exemption(rule=rule, switch=switch)
    return replace(usual, switch=switch)


def _unit(settings: Settings) -> str:
    if prompts := hf_passes.unit(settings):
        return prompts
    if settings.flag("sample_packing"):
        return unit_of("packs", settings.text("sequence_len"), "tokens")
    return "examples"


def _lr_groups(settings: Settings) -> tuple[Group, ...]:
    """Return the groups of modules that `lr_groups` gives an lr of their own, at the run's λ."""
    found = [
        {key: " or ".join(texts_of(part.entries.get(key))) for key in ("name", "modules", "lr")}
        for part in settings.listed("lr_groups")
    ]
    return tuple(
        Group(name=each["name"], selector=f"names with {each['modules']}", lr=decimal_text(lr))
        for each in found
        if (lr := typed_number(each["lr"])) is not None
    )


def _finish(settings: Settings, made: Training) -> Training:
    """Give the groups with an lr of their own, and say what bears on warm-up and devices."""
    notes = [_note_warmup(settings), hf_deepspeed.note_on(settings)]
    if settings.has("jagged_restart_steps"):
        notes.append("jagged_restart_steps: the lr falls and rises again at each restart")
    made = hf_passes.by_prompts(settings, made)
    groups = (*made.groups, *_lr_groups(settings))
    if settings.word("optimizer") == "dion" and (lr := settings.text("base_lr")):
        groups = (*groups, Group(name="AdamW", selector="tensors of other than 2-D", lr=lr))
    return replace(made, groups=groups).with_notes(*notes)


def _dion_lr(settings: Settings) -> Sourced | None:
    """Return Dion's own lr, by which the matrices decay."""
    is_dion = settings.word("optimizer") == "dion"
    return settings.read("lr", "dion_lr") if is_dion and "lr" not in settings.given else None


_REPLACED = {"optimizer", "weight_decay", "lr", "batch_size", "grad_accum", "epochs", "scheduler",
             "warmup_steps", "warmup_ratio", "adafactor", "steps", "world_size"}  # fmt: skip

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
            # alpaca-lora's flags; axolotl's lie over its file.
            none_of=("data_path", "cutoff_len", "syntax:flags"),
        ),
    ),
    fields=(
        *Field.within("", optimizer="adamw_torch_fused", weight_decay="0"),
        Field(name="lr", paths=("learning_rate",), overrule=_dion_lr),
        Field(name="base_lr", paths=("learning_rate",)),
        Field(name="device_batch_size", paths=("batch_size",)),
        Field(name="batch_size", paths=("micro_batch_size",), default="1"),
        Field(name="grad_accum", paths=("gradient_accumulation_steps",), default="1",
              derive=_accumulation),
        devices_field(*_PARALLEL, "sequence_parallel_degree"),
        Field(name="steps", paths=("max_steps",), absent=("-1", "0")),
        Field(name="epochs", paths=("num_epochs",), default="1"),
        Field(name="dataset_size"),
        Field(name="scheduler", paths=("lr_scheduler",), default="cosine"),
        *Field.within("", warmup_steps=None, warmup_ratio=None, cosine_min_lr_ratio=None,
                      cosine_constant_lr_ratio=None, lr_quadratic_warmup="false",
                      jagged_restart_steps=None, sample_packing="false", sequence_len="512"),
        argument("pct_start", "lr_scheduler_kwargs"),
        argument("div_factor", "lr_scheduler_kwargs"),
        argument("final_div_factor", "lr_scheduler_kwargs"),
        argument("anneal_strategy", "lr_scheduler_kwargs"),
        argument("three_phase", "lr_scheduler_kwargs"),
        *_OF_THE_TRAINER,
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=_exempt,
    harmless=(*hf_trainer.HARMLESS, "datasets*", "test_datasets*", "wandb_*", "lora_*",
              "lr_groups*", "jagged_restart*", "loraplus_lr*", "embedding_lr*", "dion_*",
              "micro_batch_size", "evals_per_epoch", "saves_per_epoch"),
    unit=_unit,
    finish=_finish,
)  # fmt: skip
