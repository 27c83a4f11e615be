"""The functions of the Python API: the command's jobs on numbers, and on numpy arrays."""

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, overload

from decaycalc.algebra.quantity import Number
from decaycalc.answers import Answer, Question
from decaycalc.answers import answer as _answer
from decaycalc.conventions.catalogue import find
from decaycalc.conventions.record import Convention
from decaycalc.conventions.run import Run
from decaycalc.conventions.runs import runs_with
from decaycalc.conversion.convert import Conversion
from decaycalc.conversion.named import convert_named
from decaycalc.conversion.plan import Match
from decaycalc.errors import InvalidValueError

if TYPE_CHECKING:
    from decaycalc.architecture.tensors import Architecture
    from decaycalc.conversion.arrays import ArrayConversion
    from decaycalc.inspection import Inspection
    from decaycalc.training.live.probe import Probe

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
    one, other = _record(source), _record(target)
    given = {name: number for name, number in quantities.items() if number is not None}
    if not any(map(_is_array, (value, *given.values()))):
        return convert_named(
            value, source=one, target=other, run=run, target_run=target_run, match=Match(match),
            quantities=given,
        )  # fmt: skip
    # Imported here: only arrays need numpy.
    from decaycalc.conversion.arrays import convert_arrays  # noqa: PLC0415

    return convert_arrays(
        value, source=one, target=other, run=run or Run(), target_run=target_run,
        match=Match(match), quantities=given,
    )  # fmt: skip


def answer(
    value: Number | None,
    *,
    source: Convention | str,
    targets: Sequence[Convention | str] = (),
    run: Run | None = None,
    target_run: Run | None = None,
    match: Match | str = Match.OPTIMUM,
    architecture: "Architecture | str | None" = None,
    **more: Any,
) -> Answer:
    """Return all that `decaycalc convert` says: decay, penalty and conversions.

    `more` are the other fields of `decaycalc.answers.Question` (`everything`, `mask`, `init`,
    `classes`, `dtype`, `schedule`, `strict`), and quantities of the two runs by their names, as
    `convert` takes them. The answer's `to_dict()` is the command's JSON.

    >>> answer(1e-4, source="pytorch-sgd", lr=0.1).shrink
    1e-05

    Raises:
        DecaycalcError: what the command would refuse.
    """
    if isinstance(architecture, str):
        from decaycalc.architecture import parse_architecture  # noqa: PLC0415  (readers, if asked)

        architecture = parse_architecture(architecture)
    asked = {name: more.pop(name) for name in list(more) if name in _ASKED}
    given = {name: number for name, number in more.items() if number is not None}
    here, there = runs_with(run or Run(), target_run, given)
    question = Question(
        value=value, source=_record(source), targets=tuple(map(_record, targets)),
        run=here, target_run=there, match=Match(match), architecture=architecture, **asked,
    )  # fmt: skip
    return _answer(question)


def inspect(
    source: Any,
    model: Any = None,
    *,
    run: Run | None = None,
    schedule: str | None = None,
    kind: str | None = None,
    **quantities: Number | None,
) -> "Inspection":
    """Return what the weight decay of a published run, a file or a live optimizer really does.

    A `source` that is no text is an optimizer: torch's or one like it, or Keras's; its `model`
    names the tensors. `quantities` of the run, by their names, take the place of the source's
    own, and what depends on them follows; `kind` is the trainer whose file it is. `to_dict()` is
    the command's JSON.

    >>> inspect("resnet-50-he", batch_size=512).figures.shrink
    0.0001

    Raises:
        DecaycalcError: what the command would refuse.
    """
    from decaycalc import inspection  # noqa: PLC0415  (the readers of training files, if asked)

    given = {name: number for name, number in quantities.items() if number is not None}
    own, other = runs_with(run or Run(), None, given)
    if other is not None:
        raise InvalidValueError("quantity", next(iter(given)), "is none of an inspected run's")
    if isinstance(source, str):
        return inspection.inspect(source, run=own, schedule=schedule, kind=kind)
    from decaycalc.training.live.read import training_of  # noqa: PLC0415  (optimizers, if asked)

    return inspection.inspect_training(training_of(source, model), run=own, schedule=schedule)


def probe(optimizer: Any) -> "Probe":
    """Return what a live optimizer's weight decay does, by steps of small copies of it.

    The optimizer, its tensors and the generators of random numbers stay as they are. Any optimizer
    with `param_groups` will do, known to the catalogue or not; `to_dict()` is the command's JSON.

    Raises:
        InvalidValueError: an object without param_groups, or without a tensor in them.
    """
    from decaycalc.training.live import probe as probing  # noqa: PLC0415  (optimizers, if asked)

    return probing.probe(optimizer)


def _record(name: Convention | str) -> Convention:
    return find(name) if isinstance(name, str) else name


def _is_array(value: Any) -> bool:
    """Return whether a value is an array, or a list that makes one."""
    if value is None or isinstance(value, _SCALARS):
        return False
    return isinstance(value, list | tuple) or hasattr(value, "__array__")
