"""A trial of a Keras 3 optimizer: its class from its configuration, over one small variable."""

import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from decaycalc.errors import InvalidValueError
from decaycalc.training.live.apart import in_doubles, kept_random
from decaycalc.training.live.keras_like import Variable
from decaycalc.training.live.trial import CopyTrial, Steps, small_shape

_DOUBLE = "float64"


def framework_of(optimizer: Any) -> Any:
    """Return the Keras that an optimizer's class is of, which is in the process already.

    Raises:
        InvalidValueError: none of its parents' packages has variables.
    """
    for kind in type(optimizer).__mro__:
        framework = sys.modules.get(kind.__module__.partition(".")[0])
        if hasattr(framework, "Variable"):
            return framework
    name = type(optimizer).__name__
    raise InvalidValueError("optimizer", name, "cannot be probed: its Keras has no Variable")


def trial_of(optimizer: Any, variable: Variable, options: Mapping[str, Any]) -> CopyTrial:
    """Return the trial of an optimizer over a small variable like one of the user's.

    `options` are its configuration.

    Raises:
        InvalidValueError: an optimizer of no Keras 3.
    """
    copied = _Copy(
        made=type(optimizer), options=options, variable=variable, framework=framework_of(optimizer)
    )
    return CopyTrial(
        name=type(optimizer).__name__,
        shape=small_shape(variable.shape),
        take=copied.take,
        options=options,
        coarse=True,  # its learning rate is a float32 variable
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Copy:
    """A class and its configuration, which make a new optimizer for each trial."""

    made: Any
    options: Mapping[str, Any]
    variable: Variable
    framework: Any

    def take(self, steps: Steps) -> list[Sequence[float]]:
        """Return the weights after each step of a new copy."""
        with in_doubles(), kept_random(), _kept_names(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Keras warns of a gradient that is none
            return list(self._stepped(steps))

    def _stepped(self, steps: Steps) -> Iterator[Sequence[float]]:
        variable, other = self._made(steps.start), self._made(steps.start)
        still = [0.0] * len(steps.start)
        optimizer = self.made.from_config(
            {**self.options, "learning_rate": steps.peak_lr, self.variable.decay: steps.decays[0]}
        )
        if self.variable.excluded:
            optimizer.exclude_from_weight_decay(var_list=[variable])
        optimizer.build([variable, other])
        optimizer.learning_rate = steps.lr
        for gradient, weight_decay in steps.pairs:
            setattr(optimizer, self.variable.decay, weight_decay)
            # Beside it one with a gradient: Keras refuses a step that has none at all.
            gradients = [None if gradient is None else self._tensor(gradient), self._tensor(still)]
            optimizer.apply(gradients, [variable, other])
            yield self.framework.ops.convert_to_numpy(variable).reshape(-1).tolist()

    def _tensor(self, values: Sequence[float]) -> Any:
        flat = self.framework.ops.convert_to_tensor(list(values), dtype=_DOUBLE)
        return self.framework.ops.reshape(flat, small_shape(self.variable.shape))

    def _made(self, values: Sequence[float]) -> Any:
        """Return a variable in float64, called as the user's: some choose by its name."""
        variable = self.framework.Variable(
            self._tensor(values), dtype=_DOUBLE, name=self.variable.name.replace("/", "_")
        )
        variable._path = self.variable.path  # noqa: SLF001  (Keras sets it in scopes of layers alone)
        return variable


@contextmanager
def _kept_names() -> Iterator[None]:
    """Leave Keras's counts of names as they were, from which the user's next layers get theirs."""
    state: Any = sys.modules.get("keras.src.backend.common.global_state")
    counts = None if state is None else state.get_global_attribute("object_name_uids")
    before = dict(counts or {})
    try:
        yield
    finally:
        if counts is not None:
            counts.clear()
            counts.update(before)
