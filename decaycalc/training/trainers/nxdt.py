"""neuronx-distributed-training's YAML: NeMo's optimizer and schedules, batches under `data`.

Source: neuronx-distributed-training 9169aa0 lightning_modules/model/base.py,
lightning_modules/model/hf_models/base_model.py, utils/model_utils.py, optim/lr_schedulers.py;
neuronx-distributed fbac349 utils/adamw_fp32_optim_params.py.
"""

from decaycalc.record import replace
from decaycalc.training.reading.exemptions import of_kinds
from decaycalc.training.reading.optimizers import ADAMW
from decaycalc.training.reading.schedules import compose, steps_of
from decaycalc.training.reading.settings import Settings, by_default
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption
from decaycalc.training.trainers import nemo

_VERSION = "neuronx-distributed-training 9169aa0"
_SWITCH = "model.do_layer_norm_weight_decay"
# The library's own class, whose decay follows the step as AdamW's of transformers did.
_OWN = "adamw_fp32optstate"
_GROUPED = Optimizer(
    convention=ADAMW.convention,
    uses=ADAMW.uses,
    value=by_default("value", "0.01", f"{_VERSION} utils/model_utils.py"),
    note="models of model_source hf are grouped with a weight decay of 0.01: the file's"
    " model.optim.weight_decay reaches no weight",
)


def _is_hf(settings: Settings) -> bool:
    return settings.word("model_source") == "hf"


def _optimizer(settings: Settings) -> Optimizer:
    own = settings.word("optimizer") == _OWN
    made = ADAMW if own else nemo.TRAINER.optimizer(settings)
    return _GROUPED if _is_hf(settings) and made.convention == ADAMW.convention else made


def _schedule(settings: Settings) -> str | None:
    """Return NeMo's schedule over the trainer's steps, or transformers' linear one."""
    if settings.word("scheduler") == "linearannealingwithwarmup":
        return compose("linear", warmup=steps_of(settings, "warmup_steps"))
    return nemo.TRAINER.schedule(settings)


def _exempt(settings: Settings) -> Exemption:
    """Return what does not decay: models of transformers turn the switch round."""
    if settings.flag("do_layer_norm_weight_decay") is _is_hf(settings):
        return of_kinds("norms", "biases", switch=_SWITCH)
    if _is_hf(settings):
        return of_kinds("biases", switch=_SWITCH)
    return of_kinds(switch=_SWITCH)


# The trainer's steps take the place of the schedule's own; B is told by data.global_batch_size.
_OTHERS = {"global_batch_size", "batch_size", "grad_accum", "world_size", "num_nodes",
           "schedule_steps", "do_layer_norm_weight_decay"}  # fmt: skip

TRAINER: Trainer = replace(
    nemo.TRAINER,
    kind="nxdt",
    title="neuronx-distributed-training",
    version=_VERSION,
    signatures=(
        Signature(
            all_of=("model.optim.name", "model.optim.lr"),
            any_of=("distributed_strategy.tensor_model_parallel_size", "model_source",
                    "distributed_strategy.zero1", "data.global_batch_size"),
            at_least=2,
        ),
    ),
    fields=(
        *(field for field in nemo.TRAINER.fields if field.name not in _OTHERS),
        Field(name="batch_size", paths=("data.global_batch_size",)),
        *Field.within("", model_source="hf"),
        *Field.within("model", do_layer_norm_weight_decay="false"),
        Field(name="schedule_steps"),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=_exempt,
    batch=lambda _: ("batch_size",),
    unit=lambda _: "sequences",
    harmless=(*nemo.TRAINER.harmless, "data*", "distributed_strategy*", "precision*",
              "model.optim.capturable"),
)  # fmt: skip
