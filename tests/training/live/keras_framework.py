"""A Keras-like library in plain Python: variables, and optimizers made from configurations."""

import random
import re
import sys
import types


class Flat(list):
    """A tensor of numbers that are kept flat."""

    def reshape(self, _):
        return self

    def tolist(self):
        return list(self)


class Variable:
    def __init__(self, value, dtype="float32", name="variable", path=None, shape=None):
        assert dtype == "float64" or shape
        self.values, self.name, self.path = Flat(value), name, path or name
        self.shape = shape or (len(self.values),)

    @property
    def _path(self):
        return self.path

    @_path.setter
    def _path(self, path):
        self.path = path


class Optimizer:
    """Keras's base class: a configuration, exclusions, and a memory of what was asked."""

    def __init__(self, learning_rate=0.001, weight_decay=None, **more):
        random.random()  # noqa: S311  (an initialiser that draws)
        self.learning_rate, self.weight_decay, self.more = learning_rate, weight_decay, more
        self._trainable_variables = []

    def get_config(self):
        return {"learning_rate": self.learning_rate, "weight_decay": self.weight_decay, **self.more}

    @classmethod
    def from_config(cls, config):
        return cls(**config)

    def build(self, variables):
        self._trainable_variables = list(variables)

    def exclude_from_weight_decay(self, var_list=(), var_names=()):
        self._excluded = {id(each) for each in var_list}
        self._pattern = "|".join(var_names)

    def _use_weight_decay(self, variable):
        if not hasattr(self, "_exclude_from_weight_decay_cache"):
            self._exclude_from_weight_decay_cache = {}
        pattern = getattr(self, "_pattern", "")
        named = bool(pattern and re.search(pattern, variable.name))
        found = not named and id(variable) not in getattr(self, "_excluded", ())
        return self._exclude_from_weight_decay_cache.setdefault(id(variable), found)

    def decay_of(self, variable):
        return self.learning_rate * (self.weight_decay or 0.0) * self._use_weight_decay(variable)

    def apply(self, gradients, variables):
        pairs = [pair for pair in zip(gradients, variables, strict=True) if pair[0] is not None]
        for gradient, variable in pairs:
            factor = 1 - self.decay_of(variable)
            variable.values = Flat(
                value * factor - self.learning_rate * ((part > 0) - (part < 0))
                for value, part in zip(variable.values, gradient, strict=True)
            )

    update_step = apply


class AdamW(Optimizer):
    """Keras's AdamW."""

    update_step = Optimizer.apply


class Muon(Optimizer):
    """Keras's Muon: what is no matrix has a decay of its own."""

    def __init__(self, adam_weight_decay=0.0, **more):
        super().__init__(**more)
        self.adam_weight_decay = adam_weight_decay

    def get_config(self):
        return {**super().get_config(), "adam_weight_decay": self.adam_weight_decay}

    def _should_use_adamw(self, variable):
        return len(variable.shape) != 2

    def decay_of(self, variable):
        # A small variable of the fake is flat; its path says what it stands for.
        own = self.adam_weight_decay if "bias" in variable.path else self.weight_decay
        return self.learning_rate * own * self._use_weight_decay(variable)

    update_step = Optimizer.apply


AdamW.__module__, Muon.__module__ = "keras.src.optimizers.adamw", "keras.src.optimizers.muon"


def framework(monkeypatch, *, counts=None):
    """Put the library into the process as Keras; `counts` are the numbers of its names."""
    ops = types.SimpleNamespace(
        convert_to_tensor=lambda values, **_: Flat(values),
        convert_to_numpy=lambda variable: variable.values,
        reshape=lambda tensor, _: tensor,
    )
    made = types.ModuleType("keras")
    vars(made).update(Variable=Variable, ops=ops)
    monkeypatch.setitem(sys.modules, "keras", made)
    state = types.SimpleNamespace(get_global_attribute=lambda _: counts)
    name = "keras.src.backend.common.global_state"
    monkeypatch.setitem(sys.modules, name, state)


def network():
    """Return a model of a kernel and a bias."""
    return types.SimpleNamespace(trainable_variables=[
        Variable([], name="kernel", path="dense/kernel", shape=(4, 3)),
        Variable([], name="bias", path="dense/bias", shape=(3,)),
    ])  # fmt: skip
