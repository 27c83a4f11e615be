"""OpenPCDet's YAML of 3-D detection: Adam with fastai's one cycle, and its decay outside of Adam.

Source: OpenPCDet 8caccce tools/train_utils/optimization/{__init__,fastai_optim,
learning_schedules_fastai}.py. `adam_onecycle` multiplies by 1 - lr·wd before Adam's step (true_wd),
all parameters of modules without children (bn_wd); other parameters are in no group at all.
"""

from decaycalc.training.reading.exemptions import NONE_EXEMPT
from decaycalc.training.reading.optimizers import ADAM, SGD, by_name
from decaycalc.training.reading.schedules import compose
from decaycalc.training.reading.settings import Settings
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Training

_CYCLE, _COSINE = "adam_onecycle", "adam_cosineanneal"
_WRAPPED = Optimizer(convention="pytorch-adamw", uses=("eps",))  # beta1 moves
_OPTIMIZERS = {
    _CYCLE: _WRAPPED,
    _COSINE: _WRAPPED,
    "adam": Optimizer(convention="pytorch-adam", uses=ADAM),
    "sgd": Optimizer(convention="pytorch-sgd", uses=SGD),
}
_IN = "OPTIMIZATION"


def _schedule(settings: Settings) -> str | None:
    """Return the schedule of the wrapped ones: of the others it is stepped with the wrong words."""
    name, rise, div = settings.word("optimizer"), settings.number("rise"), settings.number("div")
    if name == _CYCLE and rise and div:
        return compose("one-cycle", rise=rise, div=div, follow="optax")
    warmup = settings.count("warmup")
    if name != _COSINE or warmup is None:
        return None
    return compose(
        "cosine",
        warmup=warmup,
        start="0.33333333",
        final="0.001",
        over="run",
        per="1epochs",
        warmup_per=1,
    )


def _finish(settings: Settings, made: Training) -> Training:
    if settings.word("optimizer") not in {_CYCLE, _COSINE}:
        return made
    ends = " to ".join(settings.texts(f"{_IN}.MOMS"))
    return made.with_notes(
        f"MOMS: beta1 goes from {ends} and back over the run",
        "parameters of a module that has modules within it are not trained",
    )


TRAINER = Trainer(
    kind="openpcdet",
    title="OpenPCDet",
    version="OpenPCDet 8caccce",
    signatures=(
        Signature(
            all_of=(f"{_IN}.OPTIMIZER", f"{_IN}.LR"),
            any_of=(f"{_IN}.MOMS", f"{_IN}.PCT_START", f"{_IN}.DIV_FACTOR", f"{_IN}.LR_CLIP",
                    f"{_IN}.BATCH_SIZE_PER_GPU", f"{_IN}.DECAY_STEP_LIST", f"{_IN}.NUM_EPOCHS"),
            at_least=3,
        ),
    ),
    fields=(
        Field(name="optimizer", paths=(f"{_IN}.OPTIMIZER",)),
        Field(name="lr", paths=(f"{_IN}.LR",)),
        Field(name="weight_decay", paths=(f"{_IN}.WEIGHT_DECAY",)),
        Field(name="momentum", paths=(f"{_IN}.MOMENTUM",)),
        *Field.fixed(beta1="0.9", beta2="0.999", eps="1e-8", dampening="0", nesterov="false",
                     source="torch 2.13"),
        Field(name="batch_size", paths=(f"{_IN}.BATCH_SIZE_PER_GPU",)),
        *Field.fixed(grad_accum="1"),
        Field(name="world_size"),
        Field(name="epochs", paths=(f"{_IN}.NUM_EPOCHS",)),
        Field(name="rise", paths=(f"{_IN}.PCT_START",)),
        Field(name="div", paths=(f"{_IN}.DIV_FACTOR",)),
        Field(name="warmup", paths=(f"{_IN}.WARMUP_ITER",)),
    ),
    optimizer=by_name(_OPTIMIZERS),
    schedule=_schedule,
    exempt=lambda _: NONE_EXEMPT,
    harmless=("CLASS_NAMES*", "DATA_CONFIG*", "MODEL*", f"{_IN}*"),
    finish=_finish,
)  # fmt: skip
