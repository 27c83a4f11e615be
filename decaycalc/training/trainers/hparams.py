"""Lightning's hparams.yaml: what a module's constructor was given, under names of its own.

Source: lightning 2.6.6 pytorch/loggers, core/mixins/hparams_mixin.py: save_hyperparameters writes
whatever arguments there are. So the file is told by its name, and no optimizer is guessed.
"""

from decaycalc.record import replace
from decaycalc.training.reading.settings import Settings
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Group, Origin, Training

_UNSURE = "found, unsure: hparams.yaml fixes no names"
_NOTE = "hparams.yaml does not say what the optimizer makes of it: give its convention by --from"
_PLACES = ("", "hparams.", "config.", "cfg.", "args.", "optimizer.", "optim.", "training.",
           "train.", "trainer.", "data.", "model.")  # fmt: skip


def _paths(*names: str) -> tuple[str, ...]:
    return tuple(f"{place}{name}" for name in names for place in _PLACES)


def _finish(_: Settings, made: Training) -> Training:
    quantities = tuple(
        replace(found, note=_UNSURE) if found.origin is Origin.FILE else found
        for found in made.quantities
    )
    group = Group(name="all", selector="as the module's code groups them")
    return replace(made, quantities=quantities, groups=(group,))


TRAINER = Trainer(
    kind="lightning-hparams",
    title="Lightning hparams.yaml",
    version="lightning 2.6.6",
    signatures=(Signature(all_of=("file:hparams.yaml",)),),
    fields=(
        Field(name="weight_decay", paths=_paths("weight_decay", "wd", "weightdecay", "l2")),
        Field(name="lr", paths=_paths("lr", "learning_rate", "base_lr", "init_lr")),
        Field(name="momentum", paths=_paths("momentum"), default="0"),
        Field(name="batch_size", paths=_paths("batch_size", "train_batch_size", "bs")),
        Field(name="grad_accum", paths=_paths("accumulate_grad_batches"), default="1"),
        Field(name="world_size", default="1"),
        Field(name="steps", paths=_paths("max_steps"), absent=("-1",)),
        Field(name="epochs", paths=_paths("max_epochs", "epochs", "num_epochs", "n_epochs")),
    ),
    optimizer=lambda _: Optimizer(convention=None, note=_NOTE),
    schedule=lambda _: None,
    exempt=lambda _: Exemption(rule="not stated"),
    harmless=("optimizer*", "optim*", "scheduler*"),
    finish=_finish,
)
