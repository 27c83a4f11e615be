"""nanoGPT's Python configurations, parsed and never run.

Source: karpathy/nanoGPT train.py, configurator.py (dc81cb36 for the warm-up's form).
"""

from itertools import combinations

from decaycalc.training.reading.numbers import decimal_text
from decaycalc.training.reading.optimizers import unknown_optimizer
from decaycalc.training.reading.schedules import compose, ratio
from decaycalc.training.reading.settings import Settings
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Group, Training

_OWN = (
    "block_size", "gradient_accumulation_steps", "max_iters", "lr_decay_iters", "warmup_iters",
    "decay_lr", "n_layer", "n_embd", "eval_interval", "out_dir", "always_save_checkpoint",
    "wandb_log",
)  # fmt: skip


# A description of a model has these, and sets no run.
_OF_A_MODEL = ("block_size", "n_layer", "n_embd")
_OF_A_RUN = tuple(each for each in _OWN if each not in _OF_A_MODEL)

# By what forks name an optimizer; nanoGPT itself has AdamW alone.
_ADAMW = ("adamw", "adamw_fused", "fused_adamw", "adamw_torch", "torch.optim.adamw")
_OF_FORKS = ("optimizer_name", "optimizer", "optimizer_type", "optim", "opt")
# Programs that share some of these names, and transformers' description of a model.
_OTHER_PROGRAMS = (
    "micro_batch_size", "per_device_batch_size", "per_device_train_batch_size", "train_iters",
    "gradient_accumulation_iters", "num_epochs", "epochs", "global_batch_size",
    "model_type", "architectures", "transformers_version", "lr", "accum_iter",
    "per_gpu_train_batch_size", "flag:model_name_or_path",
    "lr_init", "ctx_len", "micro_bsz",
)  # fmt: skip


def _optimizer(settings: Settings) -> Optimizer:
    """Return AdamW; a fork's file that names another optimizer, as Sophia's, has none here."""
    if settings.flag("eval_only"):
        return Optimizer(convention="nanogpt", refusal="eval_only is true: it trains nothing")
    words = [text for name in _OF_FORKS for text in settings.texts(name)]
    others = [word for word in words if word.lower() not in _ADAMW]
    if others:
        return unknown_optimizer(others[0], setting="a fork's optimizer")
    return Optimizer(convention="nanogpt", uses=("beta1", "beta2"))


def _schedule(settings: Settings) -> str:
    """Return warm-up by (it + 1)/(warmup_iters + 1), then a cosine to min_lr.

    Source: karpathy/nanoGPT train.py, get_lr.
    """
    if not settings.flag("decay_lr"):
        return "constant"
    length, steps = settings.count("lr_decay_iters"), settings.count("steps")
    warm = settings.number("warmup_iters")
    return compose(
        "cosine",
        warmup=int(warm) if warm else None,
        ramp="inner" if warm else None,
        length=None if length == steps else length,
        final=ratio(settings, "min_lr", "lr"),
    )


def _finish(settings: Settings, made: Training) -> Training:
    """Give muP's hidden weights their own lr, of the fork nanoGPT-mup.

    Source: EleutherAI/nanoGPT-mup model.py, configure_optimizers.
    """
    if not settings.flag("mup") or settings.flag("mup_unscaled"):
        return made
    width = settings.number("mup_width")
    if not width:
        note = "muP: the lr of c_attn, c_fc and c_proj is lr / mup_width_multiplier, not known here"
        return made.with_notes(note)
    hidden = Group(
        name="hidden",
        selector="weights of c_attn, c_fc and c_proj",
        lr_mult=decimal_text(1 / width),
    )
    return made.with_groups(hidden)


TRAINER = Trainer(
    kind="nanogpt",
    title="nanoGPT",
    version="nanoGPT dc81cb36",
    signatures=(
        *(
            Signature(
                all_of=(own,), any_of=tuple(each for each in _OWN if each != own),
                none_of=_OTHER_PROGRAMS,
            )
            for own in _OF_A_RUN
        ),
        # A command runs, be it by a model's flags alone.
        *(
            Signature(all_of=(f"flag:{one}", f"flag:{other}"), none_of=_OTHER_PROGRAMS)
            for one, other in combinations(_OF_A_MODEL, 2)
        ),
    ),
    fields=(
        Field(name="weight_decay", paths=("weight_decay",), default="0.1"),
        Field(name="lr", paths=("learning_rate",), default="6e-4"),
        *Field.within("", beta1="0.9", beta2="0.95", batch_size="12", block_size="1024"),
        Field(name="grad_accum", paths=("gradient_accumulation_steps",), default="40"),
        Field(name="steps", paths=("max_iters",), default="600000"),
        *Field.within("", decay_lr="True", warmup_iters="2000", lr_decay_iters="600000",
                      min_lr="6e-5"),
        *Field.within("", eval_only="False"),
        Field(name="mup", paths=("mup_enabled",)),
        Field(name="mup_unscaled", paths=("mup_disable_hidden_lr_scaling",)),
        Field(name="mup_width", paths=("mup_width_multiplier",), default="1",
              source="nanoGPT-mup train.py"),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    # Source: karpathy/nanoGPT model.py, configure_optimizers.
    exempt=lambda _: Exemption(rule="tensors of less than two dimensions", mask="matrices"),
    # gradient_accumulation_steps is of all devices: train.py divides it by their number.
    batch=lambda _: ("batch_size", "block_size", "grad_accum"),
    harmless=("max_new_tokens", *_OF_FORKS),
    unit=lambda _: "tokens",
    marks=("configure_optimizers",),
    programs=("train.py",),
    finish=_finish,
)  # fmt: skip
