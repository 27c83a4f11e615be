"""spaCy's config.cfg: its [training] sections.

Source: spaCy 3.8.18 default_config.cfg, training/{initialize,loop}.py; thinc 8.3.14 optimizers.py,
schedules.py; confection 1.3.4 _config.py, deep_merge_configs; explosion/projects 504e1e4
pipelines/*/configs.
"""

from decaycalc.training.reading.exemptions import NONE_EXEMPT
from decaycalc.training.reading.optimizers import ADAM, unknown_optimizer
from decaycalc.training.reading.schedules import compose, steps_of
from decaycalc.training.reading.settings import Settings, by_default, left_open
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Sourced

_OPTIMIZER = "training.optimizer"
_RATE = f"{_OPTIMIZER}.learn_rate"
_VERSION = "spaCy 3.8.18 default_config.cfg"


def _optimizer(settings: Settings) -> Optimizer:
    """Return Adam with L2 as a weight decay, or as a penalty of the gradients."""
    name = settings.word("optimizer")
    if not name.startswith(("adam.", "radam.")):
        return unknown_optimizer(name)
    key = "thinc-adam" if settings.flag("is_weight_decay") else "thinc-adam-l2"
    return Optimizer(convention=key, uses=ADAM)


def _decay(settings: Settings) -> Sourced:
    """Return the L2 of the default configuration, which fills in no other optimizer than its own.

    Source: confection 1.3.4 _config.py, deep_merge_configs; thinc 8.3.14 optimizers.py.
    """
    is_own = settings.word("optimizer") == "adam.v1"
    value, where = ("0.01", _VERSION) if is_own else ("0", "thinc 8.3.14 optimizers.py")
    return by_default("weight_decay", value, where)


def _schedule(settings: Settings) -> str | None:
    """Return the schedule of learn_rate: a number, or thinc's warmup_linear.v1."""
    name = settings.word("scheduler")
    if name == "constant":
        return "constant"
    total, steps = steps_of(settings, "total_steps"), settings.number("steps")
    if name != "warmup_linear.v1" or total is None:
        return None
    length = None if total == steps else total
    return compose("linear", warmup=steps_of(settings, "warmup_steps"), length=length)


def _growing(settings: Settings) -> Sourced | None:
    """Return that a batch whose size is a schedule has no one size."""
    if not settings.entries("training.batcher.size"):
        return None
    return left_open("batch_size", "training.batcher.size is a schedule: the batches grow")


def _most_steps(settings: Settings) -> Sourced | None:
    """Return the most steps by default; `max_steps = 0` sets no limit."""
    return None if settings.has("training.max_steps") else by_default("steps", "20000", _VERSION)


def _unit(settings: Settings) -> str:
    batcher = settings.told("training.batcher.@batchers")
    return "words" if "words" in batcher or "padded" in batcher else "examples"


TRAINER = Trainer(
    kind="spacy",
    title="spaCy",
    version=_VERSION,
    signatures=(
        Signature(
            any_of=(f"{_OPTIMIZER}.@optimizers", f"{_OPTIMIZER}.L2_is_weight_decay",
                    f"{_OPTIMIZER}.learn_rate", "training.batcher", "training.eval_frequency",
                    "training.accumulate_gradient", "nlp.pipeline"),
            at_least=2,
        ),
    ),
    fields=(
        Field(name="optimizer", paths=(f"{_OPTIMIZER}.@optimizers",), default="Adam.v1"),
        Field(name="is_weight_decay", paths=(f"{_OPTIMIZER}.L2_is_weight_decay",),
              default="true"),
        Field(name="weight_decay", paths=(f"{_OPTIMIZER}.L2",), derive=_decay),
        Field(name="lr", paths=(f"{_RATE}.initial_rate", _RATE), default="0.001"),
        *Field.within(_OPTIMIZER, beta1="0.9", beta2="0.999", eps="1e-8"),
        Field(name="batch_size", paths=("training.batcher.size",), overrule=_growing),
        Field(name="steps", paths=("training.max_steps",), absent=("0",), derive=_most_steps),
        Field(name="epochs", paths=("training.max_epochs",), absent=("0", "-1")),
        Field(name="scheduler", paths=(f"{_RATE}.@schedules",), default="constant"),
        *Field.within(_RATE, warmup_steps=None, total_steps=None),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=lambda _: NONE_EXEMPT,
    # accumulate_gradient cuts a batch into parts, whose sum is one step.
    batch=lambda _: ("batch_size",),
    unit=_unit,
    harmless=("training.*", "components*", "corpora*", "nlp*", "system*", "paths*", "initialize*",
              "pretraining*"),
)  # fmt: skip
