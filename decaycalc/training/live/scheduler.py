"""The lr of every step of a run, by a scheduler that is stepped on a copy of the user's own."""

import copy
import sys
import warnings
from array import array
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import signature
from typing import Any

from decaycalc.algebra.number import plural
from decaycalc.conventions.run import Run
from decaycalc.errors import InvalidValueError
from decaycalc.training.live.apart import kept_random
from decaycalc.training.live.conventions import class_path

_MOST_NUMBERS = 20_000_000  # half a minute of stepping, and a third of a gigabyte
_MOMENTA = ("momentum", "betas")


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A scheduler by its class, what it makes of the lr and λ of each group, and what to know.

    `lrs` and `decays` hold a number for each step, group by group; None for a λ that stays.
    """

    name: str
    lrs: tuple[tuple[float, ...], ...]
    decays: tuple[tuple[float, ...] | None, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pace:
    """How often a scheduler is stepped: after each of `per` steps of the optimizer."""

    scheduler: Any
    per: int
    note: str


def follow(scheduler: Any, optimizer: Any, run: Run) -> Followed | None:
    """Return the lr and λ of each step of a run; None where the run's length is not known.

    `scheduler` is torch's or timm's, or Lightning's mapping of one with its `interval`. It is
    stepped on a copy, beside a stand-in of its optimizer: nothing of the user's changes.

    Raises:
        InvalidValueError: a scheduler that is another optimizer's, is under way, or cannot be
            stepped without more; an epoch of which nobody said the length.
    """
    total = run.total_steps
    if total is None:
        return None
    pace = _pace(scheduler, run)
    name, steps = type(pace.scheduler).__name__, int(total)
    _check(pace.scheduler, optimizer, steps)
    try:
        with _kept(optimizer), kept_random(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the copy's optimizer takes no steps
            held = _stepped(pace, optimizer, steps)
    except Exception as error:  # a scheduler may raise anything
        said = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise InvalidValueError("scheduler", name, f"cannot be stepped: {said}") from error
    return Followed(
        name=class_path(pace.scheduler),
        lrs=tuple(map(tuple, held.lrs)),
        decays=tuple(None if len(set(each)) == 1 else tuple(each) for each in held.decays),
        notes=(pace.note, *held.notes),
    )


def _pace(scheduler: Any, run: Run) -> _Pace:
    """Return how often a scheduler is stepped: each step, or as Lightning's mapping says."""
    interval, frequency = "step", 1
    if isinstance(scheduler, Mapping):
        interval = str(scheduler.get("interval", "epoch"))
        frequency = int(scheduler.get("frequency", 1))
        scheduler = scheduler.get("scheduler")
    scheduler = _unwrapped(scheduler)
    by_epoch = interval == "epoch" or _counts_epochs(scheduler)
    if not by_epoch:
        note = f"the scheduler is taken to be stepped {_often(frequency)}"
        return _Pace(scheduler=scheduler, per=frequency, note=note)
    per_epoch = run.steps_per_epoch
    if per_epoch is None:
        text = "is stepped by the epoch: give dataset_size and batch_size"
        raise InvalidValueError("scheduler", type(scheduler).__name__, text)
    per = int(per_epoch) * frequency
    return _Pace(scheduler=scheduler, per=per, note=f"the scheduler is stepped {_often(per)}")


def _often(steps: int) -> str:
    return "each step" if steps == 1 else f"every {steps} steps"


def _unwrapped(scheduler: Any) -> Any:
    """Return the scheduler that accelerate's holds, where that is stepped once a step.

    Without `split_batches` it is stepped as often as there are processes.
    Source: accelerate 1.15.0, scheduler.py, `AcceleratedScheduler.step`.
    """
    state = sys.modules.get("accelerate.state")
    if state is None or type(scheduler).__module__.partition(".")[0] != "accelerate":
        return scheduler
    once = scheduler.split_batches or state.AcceleratorState().num_processes == 1
    return scheduler.scheduler if once else scheduler


def _needs_metric(scheduler: Any) -> bool:
    """Return whether a step needs a number that only training tells, as ReduceLROnPlateau's."""
    first = next(iter(signature(scheduler.step).parameters.values()), None)
    return first is not None and first.name == "metrics"


def _counts_epochs(scheduler: Any) -> bool:
    """Return whether a scheduler of timm's counts in epochs."""
    return hasattr(scheduler, "step_update") and bool(getattr(scheduler, "t_in_epochs", False))


def _check(scheduler: Any, optimizer: Any, steps: int) -> None:
    name = type(scheduler).__name__
    if not callable(getattr(scheduler, "step", None)):
        raise InvalidValueError("scheduler", name, "has no step")
    if _needs_metric(scheduler):
        text = "follows a metric that only the run knows: leave it out, and the lr is as it stands"
        raise InvalidValueError("scheduler", name, text)
    if id(getattr(scheduler, "optimizer", None)) != id(optimizer):
        text = "is not of this optimizer: give the scheduler itself, not a launcher's wrapper of it"
        raise InvalidValueError("scheduler", name, text)
    done = getattr(scheduler, "last_epoch", 0)
    if isinstance(done, int) and done > 0:
        taken = f"{done} {plural(done, 'step')}"
        text = f"has taken {taken} already, and what it began with is gone: give a new one"
        raise InvalidValueError("scheduler", name, text)
    if steps * len(optimizer.param_groups) > _MOST_NUMBERS:
        text = f"has {steps} steps for {len(optimizer.param_groups)} groups, too many to follow"
        raise InvalidValueError("scheduler", name, text)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """The numbers of each group, as they came."""

    lrs: list["array[float]"]
    decays: list["array[float]"]
    notes: tuple[str, ...]


def _stepped(pace: _Pace, optimizer: Any, steps: int) -> _Held:
    """Return what the groups of a stand-in hold in each step."""
    stand_in = _stand_in(optimizer)
    memo = {id(optimizer): stand_in, **_kept_as_they_are(optimizer)}
    scheduler = copy.deepcopy(pace.scheduler, memo)
    groups = stand_in.param_groups
    lrs, decays = ([array("d") for _ in groups] for _ in range(2))
    momenta = [[group.get(name) for name in _MOMENTA] for group in groups]
    _step(scheduler, 0, first=True)
    for step in range(steps):
        for at, group in enumerate(groups):
            lrs[at].append(float(group["lr"]))
            decays[at].append(float(group.get("weight_decay") or 0))
        if (step + 1) % pace.per == 0 and step + 1 < steps:
            _step(scheduler, (step + 1) // pace.per)
    moved = momenta != [[group.get(name) for name in _MOMENTA] for group in groups]
    note = "the scheduler changes the momentum too, which is taken as it is at the start"
    return _Held(lrs=lrs, decays=decays, notes=(note,) if moved else ())


def _step(scheduler: Any, count: int, *, first: bool = False) -> None:
    """Step a scheduler once; timm's are told the count, and theirs of 0 sets the first lr."""
    if not hasattr(scheduler, "step_update"):
        if not first:
            scheduler.step()
    elif scheduler.t_in_epochs:
        scheduler.step(count)
    else:
        scheduler.step_update(count)


def _stand_in(optimizer: Any) -> Any:
    """Return an object of the optimizer's class with groups of its own, and no state."""
    made = object.__new__(type(optimizer))
    vars(made).update(vars(optimizer))
    made.state = {}
    made.param_groups = copy.deepcopy(optimizer.param_groups, _kept_as_they_are(optimizer))
    return made


def _kept_as_they_are(optimizer: Any) -> dict[int, Any]:
    """Return what no copy is made of: the parameters, which are never written."""
    return {id(each): each for group in optimizer.param_groups for each in group["params"]}


@contextmanager
def _kept(optimizer: Any) -> Iterator[None]:
    """Leave the groups as they were, though a function of the user's reached them in a closure."""
    before = [dict(group) for group in optimizer.param_groups]
    try:
        yield
    finally:
        for group, kept in zip(optimizer.param_groups, before, strict=True):
            if group.keys() != kept.keys() or any(group[name] is not kept[name] for name in kept):
                group.clear()
                group.update(kept)
