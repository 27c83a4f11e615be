import pytest

from decaycalc.architecture.guess import guess_tensors
from decaycalc.architecture.masks import decayed
from decaycalc.architecture.readers.listing import architecture_of
from decaycalc.architecture.restacking import from_names, restack
from decaycalc.architecture.stacking import find_stacks
from decaycalc.architecture.tensors import Role
from decaycalc.architecture.zoo import find_model
from decaycalc.errors import ContradictionError

SCANNED = [
    ("params/wte/embedding", (50257, 768)),
    ("params/blocks/ln_1/scale", (12, 768)),
    ("params/blocks/ln_1/bias", (12, 768)),
    ("params/blocks/attn/c_attn/kernel", (12, 768, 2304)),
    ("params/blocks/attn/c_attn/bias", (12, 2304)),
    ("params/ln_f/scale", (768,)),
]


def network(shapes, **more):
    return from_names("net", guess_tensors(shapes, **more))


def test_what_shares_a_first_axis_below_a_container_is_stacked():
    assert set(find_stacks(SCANNED)) == {name for name, _ in SCANNED if "/blocks/" in name}
    net = network(SCANNED)
    assert [tensor.stack for tensor in net.tensors] == [1, 12, 12, 12, 12, 1]
    assert [tensor.role for tensor in net.tensors] == [
        Role.EMBEDDING, Role.NORM, Role.NORM, Role.WEIGHT, Role.BIAS, Role.NORM,
    ]  # fmt: skip


def test_a_grus_two_biases_are_no_sign_of_layers():
    gru = [("gru/cell/kernel", (6, 15)), ("gru/cell/recurrent_kernel", (5, 15))]
    gru += [("gru/cell/bias", (2, 15))]
    assert find_stacks(gru) == {}
    assert set(decayed(network(gru), mask="no-1d")) == {True, False}
    assert len(find_stacks(gru, forced=True)) == len(gru)


def test_masks_and_fans_are_those_of_one_layer():
    net = network(SCANNED)
    for mask in ("no-1d", "no-bias-norm", "matrices"):
        marks = zip(net.tensors, decayed(net, mask=mask), strict=True)
        assert {tensor.name for tensor, mark in marks if mark} == {
            "params/wte/embedding", "params/blocks/attn/c_attn/kernel",
        }  # fmt: skip
    kernel = net.tensors[3]
    assert (kernel.fan_in, kernel.layer_shape) == (768, (768, 2304))
    assert kernel.sum_of_squares == pytest.approx(12 * 2 * 2304)


@pytest.mark.parametrize(
    "shapes",
    [
        [("fc.weight", (64, 32)), ("fc.bias", (64,))],
        [("a.weight", (64, 64)), ("b.weight", (64, 64))],
        [("blocks.0.ln.weight", (8, 8)), ("blocks.0.fc.weight", (8, 8, 8))],
        [("mlp.experts.up", (8, 4, 4)), ("mlp.experts.up_bias", (8, 4))],
        [("h.moe.experts.up.kernel", (8, 4, 4)), ("h.moe.experts.up.bias", (8, 4))],
        [("attn/query/kernel", (768, 12, 64)), ("attn/query/bias", (12, 64))],
        [("h/ln/scale", (1, 8)), ("h/fc/kernel", (1, 8, 8))],
        [("h/ln/scale", (8, 8))],
        [("h/step", ()), ("h/scale", ())],
        [("q/kernel", (4096, 64, 64)), ("q/bias", (64, 64))],
    ],
)
def test_what_shows_no_stack_is_none(shapes):
    assert find_stacks(shapes) == {}


def test_layers_on_the_second_axis_are_told_where_the_first_is_not_shared():
    # As T5X and MaxText scan: 12 layers of width 768.
    shapes = [
        ("decoder/layers/pre_mlp_layer_norm/scale", (768, 12)),
        ("decoder/layers/mlp/wi/kernel", (768, 12, 3072)),
        ("decoder/layers/mlp/wo/kernel", (3072, 12, 768)),
    ]
    net = network(shapes)
    assert [tensor.stack for tensor in net.tensors] == [12, 12, 12]
    assert [tensor.layer_shape for tensor in net.tensors] == [(768,), (768, 3072), (3072, 768)]
    assert decayed(net, mask="no-1d") == (False, True, True)
    assert net.tensors[1].sum_of_squares == pytest.approx(12 * 2 * 3072)
    assert "the second axis of 3 tensors" in net.notes[0]


def test_a_stack_may_be_said_where_no_vector_shows_it():
    shapes = [("a.weight", (12, 8, 8)), ("b.weight", (12, 8, 8)), ("c", (3,))]
    net = network([(f"h.{name}", shape) for name, shape in shapes[:2]])
    assert {tensor.stack for tensor in net.tensors} == {1}
    said = restack(net, stacked=True)
    assert {tensor.stack for tensor in said.tensors} == {12}
    assert "12 layers" in said.notes[0]
    assert restack(said, stacked=False).notes == ()
    assert restack(net, stacked=None) is net
    with pytest.raises(ContradictionError, match="none is stacked"):
        restack(network(shapes[2:]), stacked=True)
    with pytest.raises(ContradictionError, match="are known"):
        restack(find_model("resnet18"), stacked=False)


def test_roles_that_a_file_gives_outlive_another_reading():
    pairs = [(name, shape, "position" if "wte" in name else "") for name, shape in SCANNED]
    again = restack(architecture_of(pairs, "x.json"), stacked=False)
    assert again.tensors[0].role is Role.POSITION
    assert {tensor.stack for tensor in again.tensors} == {1}


def test_names_of_many_parts_take_bounded_time():
    shapes = [("a." * 1000 + str(index), (4, 4)) for index in range(1000)]
    assert find_stacks(shapes) == {}
