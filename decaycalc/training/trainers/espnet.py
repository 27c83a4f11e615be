"""ESPnet2's YAML configurations.

Source: espnet 202511 espnet2/tasks/abs_task.py, schedulers/warmup_lr.py,
optimizers/optim_groups.py.
"""

from decaycalc.training.reading.arguments import betas
from decaycalc.training.reading.by_class import class_default, optimizer_of
from decaycalc.training.reading.exemptions import of_kinds
from decaycalc.training.reading.schedules import compose, steps_of
from decaycalc.training.reading.settings import Settings, left_open
from decaycalc.training.reading.trainer import Field, Signature, Trainer
from decaycalc.training.record import Exemption, Sourced


def _schedule(settings: Settings) -> str | None:
    name = settings.word("scheduler")
    if not name:
        return "constant"
    if name != "warmuplr":
        return None
    return compose("inverse-sqrt", warmup=steps_of(settings, "warmup_steps"), ramp="one")


def _by_bins(settings: Settings) -> Sourced | None:
    """Return that a batch filled up to batch_bins has no one size.

    Source: espnet 202511 espnet2/samplers/build_batch_sampler.py.
    """
    kind = settings.told("batch_type").lower()
    if kind not in {"length", "numel", "catpow"}:
        return None
    note = f"batch_type {kind} fills a batch up to batch_bins: give --batch-size"
    return left_open("batch_size", note)


def _exempt(settings: Settings) -> Exemption:
    switch = "exclude_weight_decay"
    if settings.flag("exclude_weight_decay"):
        return Exemption(rule="biases, norms and embeddings", switch=switch)
    return of_kinds(switch=switch)


# FunASR took the names of the optimizer over, and has those of the run in sections of its own.
OF_FUNASR = (
    "train_conf.max_epoch",
    "train_conf.accum_grad",
    "train_conf.output_dir",
    "program:funasr.bin.train",
    "program:funasr.bin.train_ds",
    "program:train_ds.py",
)
TRAINER = Trainer(
    kind="espnet",
    title="ESPnet2",
    version="espnet 202511",
    signatures=(
        Signature(
            all_of=("optim", "optim_conf.lr"),
            any_of=("accum_grad", "max_epoch", "batch_type", "batch_bins",
                    "scheduler_conf.warmup_steps", "keep_nbest_models"),
            none_of=(*OF_FUNASR, "n_epoch", "global_grad_clip"),  # PaddleSpeech's, the last two
        ),
    ),
    fields=(
        Field(name="optimizer", paths=("optim",), default="adadelta"),
        Field(name="weight_decay", paths=("optim_conf.weight_decay",),
              derive=class_default("weight_decay")),
        Field(name="lr", paths=("optim_conf.lr",), derive=class_default("lr")),
        *Field.within("optim_conf", momentum="0", dampening="0", nesterov="false"),
        *betas("optim_conf.betas", "0.9", "0.999"),
        *Field.within("optim_conf", eps="1e-8", decoupled_weight_decay="false"),
        Field(name="batch_size", paths=("batch_size",), overrule=_by_bins, default="20"),
        Field(name="grad_accum", paths=("accum_grad",), default="1"),
        Field(name="epochs", paths=("max_epoch",), default="40"),
        Field(name="scheduler", paths=("scheduler",)),
        Field(name="warmup_steps", paths=("scheduler_conf.warmup_steps",), default="25000"),
        Field(name="exclude_weight_decay", paths=("exclude_weight_decay",), default="false"),
    ),
    optimizer=optimizer_of,
    schedule=_schedule,
    exempt=_exempt,
    batch=lambda _: ("batch_size", "grad_accum"),
    harmless=("batch_type", "batch_bins", "num_iters_per_epoch", "keep_nbest*", "patience",
              "grad_clip*", "specaug*", "encoder*", "decoder*", "model*", "valid_batch*"),
)  # fmt: skip
