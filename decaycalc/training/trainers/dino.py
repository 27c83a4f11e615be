"""The flags of DINO, and of iBOT, which was made from it.

Source: dino 7c446df main_dino.py, run_with_submitit.py, utils.py.
"""

from decaycalc.training.reading.decays import over_the_run
from decaycalc.training.reading.exemptions import NO_1D
from decaycalc.training.reading.optimizers import ADAMW, by_name
from decaycalc.training.reading.schedules import compose, epochs, of_lr
from decaycalc.training.reading.settings import Settings, lr_per, submitit_devices
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer

_BATCH = ("batch_size", "world_size")
_OWN = (
    "batch_size_per_gpu", "local_crops_number", "local_crops_scale", "global_crops_scale",
    "out_dim", "teacher_temp", "warmup_teacher_temp", "warmup_teacher_temp_epochs",
    "momentum_teacher", "norm_last_layer", "freeze_last_layer", "use_bn_in_head",
)  # fmt: skip


_OPTIMIZERS = {
    "adamw": ADAMW,
    "sgd": Optimizer(convention="pytorch-sgd", uses=("momentum",)),
}


def _schedule(settings: Settings) -> str:
    """Return the cosine of each step, after a warm-up."""
    count = settings.number("warmup_epochs")
    final = of_lr(settings, "min_lr")
    return compose("cosine", warmup=epochs(count) if count else None, final=final)


TRAINER = Trainer(
    kind="dino",
    title="DINO",
    version="dino 7c446df main_dino.py",
    signatures=(
        # 3D-Speaker's files have DINO's names, beside what its own loop makes.
        Signature(any_of=_OWN, at_least=2, none_of=("dataset.obj", "dataloader.obj")),
        Signature(all_of=("program:main_dino.py",)),
        Signature(all_of=("program:main_ibot.py",)),
        Signature(all_of=("data_path", "weight_decay_end"), any_of=_OWN),
    ),
    fields=(
        *Field.within("", optimizer="adamw", weight_decay="0.04", weight_decay_end="0.4"),
        Field(name="base_lr", paths=("lr",), default="0.0005"),
        Field(name="lr", overrule=lr_per(256, "lr", base="base_lr", batch=_BATCH)),
        Field(name="momentum", default="0.9"),
        *Field.fixed(source="torch 2.13", beta1="0.9", beta2="0.999", eps="1e-8"),
        Field(name="batch_size", paths=("batch_size_per_gpu",), default="64"),
        Field(name="world_size", derive=submitit_devices, default="1"),
        *Field.within("", nodes="2", ngpus="8", epochs="100"),
        *Field.fixed(drop_last="true", scheduler="cosine"),
        *Field.within("", warmup_epochs="10", min_lr="1e-6"),
    ),
    optimizer=by_name(_OPTIMIZERS),
    schedule=_schedule,
    exempt=lambda _: NO_1D,
    batch=lambda _: _BATCH,
    harmless=("momentum_teacher", "warmup_teacher_temp*", "freeze_last_layer", "drop_path*"),
    finish=over_the_run,
)
