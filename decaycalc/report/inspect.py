"""An inspection as tables: what entered and where it comes from, the groups and their decays."""

from collections.abc import Iterator, Mapping

from decaycalc.algebra.number import plural
from decaycalc.algebra.quantity import exact
from decaycalc.conventions.run import BATCH, Run
from decaycalc.errors import escaped
from decaycalc.inspection import GroupDecay, Inspection, NetworkJson, network_of
from decaycalc.record import replace
from decaycalc.report.check import findings
from decaycalc.report.digits import of_run, show
from decaycalc.report.groups import named
from decaycalc.report.table import Block, Cell, Column, Kind, Marked, Paragraph, Rank, Table, Tone
from decaycalc.training.record import PUBLISHED, Origin, Sourced, Training

_QUANTITIES = (
    Column(header="quantity", tone=Tone.QUIET),
    Column(header="value", tone=Tone.VALUE, least=20),
    Column(header="from", tone=Tone.QUIET, least=24),
)
_GROUPS = (
    Column(header="group", least=12),
    Column(header="lr", kind=Kind.COPIED),
    Column(header="λ", kind=Kind.COPIED),
    Column(header="decay per step", kind=Kind.READ, tone=Tone.VALUE),
    Column(header="left at the end", kind=Kind.SHARE),
    Column(header="timescale", kind=Kind.READ, rank=Rank.USEFUL),
)
_COUNTS = (
    Column(header="tensors", kind=Kind.READ),
    Column(header="weights", kind=Kind.READ),
)
# What is shown of a run, in this order; the other quantities stand in JSON.
_SHOWN = (
    "optimizer",
    "configured_weight_decay",
    "weight_decay",
    "value",
    "lr",
    "momentum",
    "beta1",
)
# Whose defaults the table's last column names.
_IN_THE_TABLE = frozenset(
    {*_SHOWN, "beta2", "schedule", "batch_size", "grad_accum", "steps", "epochs"}
)
_MOST_GROUPS = 12
_MOST_COUNTED = 1e15  # float64 no longer holds every whole number far beyond it


def tables(found: Inspection) -> Iterator[Block]:
    """Yield each reading: its headline, its quantities, its groups; then what was not read."""
    for reading in (found, *found.alternatives):
        yield Paragraph(text=headline(reading.training), tone=Tone.VALUE)
        rows = (*_quantities(reading.training), *_over_the_run(reading))
        yield Table(title="quantity", columns=_QUANTITIES, rows=rows)
        yield from _publication(reading.training)
        yield _groups(reading)
        if reading.figures.shrink and reading.training.run.total_steps is None:
            text = "left at the end: with the run's length, by --steps or by --epochs and -N"
            yield Paragraph(text=text, tone=Tone.QUIET, apart=False)
        others = reading.training.by_default(but=_IN_THE_TABLE)
        if others:
            yield Paragraph(text="\n".join(others), tone=Tone.QUIET)
    for at, line in enumerate(findings(found.findings)):
        yield replace(line, apart=not at)


def _publication(training: Training) -> Iterator[Paragraph]:
    """Yield what a published run is read from, which all its quantities share."""
    if training.kind == PUBLISHED:
        stated = {found.where for found in training.quantities if found.origin is Origin.FILE}
        for where in stated:
            yield Paragraph(text=f"published: {escaped(where)}", tone=Tone.QUIET, apart=False)


def headline(training: Training) -> str:
    """Return the source, the trainer, and what the number is."""
    title = training.whole_title
    if training.convention is None:
        return f"{escaped(training.source)}: {title} · {training.refusal or 'no convention'}"
    value = training.value or "not known"
    read_as = f", read as {training.read_as}" if training.read_as else ""
    what = f"{training.convention}{read_as}, weight_decay {value}"
    return f"{escaped(training.source)}: {title} · {what}"


def _quantities(training: Training) -> Iterator[tuple[Cell, ...]]:
    """Yield the rows of what entered the result."""
    by_name = {found.name: _briefly(found, training) for found in training.quantities}
    for name in _SHOWN:
        if name in by_name:
            yield _row(by_name[name], training)
    schedule = by_name.get("schedule")
    told = None if schedule is None else schedule.value
    yield ("schedule", training.schedule or escaped(told or "not known"), _origin(schedule))
    if training.decay_schedule is not None:
        own = _origin(by_name.get("decay_schedule"))
        yield ("decay schedule", escaped(training.decay_schedule), own)
    size = training.run.given("dataset_size")
    if size is not None:
        yield ("N", f"{_count(float(size))} {training.unit}", _origin(by_name.get("dataset_size")))
    yield ("B", _batch(training.run, training.unit), _batch_origin(by_name))
    yield ("length", _length(training.run), _length_origin(by_name))
    yield ("exempt", training.exempt.rule, _exempt_origin(training))
    network = network_of(training)
    if network is not None:
        yield ("network", network["name"], _network_counts(network))


def _briefly(found: Sourced, training: Training) -> Sourced:
    """Return a quantity of a published run as that, its source standing below the table."""
    stated = training.kind == PUBLISHED and found.origin is Origin.FILE
    return replace(found, where="published") if stated else found


def _over_the_run(found: Inspection) -> Iterator[tuple[Cell, ...]]:
    """Yield what a live scheduler makes of the run: its lr from step to step, and the sum."""
    decayed = (each for each in found.groups if each.lrs and each.weight_decay)
    group = next(decayed, None)
    if group is None:
        return
    first, last, low, high = (
        show(lr) for lr in (group.lrs[0], group.lrs[-1], min(group.lrs), max(group.lrs))
    )
    where = f"the scheduler, on a copy: {_counted(len(group.lrs), 'step')}"
    yield ("lr, by step", f"{first} to {last}; lowest {low}, highest {high}", where)
    if group.figures.sum_shrink is not None:
        yield ("Σ lr·λ", show(group.figures.sum_shrink), "the decays of all steps, added up")


def _exempt_origin(training: Training) -> str:
    """Return whose the rule is that takes tensors out of the decay, and what changes it."""
    if training.network is not None and not training.network.is_own:
        return "given"
    if training.kind == PUBLISHED:
        return "published" if training.exempt.rule != "not stated" else ""
    switch = f" ({training.exempt.switch})" if training.exempt.switch else ""
    return f"{training.title}'s rule{switch}"


def _network_counts(network: NetworkJson) -> str:
    """Return how many of a network's weights decay, as whole numbers."""
    n_decayed, n_all = network["n_decayed"], network["n_parameters"]
    return f"{n_decayed:,} of {n_all:,} weights decay ({100 * n_decayed / n_all:.2f} %)"


def _row(found: Sourced, training: Training) -> tuple[Cell, ...]:
    if found.name == "beta1":
        betas = "not known" if training.betas is None else ", ".join(training.betas)
        return ("betas", betas, _betas_origin(found, training))
    value = "not known" if found.value is None else escaped(found.value)
    return (found.name.replace("_", " "), value, _origin(found))


def _betas_origin(first: Sourced, training: Training) -> str:
    """Return where the betas come from, of each where only one is in the file."""
    second = next((each for each in training.quantities if each.name == "beta2"), first)
    both = (first,) if second.origin is first.origin else (first, second)
    return "; ".join(filter(None, map(_origin, both)))


def _origin(found: Sourced | None) -> str:
    """Return where a quantity comes from, in words."""
    if found is None or (found.origin is Origin.MISSING and not found.note):
        return ""
    where = escaped(found.where)
    if found.line is not None:
        where = f"line {found.line}, {where}"
    elif found.origin is Origin.DEFAULT:
        where = f"default ({where})"
    elif found.origin is Origin.GIVEN:
        where = "given"
    return "; ".join(part for part in (where, found.note) if part)


def _count(number: float) -> str:
    """Return a count whole, with its thousands separated; another number to few digits."""
    return f"{number:,.0f}" if number == int(number) and number < _MOST_COUNTED else show(number)


def _counted(number: float, unit: str) -> str:
    return f"{_count(number)} {plural(number, unit)}"


def _batch(run: Run, unit: str) -> str:
    """Return B as the product that it is, `64 = 8 × 4 × 2`."""
    size = run.examples_per_step
    if size is None:
        return "not known"
    parts = [run.given(name) for name in BATCH]
    factors = [_count(float(part)) for part in parts if part is not None]
    product = f" = {' × '.join(factors)}" if size != run.batch_size else ""
    return f"{_count(float(size))}{product} {unit}"


def _batch_origin(by_name: Mapping[str, Sourced]) -> str:
    """Return the lines of B's factors, and how the devices are told."""
    factors = [by_name[name] for name in ("batch_size", "grad_accum") if name in by_name]
    lines = [str(found.line) for found in factors if found.line is not None]
    parts = [f"line{'s' if len(lines) > 1 else ''} {', '.join(lines)}"] if lines else []
    parts += [f"{found.name} by default" for found in factors if found.origin is Origin.DEFAULT]
    devices = by_name.get("world_size")
    if devices is not None and devices.origin is Origin.DEFAULT:
        parts.append("one device taken: --world-size")
    elif devices is not None:
        parts.append(f"devices: {_origin(devices)}")
    return "; ".join(parts) or _origin(
        by_name.get("examples_per_step") or by_name.get("batch_size")
    )


def _length(run: Run) -> str:
    """Return the run's epochs and steps, as far as they are known."""
    epochs, steps = run.given("epochs"), run.total_steps
    parts = [] if epochs is None else [_counted(float(epochs), "epoch")]
    parts += [] if steps is None else [_counted(float(steps), "step")]
    return ", ".join(parts) or "not known"


def _length_origin(by_name: Mapping[str, Sourced]) -> str:
    return _origin(by_name.get("steps") or by_name.get("epochs"))


def _groups(found: Inspection) -> Table:
    """Return each group's lr, decay and what is left of an undriven weight."""
    shown = found.groups[:_MOST_GROUPS]
    more = len(found.groups) - len(shown)
    note = f"and {_counted(more, 'group')} more (--json)" if more else ""
    counted = any(each.n_tensors is not None for each in shown)
    rows = tuple(
        (*_group(each, found.training), *((each.n_tensors, each.n_weights) if counted else ()))
        for each in shown
    )
    columns = (*_GROUPS, *(_COUNTS if counted else ()))
    return Table(title="group", columns=columns, rows=rows, note=note)


def _group(each: GroupDecay, training: Training) -> tuple[Cell, ...]:
    figures = each.figures
    return (
        named(each.to_dict()),
        each.lr,
        each.weight_decay,
        figures.shrink,
        figures.survival,
        _timescale(each, training.run),
    )


def _timescale(each: GroupDecay, run: Run) -> Cell:
    """Return the timescale in the largest unit that is known."""
    if each.weight_decay == 0:
        return "never"
    steps, total = each.figures.timescale_steps, run.total_steps
    if steps is None:
        return None
    if total:
        return of_run(steps / float(exact(total)))
    return Marked(content=steps, unit="steps", kind=Kind.READ)


def rows(found: Inspection) -> list[Mapping[str, object]]:
    """Return one flat row a group and reading, for CSV and JSON lines."""
    return [
        {
            "source": reading.training.source,
            "kind": reading.training.kind,
            "convention": reading.training.convention,
            "value": reading.training.value,
            "schedule": reading.training.schedule,
            **group.to_dict(),
            "by_default": "; ".join(reading.training.by_default()),
        }
        for reading in (found, *found.alternatives)
        for group in reading.groups
    ]
