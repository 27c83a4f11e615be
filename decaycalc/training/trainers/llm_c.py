"""llm.c's train_gpt2cu and train_gpt2.py, by their flags.

Source: llm.c f1e2ace train_gpt2.cu, train_gpt2.py, llmc/schedulers.h, llmc/adamw.cuh.
"""

from fractions import Fraction

from decaycalc.training.reading.optimizers import ADAMW
from decaycalc.training.reading.schedules import compose, percent, steps_of
from decaycalc.training.reading.settings import Settings, by_default, whole_or
from decaycalc.training.reading.trainer import Field, Signature, Trainer
from decaycalc.training.record import Exemption, Sourced

_VERSION = "llm.c f1e2ace"
_LAST = Fraction(1, 5)  # of a wsd run, over which lr falls
# The defaults of the program in CUDA, and of that in Python.
_BY_PROGRAM = {"lr": ("3e-4", "1e-4"), "total_batch_size": (None, "256"), "steps": (None, "10")}


def _default(settings: Settings, field: Field) -> Sourced | None:
    """Return a default that the two programs have differently, None where one has none."""
    is_python = settings.document.program.endswith(".py")
    value = _BY_PROGRAM.get(field.name, (None, None))[is_python]
    program = "train_gpt2.py" if is_python else "train_gpt2.cu"
    return None if value is None else by_default(field.name, value, f"{_VERSION} {program}")


def _schedule(settings: Settings) -> str | None:
    """Source: llm.c f1e2ace llmc/schedulers.h."""
    kind, warmup = settings.word("scheduler"), steps_of(settings, "warmup_iterations")
    if kind == "constant":
        return "constant"
    ramp, final = "one" if warmup else None, settings.number("final_fraction")
    if kind in {"cosine", "linear"}:
        if final == 1:
            return compose("constant", warmup=warmup, ramp=ramp)
        return compose(kind, warmup=warmup, ramp=ramp, final=final or None)
    if kind != "wsd":
        return None
    decay = percent(_LAST)
    return compose(
        "wsd", warmup=warmup, ramp=ramp, decay=decay, final=final or None, shape="1-sqrt"
    )


TRAINER = Trainer(
    kind="llm-c",
    title="llm.c",
    version=_VERSION,
    signatures=(
        Signature(all_of=("program:train_gpt2cu",)),
        Signature(all_of=("program:train_gpt2.py", "input_bin")),
    ),
    fields=(
        Field(name="optimizer", default="AdamW"),
        Field(name="weight_decay", paths=("c", "weight_decay"), default="0"),
        Field(name="lr", paths=("l", "learning_rate")),
        *Field.fixed(beta1="0.9", beta2="0.95", eps="1e-8"),
        Field(name="total_batch_size", paths=("d", "total_batch_size"), absent=("-1",)),
        Field(name="batch_size", paths=("b",), default="4"),
        Field(name="sequence_length", paths=("t",), default="1024"),
        Field(name="world_size", paths=("pn",), default="1"),
        Field(name="steps", paths=("x", "num_iterations"), absent=("-1",)),
        Field(name="epochs", default="1"),
        Field(name="scheduler", paths=("k",), default="cosine"),
        Field(name="warmup_iterations", paths=("u", "warmup_iters"), default="0"),
        Field(name="final_fraction", paths=("q", "learning_rate_decay_frac"), default="1"),
    ),
    optimizer=lambda _: ADAMW,
    schedule=_schedule,
    exempt=lambda _: Exemption(
        rule="biases and norms: only matrices and embeddings decay", mask="matrices"
    ),
    batch=whole_or("total_batch_size", "batch_size", "sequence_length", "world_size"),
    default=_default,
    unit=lambda _: "tokens",
    harmless=("batch_size", "grad_clip", "overfit_single_batch", "val_*", "sample_*"),
)  # fmt: skip
