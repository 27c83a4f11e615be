from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decaycalc.algebra.quantity import base_name
from decaycalc.conventions.catalogue import conventions, find
from decaycalc.conventions.record import Invariant
from decaycalc.conventions.run import Run
from decaycalc.conversion.decay import decay_of
from decaycalc.conversion.inverse import value_for_shrink
from decaycalc.conversion.momentum import IN_PLACE, long_run_shrink
from decaycalc.conversion.shrinks import check_domain, shrink_of, strength_of
from decaycalc.conversion.side import Side
from decaycalc.errors import InvalidValueError, MissingQuantityError, NoEquivalentError
from tests.every_record import of_each

F = Fraction
FULL = {
    "lr": "0.1", "batch_size": 256, "dataset_size": 1281167, "epochs": 90, "n_weights": 10**6,
    "n_layers": 4,
    "extras": (("gradient_rms", "1e-3"), ("keep_probability", "0.9"), ("length_scale", "0.01"),
               ("target_std", 2), ("n_leaf", 20), ("lr_initial", "0.2"), ("lr_max", "0.2")),
}  # fmt: skip


def side(key, **run):
    return Side(convention=find(key), run=Run(**run))


@pytest.mark.parametrize(
    ("key", "run", "value", "strength"),
    [
        ("keras-l2", {}, F(1, 100), F(2, 100)),
        ("mean-l2", {}, F(1, 1000), F(2, 1000)),
        ("sum-l2", {"dataset_size": 60000}, F(60), F(2, 1000)),
        ("batch-sum-half-l2", {"batch_size": 128}, F(128), F(1)),
        ("per-example-half-l2", {"dataset_size": 50000}, F(1000), F(1, 50)),
        ("per-batch-half-l2", {"batch_size": 200}, F(1), F(1, 200)),
        ("sklearn-logistic", {"dataset_size": 200}, F(3, 10), F(1, 60)),
        ("prior-std", {"dataset_size": 50000}, F(2), F(1, 200000)),
        ("mean-over-weights-l2", {"n_weights": 1000}, F(1), F(2, 1000)),
        ("sum-l2", {}, F(60), None),
        ("pytorch-adamw", {"lr": 1}, F(1), None),
        ("l2-norm", {}, F(1), None),
        ("pytorch-asgd", {"lr": 1}, F(1), F(10001, 10000)),
    ],
)
def test_strengths_from_their_definitions(key, run, value, strength):
    assert strength_of(side(key, **run), value) == strength


@pytest.mark.parametrize(
    ("key", "run", "value", "shrink"),
    [
        ("pytorch-sgd", {"lr": "0.1"}, F(5, 10000), F(5, 100000)),
        ("pytorch-sgd", {"lr": "0.1", "momentum": "0.9"}, F(5, 10000), F(5, 10000)),
        ("pytorch-sgd", {"lr": "0.1", "momentum": "0.9", "dampening": "0.9"}, F(1), F(1, 10)),
        ("pytorch-sgd", {"lr": "0.1", "dampening": "0.5"}, F(1), F(1, 10)),
        ("pytorch-sgd", {"lr": "0.1", "loss": "batch-sum", "batch_size": 4}, F(1), F(1, 10)),
        ("keras-sgd", {"lr": "0.1", "momentum": "0.9"}, F(1), F(1, 10)),
        ("keras-l2", {"lr": "0.1"}, F(1), F(2, 10)),
        ("tfa-adamw", {}, F(1, 100), F(1, 100)),
        ("torch7-sgd", {"lr": "0.1", "momentum": "0.9"}, F(1, 100), F(1, 1000)),
        ("ema-timescale-steps", {}, F(4), F(1, 4)),
        ("per-step-factor", {}, F(9, 10), F(1, 10)),
        ("half-life-steps", {}, F(1), F(1, 2)),
    ],
)
def test_shrinks_to_first_order_from_their_definitions(key, run, value, shrink):
    assert float(shrink_of(side(key, **run), value)) == pytest.approx(float(shrink), rel=1e-15)


@pytest.mark.parametrize(
    ("key", "extras", "share"),
    [
        # timm, heavyball and Lion keep the constructor's lr, optimi its max_lr: of half of it,
        # lr²/max lr is a quarter (heavyball 3.2.1: 0.00125 beside 0.005), lr/max lr a half.
        ("timm-corrected", (), F(1, 4)),
        ("heavyball-adamc", (), F(1, 4)),
        ("timm-lion-corrected", (("lr_initial", "0.1"),), F(1, 4)),
        ("optimi-decoupled", (), F(1, 2)),
        ("lion-pytorch-decoupled", (), F(1, 2)),
        ("optimi-decoupled", (("lr_max", "0.2"),), F(1, 4)),
        # Composer and LLM Foundry write initial_lr into each group.
        ("composer-adamw", (), F(1)),
        ("llm-foundry-lion", (("lr_initial", "0.1"),), F(1)),
        ("adamw-paper", (), F(1)),
    ],
)
def test_a_groups_lr_counts_from_the_constructors_or_from_its_own(key, extras, share):
    there = side(key, lr="0.1", extras=(*extras, ("lr_mult", "0.5")))
    plain = F(1, 200) if there.convention.shrink.power_of("lr") else F(1, 20)
    assert shrink_of(there, F(1, 20)) == share * plain


def test_a_sum_loss_shrinks_the_sum_of_its_gradients_worth():
    # w <- w - lr*(sum of B gradients + 2*lam*w): the decay is lr*2*lam whatever B is.
    assert shrink_of(side("batch-sum-l2", lr="0.01", batch_size=64), F(1)) == F(2, 100)
    # Half of lr*loss_scale*strength taken twice over: mean loss, the same lr.
    assert shrink_of(side("mean-l2", lr="0.01"), F(1)) == F(2, 100)


@of_each([c for c in conventions() if c.monomial])
def test_a_number_comes_back_from_its_shrink_exactly(record):
    value = F(7, 10**6)
    here = Side(convention=record, run=Run(**FULL), layer=F(300))
    if not here.has_shrink or record.monomial.power_of("value") < 0:
        return
    back = value_for_shrink(here, shrink_of(here, value))
    assert abs(back / value - 1) < F(1, 10**55)


@pytest.mark.parametrize(
    ("key", "nesterov", "lookahead"),
    [
        ("pytorch-sgd", False, 0),
        ("pytorch-sgd", True, 1),
        ("mxnet-nag", None, IN_PLACE),
        ("mxnet-nag", True, IN_PLACE),
    ],
)
@given(
    momentum=st.sampled_from(["0.5", "0.9", "0.937", "0.95"]),
    step=st.fractions(min_value=F(1, 10**8), max_value=F(6, 10**4)),
)
def test_the_exact_shrink_is_the_recursions_and_comes_back(
    key, nesterov, lookahead, momentum, step
):
    here = side(key, lr=1, momentum=momentum, nesterov=nesterov)
    first = shrink_of(here, step)
    exact = here.exact_shrink(first)
    right = long_run_shrink(float(step), momentum=float(momentum), lookahead=lookahead)
    assert float(exact) == pytest.approx(right, rel=1e-12)
    assert float(here.first_order_shrink(exact)) == pytest.approx(float(first), rel=1e-9)


def test_the_published_long_run_decays():
    here = side("pytorch-sgd", lr="0.1", momentum="0.9")
    assert float(here.exact_shrink(F(1, 10**4))) == pytest.approx(1.00090171e-4, rel=1e-8)
    assert float(here.exact_shrink(F(5, 10**4))) == pytest.approx(5.02271632e-4, rel=1e-8)
    ahead = side("pytorch-sgd", lr="0.1", momentum="0.9", nesterov=True)
    assert float(ahead.exact_shrink(F(1, 10**4))) == pytest.approx(1.00081147e-4, rel=1e-8)


def test_dampening_without_momentum_has_no_effect():
    here = side("pytorch-sgd", lr="0.1", dampening="0.9")
    assert not here.has_momentum
    assert here.is_linear
    assert here.exact_shrink(shrink_of(here, F(1, 100))) == F(1, 1000)


def test_a_proximal_decay_is_its_own_inverse():
    here = side("optax-momo", lr="0.1")
    assert not here.is_linear
    assert float(here.exact_shrink(F(1))) == 0.5
    assert float(here.first_order_shrink(F(1, 2))) == 1


def test_a_decay_at_every_micro_step_compounds():
    here = side("keras-sgd-micro-step", lr="0.1", grad_accum=3)
    first = shrink_of(here, F(1, 100))
    assert first == F(3, 1000)
    assert float(1 - here.exact_shrink(first)) == pytest.approx(0.997002999, rel=1e-12)
    back = here.first_order_shrink(F(1, 1000)) / F(3, 10)
    assert float(back) == pytest.approx(0.003334445062139757, rel=1e-12)
    # Three times -0.5 of the weight is left of it.
    assert float(here.exact_shrink(F(9, 2))) == 1 + 0.5**3
    with pytest.raises(InvalidValueError, match="leaves nothing of a weight"):
        here.first_order_shrink(F(1))


def test_a_decay_that_makes_the_weight_grow_has_a_negative_shrink():
    here = side("pytorch-sgd", lr=1, momentum="0.9")
    assert here.exact_shrink(F(100)) < -5


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("pytorch-sgd", -1, "weight_decay -1 must not be negative"),
        ("sklearn-logistic", 0, "C 0 must be above 0: it divides"),
        ("prior-std", 0, "sigma 0 must be above 0: it divides"),
        ("ema-timescale-steps", 0, "timescale 0 must be above 0: it divides"),
        ("half-life-steps", 0, "half_life 0 must be above 0"),
        ("per-run-factor", 0, "factor 0 must be above 0 and at most 1"),
        ("per-run-factor", 2, "factor 2 must be above 0 and at most 1"),
    ],
)
def test_a_number_that_its_convention_cannot_have_is_refused(key, value, text):
    with pytest.raises(InvalidValueError) as caught:
        check_domain(F(value), find(key))
    assert str(caught.value) == text


@pytest.mark.parametrize("key", ["pytorch-sgd", "pytorch-asgd", "per-step-shrink", "mean-l2"])
def test_zero_is_a_sound_number_where_it_means_no_decay(key):
    assert check_domain(F(0), find(key)) == 0


@pytest.mark.parametrize(
    ("key", "reason"),
    [("half-life-steps", "nothing is ever halved"),
     ("ema-timescale-steps", "without decay timescale would be infinite")],
)  # fmt: skip
def test_no_decay_has_no_half_life_and_no_timescale(key, reason):
    with pytest.raises(NoEquivalentError, match=reason):
        value_for_shrink(side(key), F(0))
    assert value_for_shrink(side("per-step-factor"), F(0)) == 1


def test_less_decay_than_asgds_own_has_no_number():
    here = side("pytorch-asgd", lr=1)
    assert value_for_shrink(here, F(3, 10**4)) == F(2, 10**4)
    with pytest.raises(NoEquivalentError, match="at 0 it decays more"):
        value_for_shrink(here, F(1, 10**5))


def test_missing_quantities_are_named_by_what_to_give():
    with pytest.raises(MissingQuantityError, match="decay of sum-l2 needs lr"):
        shrink_of(side("sum-l2"), F(1))
    with pytest.raises(MissingQuantityError, match="decay of half-life-epochs needs dataset_size"):
        shrink_of(side("half-life-epochs", batch_size=4), F(1))
    assert base_name("to_one_minus_momentum") == "momentum"
    assert base_name("nominal_batch") == "batch_size"
    assert base_name("layer_weights") == "n_weights"


def test_adams_estimate_needs_the_gradients():
    assert side("pytorch-adam", lr="1e-3").invariant(Invariant.STRENGTH) is not None
    assert not side("pytorch-adam", lr="1e-3").has_shrink
    here = side("pytorch-adam", lr="1e-3", extras=(("gradient_rms", "0.01"), ("eps", 0)))
    assert here.is_estimate
    assert here.has_shrink
    assert shrink_of(here, F(1, 100)) == F(1, 1000)


def test_a_frameworks_own_default_holds_until_something_is_given():
    assert side("torch7-sgd", momentum="0.9").get("dampening") == F(9, 10)
    assert side("torch7-sgd", momentum="0.9", dampening=0).get("dampening") == 0
    assert side("torch7-sgd", momentum="0.9").assumed() == (("dampening", F(9, 10)),)
    assert side("torch7-sgd", momentum="0.9", dampening=0).assumed() == ()
    assert side("sklearn-elastic-net").get("one_minus_l1_ratio") == F(1, 2)
    assert side("pytorch-sgd").get("one_minus_no_such") is None


def test_a_refinement_counts_once_it_is_given():
    plain = side("caffe", lr="0.1")
    tensor = side("caffe", lr="0.1", extras=(("lr_mult", 2), ("decay_mult", "0.5")))
    assert shrink_of(plain, F(1, 100)) == F(1, 1000)
    assert shrink_of(tensor, F(1, 100)) == F(1, 1000)
    assert shrink_of(side("caffe", lr="0.1", extras=(("lr_mult", 2),)), F(1, 100)) == F(2, 1000)


def test_a_decoupled_decay_by_division_never_oscillates():
    decay = decay_of(Side(convention=find("timm-adan"), run=Run(lr=1, momentum="0.9")), F(2))
    assert not decay.oscillating
    assert decay.per_step_shrink == pytest.approx(2 / 3)


def test_a_weight_that_no_decay_moves_has_no_half_life():
    decay = decay_of(Side(convention=find("pytorch-adamw"), run=Run(lr=1)), F(0))
    assert decay.half_life_steps is None
