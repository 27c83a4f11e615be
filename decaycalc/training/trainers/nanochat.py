"""nanochat's base_train, by its flags; much of what holds follows from the depth.

Source: nanochat 92d63d4 scripts/base_train.py, nanochat/gpt.py, nanochat/optim.py.
"""

from fractions import Fraction
from math import sqrt

from decaycalc.algebra.number import finite
from decaycalc.training.reading.decays import from_to
from decaycalc.training.reading.schedules import compose, percent
from decaycalc.training.reading.settings import Settings, derived, left_open
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Sourced

_REFERENCE_DEPTH = 12  # of whose run all numbers are
_REFERENCE_TOKENS = 2**19  # the batch at which its λ and lr were found


def _is_reference(settings: Settings) -> bool:
    return settings.number("depth") == _REFERENCE_DEPTH


def _tokens(settings: Settings) -> Sourced | None:
    """Return the tokens of a step, which follow from the run's length where they are not set."""
    if _is_reference(settings):
        return derived("total_batch_size", str(_REFERENCE_TOKENS), "2^19 at depth 12")
    note = "the tokens of a step follow from the model's size: see what base_train prints"
    return left_open("total_batch_size", note)


def _root(settings: Settings) -> float | None:
    tokens = settings.count("total_batch_size")
    return (
        None if tokens is None else sqrt(finite(Fraction(tokens, _REFERENCE_TOKENS), "batch_size"))
    )


def _lr(settings: Settings) -> Sourced | None:
    base, root = settings.number("matrix_lr"), _root(settings)
    if base is None or root is None:
        return None
    return derived("lr", f"{float(base) * root:.12g}", "matrix_lr · sqrt(B / 2^19)")


def _decay(settings: Settings) -> Sourced | None:
    """Return λ · sqrt(B / 2^19), which at another depth is scaled by the run's tokens too."""
    base, root = settings.number("weight_decay_flag"), _root(settings)
    if base is None or root is None:
        return None
    if not _is_reference(settings):
        note = "weight decay is scaled by the tokens of the run: give --value as base_train prints"
        return left_open("weight_decay", note)
    value = f"{float(base) * root:.12g}"
    return derived("weight_decay", value, "weight_decay · sqrt(B / 2^19) at depth 12")


def _schedule(settings: Settings) -> str:
    """Source: nanochat 92d63d4 scripts/base_train.py, get_lr_multiplier."""
    count, share = settings.number("warmup_steps"), settings.number("warmdown_ratio")
    warmup = int(count) if count else None
    ramp, final = "one" if warmup else None, settings.number("final_lr_frac") or None
    if not share:
        return compose("constant", warmup=warmup, ramp=ramp)
    return compose(
        "wsd", warmup=warmup, ramp=ramp, decay=percent(share), final=final, shape="linear"
    )


TRAINER = Trainer(
    kind="nanochat",
    title="nanochat",
    version="nanochat 92d63d4 scripts/base_train.py",
    signatures=(
        Signature(all_of=("program:scripts.base_train",)),
        Signature(all_of=("program:base_train.py",), any_of=("depth", "matrix_lr")),
    ),
    fields=(
        Field(name="optimizer", default="Muon"),
        Field(name="depth", paths=("depth",), default="20"),
        Field(name="weight_decay_flag", paths=("weight_decay",), default="0.28"),
        Field(name="weight_decay", derive=_decay),
        Field(name="matrix_lr", paths=("matrix_lr",), default="0.02"),
        Field(name="lr", derive=_lr),
        Field(name="total_batch_size", paths=("total_batch_size",), absent=("-1",),
              derive=_tokens),
        Field(name="steps", paths=("num_iterations",), absent=("-1",)),
        Field(name="scheduler", default="warm-up, constant, warm-down"),
        *Field.within("", warmup_steps="40", warmdown_ratio="0.65", final_lr_frac="0.05"),
    ),
    optimizer=lambda _: Optimizer(
        convention="nanochat-muon",
        note="this is of the matrices: embeddings, head and scalars have groups of their own",
    ),
    schedule=_schedule,
    exempt=lambda _: Exemption(rule="embeddings, the output head and scalars, which are AdamW's"),
    batch=lambda _: ("total_batch_size",),
    unit=lambda _: "tokens",
    harmless=("device_batch_size", "*_lr", "embedding_lr", "unembedding_lr", "scalar_lr",
              "eval_*", "core_*", "sample_*", "save_*", "target_*"),
    finish=lambda settings, made: from_to(made, settings.number("weight_decay"), Fraction(0)),
)  # fmt: skip
