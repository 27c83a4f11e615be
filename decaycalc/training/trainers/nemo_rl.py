"""NeMo-RL's YAML, of policies trained by torch's optimizers or by Megatron core's.

Source: NeMo-RL 7ea279abf nemo_rl/models/automodel/setup.py, nemo_rl/models/megatron/setup.py,
nemo_rl/models/policy/workers/dtensor_policy_worker_v2.py and megatron_policy_worker.py,
nemo_rl/utils/config.py; without its keys a configuration does not run, so there are no defaults.
"""

from fractions import Fraction

from decaycalc.errors import UnreadableFileError
from decaycalc.record import replace
from decaycalc.training.reading.arguments import element
from decaycalc.training.reading.by_class import class_default, optimizer_of
from decaycalc.training.reading.exemptions import NO_1D, NONE_EXEMPT
from decaycalc.training.reading.numbers import decimal_text, typed_number
from decaycalc.training.reading.optimizers import ADAM, by_name
from decaycalc.training.reading.schedules import Options, compose, of_lr, ratio
from decaycalc.training.reading.settings import (
    Settings,
    derived,
    left_open,
    text_of,
    texts_of,
    unit_of,
)
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Sourced
from decaycalc.training.trainers.syntax.document import Document
from decaycalc.training.trainers.syntax.tree import Entries, Node, Scalar, find, joined

_MEGATRON, _ON = "policy.megatron_cfg", "policy.megatron_cfg.enabled"
_ALGORITHMS = ("grpo", "distillation", "dpo", "rm", "sft")
_DEEPEST = 5
_OF_MEGATRON = by_name(
    {
        "adam": Optimizer(convention="megatron-adam", uses=ADAM),
        "sgd": Optimizer(convention="megatron-sgd", uses=("momentum",)),
    }
)


def _laid_over(document: Document, depth: int = 0) -> Entries:
    """Return a file's keys over those of the files that its `defaults` names.

    Raises:
        UnreadableFileError: one is not beside it, so that nothing says what it sets.
    """
    under = Entries()
    for name in texts_of(document.root.entries.get("defaults")):
        base = document.neighbour(name) if depth < _DEEPEST else None
        if base is None:
            reason = f"it stands on {name[:80]!r}, which is not here: what that sets is not known"
            raise UnreadableFileError(document.name, reason)
        under = joined(under, _laid_over(base, depth + 1))
    return joined(under, document.root)


def _prepare(document: Document) -> Document:
    """Lift the optimizer and the scheduler of the backend that trains to the top.

    Raises:
        UnreadableFileError: a base is missing, or the file is PPO's, which has passes of its own.
    """
    root = _laid_over(document)
    if "ppo" in root.entries:
        raise UnreadableFileError(document.name, "NeMo-RL's PPO is not read here")
    on = find(root, _ON)
    is_megatron = isinstance(on, Scalar) and (on.text or "").lower() == "true"
    place = _MEGATRON if is_megatron else "policy"
    lifted: dict[str, Node] = {}
    for name in ("optimizer", "scheduler"):
        node = find(root, f"{place}.{name}")
        if node is not None:
            lifted[name] = node
    return replace(document, root=Entries(entries={**root.entries, **lifted}, line=root.line))


def _is_megatron(settings: Settings) -> bool:
    return settings.flag("is_megatron")


def _growing_decay(settings: Settings) -> Sourced | None:
    style = settings.word("incr_style")
    if style in {"", "constant"}:
        return None
    path = "scheduler.weight_decay_incr_style"
    return left_open("weight_decay", f"{path} {style[:20]}: λ grows over the run", where=path)


def _class_decay(settings: Settings) -> Sourced | None:
    return None if _is_megatron(settings) else class_default("weight_decay")(settings)


def _optimizer(settings: Settings) -> Optimizer:
    return (_OF_MEGATRON if _is_megatron(settings) else optimizer_of)(settings)


def _batch_size(settings: Settings) -> Sourced | None:
    """Return the prompts of a step of the optimizer, or its examples."""
    size, each = settings.count("global_batch_size"), settings.count("generations")
    if size is None or each is None:
        return None
    if size % each:
        note = f"train_global_batch_size {size} is no multiple of {each} completions of a prompt"
        return left_open("batch_size", note, where="policy.train_global_batch_size")
    formula = "policy.train_global_batch_size"
    return derived("batch_size", str(size // each), formula + (f" / {each}" if each > 1 else ""))


def _parts(settings: Settings) -> Fraction | None:
    """Return the optimizer's steps of one training step."""
    if settings.text("prompts") is None:
        return Fraction(1)
    whole = settings.product("prompts", "generations", whole=True)
    size = settings.count("global_batch_size")
    return None if whole is None or size is None else whole / size


def _steps(settings: Settings) -> Sourced | None:
    most, parts = settings.number("max_num_steps"), _parts(settings)
    if most is None or parts is None:
        return None
    note = "the run ends before max_num_steps where its epochs hold fewer"
    value = decimal_text(Fraction(int(most * parts)))
    return derived("steps", value, "max_num_steps · steps of a batch", note=note)


def _schedule(settings: Settings) -> str | None:
    """Return the schedule, which moves once in a training step."""
    parts = _parts(settings)
    if parts is None or parts.denominator != 1:
        return None
    made = _of_megatron if _is_megatron(settings) else _of_torch
    return made(settings, int(parts))


def _per(parts: int) -> Options:
    return {"per": parts} if parts > 1 else {}


def _of_megatron(settings: Settings, parts: int) -> str | None:
    name, warmup = settings.word("scheduler"), settings.number("lr_warmup_iters")
    if warmup is None or name not in {"constant", "cosine", "linear"}:
        return None
    warm: Options = {}
    if warmup:
        start = ratio(settings, "lr_warmup_init", "lr")
        warm = {"warmup": int(warmup * parts), "start": start or None}
    if name == "constant":
        return compose("constant", **warm, **(_per(parts) if warm else {}))
    length = settings.number("lr_decay_iters")
    end = None if length is None else int(length * parts)
    final = of_lr(settings, "min_lr")
    return compose(name, **warm, length=end, final=final, **_per(parts))


def _of_torch(settings: Settings, parts: int) -> str | None:
    """Return a linear warm-up and what follows it; any other list of torch's has no text."""
    if not settings.has("scheduler"):
        return "constant"
    phases = [_phase(part) for part in settings.listed("scheduler")]
    if [name for name, _ in phases[::2]] != ["LinearLR", "milestones"] or len(phases) != len("123"):
        return None
    (_, rise), (name, after), (_, ends) = phases
    warmup, start = rise.get("total_iters"), rise.get("start_factor")
    if not warmup or ends != {"": warmup} or rise.get("end_factor", 1) != 1:
        return None
    warm: Options = {"warmup": int(warmup * parts), "start": start or None, **_per(parts)}
    if name == "ConstantLR" and after.get("factor") == 1:
        return compose("constant", **warm)
    length = after.get({"LinearLR": "total_iters", "CosineAnnealingLR": "T_max"}.get(name, ""))
    return _fall(settings, after, int((warmup + length) * parts), warm) if length else None


def _fall(settings: Settings, after: dict[str, Fraction], end: int, warm: Options) -> str | None:
    """Return a straight fall or half a cosine that ends there, after a warm-up."""
    if "T_max" not in after:
        final = after.get("end_factor", Fraction(1)) or None
        is_whole = after.get("start_factor") == 1
        return compose("linear", **warm, length=end, final=final) if is_whole else None
    least, steps = after.get("eta_min", Fraction(0)), settings.number("steps")
    lr = settings.number("lr")
    mirror = "mirror" if steps is None or end < steps else None
    final = least / lr or None if lr else None
    return compose("cosine", **warm, length=end, final=final, after=mirror)


def _phase(part: Entries) -> tuple[str, dict[str, Fraction]]:
    """Return a scheduler's class with its numbers, or where the milestones are."""
    if "milestones" in part.entries:
        numbers = {"": typed_number(text_of(part, "milestones"))}
        return "milestones", {key: n for key, n in numbers.items() if n is not None}
    arguments = part.entries.get("kwargs")
    entries = arguments.entries if isinstance(arguments, Entries) else {}
    known = {key: typed_number(text_of(Entries(entries=entries), key)) for key in entries}
    name = text_of(part, "name").rpartition(".")[2]
    return name, {key: number for key, number in known.items() if number is not None}


def _unit(settings: Settings) -> str:
    each = settings.text("generations")
    if settings.entries("dpo") or settings.entries("rm"):
        return "preference pairs"
    return "examples" if each == "1" else unit_of("prompts", each, "completions")


def _exempt(settings: Settings) -> Exemption:
    return NO_1D if _is_megatron(settings) else NONE_EXEMPT


def _of_algorithm(name: str) -> tuple[str, ...]:
    return tuple(f"{algorithm}.{name}" for algorithm in _ALGORITHMS)


def _of_both(name: str, of_megatron: str, default: str | None = None) -> Field:
    paths = (f"optimizer.kwargs.{name}", f"optimizer.{of_megatron}")
    return Field(name=name, paths=paths, default=default)


TRAINER = Trainer(
    kind="nemo-rl",
    title="NeMo-RL",
    version="NeMo-RL 7ea279abf",
    signatures=(
        Signature(
            any_of=("policy.train_global_batch_size", "policy.train_micro_batch_size", _ON,
                    "policy.dtensor_cfg.enabled", "policy.megatron_cfg.optimizer.lr",
                    "policy.max_total_sequence_length", "grpo.num_prompts_per_step",
                    "policy.optimizer.kwargs.lr", *_of_algorithm("max_num_steps")),
            at_least=3,
        ),
        Signature(
            all_of=("defaults",),
            any_of=("policy.megatron_cfg", "policy.dtensor_cfg", "policy.generation",
                    "policy.sequence_packing", "policy.model_name", "cluster.gpus_per_node",
                    "cluster.num_nodes", "checkpointing.checkpoint_dir", "logger.log_dir",
                    "policy.max_total_sequence_length"),
            at_least=3,
        ),
    ),
    fields=(
        Field(name="is_megatron", paths=(_ON,), default="false"),
        Field(name="optimizer", paths=("optimizer.name", "optimizer.optimizer")),
        Field(name="weight_decay", paths=("scheduler.end_weight_decay",
              "optimizer.kwargs.weight_decay", "optimizer.weight_decay"),
              overrule=_growing_decay, derive=_class_decay),
        _of_both("lr", "lr"),
        replace(element("beta1", "optimizer.kwargs.betas", 0, default="0.9"),
                paths=("optimizer.adam_beta1",)),
        replace(element("beta2", "optimizer.kwargs.betas", 1, default="0.999"),
                paths=("optimizer.adam_beta2",)),
        _of_both("eps", "adam_eps", default="1e-8"),
        _of_both("momentum", "sgd_momentum", default="0"),
        *Field.within("optimizer.kwargs", dampening="0", nesterov="false",
                      decoupled_weight_decay="false"),
        Field(name="global_batch_size", paths=("policy.train_global_batch_size",)),
        Field(name="prompts", paths=_of_algorithm("num_prompts_per_step")),
        Field(name="generations", paths=_of_algorithm("num_generations_per_prompt"), default="1"),
        Field(name="batch_size", derive=_batch_size),
        # A million is the examples' word for no end.
        Field(name="max_num_steps", paths=_of_algorithm("max_num_steps"),
              absent=("-1", "1000000")),
        Field(name="steps", derive=_steps),
        Field(name="epochs", paths=_of_algorithm("max_num_epochs")),
        Field(name="scheduler", paths=("scheduler.lr_decay_style",)),
        *Field.within("scheduler", lr_warmup_iters=None, lr_warmup_init="0", lr_decay_iters=None),
        *Field.within("optimizer", min_lr="0"),
        Field(name="incr_style", paths=("scheduler.weight_decay_incr_style",)),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=_exempt,
    batch=lambda _: ("batch_size",),  # train_global_batch_size is of all devices
    unit=_unit,
    prepare=_prepare,
    harmless=("policy*", "optimizer*", "scheduler*", "checkpointing*", "data*", "loss_fn*",
              "logger*", "cluster*", "env*", "grpo*", "sft*", "dpo*", "rm*", "distillation*",
              "teacher*", "reward*", "value*"),
)  # fmt: skip
