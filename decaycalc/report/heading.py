"""The run as it was understood: the first lines of a screen."""

from collections.abc import Mapping

from decaycalc.algebra.quantity import Number, exact
from decaycalc.conventions.record import ANY, SGD, Convention, Coupling
from decaycalc.conventions.run import Loss, Run
from decaycalc.report.digits import show
from decaycalc.report.table import Kind, Paragraph, Tone

_NAMED = ("lr", "momentum", "dampening")


def heading(source: Convention, value: Number | None) -> Paragraph:
    """Return the convention with its number, `keras-l2  l2 = 0.0001`."""
    number = source.parameter if value is None else f"{source.parameter} = {amount(value)}"
    objective = f"   {source.title}" if source.optimizer == ANY and "+" in source.title else ""
    return Paragraph(text=f"{source.key}  {number}{objective}", tone=Tone.VALUE)


def setting(run: Run, *, assumed: Mapping[str, str], schedule: str | None = None) -> Paragraph:
    """Return the run's quantities; what was assumed is marked as not given."""
    parts = (_optimizer(run, assumed), _sizes(run), *_length(run), _loss(run), *_extras(run))
    schedules = () if schedule is None else (f"schedule {schedule}",)
    text = " · ".join(filter(None, (*parts, *schedules)))
    return Paragraph(text=text or "no run given", apart=False)


def assumed_by(source: Convention, run: Run) -> dict[str, str]:
    """Return what enters the answer although it was not given, by name."""
    coupled = source.coupling == Coupling.COUPLED and source.optimizer in {ANY, SGD}
    open_momentum = coupled and source.has_momentum and run.momentum is None
    return {"momentum": "0"} if open_momentum else {}


def amount(number: Number) -> str:
    """Return a quantity as it would be typed: a count whole, another to six digits."""
    value = exact(number)
    if value.denominator == 1 and abs(value) < 10**15:
        return f"{int(value):,}"
    return show(float(value), Kind.COPIED)


def counted(number: float, unit: str) -> str:
    """Return a count with its unit, `1 step`, `5,005 steps`."""
    return f"{amount(number)} {unit}{'' if number == 1 else 's'}"


def _optimizer(run: Run, assumed: Mapping[str, str]) -> str:
    """Return lr, momentum and what goes with them."""
    given = {name: amount(value) for name in _NAMED if (value := run.given(name)) is not None}
    marked = {name: f"{text} (not given)" for name, text in assumed.items()}
    words = [f"{name} {text}" for name, text in {**marked, **given}.items()]
    order = sorted(words, key=lambda word: _place(word.partition(" ")[0]))
    return ", ".join([*order, *(["nesterov"] if run.nesterov else [])])


def _place(name: str) -> int:
    return _NAMED.index(name) if name in _NAMED else len(_NAMED)


def _sizes(run: Run) -> str:
    """Return N and B, B with the factors that make it."""
    size = "" if run.dataset_size is None else f"N {amount(run.dataset_size)}"
    return " · ".join(filter(None, (size, _batch(run))))


def _batch(run: Run) -> str:
    if run.batch_size is None or run.examples_per_step is None:
        return ""
    factors = (run.batch_size, run.grad_accum, run.world_size)
    shown = [amount(factor) for factor in factors if factor is not None]
    product = f" = {' × '.join(shown)}" if len(shown) > 1 else ""
    epoch = run.steps_per_epoch
    steps = "" if epoch is None else f", {counted(epoch, 'step')} an epoch"
    return f"B {amount(run.examples_per_step)}{product}{steps}"


def _length(run: Run) -> tuple[str, ...]:
    """Return epochs and steps, as far as they were given."""
    epochs = "" if run.epochs is None else counted(float(exact(run.epochs)), "epoch")
    steps = "" if run.steps is None else counted(float(exact(run.steps)), "step")
    return epochs, steps


def _loss(run: Run) -> str:
    return "" if run.loss in {None, Loss.MEAN} else f"loss {run.loss}"


def _extras(run: Run) -> tuple[str, ...]:
    return tuple(f"{name} {amount(value)}" for name, value in run.extras)
