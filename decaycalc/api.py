"""The functions of the Python API: the command's jobs on numbers, and on numpy arrays."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, overload

from decaycalc.algebra.quantity import Number
from decaycalc.answers import Answer, Question, answer_of
from decaycalc.conventions.catalogue import convention_of, conventions_of
from decaycalc.conventions.record import Convention
from decaycalc.conventions.run import Run
from decaycalc.conventions.runs import runs_with
from decaycalc.conversion.by_name import convert_named
from decaycalc.conversion.convert import Conversion
from decaycalc.conversion.plan import Match
from decaycalc.errors import ContradictionError, InvalidValueError
from decaycalc.record import replace

if TYPE_CHECKING:
    from decaycalc.architecture.tensors import Architecture
    from decaycalc.comparison import Comparison
    from decaycalc.conversion.arrays import ArrayConversion
    from decaycalc.inspection import Inspection
    from decaycalc.training.live.probe import Probe
    from decaycalc.training.published.measured import MeasuredRecipe
    from decaycalc.transfers import Transfer
    from decaycalc.transfers.suggested import Suggested
    from decaycalc.verification.verify import Verification

_SCALARS = (int, float, str, Fraction)
_ASKED = frozenset(Question._fields)


@overload
def convert(
    value: Number,
    *,
    source: Convention | str,
    target: Convention | str,
    run: Run | None = None,
    target_run: Run | None = None,
    match: Match | str = Match.OPTIMUM,
    **quantities: Number | None,
) -> Conversion[float]: ...
@overload
def convert(
    value: None,
    *,
    source: Convention | str,
    target: Convention | str,
    run: Run | None = None,
    target_run: Run | None = None,
    match: Match | str = Match.OPTIMUM,
    **quantities: Number | None,
) -> Conversion[None]: ...
@overload
def convert(
    value: Any,
    *,
    source: Convention | str,
    target: Convention | str,
    run: Run | None = None,
    target_run: Run | None = None,
    match: Match | str = Match.OPTIMUM,
    **quantities: Any,
) -> "ArrayConversion": ...
def convert(
    value: Any,
    *,
    source: Convention | str,
    target: Convention | str,
    run: Run | None = None,
    target_run: Run | None = None,
    match: Match | str = Match.OPTIMUM,
    **quantities: Any,
) -> "Conversion[Any] | ArrayConversion":
    """Return a weight decay in another convention.

    Quantities may be given in a `run` or by their names (`lr=0.1`, `batch_size=128`, `to_lr=0.2`
    for the target's). Value and named quantities may be numpy arrays; they broadcast, and the
    result's `value` is then an array. With `value` None the formula alone is returned.

    >>> convert("5e-4", source="caffe", target="keras-l2").value
    0.00025
    >>> convert(0.1, source="pytorch-adamw", target="tfa-adamw", lr=0.001).value
    0.0001

    Raises:
        UnknownNameError: no convention of that name.
        MissingQuantityError: a quantity that does not cancel is unknown.
        NoEquivalentError: no single number is equivalent.
        InvalidValueError: a value out of its domain.
    """
    one, other = convention_of(source), convention_of(target)
    given = _said(quantities)
    if not any(map(_is_array, (value, *given.values()))):
        return convert_named(
            value, source=one, target=other, run=run, target_run=target_run, match=Match(match),
            quantities=given,
        )  # fmt: skip
    # Imported here: only arrays need numpy.
    from decaycalc.conversion.arrays import convert_arrays  # noqa: PLC0415

    return convert_arrays(
        value, source=one, target=other, run=run, target_run=target_run,
        match=Match(match), quantities=given,
    )  # fmt: skip


def answer(
    value: Number | None,
    *,
    source: Convention | str,
    targets: Sequence[Convention | str] | Convention | str = (),
    run: Run | None = None,
    target_run: Run | None = None,
    match: Match | str = Match.OPTIMUM,
    architecture: "Architecture | str | None" = None,
    **more: Any,
) -> Answer:
    """Return all that `decaycalc convert` says: decay, penalty and conversions.

    `more` are the other fields of `decaycalc.answers.Question` (`everything`, `mask`, `init`,
    `classes`, `dtype`, `schedule`, `strict`, `groups`), and quantities of the two runs by
    their names, as `convert` takes them. The answer's `to_dict()` is the command's JSON.

    >>> answer(1e-4, source="pytorch-sgd", lr=0.1).shrink
    1e-05

    Raises:
        DecaycalcError: what the command would refuse.
    """
    asked = {name: more.pop(name) for name in list(more) if name in _ASKED}
    here, there = runs_with(run or Run(), target_run, _said(more), also=_ASKED)
    question = Question(
        value=value, source=convention_of(source), targets=conventions_of(targets),
        run=here, target_run=there, match=Match(match),
        architecture=_network(architecture, **asked), **asked,
    )  # fmt: skip
    if question.groups:
        from decaycalc.grouped_answers import grouped_answer  # noqa: PLC0415

        return grouped_answer(replace(question, groups=tuple(question.groups)))
    return answer_of(question)


def inspect(
    source: Any,
    model: Any = None,
    scheduler: Any = None,
    run: Run | None = None,
    *,
    schedule: str | None = None,
    decay_schedule: str | None = None,
    groups: Sequence[str] = (),
    kind: str | None = None,
    architecture: "Architecture | str | None" = None,
    mask: str | None = None,
    configured: str | None = None,
    **quantities: Number | None,
) -> "Inspection":
    """Return what the weight decay of a published run, a file or a live optimizer really does.

    A `source` that is no text is an optimizer: torch's or one like it, Keras's, or optax's; its
    `model` (optax: its parameters) names the tensors, and its `scheduler` (torch's, timm's, or
    Lightning's mapping of one) is stepped on a copy over the run's steps. `quantities` of the run,
    by their names, take the place of the source's own, and what depends on them follows; `groups`
    are rules `REGEX:lr*16,wd=0.1` laid over its groups; `kind` is the trainer whose file it is.
    `architecture` is the network that a file's run trains, by name, file or as it is: which of its
    tensors decay is the trainer's own rule, or `mask`. `configured` is the file or the run
    by which a live optimizer was configured: DC111 says where its groups hold another λ.
    `to_dict()` is the command's JSON.

    >>> inspect("resnet-50-he", batch_size=512).figures.shrink
    0.0001

    Raises:
        DecaycalcError: what the command would refuse.
    """
    own = _run_with(run, quantities)
    more: Any = {"schedule": schedule, "decay_schedule": decay_schedule}
    laid: Any = {"groups": _several(groups), "architecture": _network(architecture), "mask": mask}
    from decaycalc import inspection  # noqa: PLC0415  (the readers of training files, if asked)

    inspection.require_live(source, scheduler=scheduler, schedule=schedule, configured=configured)
    if isinstance(source, str):
        return inspection.inspect(source, run=own, kind=kind, **laid, **more)
    from decaycalc.training.chosen import laid_over, typed  # noqa: PLC0415  (as above)
    from decaycalc.training.live.configured import beside  # noqa: PLC0415  (optimizers, if asked)
    from decaycalc.training.live.read import training_of  # noqa: PLC0415

    live = laid_over(typed(run=own, **more), training_of(source, model, scheduler, run=own))
    return inspection.inspect_training(beside(live, configured), **laid)


def probe(optimizer: Any, model: Any = None) -> "Probe":
    """Return what a live optimizer's weight decay does, by steps of small copies of it.

    The optimizer, its tensors and the generators of random numbers stay as they are. Any optimizer
    with `param_groups` will do, known to the catalogue or not, and Keras's and optax's, whose
    `model` (optax: parameters) shows what they exempt; `to_dict()` is the command's JSON.

    Raises:
        InvalidValueError: an object that is no optimizer, or one without a tensor.
    """
    from decaycalc.training.live import probe as probing  # noqa: PLC0415  (optimizers, if asked)

    return probing.probe(optimizer, model)


def compare(
    one: Any,
    other: Any,
    *,
    run: Run | None = None,
    schedule: str | None = None,
    decay_schedule: str | None = None,
    **quantities: Number | None,
) -> "Comparison":
    """Return two runs side by side, and the factors that multiply to the ratio of their decays.

    A side is what `inspect` takes, or what it has returned. `quantities` of the run, by their
    names, and schedules take the place of both sides' own, but of what `inspect` has returned.
    `to_dict()` is the command's JSON.

    >>> compare("resnet-50-he", "resnet-50-goyal-8k").verdict[:10]
    'the second'

    Raises:
        DecaycalcError: what the command would refuse.
    """
    from decaycalc import comparison, inspection  # noqa: PLC0415  (readers of files, if asked)

    own: Any = {
        "run": _run_with(run, quantities),
        "schedule": schedule,
        "decay_schedule": decay_schedule,
    }
    sides = (
        side if isinstance(side, inspection.Inspection) else inspect(side, **own)
        for side in (one, other)
    )
    return comparison.compare(*sides)


def suggest(
    target: Convention | str = "pytorch-adamw",
    *,
    run: Run | None = None,
    n_parameters: Number | None = None,
    rules: Sequence[str] = (),
    **quantities: Number | None,
) -> "Suggested":
    """Return weight decays for a run by every rule, or by those named, each in `target`.

    B and N count tokens where `n_parameters` is given; `quantities` of the run go by their names.

    >>> suggest(lr="2e-4", steps=1000, rules=["short-run"]).suggestions[0].value
    0.05

    Raises:
        DecaycalcError: what the command would refuse.
    """
    from decaycalc.transfers import suggestions  # noqa: PLC0415  (the fits, if asked)

    own = _run_with(run, quantities)
    return suggestions.suggest(target, run=own, n_parameters=n_parameters, rules=_several(rules))


def transfer(
    value: Number,
    *,
    source: Convention | str,
    target: Convention | str | None = None,
    run: Run | None = None,
    target_run: Run | None = None,
    width_ratio: Number = 1,
    depth_ratio: Number = 1,
    betas: tuple[Number, Number] | None = None,
    eps: Number | None = None,
    schedule: str | None = None,
    decay_schedule: str | None = None,
    **quantities: Number | None,
) -> "Transfer":
    """Return what lr and weight decay become in another run, by every rule.

    `quantities` of the two runs go by their names, a target's after `to_`. With a schedule, the
    rules have what their decay leaves over the new run.

    >>> moved = transfer(0.1, source="pytorch-adamw", lr=6e-4, batch_size=512, to_batch_size=2048)
    >>> [rule.value for rule in moved.rules if (rule.lr_rule, rule.hold) == ("sqrt", "epoch")]
    [0.2]

    Raises:
        DecaycalcError: what the command would refuse.
    """
    from decaycalc import transfers  # noqa: PLC0415  (the rules, if asked)
    from decaycalc.transfers.over_run import follow_schedules  # noqa: PLC0415

    here, there = runs_with(run or Run(), target_run, _said(quantities))
    moved = transfers.transfer(
        value, source=source, target=target, run=here, target_run=there, width_ratio=width_ratio,
        depth_ratio=depth_ratio, betas=betas, eps=eps,
    )  # fmt: skip
    transfers.require_entering(moved)
    return follow_schedules(moved, schedule=schedule, decay_schedule=decay_schedule)


def recipes(search: str = "") -> "tuple[MeasuredRecipe, ...]":
    """Return the published runs that mention a text (all, without one), in the common unit.

    >>> recipes("resnet-50-he")[0].recipe.title
    'ResNet-50 of He et al.'
    """
    from decaycalc.training.published import index, measured  # noqa: PLC0415  (the runs, if asked)

    wanted = search.lower()
    return tuple(map(measured.recall, (r for r in index.RECIPES if wanted in str(r).lower())))


def verify(
    value: Number,
    *,
    source: Convention | str,
    target: Convention | str,
    run: Run | None = None,
    target_run: Run | None = None,
    to_value: Number | None = None,
    match: Match | str = Match.OPTIMUM,
    schedule: str = "constant",
    models: Sequence[str] = (),
    frameworks: Sequence[str] = (),
    **quantities: Number | None,
) -> "Verification":
    """Return how a conversion stands the test of training by both conventions' update rules.

    `to_value` puts another number to the test than the converted one. `quantities` of the two runs
    go by their names, a target's after `to_`.

    >>> verify(1e-4, source="pytorch-sgd", target="keras-l2", lr=0.1).holds
    True

    Raises:
        DecaycalcError: what the command would refuse.
    """
    from decaycalc.verification import verify as verification  # noqa: PLC0415  (numpy, if asked)

    here, there = runs_with(run or Run(), target_run, _said(quantities))
    return verification.verify(
        value, source=convention_of(source), target=convention_of(target), run=here,
        target_run=there, to_value=to_value, match=Match(match), schedule=schedule,
        models=_several(models), frameworks=_several(frameworks),
    )  # fmt: skip


def _several(names: Sequence[str]) -> tuple[str, ...]:
    """Return several names, or the one that stands alone."""
    return (names,) if isinstance(names, str) else tuple(names)


def _said(quantities: Mapping[str, Number | None]) -> dict[str, Number]:
    return {name: number for name, number in quantities.items() if number is not None}


def _run_with(run: Run | None, quantities: Mapping[str, Number | None]) -> Run:
    """Return one run with quantities by their names.

    Raises:
        InvalidValueError: a quantity that no run has, or another run's.
    """
    given = _said(quantities)
    own, other = runs_with(run or Run(), None, given)
    if other is not None:
        name = next(name for name in given if name.startswith("to_"))
        raise InvalidValueError("quantity", name, "is none of this one run's")
    return own


def _network(architecture: "Architecture | str | None", **asked: Any) -> "Architecture | None":
    """Return a network as it is, or read by its name; `asked` may say something of it.

    Raises:
        ContradictionError: something is said of a network where there is none.
        DecaycalcError: a network that cannot be read.
    """
    if not isinstance(architecture, str):
        stray = next((name for name in ("mask", "init", "classes") if asked.get(name)), None)
        if architecture is None and stray is not None:
            raise ContradictionError(f"{stray} needs a network: give architecture")
        return architecture
    from decaycalc.architecture import parse_architecture  # noqa: PLC0415  (readers, if asked)

    return parse_architecture(architecture)


def _is_array(value: Any) -> bool:
    """Return whether a value is an array, or a list that makes one."""
    if value is None or isinstance(value, _SCALARS):
        return False
    return isinstance(value, list | tuple) or hasattr(value, "__array__")
