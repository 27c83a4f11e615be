"""What a DeepSpeed file takes out of the Trainer's hands: the optimizer, the scheduler.

Source: transformers 5.24.0 integrations/deepspeed.py, deepspeed_optim_sched: an optimizer of
DeepSpeed's takes all trained tensors, no groups; numbers in the file must equal the arguments'.
"""

from decaycalc.training.reading.arguments import arguments_of
from decaycalc.training.reading.settings import Settings
from decaycalc.training.record import Exemption
from decaycalc.training.trainers.syntax.tree import Scalar

_PATH = "deepspeed"
NOTHING = Exemption(
    rule="nothing", switch="the optimizer section of the DeepSpeed file", mask="all"
)


def takes(settings: Settings, section: str) -> bool:
    """Return whether the DeepSpeed file has a section, `optimizer` or `scheduler`."""
    if section not in (_sections(settings) or ()):
        return False
    settings.find(_PATH)  # the file is what tells it
    return True


def _sections(settings: Settings) -> frozenset[str] | None:
    """Return the names of its sections, None where it is not here."""
    node = settings.node(_PATH)
    if not isinstance(node, Scalar) or (node.text or "").lstrip().startswith("{"):
        return frozenset(arguments_of(settings, _PATH)) if node is not None else frozenset()
    if not node.text:
        return frozenset()
    beside = settings.document.named(node.text)
    return None if beside is None else frozenset(beside.root.entries)


def note_on(settings: Settings) -> str:
    """Return what is to be said of the DeepSpeed file, empty where it leaves all to the Trainer."""
    sections = _sections(settings)
    if sections is None:
        name = "".join(settings.texts(_PATH))[:80]
        return f"the DeepSpeed file {name!r} may set the optimizer: its own section rules"
    taken = [section for section in ("optimizer", "scheduler") if section in sections]
    return f"the DeepSpeed file sets the {' and the '.join(taken)} itself" if taken else ""
