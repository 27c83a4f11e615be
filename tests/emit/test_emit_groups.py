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
from decaycalc.errors import InvalidValueError, NoEquivalentError
from decaycalc.training.chosen import typed
from decaycalc.training.groups import by_pattern

SHAPES = {"wte.weight": (8, 4), "h.q.weight": (4, 4), "h.q.bias": (4,), "h.lora_B.weight": (4, 2)}
RULES = [
    ("lora_B:lr*16",),
    ("wte:wd=0", "weight:wd=0.3,lr=0.01"),
    ("h:lr*2", "q:wd*3", "bias:lr*5"),
    ("h:lr*0",),
    ("h:lr*2", "q:lr*1"),
    ("w:wd=0.3", "wte:wd=0.1"),
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


def emitted(framework, texts, *, key="pytorch-adamw", run=None, **more):
    run = run or Run(lr="1e-3", steps=100)
    training = typed(value="0.1", source=find(key), run=run)
    groups = by_pattern(training, texts)
    return emit(framework, "0.1", source=key, run=run, groups=groups, **more)


WITH_CODE = [
    *(
        ("optax", key, decay)
        for key in ("pytorch-adamw", "pytorch-sgd")
        for decay in (None, "linear")
    ),
    *(("keras", key, None) for key in ("pytorch-adamw", "pytorch-sgd", "pytorch-adam")),
    ("keras", "pytorch-adamw", "linear"),
    ("hf", "pytorch-adamw", None),
    ("timm", "pytorch-adamw", None),
    ("timm", "pytorch-sgd", None),
]


@pytest.mark.parametrize("schedule", [None, "cosine"])
@pytest.mark.parametrize(("framework", "key", "decay_schedule"), WITH_CODE)
def test_code_for_groups_is_code_and_holds_each_groups_numbers(
    framework, key, decay_schedule, schedule
):
    snippet = emitted(framework, ("lora_B:lr*16", "wte:wd=0.3"), key=key, schedule=schedule,
                      decay_schedule=decay_schedule)  # fmt: skip
    compile(snippet.code, "snippet.py", "exec")
    assert "('lora_B', {\"lr\": 0.016})" in snippet.code
    own = 0.15 if framework == "keras" and key != "pytorch-adamw" else 0.3  # l2 is half of it
    assert f"('wte', {{\"weight_decay\": {own}}})" in snippet.code


@pytest.mark.parametrize("schedule", [None, "linear:warmup=10", "cosine:warmup=10"])
def test_deepspeed_tells_each_group_the_lr_that_it_warms_up_to(schedule):
    snippet = emitted("deepspeed", ("lora_B:lr*16",), schedule=schedule)
    compile(snippet.code, "snippet.py", "exec")
    assert snippet.code.startswith("# weight_decay 0.1")
    assert ("warmup_max_lr" in snippet.code) is (schedule == "linear:warmup=10")
    assert ('"warmup_max_lr": [group["lr"]' in snippet.code) is (schedule == "linear:warmup=10")
    assert not any("decays every tensor" in note for note in snippet.notes)


def test_masks_without_code_are_refused_for_groups_too():
    for framework in ("optax", "keras", "timm", "pytorch", "deepspeed"):
        with pytest.raises(InvalidValueError, match="has no snippet here"):
            emitted(framework, ("q:lr*2",), mask="no-embedding")


def test_axolotl_has_groups_of_an_lr_the_last_rule_first():
    snippet = emitted("axolotl", ("q_proj:lr*2", r"mlp\.up:lr=0.5", "x:lr*1"))
    assert snippet.code.splitlines()[-1] == (
        "lr_groups: [{name: group3, modules: ['x'], lr: 0.001}, "
        "{name: group2, modules: ['mlp.up'], lr: 0.5}, "
        "{name: group1, modules: ['q_proj'], lr: 0.002}]"
    )
    assert any("biases and norms keep" in note for note in snippet.notes)
    yaml = pytest.importorskip("yaml")
    assert yaml.safe_load(snippet.code)["lr_groups"][1] == {
        "name": "group2", "modules": ["mlp.up"], "lr": 0.5,
    }  # fmt: skip


def test_llama_factory_has_loraplus_group():
    snippet = emitted("llama-factory", ("lora_B:lr*16",))
    assert snippet.code.splitlines()[-1] == "loraplus_lr_ratio: 16.0"
    assert any("one-dimensional" in note for note in snippet.notes)
    assert "loraplus" not in emitted("llama-factory", ()).code
    with pytest.raises(NoEquivalentError, match="alone"):
        emitted("llama-factory", ("lora_B:lr*16", "lora_A:lr*2"))


@pytest.mark.parametrize(
    ("framework", "text", "reason"),
    [
        ("axolotl", "q_proj:wd=0.3", "hold an lr, and the decay is the run's"),
        ("axolotl", "q.*proj:lr*2", "look for parts of names"),
        ("hf-trainer", "q:lr*2", "take --emit hf"),
        ("llama-factory", "q:lr*2", "give lora_B:lr\\*RATIO alone"),
        ("llama-factory", "lora_B:lr*2,wd=0.5", "give lora_B:lr\\*RATIO alone"),
        ("torchtune", "q:lr*2", "as one group"),
        ("ultralytics", "q:lr*2", "its three groups itself"),
        ("sklearn", "q:lr*2", "one penalty for all its weights"),
        ("optax", "q:towards=initial", "decay towards zero alone"),
    ],
)
def test_a_framework_without_a_place_for_a_group_says_why(framework, text, reason):
    key = "pytorch-sgd" if framework in {"sklearn", "ultralytics"} else "pytorch-adamw"
    run = Run(lr="0.1", batch_size=10, dataset_size=100, nesterov=True, momentum="0.9")
    with pytest.raises(NoEquivalentError, match=reason):
        emitted(framework, (text,), key=key, run=run if key == "pytorch-sgd" else None)
