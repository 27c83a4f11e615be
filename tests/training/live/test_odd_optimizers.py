"""probe, and inspect of a live optimizer, on optimizers that do anything: a report or one line.

DECAYCALC_FUZZ=100000 makes it long.
"""

import json
import math

from decaycalc.errors import DecaycalcError
from decaycalc.inspection import inspect_training
from decaycalc.report import probe as report
from decaycalc.report import text
from decaycalc.training.live.probe import probe
from decaycalc.training.live.read import training_of
from tests.fuzzing.cases import fuzzed
from tests.training.live.frameworks import SGD, AdamW, Model, Optimizer, Penalised, Tensor, tensor

ODD = (None, -1, 0, 0.0, 1, 1e308, -1e308, 5e-324, math.nan, math.inf, -math.inf, "0.1", "x", "",
       [], [0.1], {}, (0.9, 0.999), True, False, 1j, object(), 10**400, b"1", Tensor([0.1], ()),
       Tensor([0.1, 0.2]), 0.999999999999, 0.1)  # fmt: skip
NAMES = ("lr", "weight_decay", "momentum", "initial_lr", "lr_scale", "betas", "eps", "name",
         "nesterov", "dampening", "params", "param_names", "maximize", "wd_ratio", "x")  # fmt: skip


def grown(self, _rng):
    for _, each in self.each():
        each.values = each.values * 2


def shrunk(self, _rng):
    for _, each in self.each():
        each.values = each.values[:1]


def emptied(self, _rng):
    for _, each in self.each():
        each.values = []


def spoiled(self, rng):
    for _, each in self.each():
        each.values = [rng.choice((math.nan, math.inf, -math.inf))] * len(each.values)


def exploding(self, _rng):
    for _, each in self.each():
        each.mul_(-1e200)


def raising(_self, rng):
    raise rng.choice((ValueError, RuntimeError, ZeroDivisionError, NotImplementedError,
                      AssertionError, KeyError, MemoryError, RecursionError,
                      StopIteration))("odd\nand more \x1b[31m")  # fmt: skip


def leaving(_self, rng):
    raise SystemExit(rng.choice((0, 3, "gone")))


def forgetting(self, _rng):
    self.param_groups = []


def replacing(self, _rng):
    self.param_groups[0]["params"] = [tensor(2)]


def lying(self, rng):
    self.param_groups[0]["weight_decay"] = rng.choice(ODD)
    self.param_groups[0].pop("lr", None)


def random_walk(self, rng):
    for _, each in self.each():
        each.values = [value + rng.gauss(0, 1) for value in each.values]


def nothing(_self, _rng):
    pass


def zeroed(self, _rng):
    for _, each in self.each():
        each.mul_(0)


def complex_valued(self, _rng):
    for _, each in self.each():
        each.values = [1j for _ in each.values]


def square_decay(self, _rng):
    for group, each in self.each():
        each.values = [v - group["lr"] * group["weight_decay"] * v * abs(v) for v in each.values]


STEPS = (grown, shrunk, emptied, spoiled, exploding, raising, leaving, forgetting, replacing, lying,
         random_walk, nothing, zeroed, complex_valued, square_decay)  # fmt: skip
ATTRIBUTES = ("defaults", "state", "param_groups", "optimizer", "train", "__init__")


def class_of(rng):
    """Return a class of optimizers that steps as it should, or not."""
    base = rng.choice((AdamW, SGD, Penalised))
    if rng.random() < 0.25:
        return base
    odd = rng.choice(STEPS)
    late = rng.randrange(4)  # the step from which it misbehaves

    def step(self):
        self.count = getattr(self, "count", 0) + 1
        if self.count > late:
            odd(self, rng)
        else:
            base.step(self)

    members = {"step": step, "__module__": rng.choice((base.__module__, "a\x1b.b", "torch.optim"))}
    way = rng.random()
    if way < 0.1:
        members["__init__"] = lambda self, *_a, **_k: raising(self, rng)
    elif way < 0.2:
        members["__init__"] = lambda self, params, *_rest, **_more: Optimizer.__init__(
            self, params, {"lr": 0.1, "weight_decay": 0.1, "momentum": 0, "nesterov": False}
        )
    name = rng.choice((base.__name__, "Odd", "x" * 300, "\x1b[31mRed"))
    return type(name, (base,), members)


def tensors(rng):
    """Return parameters of odd shapes, some shared."""
    shapes = ((3, 2), (4,), (), (1,), (0,), (2, 2, 2, 2), (2,) * 9)
    made = [tensor(*rng.choice(shapes)) for _ in range(rng.randrange(1, 4))]
    if rng.random() < 0.2:
        made.append(made[0])
    if rng.random() < 0.1:
        made[0].shape = rng.choice(((-1,), (2.5,), "ab", (10**9,), (math.nan,)))
    return made


def optimizer_of(rng):
    """Return an optimizer whose groups may say anything."""
    kind = class_of(rng)
    try:
        made = kind([{"params": tensors(rng)} for _ in range(rng.randrange(1, 3))], lr=1e-3)
    except Exception:  # noqa: BLE001  (the one that cannot be made)
        made = kind.__new__(kind)
        Optimizer.__init__(made, tensors(rng), {"lr": 0.1, "weight_decay": 0.1})
    for group in made.param_groups if rng.random() < 0.7 else ():
        for _ in range(rng.randrange(3)):
            name = rng.choice(NAMES)
            if rng.random() < 0.2:
                group.pop(name, None)
            elif name != "params" or rng.random() < 0.2:
                group[name] = rng.choice(ODD)
    if rng.random() < 0.1:
        setattr(made, rng.choice(ATTRIBUTES[:-1]), rng.choice(ODD))
    return made


def attempt(answer):
    """Return what an answer is, None where it is refused in one line."""
    try:
        return answer()
    except DecaycalcError as error:
        assert "\n" not in str(error)  # noqa: PT017  (that nothing else is raised is the point)
        return None


@fuzzed(plain=40, share=0.02)
def test_probe_reports_or_refuses_whatever_an_optimizer_does(rng):
    optimizer = optimizer_of(rng)
    found = attempt(lambda: probe(optimizer))
    if found is not None:
        json.dumps(found.to_dict(), allow_nan=False)
        assert "\x1b" not in text.to_text(report.tables(found), width=80, colour=False)


@fuzzed(plain=100, share=0.1)
def test_a_live_optimizer_is_read_or_refused_whatever_it_holds(rng):
    optimizer = optimizer_of(rng)
    model = rng.choice((None, Model(a=tensor(2, 2)), rng.choice(ODD)))
    found = attempt(lambda: inspect_training(training_of(optimizer, model)))
    if found is not None:
        json.dumps(found.to_dict(), allow_nan=False)
