"""The run as it was understood: the first lines of a screen."""

from decaycalc.algebra.number import plural
from decaycalc.algebra.quantity import Number, exact
from decaycalc.conventions.record import ANY, Convention
from decaycalc.conventions.run import Loss, Run
from decaycalc.conversion.assumptions import Assumption
from decaycalc.report.digits import show
from decaycalc.report.table import Kind, Paragraph, Tone

_NAMED = ("optimizer", "lr", "momentum", "dampening")
_NAMES = {"grad_accum": "micro-batches", "world_size": "devices"}
_OPTIMIZERS = {"sgd": "SGD", "adam": "Adam"}


def heading(source: Convention, value: Number | None) -> Paragraph:
    """Return the convention with its number, `keras-l2  l2 = 0.0001`."""
    number = source.parameter if value is None else f"{source.parameter} = {amount(value)}"
    objective = f"   {source.title}" if source.optimizer == ANY and "+" in source.title else ""
    return Paragraph(text=f"{source.key}  {number}{objective}", tone=Tone.VALUE)


def setting(
    run: Run, *, assumptions: tuple[Assumption, ...], schedule: str | None = None
) -> Paragraph:
    """Return the run's quantities; what was assumed is marked as not given."""
    parts = (_optimizer(run, assumptions), _sizes(run), *_length(run), _loss(run), *_extras(run))
    schedules = () if schedule is None else (f"schedule {schedule}",)
    others = tuple(entry for entry in assumptions if entry.name not in _NAMED)
    text = " · ".join(filter(None, (*parts, *schedules, assumed(others))))
    return Paragraph(text=text or "no run given", apart=False)


def assumed(assumptions: tuple[Assumption, ...]) -> str:
    """Return what was assumed in a line, `momentum 0, loss mean (not given)`."""
    words = (f"{_NAMES.get(entry.name, entry.name)} {_value(entry)}" for entry in assumptions)
    text = ", ".join(words).replace("optimizer ", "")
    return f"{text} (not given)" if text else ""


def _value(entry: Assumption) -> str:
    if entry.value is None:
        return "the lr's"
    if isinstance(entry.value, str):
        return _OPTIMIZERS.get(entry.value, entry.value)
    return amount(entry.value)


def amount(number: Number) -> str:
    """Return a quantity as it would be typed: a count whole, another to six digits."""
    value = exact(number)
    if value.denominator == 1 and abs(value) < 10**15:
        return f"{int(value):,}"
    return show(float(value), Kind.COPIED)


def counted(number: float, unit: str) -> str:
    """Return a count with its unit, `1 step`, `5,005 steps`."""
    return f"{amount(number)} {plural(number, unit)}"


def _optimizer(run: Run, assumptions: tuple[Assumption, ...]) -> str:
    """Return the optimizer, lr, momentum and what goes with them."""
    words = {entry.name: assumed((entry,)) for entry in assumptions if entry.name in _NAMED}
    words |= {
        name: f"{name} {amount(value)}"
        for name in _NAMED
        if name != "optimizer" and (value := run.given(name)) is not None
    }
    if run.optimizer is not None:
        words["optimizer"] = _OPTIMIZERS.get(run.optimizer, run.optimizer)
    nesterov = ["nesterov"] if run.nesterov else []
    return ", ".join([*(words[name] for name in _NAMED if name in words), *nesterov])


def _sizes(run: Run) -> str:
    """Return N and B, B with the factors that make it."""
    size = "" if run.dataset_size is None else f"N {amount(run.dataset_size)}"
    return " · ".join(filter(None, (size, _batch(run))))


def _batch(run: Run) -> str:
    if run.batch_size is None or run.examples_per_step is None:
        return ""
    factors = (run.batch_size, run.grad_accum, run.world_size)
    shown = [amount(factor) for factor in factors if factor is not None]
    product = f" = {' × '.join(shown)}" if run.batch_size != run.examples_per_step else ""
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
