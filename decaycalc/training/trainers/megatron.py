"""Megatron-LM's flags, also Megatron-DeepSpeed's.

Source: Megatron-LM d98e8a64 training/arguments.py, training/training.py,
core/optimizer_param_scheduler.py, core/optimizer/__init__.py.
"""

from collections.abc import Mapping
from fractions import Fraction
from math import ceil

from decaycalc.record import replace
from decaycalc.training.reading.devices import devices_field
from decaycalc.training.reading.exemptions import NO_1D
from decaycalc.training.reading.numbers import typed_number
from decaycalc.training.reading.optimizers import ADAM, by_name
from decaycalc.training.reading.schedules import compose, of_lr, percent, ratio
from decaycalc.training.reading.settings import Settings, derived, left_open, unit_of, whole_or
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Sourced, Training
from decaycalc.training.trainers.syntax.tree import Scalar, find

_OPTIMIZERS = {
    "adam": Optimizer(convention="megatron-adam", uses=ADAM),
    "sgd": Optimizer(convention="megatron-sgd", uses=("momentum",)),
    "muon": Optimizer(convention="megatron-muon"),
    "dist_muon": Optimizer(convention="megatron-muon"),
    "adaptive_muon": Optimizer(convention="megatron-muon"),
    "lion": Optimizer(convention="megatron-lion", uses=("beta1", "beta2")),
    "soap": Optimizer(convention="megatron-soap"),
}
# The parts of a model, and of a sequence, that devices share.
PARTS = (
    "tensor_model_parallel_size", "pipeline_model_parallel_size", "context_parallel_size",
)  # fmt: skip
# What sets the length over which lr falls; without them it is the run's, also one in epochs.
_LENGTHS = ("lr_decay_iters", "lr_decay_samples", "lr_decay_tokens")
_BY_TOKENS = ("lr_decay_tokens", "lr_warmup_tokens")
_CURRICULA = (
    "curriculum_learning.enabled", "data_efficiency.data_sampling.curriculum_learning.enabled",
)  # fmt: skip
_WSD_SHAPES = {"linear": "linear", "cosine": "cosine", "minus_sqrt": "1-sqrt",
               "exponential": "exponential"}  # fmt: skip
# A micro-batch is of a data-parallel device.
_BATCH = whole_or("global_batch_size", "batch_size", "world_size")
_MOST_INCREMENTS = 100_000  # of a batch that grows


def _samples(settings: Settings, name: str) -> Fraction | None:
    """Return a number of samples in steps."""
    count, size = settings.number(name), settings.product(*_BATCH(settings))
    return None if count is None or not size else count / size


def _curriculum(settings: Settings) -> str:
    """Return what makes the tokens of a step grow over a run of Megatron-DeepSpeed's, if any does.

    Source: Megatron-DeepSpeed 4efb479d megatron/training.py, setup_model_and_optimizer, train.
    """
    for name in ("data_efficiency_curriculum_learning", "random_ltd"):
        if settings.has(name):
            return name
    name = settings.told("deepspeed_config")
    beside = settings.document.named(name) if name else None
    if beside is None:
        return ""
    found = (find(beside.root, path) for path in _CURRICULA)
    is_on = any(isinstance(node, Scalar) and node.text == "true" for node in found)
    return f"{name[:60]}: curriculum_learning" if is_on else ""


def _tokens(settings: Settings, name: str) -> Fraction | None:
    """Return a number of tokens in steps: Megatron-DeepSpeed's flags beside Megatron's own."""
    if _curriculum(settings):
        return None
    steps, length = _samples(settings, name), settings.number("seq_length")
    return None if steps is None or not length else steps / length


def _steps(settings: Settings) -> Sourced | None:
    """Return the steps of train_samples.

    Source: Megatron-LM d98e8a64 training/training.py, update_train_iters.
    """
    steps = _samples(settings, "train_samples")
    if steps is None:
        return None
    if not _is_growing(settings):
        return derived("steps", str(int(steps)), "train_samples / B")
    samples, last = settings.number("train_samples"), settings.number("global_batch_size")
    grown = _growth(settings)
    if grown is None or samples is None or last is None or samples < grown[1]:
        return None
    in_all = grown[0] + (samples - grown[1]) // last
    return derived("steps", str(in_all), "train_samples by the growing batch")


def _is_growing(settings: Settings) -> bool:
    return settings.has("rampup_batch_size") or settings.has("step_batch_size_schedule")


def _growth(settings: Settings) -> tuple[int, Fraction] | None:
    """Return how many steps the growth of the batch takes, and how many samples.

    Source: Megatron-LM d98e8a64 core/num_microbatches_calculator.py.
    """
    given, last = settings.texts("rampup_batch_size"), settings.number("global_batch_size")
    known = [number for text in given if (number := typed_number(text)) is not None and number > 0]
    if last is None or not len(known) == len(given) == len(("start", "increment", "samples")):
        return None
    start, increment, samples = known
    count = (last - start) / increment
    if count.denominator != 1 or not 0 < count <= _MOST_INCREMENTS:
        return None
    n_steps, done = 0, Fraction(0)
    for at in range(int(count)):
        size = start + at * increment
        more = max(ceil((samples * (at + 1) / count - done) / size), 0)
        n_steps, done = n_steps + more, done + more * size
    return n_steps, done


def _until_tokens(settings: Settings) -> Sourced | None:
    """Return the steps that --train-tokens ends the run at, where it comes before the others.

    Source: Megatron-DeepSpeed 4efb479d megatron/training.py, train.
    """
    told = _curriculum(settings)
    if told and settings.has("train_tokens"):
        note = f"train_tokens ends the run, and {told} lets the tokens of a step grow: give --steps"
        return left_open("steps", note, where=told)
    tokens = _tokens(settings, "train_tokens")
    if tokens is None:
        return None
    others = (settings.number("train_iters"), _samples(settings, "train_samples"))
    steps = min(Fraction(ceil(tokens)), *(each for each in others if each is not None))
    return derived("steps", str(int(steps)), "train_tokens / (B · seq_length)")


def _decay_length(settings: Settings) -> Fraction | None:
    """Return the steps over which lr falls: the run's where nothing is set."""
    tokens = _tokens(settings, "lr_decay_tokens")
    if tokens is not None:
        return tokens
    iters = settings.number("lr_decay_iters")
    own = _samples(settings, "lr_decay_samples") if iters is None else iters
    return settings.number("steps") if own is None else own


def _warmup(settings: Settings, length: Fraction | None) -> str | int | None:
    tokens = _tokens(settings, "lr_warmup_tokens")
    if tokens:
        return int(tokens)
    share = settings.number("lr_warmup_fraction")
    if share is not None:
        steps = None if length is None else share * length
        is_whole = steps is not None and steps.denominator == 1
        # The share is of the decay's length, which need not be the run's.
        if steps is None or (length == settings.number("steps") and not is_whole):
            return percent(share)
        return round(steps) or None
    count = settings.number("lr_warmup_iters") or _samples(settings, "lr_warmup_samples")
    return int(count) if count else None


def _schedule(settings: Settings) -> str | None:
    """Source: Megatron-LM d98e8a64 core/optimizer_param_scheduler.py, get_lr."""
    style, length = settings.word("scheduler"), _decay_length(settings)
    is_open = length is None and any(settings.has(name) for name in _LENGTHS)
    # While the batch grows, lr follows the samples, of which steps take ever more.
    by_tokens = _curriculum(settings) and any(map(settings.has, _BY_TOKENS))
    # What Megatron-LM 1 called --warmup is a share of a length that it counted by rules of its own.
    if is_open or by_tokens or _is_growing(settings) or settings.has("warmup"):
        return None
    warmup = _warmup(settings, length)
    start = ratio(settings, "lr_warmup_init", "lr") if warmup else None
    warm = {"warmup": warmup, "start": start or None}
    if style == "constant":
        return compose("constant", **warm)
    whole = None if length is None or length == settings.number("steps") else int(length)
    final = of_lr(settings, "min_lr")
    if style in {"linear", "cosine"}:
        return compose(style, **warm, length=whole, final=final)
    if style == "inverse-square-root":
        return _inverse_root(warm, whole, final)
    shape = _WSD_SHAPES.get(settings.word("lr_wsd_decay_style"))
    decay = settings.number("lr_wsd_decay_iters") or _samples(settings, "lr_wsd_decay_samples")
    if style != "wsd" or shape is None or decay is None:
        return None
    return compose("wsd", **warm, length=whole, decay=int(decay), final=final, shape=shape)


def _inverse_root(
    warm: Mapping[str, str | int | Fraction | None], length: int | None, final: Fraction | None
) -> str | None:
    """Return the root counted from the warm-up, and min_lr after the decay's length.

    Without a warm-up it counts samples from 1, which is none of ours.
    """
    if not warm["warmup"]:
        return None
    fall = compose("inverse-sqrt", **warm, floor=final, until=length)
    return fall if length is None else f"{fall} + {compose('constant', value=final or 0)}"


def _exempt(settings: Settings) -> Exemption:
    switch = "--apply-wd-to-qk-layernorm"
    condition = settings.word("no_weight_decay_cond_type")
    if settings.flag("apply_wd_to_qk_layernorm") or condition == "apply_wd_to_qk_layernorm":
        rule = f"{NO_1D.rule}, but the layer norms of queries and keys"
        return Exemption(rule=rule, switch=switch)
    return replace(NO_1D, switch=switch)


def _finish(settings: Settings, made: Training) -> Training:
    """Give λ the schedule that its increments are, over the whole run.

    Source: Megatron-LM d98e8a64 core/optimizer_param_scheduler.py, get_wd.
    """
    notes = []
    style = settings.word("incr_style")
    start, end = settings.number("start_weight_decay"), settings.number("end_weight_decay")
    if style in {"linear", "cosine"} and start is not None and end is not None:
        schedule = compose(style, initial=start / end, final=1) if end else None
        made = replace(made, value=settings.text("end_weight_decay"), decay_schedule=schedule)
        notes.append(f"weight decay goes from {float(start):g} to {float(end):g} over the run")
    if _is_growing(settings):
        notes.append(_grown(settings))
    if told := _curriculum(settings):
        notes.append(f"{told}: the tokens of a step grow over the run")
    if settings.has("decoupled_lr"):
        notes.append("--decoupled-lr: embeddings and output layer have an lr of their own")
    return made.with_notes(*notes)


def _grown(settings: Settings) -> str:
    """Return what is said of a batch that grows."""
    told = "the batch size grows over the run: the last one is taken, and lr follows the samples"
    grown, last = _growth(settings), settings.number("global_batch_size")
    if grown is None or last is None:
        return told
    return f"{told}; the growth takes {grown[0]:,} steps and not {float(grown[1] / last):,.0f}"


# What ModelCenter and SwissArmyTransformer took beside Megatron's names, whose loops are their own.
_OF_OTHERS = ("warmup_iters", "inspect_iters", "resume_dataloader")

TRAINER = Trainer(
    kind="megatron",
    title="Megatron-LM",
    version="Megatron-LM d98e8a64 training/arguments.py",
    signatures=(
        # Primus' experiments hold Megatron's arguments as overrides of its own files.
        Signature(
            all_of=("micro_batch_size", "train_iters"),
            none_of=("train.micro_batch_size", "modules.pre_trainer"),
        ),
        Signature(all_of=("micro_batch_size", "train_samples"), none_of=("modules.pre_trainer",)),
        Signature(
            all_of=("train_iters", "lr_decay_style"),
            none_of=("modules.pre_trainer", *_OF_OTHERS),
        ),
        Signature(all_of=("program:pretrain_gpt.py",)),
    ),
    fields=(
        *Field.within("", optimizer="adam", weight_decay="0.01", lr=None),
        Field(name="beta1", paths=("adam_beta1",), default="0.9"),
        Field(name="beta2", paths=("adam_beta2",), default="0.999"),
        Field(name="eps", paths=("adam_eps",), default="1e-8"),
        Field(name="momentum", paths=("sgd_momentum",), default="0.9"),
        Field(name="global_batch_size", paths=("global_batch_size",)),
        Field(name="batch_size", paths=("micro_batch_size",)),
        devices_field(*PARTS),
        Field(name="steps", paths=("train_iters",), overrule=_until_tokens, derive=_steps),
        *Field.within("", train_iters=None, train_tokens=None, train_samples=None, seq_length=None),
        Field(name="scheduler", paths=("lr_decay_style",), default="linear"),
        *Field.within("", min_lr="0", lr_decay_iters=None, lr_decay_samples=None,
                      lr_decay_tokens=None),
        Field(name="lr_warmup_tokens", paths=("lr_warmup_tokens",), absent=("0",)),
        Field(name="lr_warmup_fraction", paths=("lr_warmup_fraction",)),
        Field(name="lr_warmup_iters", paths=("lr_warmup_iters",), absent=("0",)),
        Field(name="lr_warmup_samples", paths=("lr_warmup_samples",), absent=("0",)),
        *Field.within("", lr_warmup_init="0", lr_wsd_decay_style="exponential",
                      lr_wsd_decay_iters=None, lr_wsd_decay_samples=None),
        Field(name="incr_style", paths=("weight_decay_incr_style",), default="constant"),
        *Field.within("", start_weight_decay=None, end_weight_decay=None,
                      no_weight_decay_cond_type=None, apply_wd_to_qk_layernorm="false"),
    ),
    optimizer=by_name(_OPTIMIZERS),
    schedule=_schedule,
    exempt=_exempt,
    batch=_BATCH,
    unit=lambda settings: unit_of("sequences", settings.text("seq_length"), "tokens"),
    harmless=("clip_grad", "num_layers*", "hidden_size", "*_interval", "eval_iters", "fp16", "bf16",
              "micro_batch_size", "rampup_batch_size", "step_batch_size_schedule", "*_parallel*",
              "loss_scale*", "decoupled_lr", "decoupled_min_lr", "override_opt_param_scheduler",
              "use_*", "no_*", "seed", "optimizer_cpu_offload*", "muon_*", "split", "*_iters"),
    marks=("pretrain", "initialize_megatron", "get_megatron_optimizer"),
    finish=_finish,
)  # fmt: skip
