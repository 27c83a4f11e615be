"""The YAML configurations of I-JEPA, V-JEPA and V-JEPA 2.

Source: ijepa 52c1ae9 src/helper.py, src/utils/schedulers.py; jepa 51c59d5 and vjepa2 c2963a4
app/vjepa/train.py, app/vjepa/utils.py. I-JEPA has no defaults and torch's betas and eps; those of
V-JEPA are the same.
"""

from fractions import Fraction

from decaycalc.training.reading.arguments import betas
from decaycalc.training.reading.decays import from_to
from decaycalc.training.reading.numbers import decimal_text
from decaycalc.training.reading.optimizers import ADAMW
from decaycalc.training.reading.schedules import compose, epochs, of_lr
from decaycalc.training.reading.settings import Settings, derived
from decaycalc.training.reading.trainer import Field, Signature, Trainer
from decaycalc.training.record import Exemption, Sourced, Training

_OPTIMIZATION, _JEPA = "optimization", "jepa 51c59d5"


def _product(settings: Settings, name: str, formula: str, *parts: str) -> Sourced | None:
    """Return the product of quantities, None where one is missing."""
    product = Fraction(1)
    for part in parts:
        number = settings.number(part)
        if number is None:
            return None
        product *= number
    return derived(name, decimal_text(product), formula)


def _steps(settings: Settings) -> Sourced | None:
    """Return the steps where the file has the length of an epoch, `ipe`."""
    return _product(settings, "steps", "epochs · ipe", "epochs", "ipe")


def _devices(settings: Settings) -> Sourced | None:
    return _product(settings, "world_size", "nodes · tasks_per_node", "nodes", "tasks_per_node")


def _length(settings: Settings, count: Fraction) -> str:
    """Return a number of epochs as a length: in steps where their number is known."""
    each = settings.number("ipe")
    return epochs(count) if each is None else str(int(count * each))


def _whole(settings: Settings) -> str | None:
    """Return the length of the schedules, ipe_scale epochs for each; None where it is the run."""
    scale, count = settings.number("ipe_scale"), settings.number("epochs")
    return (
        None if scale is None or count is None or scale == 1 else _length(settings, scale * count)
    )


def _schedule(settings: Settings) -> str:
    """Source: ijepa 52c1ae9 src/utils/schedulers.py: a step ahead of the optimizer's."""
    final, length = of_lr(settings, "final_lr"), _whole(settings)
    if settings.flag("is_anneal"):
        return compose("linear", length=length, final=final)
    count = settings.number("warmup")
    if not count:
        return compose("cosine", length=length, final=final)
    start = of_lr(settings, "start_lr")
    warmup = _length(settings, count)
    return compose("cosine", warmup=warmup, ramp="one", start=start, length=length, final=final)


def _finish(settings: Settings, made: Training) -> Training:
    start, end = settings.number("weight_decay"), settings.number("final_weight_decay")
    return from_to(made, start, end, length=_whole(settings))


TRAINER = Trainer(
    kind="ijepa",
    title="I-JEPA and V-JEPA",
    version="ijepa 52c1ae9",
    signatures=(
        Signature(
            any_of=(f"{_OPTIMIZATION}.final_weight_decay", f"{_OPTIMIZATION}.ipe_scale",
                    f"{_OPTIMIZATION}.start_lr", f"{_OPTIMIZATION}.final_lr", "mask.min_keep",
                    "meta.pred_depth"),
            at_least=3,
            # MSN's file: its schedules are 1.25 times as long, and prototypes have their own rule.
            none_of=("criterion.num_proto",),
        ),
    ),
    fields=(
        Field(name="optimizer", default="AdamW"),
        *Field.within(_OPTIMIZATION, weight_decay=None, final_weight_decay=None, lr=None),
        *betas(f"{_OPTIMIZATION}.betas", "0.9", "0.999", source=_JEPA),
        Field(name="eps", paths=(f"{_OPTIMIZATION}.eps",), default="1e-8", source=_JEPA),
        Field(name="batch_size", paths=("data.batch_size",)),
        Field(name="world_size", derive=_devices, default="1"),
        *Field.within("", nodes=None, tasks_per_node=None),
        Field(name="ipe", paths=(f"{_OPTIMIZATION}.ipe",)),
        Field(name="steps", derive=_steps),
        Field(name="epochs", paths=(f"{_OPTIMIZATION}.epochs",)),
        Field(name="ipe_scale", paths=(f"{_OPTIMIZATION}.ipe_scale",), default="1", source=_JEPA),
        *Field.within(_OPTIMIZATION, warmup=None, start_lr=None, final_lr=None),
        Field(name="is_anneal", paths=(f"{_OPTIMIZATION}.is_anneal",), default="false",
              source="vjepa2 c2963a4"),
    ),
    optimizer=lambda _: ADAMW,
    schedule=_schedule,
    exempt=lambda _: Exemption(rule="1-D tensors and names with bias"),
    batch=lambda _: ("batch_size", "world_size"),
    harmless=("data*", "mask*", "meta*", "logging*", "model*", "loss*",
              f"{_OPTIMIZATION}.resume_anneal", f"{_OPTIMIZATION}.anneal_ckpt"),
    finish=_finish,
)  # fmt: skip
