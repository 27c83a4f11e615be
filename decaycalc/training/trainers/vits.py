"""VITS' config.json and its kin's: so-vits-svc, RVC, Bert-VITS2, GPT-SoVITS.

The file has no weight decay: torch's AdamW decays by its own 0.01. Source: vits 2e561ba train.py;
so-vits-svc 730930d train.py; RVC 4338f12 train/train.py; Bert-VITS2 8f7fbd8 train_ms.py; GPT-SoVITS
48b1a01 GPT_SoVITS/s2_train.py.
"""

from decaycalc.training.reading.arguments import betas
from decaycalc.training.reading.exemptions import NONE_EXEMPT
from decaycalc.training.reading.optimizers import ADAMW
from decaycalc.training.reading.schedules import compose
from decaycalc.training.reading.settings import Settings
from decaycalc.training.reading.trainer import Field, Signature, Trainer
from decaycalc.training.record import Training

_TORCH = "torch 2.13 optim.AdamW, to which the program gives no weight_decay"


def _schedule(settings: Settings) -> str | None:
    """Return the fall once an epoch; so-vits-svc alone has a warm-up, whose lr it then keeps."""
    if settings.number("warmup_epochs"):
        return None
    gamma = settings.number("lr_decay")
    return compose("exponential", gamma=gamma, every="1epochs", per="1epochs")


def _finish(settings: Settings, made: Training) -> Training:
    notes = ["the discriminator has an optimizer of the same settings"]
    if settings.has("model.spk_embed_dim"):
        notes.append("RVC: the flags -bs and -te of its program take the file's place")
    if settings.has("train.text_low_lr_rate"):
        notes.append("train.text_low_lr_rate: the lr of the text's parts is not read")
    return made.with_notes(*notes)


TRAINER = Trainer(
    kind="vits",
    title="VITS",
    version="vits 2e561ba train.py",
    signatures=(
        Signature(
            all_of=("train.learning_rate", "train.lr_decay", "train.segment_size"),
            any_of=("train.c_mel", "train.c_kl", "train.init_lr_ratio"),
        ),
    ),
    fields=(
        Field(name="weight_decay", default="0.01", source=_TORCH),
        Field(name="lr", paths=("train.learning_rate",)),
        *betas("train.betas", "0.9", "0.999"),
        *Field.within("train", eps="1e-8", batch_size=None, epochs=None, lr_decay=None,
                      warmup_epochs="0"),
        Field(name="world_size", default="1"),
    ),
    optimizer=lambda _: ADAMW,
    schedule=_schedule,
    exempt=lambda _: NONE_EXEMPT,
    batch=lambda _: ("batch_size", "world_size"),
    harmless=("train*", "data*", "model*", "version", "spk*", "symbols", "content_module"),
    finish=_finish,
)  # fmt: skip
