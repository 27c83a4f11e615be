"""A trainer's word for its optimizer: a table of its names, and the refusal of any other."""

from collections.abc import Callable, Mapping

from decaycalc.training.reading.settings import Settings
from decaycalc.training.reading.trainer import Optimizer

ADAM = ("beta1", "beta2", "eps")
SGD = ("momentum", "dampening", "nesterov")
UNDAMPENED_SGD = ("momentum", "nesterov")
ADAMW = Optimizer(convention="pytorch-adamw", uses=ADAM)


def refused(reason: str) -> Optimizer:
    """Return what has no convention, and why the number in the file is not the weights' decay."""
    return Optimizer(convention=None, refusal=reason)


def unknown_optimizer(name: str, *, setting: str = "optimizer") -> Optimizer:
    """Return the refusal of an optimizer that the catalogue has no convention for.

    >>> unknown_optimizer("signum").refusal
    "optimizer 'signum' has no convention here"
    """
    reason = (
        f"{setting} {name[:60]!r} has no convention here" if name else f"{setting} is not known"
    )
    return refused(reason)


def by_name(
    optimizers: Mapping[str, Optimizer], *, setting: str = "optimizer"
) -> Callable[[Settings], Optimizer]:
    """Return what looks a file's optimizer up among those of a trainer, in lower case."""

    def find(settings: Settings) -> Optimizer:
        name = settings.word("optimizer")
        return optimizers.get(name) or unknown_optimizer(name, setting=setting)

    return find
