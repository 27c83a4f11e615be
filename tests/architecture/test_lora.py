import pytest

from decaycalc.architecture.inline import parse_inline
from decaycalc.architecture.lora import Lora, adapt, parse_lora
from decaycalc.architecture.tensors import Role
from decaycalc.architecture.zoo import find_model
from decaycalc.errors import ContradictionError, InvalidValueError


# Trained weights of peft 0.17's LoraConfig(r=8) with its own target modules.
@pytest.mark.parametrize(
    ("name", "n_weights"),
    [("llama-2-7b", 4_194_304), ("gpt2", 294_912), ("bert-base", 294_912), ("t5-small", 294_912)],
)
def test_unasked_the_layers_are_those_that_peft_adapts(name, n_weights):
    net = adapt(find_model(name), Lora(rank=8))
    assert net.n_parameters == n_weights
    assert {tensor.role for tensor in net.tensors} == {Role.ADAPTER}


def test_without_attention_all_dense_layers_are_adapted():
    net = adapt(parse_inline("784-10"), Lora(rank=4))
    assert [(t.name, t.shape, t.init_variance) for t in net.tensors] == [
        ("fc1.lora_A.weight", (4, 784), pytest.approx(1 / (3 * 784))),
        ("fc1.lora_B.weight", (10, 4), 0),
    ]
    assert "all dense ones" in net.notes[0]


def test_the_layers_may_be_named():
    net = adapt(find_model("gpt2"), parse_lora("2", targets=r"h\.0\.mlp"))
    assert [t.name for t in net.tensors[::2]] == [
        "transformer.h.0.mlp.c_fc.lora_A.weight", "transformer.h.0.mlp.c_proj.lora_A.weight",
    ]  # fmt: skip
    assert net.tensors[1].shape == (3072, 2)


def test_no_update_leaves_the_network_alone():
    net = find_model("gpt2")
    assert adapt(net, None) is net
    with pytest.raises(ContradictionError, match="none that fits"):
        adapt(net, parse_lora("2", targets="nothing"))


@pytest.mark.parametrize("text", ["", "x", "0", "1.5", "1e7", "8,", "8,-1", "8,1e9"])
def test_a_malformed_update_is_refused(text):
    with pytest.raises(InvalidValueError):
        parse_lora(text)


def test_alpha_is_optional():
    assert parse_lora("8").scale is None
    assert parse_lora(" 16 , 32 ").scale == 2
