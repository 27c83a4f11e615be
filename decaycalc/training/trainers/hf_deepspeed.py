"""What a DeepSpeed file takes out of the Trainer's hands: the optimizer, the scheduler.

Source: transformers 5.24.0 integrations/deepspeed.py, deepspeed_optim_sched: an optimizer of
DeepSpeed's takes all trained tensors, no groups; numbers in the file must equal the arguments'.
"""

from fractions import Fraction
from math import ceil

from decaycalc.record import replace
from decaycalc.training.reading.arguments import arguments_of
from decaycalc.training.reading.exemptions import of_kinds
from decaycalc.training.reading.settings import Settings
from decaycalc.training.reading.trainer import Optimizer
from decaycalc.training.record import Origin
from decaycalc.training.trainers import deepspeed
from decaycalc.training.trainers.syntax.tree import Entries, Scalar

_PATH = "deepspeed"
NOTHING = of_kinds(switch="the optimizer section of the DeepSpeed file")


def takes(settings: Settings, section: str) -> bool:
    """Return whether the DeepSpeed file has a section, `optimizer` or `scheduler`."""
    root = _root(settings)
    if root is None or section not in root.entries:
        return False
    settings.find(_PATH)  # the file is what tells it
    return True


def _root(settings: Settings) -> Entries | None:
    """Return its tree, empty where none is named, None where it is not here."""
    node = settings.node(_PATH)
    if not isinstance(node, Scalar) or (node.text or "").lstrip().startswith("{"):
        return Entries(entries={} if node is None else arguments_of(settings, _PATH))
    if not node.text:
        return Entries()
    beside = settings.document.named(node.text)
    return None if beside is None else beside.root


def _own(settings: Settings, **filled: str | None) -> Settings:
    """Return the settings of the DeepSpeed file, what it leaves to the arguments filled in."""
    document = replace(settings.document, root=_root(settings) or Entries())
    bare = Settings(document, deepspeed.TRAINER)
    given = {
        name: text
        for name, text in filled.items()
        if text is not None and bare.find(name).origin is Origin.MISSING
    }
    return Settings(document, deepspeed.TRAINER, given)


def optimizer(settings: Settings) -> Optimizer | None:
    """Return what the file's own optimizer makes of the weight decay, None where it has none."""
    return None if not takes(settings, "optimizer") else deepspeed.TRAINER.optimizer(_own(settings))


def schedule(settings: Settings, warm: str | None) -> str | None:
    """Return the schedule of the file's own scheduler; a warm-up as a share needs the run's steps.

    Source: transformers 5.24.0 integrations/deepspeed.py, trainer_config_finalize.
    """
    lr, steps = settings.text("lr"), settings.number("steps")
    if warm is not None and warm.endswith("%"):
        if steps is None:
            return None
        warm = str(ceil(steps * Fraction(warm.removesuffix("%")) / 100))
    own = _own(
        settings,
        lr=lr,
        steps=settings.text("steps"),
        warmup_num_steps=warm or "0",
        warmup_min_lr="0",
    )
    return None if own.number("lr") is None else deepspeed.TRAINER.schedule(own)


def note_on(settings: Settings) -> str:
    """Return what is to be said of the DeepSpeed file, empty where it leaves all to the Trainer."""
    root = _root(settings)
    if root is None:
        name = settings.told(_PATH)[:80]
        return f"the DeepSpeed file {name!r} may set the optimizer: its own section rules"
    taken = [section for section in ("optimizer", "scheduler") if section in root.entries]
    return f"the DeepSpeed file sets the {' and the '.join(taken)} itself" if taken else ""
