"""Code for groups: run on a model of names and shapes, against the groups of the network."""

import sys
from types import SimpleNamespace

import pytest

from decaycalc.architecture.groups import Choice, treatments
from decaycalc.architecture.tensors import Architecture, Role, Tensor
from decaycalc.architecture.treatment import parse_group_rule
from decaycalc.conventions.catalogue import find
from decaycalc.conventions.run import Run
from decaycalc.emit.code import emit
from decaycalc.training.chosen import typed
from decaycalc.training.groups import by_pattern

SHAPES = {"wte.weight": (8, 4), "h.q.weight": (4, 4), "h.q.bias": (4,), "h.lora_B.weight": (4, 2)}
RULES = [
    ("lora_B:lr*16",),
    ("wte:wd=0", "weight:wd=0.3,lr=0.01"),
    ("h:lr*2", "q:wd*3", "bias:lr*5"),
    ("h:lr*0",),
]


def groups_of(code, monkeypatch):
    """Return each parameter's lr and decay, as the code hands them to the optimizer."""
    made = {}

    def adamw(params, lr):
        for group in params:
            for parameter in group["params"]:
                made[parameter.name] = (group.get("lr", lr), group["weight_decay"])

    torch = SimpleNamespace(optim=SimpleNamespace(AdamW=adamw))
    monkeypatch.setitem(sys.modules, "torch", torch)
    named = [(n, SimpleNamespace(name=n, ndim=len(shape))) for n, shape in SHAPES.items()]
    exec(code, {"model": SimpleNamespace(named_parameters=lambda: named)})  # noqa: S102  (ours)
    return made


@pytest.mark.parametrize("mask", ["no-1d", "all"])
@pytest.mark.parametrize("texts", RULES)
def test_the_code_sorts_as_the_network_does(texts, mask, monkeypatch):
    training = typed(value="0.1", source=find("pytorch-adamw"), run=Run(lr="1e-3"))
    code = emit(
        "pytorch", "0.1", source="pytorch-adamw", run=training.run, mask=mask,
        groups=by_pattern(training, texts),
    ).code  # fmt: skip
    found = groups_of(code, monkeypatch)
    tensors = tuple(
        Tensor(name=n, shape=s, role=Role.BIAS if n.endswith("bias") else Role.WEIGHT)
        for n, s in SHAPES.items()
    )
    network = Architecture(name="net", tensors=tensors)
    choice = Choice(mask=mask, groups=tuple(map(parse_group_rule, texts)))
    for tensor, each in zip(tensors, treatments(network, choice), strict=True):
        lr, decay = each.lr.of("1e-3"), each.decay.of("0.1")
        assert found[tensor.name] == pytest.approx((float(lr), float(decay)), rel=1e-12)


def test_a_number_that_depends_on_lr_is_each_groups_own(monkeypatch):
    # What TFA takes off in a step is its number; torch's AdamW divides it by the group's lr.
    training = typed(value="1e-4", source=find("tfa-adamw"), run=Run(lr="1e-3"))
    code = emit(
        "pytorch", "1e-4", source="tfa-adamw", target="pytorch-adamw", run=training.run,
        groups=by_pattern(training, ("lora_B:lr*4",)),
    ).code  # fmt: skip
    found = groups_of(code, monkeypatch)
    assert found["h.q.weight"] == pytest.approx((1e-3, 0.1))
    assert found["h.lora_B.weight"] == pytest.approx((4e-3, 0.025))
