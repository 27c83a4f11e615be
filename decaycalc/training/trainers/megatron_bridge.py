"""Megatron-Bridge's YAML: what it lays over a recipe, and the run_config.yaml of a checkpoint.

Source: Megatron-Bridge 067f987df src/megatron/bridge/training/{config,optim}.py,
recipes/utils/optimizer_utils.py.
"""

from decaycalc.record import replace
from decaycalc.training.reading.settings import Settings, left_open
from decaycalc.training.reading.trainer import Field, Signature, Trainer
from decaycalc.training.record import Sourced, Training
from decaycalc.training.trainers import megatron
from decaycalc.training.trainers.syntax.document import Document
from decaycalc.training.trainers.syntax.tree import Entries, Node, leaves

_SECTIONS = ("optimizer", "scheduler", "train")
_OF_MODEL = ("seq_length", "tensor_model_parallel_size", "pipeline_model_parallel_size",
             "context_parallel_size")  # fmt: skip
# What a recipe sets, so that none of Megatron's defaults holds where the file is silent.
_OF_RECIPE = ("weight_decay", "lr", "min_lr", "scheduler", "lr_warmup_iters")
_OTHER_WARMUPS = ("lr_warmup_fraction", "lr_warmup_samples")


def _prepare(document: Document) -> Document:
    """Lift the keys of the sections to the top, where Megatron's arguments stand."""
    lifted: dict[str, Node] = {}
    for path, node in leaves(document.root):
        section, _, name = path.partition(".")
        if section in _SECTIONS or (section == "model" and name in _OF_MODEL):
            lifted[name] = node
    return replace(document, root=Entries(entries=lifted, line=document.root.line))


def _default(settings: Settings, field: Field) -> Sourced | None:
    """Return that a quantity is the recipe's where the file does not set it."""
    is_warm = field.name == "lr_warmup_iters" and any(map(settings.has, _OTHER_WARMUPS))
    if field.name not in _OF_RECIPE or is_warm:
        return None
    key = field.paths[0]
    return left_open(field.name, f"{key} is the recipe's own, which is not in the file", where=key)


def _field(field: Field) -> Field:
    """Return Megatron's field without its default where a recipe sets it.

    The scheduler sets λ at every step: optimizer.weight_decay reaches no weight.
    """
    if field.name == "weight_decay":
        field = replace(field, paths=("end_weight_decay",))
    if field.name in {"beta1", "beta2"}:
        return replace(field, default=None)
    return replace(field, default=None, absent=()) if field.name in _OF_RECIPE else field


def _finish(settings: Settings, made: Training) -> Training:
    made = megatron.TRAINER.finish(settings, made)
    note = (
        "the scheduler's end_weight_decay, not the optimizer's weight_decay, reaches the weights"
        " (0.033 in most recipes)"
    )
    return made.with_notes(note)


_TELLING = ("scheduler.lr_decay_style", "scheduler.lr_warmup_iters", "scheduler.end_weight_decay",
            "optimizer.min_lr", "optimizer.lr", "train.global_batch_size",
            "train.micro_batch_size")  # fmt: skip

TRAINER: Trainer = replace(
    megatron.TRAINER,
    kind="megatron-bridge",
    title="Megatron-Bridge",
    version="Megatron-Bridge 067f987df",
    signatures=tuple(
        Signature(all_of=(length,), any_of=_TELLING, at_least=2)
        for length in ("train.train_iters", "train.train_samples")
    ),
    default=_default,
    fields=tuple(_field(field) for field in megatron.TRAINER.fields),
    prepare=_prepare,
    finish=_finish,
    harmless=(*megatron.TRAINER.harmless, "weight_decay", "muon_*"),
)
