"""LitGPT's YAML configurations, for pretraining and for finetuning.

Source: litgpt 26857050 args.py, pretrain.py, finetune/full.py, utils.py.
"""

from fractions import Fraction
from math import floor

from decaycalc.training.reading.by_class import class_fields, optimizer_of
from decaycalc.training.reading.exemptions import NONE_EXEMPT
from decaycalc.training.reading.schedules import compose, epochs, of_lr, steps_of
from decaycalc.training.reading.settings import Settings, by_default, derived
from decaycalc.training.reading.trainer import Field, Signature, Trainer
from decaycalc.training.record import Sourced

_PRETRAIN = ("model_name", "tokenizer_dir", "train.max_tokens", "initial_checkpoint_dir")
_DEFAULTS = {
    True: {"batch_size": "512", "warmup_steps": "2000", "max_tokens": "3e12"},
    False: {"batch_size": "16", "warmup_steps": "100", "epochs": "5"},
}


def is_pretraining(settings: Settings) -> bool:
    """Return whether the file is of `litgpt pretrain`; finetuning names a checkpoint_dir."""
    return not settings.has("checkpoint_dir") and any(map(settings.has, _PRETRAIN))


def _default(settings: Settings, field: Field) -> Sourced | None:
    """Return a default that pretraining and finetuning do not share; a null warm-up is none."""
    name, whole = field.name, is_pretraining(settings)
    value = _DEFAULTS[whole].get(name)
    is_null = name == "warmup_steps" and settings.node("train.lr_warmup_steps") is not None
    where = f"litgpt 26857050 {'pretrain.py' if whole else 'finetune/full.py'}"
    return None if value is None or is_null else by_default(name, value, where)


def _steps(settings: Settings) -> Sourced | None:
    """Return the steps of a budget of tokens, max_tokens / (B · max_seq_length).

    Pretraining heeds no max_steps. Source: litgpt 26857050 pretrain.py, fit.
    """
    if not is_pretraining(settings):
        return None
    parts = [settings.number(name) for name in ("max_tokens", "batch_size", "sequence_length")]
    if any(not part for part in parts):
        return None
    tokens, batch, length = (part or Fraction(1) for part in parts)
    formula = "max_tokens // (global_batch_size · max_seq_length)"
    return derived("steps", str(floor(tokens / (batch * length))), formula)


def _schedule(settings: Settings) -> str | None:
    """Source: litgpt 26857050 args.py, warmup_iters: the fraction is of an epoch's batches."""
    share = settings.number("warmup_fraction")
    warmup = epochs(share) if share else steps_of(settings, "warmup_steps")
    if not is_pretraining(settings):
        return compose("cosine", warmup=warmup)
    return compose("cosine", warmup=warmup, final=of_lr(settings, "min_lr"))


def _batch(settings: Settings) -> tuple[str, ...]:
    if is_pretraining(settings) and settings.text("sequence_length"):
        return ("batch_size", "sequence_length")
    return ("batch_size",)


def _unit(settings: Settings) -> str:
    return "tokens" if _batch(settings)[1:] else "sequences"


TRAINER = Trainer(
    kind="litgpt",
    title="LitGPT",
    version="litgpt 26857050",
    signatures=(
        # It has no section of the model: VeOmni's and LayoutDiffusion's files do.
        Signature(all_of=("train.micro_batch_size", "train.global_batch_size"), none_of=("model",)),
        Signature(
            all_of=("train.micro_batch_size",),
            none_of=("model",),
            any_of=("train.lr_warmup_steps", "train.max_tokens", "train.max_seq_length",
                    "train.save_interval"),
        ),
    ),
    fields=(
        *class_fields("optimizer.class_path", "optimizer.init_args", plain="optimizer",
                      default="AdamW"),
        Field(name="batch_size", paths=("train.global_batch_size",)),
        Field(name="sequence_length", paths=("train.max_seq_length",)),
        Field(name="max_tokens", paths=("train.max_tokens",)),
        Field(name="steps", paths=("train.max_steps",), overrule=_steps),
        *Field.within("train", epochs=None, min_lr="4e-5"),
        Field(name="warmup_fraction", paths=("train.lr_warmup_fraction",)),
        Field(name="warmup_steps", paths=("train.lr_warmup_steps",)),
    ),
    optimizer=optimizer_of,
    schedule=_schedule,
    exempt=lambda _: NONE_EXEMPT,
    default=_default,
    batch=_batch,
    unit=_unit,
    harmless=("train.micro_batch_size", "train.save_interval", "train.log_interval",
              "train.max_norm", "eval*", "train.tie_embeddings", "train.max_steps",
              "optimizer.init_args.fused"),
)  # fmt: skip
