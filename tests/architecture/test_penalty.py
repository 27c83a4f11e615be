from fractions import Fraction
from math import log

import pytest

from decaycalc.architecture.inline import parse_inline
from decaycalc.architecture.penalty import decayed_layers, penalty
from decaycalc.architecture.tensors import Architecture, Role, Tensor
from decaycalc.errors import InvalidValueError


def test_without_architecture_only_coefficients_are_known():
    scale = penalty(None, strength=0.002, batch_size=128, dataset_size=60_000)
    assert scale.coefficient_mean_loss == 0.001
    assert scale.coefficient_batch_sum == pytest.approx(0.128)
    assert scale.coefficient_dataset_sum == 60
    assert scale.per_weight_coefficient is scale.n_weights is scale.value is None
    assert scale.initial_loss is None
    assert scale.layers == ()


def test_exact_inputs_are_rounded_once():
    assert penalty(None, strength=Fraction(1, 10), batch_size=3).coefficient_batch_sum == 0.15


def test_a_bare_count_gives_the_coefficient_per_weight():
    scale = penalty(parse_inline("25.6e6"), strength=2e-4, classes=1000)
    assert scale.n_weights == 25_600_000
    assert scale.per_weight_coefficient == pytest.approx(2560)
    assert scale.initial_loss == pytest.approx(6.907755, rel=1e-6)
    assert scale.sum_of_squares is scale.value is scale.share_of_initial_loss is None


def test_the_penalty_of_dense_layers_at_initialisation():
    scale = penalty(parse_inline("784-512-512-10"), strength=1e-4)
    assert scale.sum_of_squares == pytest.approx(2068)
    assert scale.value == pytest.approx(0.1034)
    assert scale.initial_loss == log(10)
    assert scale.share_of_initial_loss == pytest.approx(0.1034 / 2.302585, rel=1e-6)
    assert [layer.name for layer in scale.layers] == ["fc1", "fc2", "fc3"]
    assert sum(layer.share for layer in scale.layers) == pytest.approx(1)
    assert scale.layers[0].per_step_shrink is None


def test_every_weight_shrinks_alike_but_not_if_divided_by_the_layer():
    scale = penalty(parse_inline("784-300-100-10"), strength=0.002, shrink=2e-4)
    assert {layer.per_step_shrink for layer in scale.layers} == {2e-4}
    divided = [layer.per_step_shrink_if_normalized for layer in scale.layers]
    assert divided == pytest.approx([2e-4 / (3 * n) for n in (235_200, 30_000, 1000)])


def test_strengths_by_layer_make_each_layer_penalty_its_own():
    net = parse_inline("784-300-100-10")
    counts = [layer.n_weights for layer in decayed_layers(net)]
    strengths = tuple(Fraction(2, 3 * n) for n in counts)
    scale = penalty(
        net,
        strength=1,
        shrink=1,
        strengths_by_layer=strengths,
        shrinks_by_layer=tuple(s / 10 for s in strengths),
    )
    assert scale.coefficient_mean_loss is scale.per_weight_coefficient is None
    assert [layer.value for layer in scale.layers] == pytest.approx(
        [2 * fan_out / (3 * n) for fan_out, n in zip((300, 100, 10), counts, strict=True)]
    )
    first = scale.layers[0]
    assert first.per_step_shrink == first.per_step_shrink_if_normalized
    with pytest.raises(InvalidValueError, match="number of strengths by layer 1 must be"):
        penalty(net, strengths_by_layer=(1,))


def test_an_unknown_start_leaves_the_sum_unknown():
    net = Architecture(name="net", tensors=(Tensor(name="w", shape=(2, 2)),))
    scale = penalty(net, strength=1, classes=1)
    assert scale.sum_of_squares is scale.value is scale.layers[0].share is None
    assert scale.layers[0].value is None
    assert scale.initial_loss is None


def test_the_layers_of_a_mask_hold_only_what_it_decays():
    net = parse_inline("784-300-100-10")
    assert penalty(net, mask="all").n_weights == 266_610
    assert penalty(net).n_weights == 266_200
    gain = Tensor(name="bn.weight", shape=(4,), role=Role.NORM)
    assert decayed_layers(Architecture(name="n", tensors=(gain,))) == ()
    nothing = penalty(Architecture(name="n", tensors=(gain,)))
    assert nothing.n_weights == 0
    assert nothing.sum_of_squares is None


def test_shares_follow_the_sums_where_no_strength_is_given():
    scale = penalty(parse_inline("784-512-512-10"))
    assert scale.layers[0].share == pytest.approx(1024 / 2068)
    assert scale.value is scale.coefficient_mean_loss is None


def test_fewer_than_one_class_is_refused():
    with pytest.raises(InvalidValueError, match="classes 0"):
        penalty(None, classes=0)
