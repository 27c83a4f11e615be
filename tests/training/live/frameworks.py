"""A torch-like and a Keras-like library in plain Python: small tensors, a few optimizers."""

import copy
import sys
import types
from struct import pack, unpack

import pytest


class Tensor:
    """A tensor of flat numbers; enough of torch's for an optimizer's arithmetic."""

    def __init__(self, values, shape=None, *, dtype="torch.float64", requires_grad=True):
        self.values = [float(value) for value in values]
        self.shape = (len(self.values),) if shape is None else tuple(shape)
        self.dtype, self.requires_grad, self.grad = dtype, requires_grad, None

    def detach(self):
        return self

    def new_tensor(self, values, device=None):
        assert device in {None, "cpu"}
        return Tensor(values, dtype=self.dtype, requires_grad=False)

    def double(self):
        return Tensor(self.values, self.shape, requires_grad=False)

    def float(self):
        rounded = unpack(f"{len(self.values)}f", pack(f"{len(self.values)}f", *self.values))
        return Tensor(rounded, self.shape, dtype="torch.float32", requires_grad=False)

    def reshape(self, shape):
        shape = (len(self.values),) if shape == -1 else shape
        return Tensor(self.values, shape, dtype=self.dtype, requires_grad=False)

    def requires_grad_(self):
        self.requires_grad = True
        return self

    def tolist(self):
        return list(self.values)

    def mul_(self, factor):
        self.values = [value * factor for value in self.values]

    def add_(self, other, alpha=1.0):
        pairs = zip(self.values, other.values, strict=True)
        self.values = [value + alpha * more for value, more in pairs]


def tensor(*shape, requires_grad=True, dtype="torch.float64"):
    n = 1
    for size in shape:
        n *= size
    return Tensor([0.5] * n, shape, requires_grad=requires_grad, dtype=dtype)


class Optimizer:
    """Groups as torch's base class makes them."""

    def __init__(self, params, defaults):
        self.defaults, self.state, self.param_groups = defaults, {}, []
        params = list(params)
        groups = params if params and isinstance(params[0], dict) else [{"params": params}]
        for group in groups:
            self.param_groups.append({**defaults, **group, "params": list(group["params"])})

    def each(self):
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    yield group, parameter


class AdamW(Optimizer):
    def __init__(self, params, lr=1e-3, weight_decay=1e-2, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "betas": betas,
                                  "eps": eps})  # fmt: skip

    def step(self):
        for group, parameter in self.each():
            parameter.mul_(1 - group["lr"] * group["weight_decay"])
            signs = [(value > 0) - (value < 0) for value in parameter.grad.values]
            parameter.add_(Tensor(signs), alpha=-group["lr"])


class SGD(Optimizer):
    def __init__(self, params, *, lr=1e-3, momentum=0.0, dampening=0.0, weight_decay=0.0,
                 nesterov=False):  # fmt: skip
        super().__init__(params, {"lr": lr, "momentum": momentum, "dampening": dampening,
                                  "weight_decay": weight_decay, "nesterov": nesterov})  # fmt: skip

    def step(self):
        for group, parameter in self.each():
            whole = Tensor(parameter.grad.values)
            whole.add_(parameter, alpha=group["weight_decay"])
            if group["momentum"]:
                buffer = self.state.setdefault(id(parameter), Tensor([0.0] * len(whole.values)))
                buffer.mul_(group["momentum"])
                buffer.add_(whole)
                whole = buffer
            parameter.add_(whole, alpha=-group["lr"])


class Decayed(AdamW):
    """Signs of the gradient, and a share of the weight that `decay` tells."""

    def decay(self, group):
        return group["lr"] * group["weight_decay"]

    def step(self):
        for group, parameter in self.each():
            parameter.mul_(1 - self.decay(group))
            signs = [(value > 0) - (value < 0) for value in parameter.grad.values]
            parameter.add_(Tensor(signs), alpha=-group["lr"])


class Penalised(AdamW):
    """The penalty joins the gradient before its sign is taken: a coupled, adaptive decay."""

    def step(self):
        for group, parameter in self.each():
            whole = Tensor(parameter.grad.values)
            whole.add_(parameter, alpha=group["weight_decay"])
            signs = [(value > 0) - (value < 0) for value in whole.values]
            parameter.add_(Tensor(signs), alpha=-group["lr"])


AdamW.__module__, SGD.__module__ = "torch.optim.adamw", "torch.optim.sgd"


class Model:
    """Named parameters, tied ones once."""

    def __init__(self, **tensors):
        self.tensors = {name.replace("__", "."): each for name, each in tensors.items()}

    def named_parameters(self):
        return iter(self.tensors.items())

    def some(self, *words):
        return [each for name, each in self.tensors.items() if any(word in name for word in words)]


def network(**more):
    return Model(
        wte__weight=tensor(8, 4), h__attn__weight=tensor(4, 4), h__mlp__weight=tensor(4, 4),
        h__ln_1__weight=tensor(4), h__ln_2__weight=tensor(4), h__mlp__bias=tensor(4), **more,
    )  # fmt: skip


@pytest.fixture
def module(monkeypatch):
    """Return a function that makes a module of functions, which can be imported by its name."""

    def make(**functions):
        made = types.ModuleType("made_by_a_test")
        vars(made).update(functions)
        monkeypatch.setitem(sys.modules, "made_by_a_test", made)
        return "made_by_a_test"

    return make


def one_of_each():
    """Return an optimizer with groups that decay and do not."""
    return AdamW([{"params": [tensor(4, 3), tensor(3)]},
                  {"params": [tensor(3)], "weight_decay": 0.0}], lr=6e-4)  # fmt: skip


def frozen(optimizer):
    """Return all that an optimizer and its tensors hold, as a value to compare."""
    groups = [
        {**group, "params": [(id(each), list(each.values), each.grad and list(each.grad.values))
                             for each in group["params"]]}
        for group in optimizer.param_groups
    ]  # fmt: skip
    return copy.deepcopy((groups, optimizer.state, optimizer.defaults))
