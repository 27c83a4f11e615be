from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decaycalc.architecture import parse_architecture
from decaycalc.architecture.initialisers import check_initialiser, initialise
from decaycalc.architecture.inline import parse_inline
from decaycalc.architecture.masks import decayed
from decaycalc.architecture.tensors import Architecture, Role, Tensor
from decaycalc.errors import (
    ContradictionError,
    DecaycalcError,
    InvalidValueError,
    TextSyntaxError,
    UnknownNameError,
)
from tests.architecture.counting import count_decayed


@pytest.mark.parametrize(
    "text", ["784-300-100-10", "784,300,100,10", "784x300x100x10", " 784 - 300 - 100 - 10 "]
)
def test_widths_give_dense_layers_with_biases(text):
    net = parse_architecture(text)
    assert net.n_parameters == 266_610
    assert [tensor.shape for tensor in net.tensors] == [
        (300, 784), (300,), (100, 300), (100,), (10, 100), (10,),
    ]  # fmt: skip
    assert [tensor.name for tensor in net.tensors][:2] == ["fc1.weight", "fc1.bias"]
    assert net.tensors[0].fan_in == 784
    assert net.tensors[0].fan_out == 300
    assert net.n_classes == 10
    assert sum(t.n_weights for t in net.tensors if t.role is Role.BIAS) == 410


def test_without_bias_only_weights_remain():
    assert parse_inline("784-300-100-10", bias=False).n_parameters == 266_200


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("25.6e6", 25_600_000),
        ("25557032 weights", 25_557_032),
        ("25557032", 25_557_032),
        ("25.6M", 25_600_000),
        ("7B parameters", 7_000_000_000),
        ("1E3", 1000),
        ("100e-2", 1),
        (".5e1", 5),
        ("5.", 5),
    ],
)
def test_a_number_alone_is_a_bare_count(text, count):
    net = parse_architecture(text)
    assert net.is_bare_count
    assert net.n_parameters == count
    assert count_decayed(net) == count
    assert decayed(net) == ()
    assert initialise(net, init="he") is net


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("784--10", 4),
        ("784-", 4),
        ("784-3a0-10", 5),
        ("-784", 0),
        ("784-0-10", 4),
        ("", 0),
        ("784 300", 4),
        ("784-²", 4),
        ("1e5e5", 1),
        ("1e", 1),
        ("1e+", 1),
        ("1.2.3", 1),
        ("5 apples", 2),
        ("3x32x32-10", 7),  # an image's sides, or layers?
        ("1,024-300-10", 5),
    ],
)
def test_a_broken_text_is_refused_with_its_position(text, position):
    with pytest.raises(TextSyntaxError) as caught:
        parse_inline(text)
    assert caught.value.position == position


@pytest.mark.parametrize(
    "text",
    [
        "0", "0.5", "1e16", "1e999999999", "1e-999999", "1.5e0", "999999999999999999-2",
        "1" + "0" * 400 + "-3", "999999999999-999999999999", "-".join(["1"] * 10_002),
    ],
)  # fmt: skip
def test_absurd_sizes_are_refused(text):
    with pytest.raises(InvalidValueError):
        parse_inline(text)


@pytest.mark.parametrize("text", ["25,557,032", "784,300,100", "1,024"])
def test_a_number_with_commas_that_may_be_layers_is_refused_with_both_ways_to_write_it(text):
    with pytest.raises(InvalidValueError, match=text.replace(",", "")) as caught:
        parse_inline(text)
    assert text.replace(",", "-") in str(caught.value)
    assert parse_inline(text.replace(",", "")).n_parameters == int(text.replace(",", ""))


@given(st.text(alphabet="0123456789-,x .eEkMweights²+", max_size=30))
def test_any_text_parses_or_is_refused_on_purpose(text):
    try:
        net = parse_inline(text)
    except DecaycalcError:
        return
    assert net.n_parameters >= 1


@given(st.lists(st.integers(1, 5000), min_size=2, max_size=8))
def test_the_number_of_weights_is_the_sum_over_layers(widths):
    net = parse_inline("-".join(map(str, widths)))
    layers = pairwise(widths)
    assert net.n_parameters == sum(a * b + b for a, b in layers)


def test_simple_masks_exempt_what_they_name():
    net = parse_inline("784-300-100-10")
    assert count_decayed(net, mask="all") == 266_610
    assert count_decayed(net, mask="no-bias") == 266_200
    assert count_decayed(net) == 266_200
    with pytest.raises(UnknownNameError, match="did you mean 'no-bias'"):
        decayed(net, mask="no-bais")


@pytest.mark.parametrize(
    ("init", "expected"),
    [("torch", 344.6666667), ("he", 2068), ("glorot", 1151.0736), ("lecun", 1034), (None, 2068)],
)
def test_the_expected_sum_of_squares_follows_the_initialiser(init, expected):
    net = initialise(parse_inline("784-512-512-10"), init=init)
    total = sum(tensor.sum_of_squares for tensor in net.tensors[::2])
    assert total == pytest.approx(expected, rel=1e-7)


def test_a_normal_start_has_its_standard_deviation():
    net = initialise(parse_inline("20-5"), init="normal:0.02")
    assert net.tensors[0].sum_of_squares == pytest.approx(100 * 0.0004)
    assert net.tensors[1].sum_of_squares == 0


def test_norms_start_at_gain_one_and_embeddings_keep_their_own_start():
    tensors = (
        Tensor(name="bn.weight", shape=(4,), role=Role.NORM),
        Tensor(name="bn.bias", shape=(4,), role=Role.NORM),
        Tensor(name="emb.weight", shape=(9, 4), role=Role.EMBEDDING, init_variance=4e-4),
        Tensor(name="w", shape=(2, 2)),
        Tensor(name="scale", shape=(), role=Role.OTHER),
    )
    net = Architecture(name="net", tensors=tensors)
    he = initialise(net, init="he").tensors
    assert [t.sum_of_squares for t in he] == [4, 0, pytest.approx(0.0144), None, None]
    torch = initialise(net, init="torch").tensors
    assert torch[2].sum_of_squares == 36
    assert torch[2].layer == "emb"
    assert torch[3].layer == torch[3].leaf == "w"


@pytest.mark.parametrize("init", ["he:2", "xavier", "normal:nan", "normal:", "normal:-1"])
def test_an_unknown_initialiser_is_refused(init):
    with pytest.raises((UnknownNameError, InvalidValueError)):
        check_initialiser(init)


def test_a_tensor_or_architecture_checks_itself():
    with pytest.raises(InvalidValueError, match="shape of tensor 'w'"):
        Tensor(name="w", shape=(-1, 2))
    with pytest.raises(InvalidValueError, match="must have dimensions"):
        Tensor(name="w", shape=(10**9, 10**9))
    with pytest.raises(InvalidValueError, match="number of dimensions"):
        Tensor(name="w", shape=(1,) * 65)
    with pytest.raises(ContradictionError):
        Architecture(name="net")
    with pytest.raises(InvalidValueError, match="number of weights"):
        Architecture(name="net", count=0)
    with pytest.raises(InvalidValueError, match="classes"):
        Architecture(name="net", count=1, n_classes=0)
