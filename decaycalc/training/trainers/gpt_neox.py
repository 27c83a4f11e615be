"""GPT-NeoX's YAML configurations, whose keys are spelt with hyphens or underscores.

Source: gpt-neox ea7aefd8 megatron/neox_arguments/neox_args.py, megatron/training.py
get_optimizer, megatron/learning_rates.py, megatron/model/utils.py.
"""

from fractions import Fraction
from math import exp, floor

from decaycalc.record import replace
from decaycalc.training.reading.arguments import betas
from decaycalc.training.reading.optimizers import ADAM, refused, unknown_optimizer
from decaycalc.training.reading.schedules import compose, of_lr
from decaycalc.training.reading.settings import Settings, derived, unit_of, whole_or
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Sourced
from decaycalc.training.trainers.syntax.document import Document
from decaycalc.training.trainers.syntax.tree import Entries

_OWN = (
    "pipe_parallel_size", "model_parallel_size", "train_micro_batch_size_per_gpu", "train_iters",
    "lr_decay_style", "lr_decay_iters", "pos_emb", "rotary_pct", "no_weight_tying",
    "gpt_j_residual", "output_layer_parallelism", "num_attention_heads", "max_position_embeddings",
    "scaled_upper_triang_masked_softmax_fusion", "weight_decay", "hidden_dropout",
    "checkpoint_activations", "data_impl",
)  # fmt: skip
_ENOUGH = 5  # of its own keys: each alone is Megatron's too
_HALF = f"{exp(-0.693):.9g}"  # what the exponential falls to over its length
_OPTIMIZERS = {
    "adam": Optimizer(convention="apex-fused-adam", uses=ADAM),
    "cpu_adam": Optimizer(convention="deepspeed-adam", uses=ADAM),
    "lion": Optimizer(convention="deepspeed-lion", uses=("beta1", "beta2")),
}
_MUP = "mup scales lr and decay by each tensor's width"


def _prepare(document: Document) -> Document:
    """Spell the keys with underscores, as the arguments are called."""
    entries = {key.replace("-", "_"): node for key, node in document.root.entries.items()}
    return replace(document, root=Entries(entries=entries, line=document.root.line))


def _optimizer(settings: Settings) -> Optimizer:
    """Return the optimizer; weight_decay is handed to it from outside its own parameters."""
    name = settings.word("optimizer")
    if settings.flag("use_mup") or name == "sgd":
        return refused(_MUP)
    if name == "adam" and settings.flag("use_bnb_optimizer"):
        return Optimizer(convention="bitsandbytes-adam", uses=ADAM)
    return _OPTIMIZERS.get(name) or unknown_optimizer(name)


def _schedule(settings: Settings) -> str | None:
    """Return the schedule; the warm-up's share is of the decay's length.

    Its first step is at lr/W where ours is at 0. Nothing holds the cosine at its end: it goes up
    again in a run that is longer. Source: megatron/learning_rates.py, AnnealingLR.
    """
    steps, length = settings.number("steps"), _decay_length(settings)
    if steps is None or length is None:
        return None
    warmup = int((settings.number("warmup") or Fraction(0)) * length) or None
    style, low = settings.word("scheduler"), of_lr(settings, "min_lr")
    whole = None if length == steps else int(length)
    if style == "cosine":
        after = "mirror" if length < steps else None
        return compose("cosine", warmup=warmup, length=whole, final=low, after=after)
    if style == "linear":
        return compose("linear", warmup=warmup, length=whole, floor=low)
    if style == "exponential":
        every = int(length) - (warmup or 0)
        return compose("exponential", warmup=warmup, gamma=_HALF, every=every, floor=low)
    return compose("constant", warmup=warmup) if style == "constant" else None


def _decay_length(settings: Settings) -> Fraction | None:
    own, steps = settings.number("lr_decay_iters"), settings.number("steps")
    share = settings.number("lr_decay_fraction")
    if own is not None or steps is None:
        return own
    return steps if share is None else Fraction(floor(share * steps))


def _data_parallel(settings: Settings) -> Sourced | None:
    """Return the data-parallel devices among those that are given; stages and parts share one."""
    given = settings.given.get("world_size")
    parts = Fraction(1)
    for name in ("pipeline_parallel", "model_parallel"):
        parts *= max(settings.number(name) or Fraction(1), Fraction(1))
    if given is not None or parts == 1:
        return None
    note = "each of it is as many devices: --world-size counts the data-parallel ones alone"
    formula = "pipe_parallel_size · model_parallel_size share one micro-batch"
    return derived("world_size", "1", formula, note=note)


TRAINER = Trainer(
    kind="gpt-neox",
    title="GPT-NeoX",
    version="gpt-neox ea7aefd8",
    signatures=(
        Signature(any_of=_OWN, at_least=_ENOUGH,
                  none_of=("syntax:shell", "micro_batch_size", "global_batch_size")),
        Signature(
            any_of=tuple(name.replace("_", "-") for name in _OWN if "_" in name), at_least=_ENOUGH
        ),
    ),
    fields=(
        Field(name="optimizer", paths=("optimizer.type", "optimizer_type"), default="adam"),
        *Field.within("", use_mup="false", use_bnb_optimizer="false", weight_decay="0.1"),
        Field(name="lr", paths=("optimizer.params.lr", "lr"), default="0.001"),
        *betas("optimizer.params.betas", "0.9", "0.999"),
        Field(name="eps", paths=("optimizer.params.eps",), default="1e-8"),
        Field(name="train_batch_size", paths=("train_batch_size",)),
        Field(name="batch_size", paths=("train_micro_batch_size_per_gpu",)),
        Field(name="grad_accum", paths=("gradient_accumulation_steps", "gas"), default="1"),
        Field(name="pipeline_parallel", paths=("pipe_parallel_size",), default="0"),
        Field(name="model_parallel", paths=("model_parallel_size",), default="1"),
        Field(name="world_size", default="1", derive=_data_parallel),
        Field(name="seq_length", paths=("seq_length",)),
        Field(name="steps", paths=("train_iters",)),
        Field(name="epochs", paths=("train_epochs",)),
        Field(name="scheduler", paths=("lr_decay_style",), default="linear"),
        *Field.within("", lr_decay_iters=None, lr_decay_fraction=None, warmup="0.01", min_lr="0"),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=lambda _: Exemption(
        rule="biases and the parameters of normalisations", mask="no-bias-norm"
    ),
    batch=whole_or("train_batch_size", "batch_size", "grad_accum", "world_size"),
    unit=lambda settings: unit_of("sequences", settings.text("seq_length"), "tokens"),
    prepare=_prepare,
    harmless=("zero_optimization*", "fp16*", "bf16*", "activation*", "eval_*", "extra_save_iters",
              "steps_per_print", "loss_scale*", "attention*", "*_interval", "flops_profiler*",
              "tensorboard*", "wandb*", "comet*", "use_checkpoint_lr_scheduler",
              "override_lr_scheduler", "gradient_clipping", "iteration"),
)  # fmt: skip
