"""A live optimizer to a Training: its groups, its tensors, and what the catalogue knows of it."""

from typing import Any

from decaycalc.conventions.run import Run
from decaycalc.errors import InvalidValueError
from decaycalc.record import replace
from decaycalc.training.live import keras_like, optax_like, optax_training, several, torch_like
from decaycalc.training.live.foreign import foreign_errors
from decaycalc.training.live.scheduler import follow
from decaycalc.training.record import Training

NO_OPTIMIZER = "has no param_groups (torch), get_config (Keras) or init and update (optax)"


def unwrapped(optimizer: Any) -> Any:
    """Return the optimizer that a launcher's or a loss scaler's own holds, else the same."""
    return optax_like.unwrapped(keras_like.unwrapped(torch_like.unwrapped(optimizer)))


def training_of(
    optimizer: Any,
    model: Any = None,
    scheduler: Any = None,
    *,
    run: Run | None = None,
    source: str | None = None,
) -> Training:
    """Return the run that a live optimizer makes, as far as it knows it; nothing of it changes.

    `optimizer` may be a list of torch-like ones that step together. `model` names the tensors
    (`named_parameters()`, or Keras's `trainable_variables`), and tells those that no group holds.
    `scheduler` is followed over the steps of `run`, on a copy. `source` is what the user called it.

    Raises:
        InvalidValueError: an object that is no optimizer, or one whose numbers cannot be read.
    """

    def failed(said: str) -> InvalidValueError:
        return InvalidValueError("optimizer", type(optimizer).__name__, f"cannot be read: {said}")

    with foreign_errors(failed):
        if several.is_several(optimizer) and scheduler is None:
            return several.training_of(optimizer, model, source=source)
        parameters = optax_like.parameters_of(optimizer) if model is None else model
        found = _read(unwrapped(optimizer), parameters, scheduler, run=run, source=source)
        if not torch_like.is_holder(optimizer):
            return found
        return replace(found, notes=(torch_like.holder_note(optimizer), *found.notes))


def _read(
    optimizer: Any, model: Any, scheduler: Any, *, run: Run | None, source: str | None
) -> Training:
    if torch_like.is_optimizer(optimizer):
        followed = None if scheduler is None else follow(scheduler, optimizer, run or Run())
        found = torch_like.training_of(optimizer, model, source=source, followed=followed)
        return found if scheduler is None or followed else replace(found, missing=("steps",))
    if scheduler is not None:
        raise InvalidValueError(
            "scheduler", type(scheduler).__name__, "is followed beside a torch-like optimizer only"
        )
    if keras_like.is_optimizer(optimizer):
        return keras_like.training_of(optimizer, model, source=source)
    if optax_like.is_optimizer(optimizer):
        return optax_training.training_of(optimizer, model, run=run, source=source)
    name = type(optimizer).__name__
    raise InvalidValueError("optimizer", name, f"is none that can be read: it {NO_OPTIMIZER}")
