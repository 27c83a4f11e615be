"""ConvNeXt's main.py and run_with_submitit.py by their flags.

Source: ConvNeXt 048efce main.py, optim_factory.py, utils.py, run_with_submitit.py.
"""

from fractions import Fraction

from decaycalc.training.reading.arguments import betas
from decaycalc.training.reading.decays import by_layer, over_the_run
from decaycalc.training.reading.exemptions import TIMM_EXEMPT
from decaycalc.training.reading.optimizers import ADAM, ADAMW, UNDAMPENED_SGD, by_name
from decaycalc.training.reading.schedules import compose, epochs, of_lr
from decaycalc.training.reading.settings import Settings, submitit_devices
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Training

_OPTIMIZERS = {
    "adamw": ADAMW,
    "adam": Optimizer(convention="pytorch-adam", uses=ADAM),
    "sgd": Optimizer(convention="pytorch-sgd", uses=UNDAMPENED_SGD),
}


def _schedule(settings: Settings) -> str:
    """Return the cosine of each step; numpy's linspace reaches the peak at the warm-up's last.

    Source: ConvNeXt 048efce utils.py, cosine_scheduler.
    """
    count, steps = settings.number("warmup_epochs"), settings.number("warmup_steps")
    own = str(int(steps)) if steps and steps > 0 else epochs(count or Fraction(0))
    final = of_lr(settings, "min_lr")
    return compose("cosine", warmup=own if count else None, final=final)


def _finish(settings: Settings, made: Training) -> Training:
    return by_layer(over_the_run(settings, made), settings, "convnext")


TRAINER = Trainer(
    kind="convnext",
    title="ConvNeXt",
    marks=("create_optimizer", "cosine_scheduler"),
    version="ConvNeXt 048efce main.py",
    signatures=(
        # Other scripts have its flags, and defaults or an lr of their own.
        *(
            Signature(
                all_of=("data_path", program),
                any_of=("update_freq", "model_ema_eval", "layer_scale_init_value",
                        "head_init_scale", "weight_decay_end"),
                none_of=("blr", "batch_size_per_gpu", "local_crops_number", "out_dim"),
            )
            for program in ("program:main.py", "program:run_with_submitit.py")
        ),
    ),
    fields=(
        Field(name="optimizer", paths=("opt",), default="adamw"),
        *Field.within("", weight_decay="0.05", weight_decay_end=None, lr="4e-3", momentum="0.9"),
        Field(name="nesterov", default="true"),
        *betas("opt_betas", "0.9", "0.999"),
        Field(name="eps", paths=("opt_eps",), default="1e-8"),
        Field(name="batch_size", paths=("batch_size",), default="64"),
        Field(name="grad_accum", paths=("update_freq",), default="1"),
        Field(name="world_size", derive=submitit_devices, default="1"),
        *Field.within("", nodes="2", ngpus="8", epochs="300"),
        *Field.fixed(drop_last="true", scheduler="cosine"),
        *Field.within("", warmup_epochs="20", warmup_steps="-1", min_lr="1e-6", layer_decay="1"),
    ),
    optimizer=by_name(_OPTIMIZERS),
    schedule=_schedule,
    exempt=lambda _: TIMM_EXEMPT,
    harmless=("mixup*", "model_ema*", "head_init_scale", "layer_scale_init_value", "smoothing"),
    finish=_finish,
)  # fmt: skip
