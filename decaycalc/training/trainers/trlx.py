"""trlX's YAML configurations.

Source: trlx 3340c2f trlx/data/configs.py, trlx/utils/__init__.py,
trlx/trainer/accelerate_base_trainer.py.
"""

from decaycalc.training.reading.arguments import betas
from decaycalc.training.reading.by_class import (
    class_by_name,
    class_default,
    flag_fields,
    optimizer_of,
)
from decaycalc.training.reading.exemptions import NONE_EXEMPT
from decaycalc.training.reading.schedules import compose, ratio
from decaycalc.training.reading.settings import Settings
from decaycalc.training.reading.trainer import Field, Signature, Trainer

_KWARGS, _TORCH = "optimizer.kwargs", "torch 2.13"
_class = class_by_name(
    {
        "adam": "torch.optim.Adam",
        "adamw": "torch.optim.AdamW",
        "adam_8bit_bnb": "bitsandbytes.optim.Adam8bit",
        "adamw_8bit_bnb": "bitsandbytes.optim.AdamW8bit",
        "sgd": "torch.optim.SGD",
    }
)


def _schedule(settings: Settings) -> str | None:
    """Return torch's CosineAnnealingLR, a step an optimizer's; its eta_min may be lr itself."""
    if settings.word("scheduler") != "cosine_annealing":
        return None
    final, length = ratio(settings, "eta_min", "lr"), settings.number("t_max")
    if final == 1:
        return "constant"
    if length is None:
        return None
    whole = None if length == settings.number("steps") else int(length)
    return compose("cosine", length=whole, final=final or None)


TRAINER = Trainer(
    kind="trlx",
    title="trlX",
    version="trlx 3340c2f",
    signatures=(
        Signature(
            all_of=("optimizer.name", "train.total_steps"),
            any_of=("tokenizer.tokenizer_path", "train.pipeline", "train.trainer", "method.name",
                    "model.num_layers_unfrozen", "scheduler.kwargs"),
            at_least=2,
        ),
    ),
    fields=(
        Field(name="optimizer", paths=("optimizer.name",)),
        Field(name="weight_decay", paths=(f"{_KWARGS}.weight_decay",),
              derive=class_default("weight_decay", _class)),
        Field(name="lr", paths=(f"{_KWARGS}.lr",)),
        *betas(f"{_KWARGS}.betas", "0.9", "0.999", source=_TORCH),
        *Field.within(_KWARGS, source=_TORCH, eps="1e-8", momentum="0", dampening="0",
                      nesterov="false"),
        *flag_fields(_KWARGS),
        Field(name="batch_size", paths=("train.batch_size",)),
        Field(name="world_size", default="1"),
        Field(name="steps", paths=("train.total_steps",)),
        Field(name="scheduler", paths=("scheduler.name",)),
        Field(name="t_max", paths=("scheduler.kwargs.T_max",)),
        Field(name="eta_min", paths=("scheduler.kwargs.eta_min",), default="0", source=_TORCH),
    ),
    optimizer=lambda settings: optimizer_of(settings, _class),
    schedule=_schedule,
    exempt=lambda _: NONE_EXEMPT,
    batch=lambda _: ("batch_size", "world_size"),
    harmless=("train*", "model*", "method*", "tokenizer*", "optimizer*", "scheduler*"),
    finish=lambda _, made: made.with_notes(
        "the run ends at total_steps or after its epochs, whichever comes first"
    ),
)  # fmt: skip
