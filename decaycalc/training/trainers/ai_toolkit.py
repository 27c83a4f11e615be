"""ostris' ai-toolkit YAML: LoRA and fine-tuning of diffusion models, the job's process in a list.

Source: ai-toolkit 27a03a91 toolkit/{optimizer,scheduler,config_modules}.py, toolkit/optimizers/
adam8bit.py, extensions_built_in/sd_trainer/SDTrainer.py.
"""

from decaycalc.errors import UnreadableFileError
from decaycalc.record import replace
from decaycalc.training.reading.arguments import betas
from decaycalc.training.reading.by_class import (
    class_by_name,
    class_default,
    flag_fields,
    optimizer_of,
)
from decaycalc.training.reading.exemptions import NONE_EXEMPT
from decaycalc.training.reading.numbers import decimal_text
from decaycalc.training.reading.optimizers import ADAM
from decaycalc.training.reading.schedules import compose, of_lr, steps_of
from decaycalc.training.reading.settings import Settings, by_default, derived, left_open
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Sourced
from decaycalc.training.trainers.syntax.document import Document
from decaycalc.training.trainers.syntax.tree import Entries, find, mappings_of

_PARAMS, _OF_SCHEDULE = "train.optimizer_params", "train.lr_scheduler_params"
_OLD = "train.gradient_accumulation_steps"
_CLASSES = {
    "adam": "torch.Adam", "adamw": "torch.AdamW", "adagrad": "torch.Adagrad",
    "adam8bit": "bitsandbytes.Adam8bit", "adamw8bit": "bitsandbytes.AdamW8bit",
    "adafactor": "transformers.Adafactor",
}  # fmt: skip
# Of its own: Adam8bit decouples the decay by default, which adam8 leaves so.
_OWN = {
    "adam8": Optimizer(convention="pytorch-adamw", uses=ADAM),
    "adamw8": Optimizer(convention="pytorch-adamw", uses=ADAM),
}


def _prepare(document: Document) -> Document:
    """Lift the one process that trains out of the job's list.

    Raises:
        UnreadableFileError: there is none, or several.
    """
    processes = mappings_of(find(document.root, "config.process"))
    trained = [each for each in processes if isinstance(each.entries.get("train"), Entries)]
    if len(trained) != 1:
        reason = f"config.process has {len(trained)} processes that train, not one"
        raise UnreadableFileError(document.name, reason)
    return replace(document, root=trained[0])


_class = class_by_name(_CLASSES)


def _optimizer(settings: Settings) -> Optimizer:
    return _OWN.get(settings.word("optimizer")) or optimizer_of(settings, _class)


def _weight_decay(settings: Settings) -> Sourced | None:
    if settings.word("optimizer") in _OWN:
        return by_default("weight_decay", "0", "ai-toolkit 27a03a91 toolkit/optimizers")
    return class_default("weight_decay", _class)(settings)


def _grad_accum(settings: Settings) -> Sourced | None:
    """Return that the older accumulation is none: each turn of the loop begins with no gradient."""
    if settings.number("older_accumulation") == 1:
        return None
    return left_open("grad_accum", f"{_OLD}: the gradient is set to 0 in each turn", where=_OLD)


def _steps(settings: Settings) -> Sourced | None:
    """Return the updates of a run whose turns are told."""
    turns, each = settings.number("turns"), settings.number("older_accumulation")
    if turns is None or each is None or each < 1:  # -1: an epoch
        return None
    formula = "train.steps" if each == 1 else f"train.steps / {_OLD}"
    return derived("steps", decimal_text(turns / each), formula)


def _schedule(settings: Settings) -> str | None:
    name, each = settings.word("scheduler"), settings.number("older_accumulation")
    if each is None or each < 1 or settings.has(f"{_OF_SCHEDULE}.max_iterations"):
        return None
    if name == "constant" and not settings.has(f"{_OF_SCHEDULE}.factor"):
        return "constant"
    if name == "constant_with_warmup" and each == 1:
        return compose("constant", warmup=steps_of(settings, "num_warmup_steps"))
    if name in {"cosine", "cosine_with_restarts"}:  # the first cycle is as long as the run
        return compose("cosine", final=of_lr(settings, "eta_min"))
    if name == "linear":
        first, last = settings.text("start_factor"), settings.text("end_factor")
        return compose("linear", initial=first, final=last) if first and last else None
    return None


TRAINER = Trainer(
    kind="ai-toolkit",
    title="ai-toolkit",
    version="ai-toolkit 27a03a91",
    signatures=(Signature(all_of=("job", "config.name", "config.process")),),
    fields=(
        Field(name="optimizer", paths=("train.optimizer",), default="adamw"),
        Field(name="lr", paths=("train.lr",), default="1e-6"),
        Field(name="weight_decay", paths=(f"{_PARAMS}.weight_decay",), derive=_weight_decay),
        *betas(f"{_PARAMS}.betas", "0.9", "0.999"),
        *Field.fixed(eps="1e-6"),
        *flag_fields(_PARAMS, relative_step="false", scale_parameter="false"),
        Field(name="older_accumulation", paths=(_OLD,), default="1"),
        Field(name="turns", paths=("train.steps",), default="1000"),
        Field(name="batch_size", paths=("train.batch_size",), default="1"),
        Field(name="grad_accum", paths=("train.gradient_accumulation",), default="1",
              overrule=_grad_accum),
        *Field.fixed(world_size="1"),
        Field(name="steps", derive=_steps),
        Field(name="scheduler", paths=("train.lr_scheduler",), default="constant"),
        *Field.within(_OF_SCHEDULE, source="torch 2.13", eta_min="0", end_factor="1",
                      start_factor="1/3"),
        *Field.within(_OF_SCHEDULE, num_warmup_steps="1000"),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=lambda _: NONE_EXEMPT,
    prepare=_prepare,
    harmless=("job", "config*", "meta*", "type", "train*", "model*", "sample*", "datasets*",
              "network*", "save*", "device", "training_folder", "trigger_word", "logging*",
              "performance_log_every", "log_dir", "embedding*", "slider*", "adapter*"),
)  # fmt: skip
