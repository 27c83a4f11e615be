"""torch's schedulers, for trainers whose file names one by its class, with its arguments.

Source: torch 2.13 optim/lr_scheduler.py.
"""

from collections.abc import Callable
from fractions import Fraction

from decaycalc.record import replace
from decaycalc.training.reading.schedules import compose, epochs, of_lr
from decaycalc.training.reading.settings import Settings
from decaycalc.training.reading.trainer import Field
from decaycalc.training.record import Sourced
from decaycalc.training.trainers.syntax.tree import EACH_STEP, EACH_STEP_IN_EPOCHS

_VERSION = "torch 2.13"
_THIRD = Fraction(1, 3)  # the default of the factors that a fraction of ten cannot hold
_DEFAULTS = {
    "T_max": None, "T_0": None, "T_mult": "1", "eta_min": "0", "gamma": "0.1", "step_size": None,
    "milestones": None, "factor": None, "start_factor": None, "end_factor": "1",
    "total_iters": "5", "power": "1", "max_lr": None, "total_steps": None, "steps_per_epoch": None,
    "pct_start": "0.3", "div_factor": "25", "final_div_factor": "1e4",
    "anneal_strategy": "cos", "three_phase": "false",
}  # fmt: skip
_ONE_CYCLE = "onecyclelr"


def scheduler_fields(
    classes: tuple[str, ...], arguments: tuple[str, ...], *, intervals: tuple[str, ...]
) -> tuple[Field, ...]:
    """Return the fields of a scheduler: where its class, its arguments and its interval stand."""
    cycle = Field(name="cycle_epochs", paths=tuple(f"{place}.epochs" for place in arguments))
    return (
        Field(name="scheduler", paths=classes),
        Field(name="interval", paths=intervals, default="epoch"),
        *Field.within(*arguments, source=_VERSION, **_DEFAULTS),
        cycle,
    )


def peak_of(settings: Settings) -> Sourced | None:
    """Return OneCycleLR's max_lr, which takes the place of the optimizer's lr."""
    if _kind(settings) != _ONE_CYCLE or settings.text("max_lr") is None:
        return None
    return replace(settings.find("max_lr"), name="lr")


def schedule_of(settings: Settings) -> str | None:
    """Return the schedule of torch's scheduler, constant where there is none."""
    kind = _kind(settings)
    make = _SCHEDULES.get(kind)
    if not kind:
        return "constant"
    return None if make is None else make(settings)


def _kind(settings: Settings) -> str:
    return (settings.text("scheduler") or "").rpartition(".")[2].lower()


def _by_step(settings: Settings) -> bool:
    """Return whether lengths are told in the optimizer's steps."""
    return settings.word("interval") == EACH_STEP


def _per(settings: Settings) -> str | None:
    """Return how long each value holds: an epoch, or no longer than a step."""
    is_smooth = settings.word("interval") in {EACH_STEP, EACH_STEP_IN_EPOCHS}
    return None if is_smooth else "1epochs"


def _length(settings: Settings, count: Fraction) -> str:
    """Return a number of the scheduler's steps: epochs, unless the optimizer's steps count."""
    return str(int(count)) if _by_step(settings) else epochs(count)


def _end(settings: Settings, count: Fraction) -> str | None:
    """Return where a shape ends, None where that is the run's own end."""
    return None if count == _whole(settings) else _length(settings, count)


def _whole(settings: Settings) -> Fraction | None:
    """Return how long the run is from where the scheduler begins, in its own steps."""
    count = settings.number("steps" if _by_step(settings) else "epochs")
    return None if count is None else count - (settings.number("begins") or 0)


def after_ramp(settings: Settings, main: str | None) -> str | None:
    """Return a schedule with the linear or constant warm-up that SequentialLR runs before it.

    None where the warm-up is no whole one: it ends where the other begins.
    """
    begins, length = settings.number("begins"), settings.number("ramp_total_iters")
    if begins is None:
        return main
    factor, first = settings.number("ramp_factor"), settings.number("ramp_start_factor")
    if main is None or begins <= 0 or begins != length:
        return None
    until = _length(settings, begins)
    if factor is not None:
        return f"{compose('constant', value=factor, until=until)} + {main}"
    last = settings.number("ramp_end_factor")
    if first is None:
        return None
    ramp = compose("linear", initial=first, final=last, per=_per(settings), until=until)
    return f"{ramp} + {main}"


def _share(settings: Settings, name: str) -> Fraction:
    found = settings.number(name)
    return _THIRD if found is None else found


def _final(settings: Settings) -> Fraction | None:
    return of_lr(settings, "eta_min")


def _cosine(settings: Settings) -> str | None:
    """Return half a cosine; behind T_max torch's goes up again."""
    length, whole = settings.number("T_max"), _whole(settings)
    if not length:
        return None
    after = "mirror" if whole is None or length < whole else None
    end = _end(settings, length)
    return compose("cosine", length=end, final=_final(settings), after=after, per=_per(settings))


def _restarts(settings: Settings) -> str | None:
    period, growth = settings.number("T_0"), settings.number("T_mult")
    if not period:
        return None
    own = None if growth is None or growth == 1 else int(growth)
    length = _length(settings, period)
    return compose(
        "cosine-restarts",
        period=length,
        growth=own,
        final=_final(settings),
        per=_per(settings),
    )


def _step(settings: Settings) -> str | None:
    every = settings.number("step_size")
    if not every:
        return None
    return compose("step", every=_length(settings, every), gamma=settings.number("gamma"))


def _steps(settings: Settings) -> str | None:
    at = (settings.text("milestones") or "").replace(",", "/")
    unit = "" if _by_step(settings) else "epochs"
    return compose("step", at=f"{at}{unit}", gamma=settings.number("gamma")) if at else None


def _exponential(settings: Settings) -> str:
    every = _length(settings, Fraction(1))
    return compose("exponential", gamma=settings.number("gamma"), every=every, per=_per(settings))


def _constant(settings: Settings) -> str:
    length = _length(settings, settings.number("total_iters") or Fraction(1))
    return f"{compose('constant', value=_share(settings, 'factor'), until=length)} + constant"


def _linear(settings: Settings) -> str:
    end = _end(settings, settings.number("total_iters") or Fraction(1))
    first, last = _share(settings, "start_factor"), settings.number("end_factor")
    return compose("linear", initial=first, final=last, length=end, per=_per(settings))


def _polynomial(settings: Settings) -> str:
    end = _end(settings, settings.number("total_iters") or Fraction(1))
    return compose("polynomial", power=settings.number("power"), length=end, per=_per(settings))


def _one_cycle(settings: Settings) -> str | None:
    """Return one cycle; its phases end a step early, which no text says of whole epochs."""
    total = settings.number("total_steps")
    if total is None:
        count, each = settings.number("cycle_epochs"), settings.number("steps_per_epoch")
        total = count * each if count and each else None
    if total is None or total <= 0 or _per(settings) is not None:
        return None
    return compose(
        "one-cycle",
        length=_end(settings, total),
        rise=settings.number("pct_start"),
        div=settings.number("div_factor"),
        final_div=settings.number("final_div_factor"),
        phases=3 if settings.flag("three_phase") else None,
        shape="linear" if settings.word("anneal_strategy") == "linear" else None,
    )


_SCHEDULES: dict[str, Callable[[Settings], str | None]] = {
    "cosineannealinglr": _cosine,
    "cosineannealingwarmrestarts": _restarts,
    "steplr": _step,
    "multisteplr": _steps,
    "exponentiallr": _exponential,
    "constantlr": _constant,
    "linearlr": _linear,
    "polynomiallr": _polynomial,
    _ONE_CYCLE: _one_cycle,
}
