"""PaddleOCR's YAML configurations: PaddleClas' optimizers, and schedules of their own length.

Source: PaddleOCR 0deebdf8 ppocr/optimizer/__init__.py, 045e5f6a learning_rate.py, 0c8ecf4c
optimizer.py, 443de015 regularizer.py.
"""

from fractions import Fraction

from decaycalc.record import replace
from decaycalc.training.reading.schedules import Options, compose, epochs, of_lr
from decaycalc.training.reading.settings import Settings
from decaycalc.training.reading.trainer import Field, Signature, Trainer, moved
from decaycalc.training.record import Training
from decaycalc.training.trainers import paddleclas
from decaycalc.training.trainers.syntax.tree import leaves

_LR, _LOADER = "Optimizer.lr", "Train.loader"
_OF_CLAS = {"multistepdecay", "step", "piecewise"}


def _schedule(settings: Settings) -> str | None:
    """Return the schedule; a fall as long as the run begins behind the warm-up, and is cut off.

    Source: PaddleOCR 045e5f6a ppocr/optimizer/learning_rate.py; paddle 3 LinearWarmup.get_lr.
    """
    name, warmup = settings.word("scheduler"), settings.number("warmup_epoch") or Fraction(0)
    if name in _OF_CLAS:
        is_plain = name != "piecewise" or not settings.has(f"{_LR}.learning_rate")
        return paddleclas.TRAINER.schedule(settings) if is_plain else None
    warm: Options = {"warmup": epochs(warmup)} if warmup else {}
    if name in {"constant", "const"}:  # the first is an lr without a name
        return compose("constant", **(warm if name == "const" else {}))
    if name == "decaylearningrate":
        return compose("polynomial", power=settings.number("factor"))
    whole = settings.number("epochs")
    if name not in {"cosine", "linear"} or whole is None:
        return None
    if warmup:
        warm["length"] = epochs(whole + warmup)
    if name == "cosine":
        return compose("cosine", **warm)
    power, final = settings.number("power"), of_lr(settings, "end_lr")
    own = None if power == 1 else power
    return compose("linear" if own is None else "polynomial", power=own, **warm, final=final)


def _finish(settings: Settings, made: Training) -> Training:
    """Name what decays otherwise, and what makes a batch larger or smaller."""
    names = {path.rpartition(".")[2] for path, _ in leaves(settings.document.root)}
    notes = []
    if "fc_decay" in names or settings.told("Architecture.Head.name") == "CTCHead":
        notes.append("the CTC head's weights have a penalty of their own, fc_decay")
    if settings.told("Train.sampler.name") == "MultiScaleSampler":
        notes.append("Train.sampler: the batch size follows the images' scale")
    return made.with_notes(*notes)


_CHANGED: dict[str, tuple[str, ...]] = {
    "weight_decay": ("Optimizer.regularizer.factor", "Optimizer.weight_decay"),
    "batch_size": (f"{_LOADER}.batch_size_per_card",),
    "epochs": ("Global.epoch_num",),
    "drop_last": (f"{_LOADER}.drop_last",),
    # What its classes take no notice of.
    **dict.fromkeys(("nesterov", "by_epoch", "warmup_start_lr", "eta_min", "cycle"), ()),
}


TRAINER: Trainer = replace(
    paddleclas.TRAINER,
    kind="paddleocr",
    title="PaddleOCR",
    version="PaddleOCR 045e5f6a",
    signatures=(
        Signature(
            all_of=("Optimizer.name",),
            any_of=("Global.epoch_num", f"{_LOADER}.batch_size_per_card", "PostProcess.name",
                    "Global.character_dict_path", "Architecture.algorithm",
                    "Optimizer.regularizer.factor"),
            at_least=2,
        ),
    ),
    fields=(
        *moved(
            (each for each in paddleclas.TRAINER.fields if each.name != "grad_accum"), _CHANGED
        ),
        Field(name="factor", paths=(f"{_LR}.factor",), default="0.9"),
    ),
    schedule=_schedule,
    batch=lambda _: ("batch_size", "world_size"),
    harmless=("Global*", "Architecture*", "Loss*", "PostProcess*", "Metric*", "Train*", "Eval*"),
    finish=_finish,
)  # fmt: skip
