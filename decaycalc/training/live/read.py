"""A live optimizer to a Training: its groups, its tensors, and what the catalogue knows of it."""

from typing import Any

from decaycalc.errors import InvalidValueError
from decaycalc.training.live import keras_like, torch_like
from decaycalc.training.record import Training

NO_OPTIMIZER = "has no param_groups (torch), get_config (Keras) or init and update (optax)"


def unwrapped(optimizer: Any) -> Any:
    """Return the optimizer that a launcher's or a loss scaler's own holds, else the same."""
    return keras_like.unwrapped(torch_like.unwrapped(optimizer))


def training_of(optimizer: Any, model: Any = None, *, source: str | None = None) -> Training:
    """Return the run that a live optimizer makes, as far as it knows it; nothing of it changes.

    `model` names the tensors (`named_parameters()`, or Keras's `trainable_variables`), and tells
    those that no group holds. `source` is what the user called it by.

    Raises:
        InvalidValueError: an object that is no optimizer, or one whose numbers cannot be read.
    """
    optimizer = unwrapped(optimizer)
    if torch_like.is_optimizer(optimizer):
        return torch_like.training_of(optimizer, model, source=source)
    if keras_like.is_optimizer(optimizer):
        return keras_like.training_of(optimizer, model, source=source)
    name = type(optimizer).__name__
    if hasattr(optimizer, "init") and hasattr(optimizer, "update"):
        raise InvalidValueError(
            "optimizer", name, "keeps its numbers in closures, where no one can read them"
        )
    raise InvalidValueError("optimizer", name, f"is none that can be read: it {NO_OPTIMIZER}")
