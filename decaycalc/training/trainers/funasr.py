"""FunASR's configurations, as YAML or as overrides of its command line.

Source: FunASR 3c58cb56a funasr/bin/train.py, train_utils/trainer.py, optimizers/__init__.py,
schedulers/warmup_lr.py, datasets/audio_datasets/samplers.py.
"""

from decaycalc.record import replace
from decaycalc.training.reading.settings import Settings, left_open
from decaycalc.training.reading.trainer import PER_DEVICE, Field, Signature
from decaycalc.training.record import Sourced
from decaycalc.training.trainers import espnet

_BATCH = "dataset_conf.batch_type"


def _by_length(settings: Settings) -> Sourced | None:
    """Return that a batch has no one size unless it counts examples."""
    kind = settings.told(_BATCH).lower()
    if kind == "example":
        return None
    said = f"{_BATCH} {kind[:20]} fills a batch by lengths" if kind else f"{_BATCH} is not set"
    return left_open("batch_size", f"{said}: give --batch-size", where=f"the batch by {_BATCH}")


_OWN = {
    "optimizer": Field(name="optimizer", paths=("optim",), default="adam"),
    "batch_size": Field(name="batch_size", paths=("dataset_conf.batch_size",),
                        overrule=_by_length),
    "grad_accum": Field(name="grad_accum", paths=("train_conf.accum_grad",), default="1"),
    "epochs": Field(name="epochs", paths=("train_conf.max_epoch",), default="100"),
    "scheduler": Field(name="scheduler", paths=("scheduler",), default="warmuplr"),
    "exclude_weight_decay": Field(name="exclude_weight_decay", default="false"),
}  # fmt: skip

TRAINER = replace(
    espnet.TRAINER,
    kind="funasr",
    title="FunASR",
    version="FunASR 3c58cb56a",
    signatures=(
        Signature(all_of=("optim_conf.lr",), any_of=espnet.OF_FUNASR),
        Signature(
            all_of=("train_conf.max_epoch",),
            any_of=("train_conf.accum_grad", "dataset_conf.batch_size", "optim",
                    "scheduler_conf.warmup_steps"),
            at_least=2,
        ),
    ),
    fields=(
        *(_OWN.get(field.name, field) for field in espnet.TRAINER.fields),
        Field(name="world_size", default="1"),
    ),
    batch=lambda _: PER_DEVICE,
    harmless=(*espnet.TRAINER.harmless, "dataset_conf*", "train_conf*", "predictor*",
              "frontend*", "tokenizer*", "ctc*"),
)  # fmt: skip
