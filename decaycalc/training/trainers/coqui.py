"""Coqui TTS' config.json, which holds every setting of a run.

Source: coqui-ai/Trainer 7704b0f trainer/{trainer_utils,torch,trainer}.py; coqui-ai/TTS dbf1a08a
TTS/utils/radam.py, TTS/tts/models/vits.py, TTS/tts/layers/xtts/trainer/gpt_trainer.py.
"""

from decaycalc.record import replace
from decaycalc.training.reading.by_class import class_fields, optimizer_of
from decaycalc.training.reading.exemptions import NONE_EXEMPT, of_kinds
from decaycalc.training.reading.optimizers import ADAM
from decaycalc.training.reading.schedules import compose, steps_of
from decaycalc.training.reading.settings import Settings, derived
from decaycalc.training.reading.torch_schedulers import schedule_of, scheduler_fields
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Sourced, Training

_OF_WEIGHTS = "optimizer_wd_only_on_weights"
# The package's own class, whose decay is lr · weight_decay.
_RADAM = Optimizer(convention="pytorch-radam-decoupled", uses=ADAM)


def _optimizer(settings: Settings) -> Optimizer:
    return _RADAM if settings.word("optimizer") == "radam" else optimizer_of(settings)


def _interval(settings: Settings) -> Sourced:
    """Return how often the scheduler is stepped."""
    path = "scheduler_after_epoch"
    return derived("interval", "epoch" if settings.flag(path) else "step", path)


def _schedule(settings: Settings) -> str | None:
    """Return torch's schedule, or Noam's, whose peak is lr."""
    if settings.word("scheduler") != "noamlr":
        return schedule_of(settings)
    warmup, by_step = steps_of(settings, "noam_steps"), settings.word("interval") == "step"
    if warmup is None:
        return None
    return compose(
        "inverse-sqrt",
        warmup=str(warmup) if by_step else f"{warmup}epochs",
        per=None if by_step else "1epochs",
    )


def _exempt(settings: Settings) -> Exemption:
    if settings.flag(_OF_WEIGHTS):
        return of_kinds("norms", "biases", "embeddings", switch=_OF_WEIGHTS)
    return NONE_EXEMPT


def _finish(settings: Settings, made: Training) -> Training:
    has_two = settings.has("lr_disc")
    return made.with_notes("the discriminator has an lr of its own, lr_disc" if has_two else "")


def _fields() -> tuple[Field, ...]:
    """Return the class's fields; the lr of a generator is its own."""
    own = class_fields("optimizer", "optimizer_params")
    return tuple(
        replace(field, paths=("lr_gen", "lr")) if field.name == "lr" else field for field in own
    )


_SCHEDULES, _ARGUMENTS = ("lr_scheduler_gen", "lr_scheduler"), ("lr_scheduler_gen_params",
                          "lr_scheduler_params")  # fmt: skip

TRAINER = Trainer(
    kind="coqui-tts",
    title="Coqui TTS",
    version="coqui-ai/Trainer 7704b0f",
    signatures=(
        Signature(
            all_of=("optimizer_params", "batch_size"),
            any_of=("scheduler_after_epoch", "lr_scheduler_params", "lr_scheduler_gen_params",
                    "target_loss", "print_step", "test_delay_epochs", "dashboard_logger",
                    "save_best_after", "run_eval", "phoneme_language"),
            at_least=3,
        ),
    ),
    fields=(
        *_fields(),
        *Field.within("", batch_size="32", epochs="1000", scheduler_after_epoch="true",
                      optimizer_wd_only_on_weights="false"),
        Field(name="grad_accum", paths=("grad_accum_steps",), default="1"),
        Field(name="world_size", default="1"),
        *(
            replace(field, overrule=_interval) if field.name == "interval" else field
            for field in scheduler_fields(_SCHEDULES, _ARGUMENTS, intervals=())
        ),
        Field(name="noam_steps", paths=tuple(f"{place}.warmup_steps" for place in _ARGUMENTS)),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=_exempt,
    harmless=("audio*", "model_args*", "datasets*", "*_loss_alpha", "test_*", "eval_*", "lr_*",
              "use_*", "num_*", "*_step", "*_steps", "save_*", "phoneme*", "characters*", "grad_*",
              "batch_group_size", "mixed_precision", "precision", "gan*", "scheduler_after_epoch"),
    finish=_finish,
)  # fmt: skip
