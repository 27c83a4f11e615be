"""MaxText's YAML configurations, over its base.yml.

Source: MaxText e591f30c configs/base.yml, utils/maxtext_utils.py.
"""

from fractions import Fraction

from decaycalc.training.reading.exemptions import of_patterns
from decaycalc.training.reading.optimizers import ADAM, by_name, refused
from decaycalc.training.reading.schedules import compose
from decaycalc.training.reading.settings import Settings, derived, left_open, unit_of
from decaycalc.training.reading.trainer import PER_DEVICE, Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Sourced

_ADAMW = Optimizer(convention="maxtext-adamw", uses=ADAM)
# Source: MaxText e591f30c optimizers/optimizers.py, get_optimizer.
_OPTIMIZERS = {
    "adamw": _ADAMW,
    "adam_pax": _ADAMW,
    "muon": Optimizer(
        convention="optax-muon",
        note="this is of Muon's matrices: the other tensors have adam_weight_decay",
    ),
    "sgd": refused("opt_type sgd is given no weight decay"),
}


def _of_muon(settings: Settings) -> Sourced | None:
    """Return Muon's own decay: adam_weight_decay is of what it leaves to Adam."""
    return None if settings.word("optimizer") != "muon" else settings.find("muon_weight_decay")


def _schedule_steps(settings: Settings) -> Sourced | None:
    """Return the schedule's steps for a run whose own are -1."""
    steps = settings.text("schedule_steps")
    return None if steps is None else derived("steps", steps, "learning_rate_schedule_steps")


def _schedule(settings: Settings) -> str | None:
    """Return the schedule, after whose end lr is 0.

    Source: MaxText e591f30c utils/maxtext_utils.py, create_learning_rate_schedule.
    """
    kind, steps = settings.word("scheduler"), settings.number("steps")
    if kind not in {"cosine", "wsd"} or steps is None:
        return None
    length = settings.number("schedule_steps") or steps
    warmup = int(length * (settings.number("warmup_fraction") or Fraction(0))) or None
    final = settings.number("final_fraction") or None
    whole = None if length == steps else int(length)
    until = whole if length < steps else None
    after = "" if until is None else " + constant:value=0"
    common = {"warmup": warmup, "length": whole, "final": final, "until": until}
    if kind == "cosine":
        return compose("cosine", **common) + after
    decay, style = settings.number("decay_fraction") or Fraction(0), settings.word("decay_style")
    shape = None if style == "linear" else style
    return compose("wsd", **common, decay=int(length * decay), shape=shape) + after


def _batch(settings: Settings) -> tuple[str, ...]:
    """Return the usual product; devices may share a sequence, of which each has a fraction."""
    each = settings.number("batch_size")
    return PER_DEVICE if each is None or each.denominator == 1 else ("shared", "grad_accum")


def _shared(settings: Settings) -> Sourced:
    """Return the sequences of all devices, where they make whole ones."""
    each, devices = settings.number("batch_size"), settings.number("world_size")
    whole = (each or Fraction(0)) * (devices or Fraction(0))
    if whole.denominator == 1 and whole:
        return derived("shared", str(whole), "per_device_batch_size · devices")
    note = "per_device_batch_size times the devices is no whole sequence: give --world-size"
    return left_open("shared", note)


TRAINER = Trainer(
    kind="maxtext",
    title="MaxText",
    version="MaxText e591f30c configs/base.yml",
    signatures=(
        Signature(
            any_of=("per_device_batch_size", "max_target_length", "adam_weight_decay",
                    "base_config", "warmup_steps_fraction", "learning_rate_final_fraction",
                    "cosine_learning_rate_final_fraction", "base_emb_dim", "opt_type",
                    "learning_rate_schedule_steps"),
            at_least=2,
            none_of=("per_device_train_batch_size", "max_train_steps"),
        ),
        Signature(all_of=("program:MaxText.train",)),
        Signature(all_of=("program:maxtext.trainers.pre_train.train",)),
    ),
    fields=(
        Field(name="optimizer", paths=("opt_type",), default="adamw"),
        Field(name="muon_weight_decay", paths=("muon_weight_decay",), default="0"),
        Field(name="weight_decay", paths=("adam_weight_decay",), default="0.1", overrule=_of_muon),
        Field(name="lr", paths=("learning_rate",), default="3e-5"),
        Field(name="beta1", paths=("adam_b1",), default="0.9"),
        Field(name="beta2", paths=("adam_b2",), default="0.95"),
        Field(name="eps", paths=("adam_eps",), default="1e-8"),
        Field(name="batch_size", paths=("per_device_batch_size",), default="12"),
        Field(name="grad_accum", paths=("gradient_accumulation_steps",), default="1"),
        Field(name="world_size", default="1"),
        Field(name="shared", derive=_shared),
        Field(name="seq_len", paths=("max_target_length",), default="2048"),
        Field(name="steps", paths=("steps",), absent=("-1",), default="150001",
              derive=_schedule_steps),
        Field(name="schedule_steps", paths=("learning_rate_schedule_steps",), absent=("-1",)),
        Field(name="scheduler", paths=("lr_schedule_type",), default="cosine"),
        Field(name="warmup_fraction", paths=("warmup_steps_fraction",), default="0.1"),
        Field(name="decay_fraction", paths=("wsd_decay_steps_fraction",), default="0.1"),
        Field(name="decay_style", paths=("wsd_decay_style",), default="linear"),
        Field(name="final_fraction", paths=("learning_rate_final_fraction",
              "cosine_learning_rate_final_fraction"), default="0.1"),
    ),
    optimizer=by_name(_OPTIMIZERS, setting="opt_type"),
    schedule=_schedule,
    exempt=lambda settings: of_patterns(settings.texts("adamw_mask"), switch="adamw_mask"),
    batch=_batch,
    unit=lambda settings: unit_of("sequences", settings.text("seq_len"), "tokens"),
    harmless=("base_*", "run_name", "gradient_clipping_threshold", "steps", "adamw_mask*",
              "muon_*", "checkpoint_period", "eval*", "*_parallelism", "num_*", "profiler*"),
)  # fmt: skip
