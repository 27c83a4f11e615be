from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import decaycalc
from decaycalc.conventions.catalogue import conventions, find
from decaycalc.conventions.record import Equivalence
from decaycalc.conventions.run import Loss, Run
from decaycalc.conversion.convert import apply, check_value, convert
from decaycalc.conversion.kept_plans import kept_plan, sees_numbers
from decaycalc.conversion.plan import Match, plan, target_side
from decaycalc.conversion.shrinks import shrink_of
from decaycalc.conversion.side import Side
from decaycalc.errors import ContradictionError, MissingQuantityError, NoEquivalentError
from decaycalc.record import replace
from tests.every_record import of_each

F = Fraction
SGD = Run(lr="0.1", momentum="0.9", batch_size=128, dataset_size=50000, epochs=10)
PLAIN = Run(lr="0.1", momentum=0, batch_size=128, dataset_size=50000, epochs=10)
OBJECTIVES = [
    "mean-l2", "mean-half-l2", "sum-l2", "sum-half-l2", "batch-sum-l2", "per-example-half-l2",
    "per-batch-half-l2", "pytorch-sgd", "keras-l2", "caffe", "sklearn-logistic", "prior-std",
    "prior-precision",
]  # fmt: skip
DECAYS = [
    "pytorch-adamw", "keras-adamw", "tfa-adamw", "composer-adamw", "adamw-paper", "intrinsic-lr",
    "per-step-shrink", "ema-timescale-steps", "ema-timescale-epochs", "ema-timescale-run",
]  # fmt: skip
values = st.fractions(min_value=F(1, 10**6), max_value=F(1, 10))


def way(source, target, run=SGD, target_run=None, match=Match.OPTIMUM):
    here = Side(convention=find(source), run=run)
    there = target_side(here, find(target), target_run)
    if there.get("lr") is None and "lr" in there.own:
        # An lr does not carry over between families of optimizers: here both have the same.
        own = vars(target_run) if target_run else {}
        there = target_side(here, find(target), Run.part(**{**own, "lr": run.lr}))
    try:
        return plan(here, there, match=match)
    except MissingQuantityError:
        return way(source, target, replace(run, optimizer="sgd"), target_run, match)


@pytest.mark.parametrize("keys", [OBJECTIVES, DECAYS], ids=["objectives", "decays"])
@given(data=st.data(), value=values)
@settings(max_examples=20)
def test_two_conversions_are_one_exactly(keys, data, value):
    one, two, three = (data.draw(st.sampled_from(keys)) for _ in range(3))
    # A timescale of less than one step is no decay.
    start = 1 / value if one.startswith("ema") else value
    step = way(one, two).value(start)
    direct, around = way(one, three).value(start), way(two, three).value(step)
    assert abs(around / direct - 1) < F(1, 10**50)


@pytest.mark.parametrize("keys", [OBJECTIVES, DECAYS], ids=["objectives", "decays"])
@given(data=st.data(), value=values)
@settings(max_examples=20)
def test_there_and_back_is_the_number_itself(keys, data, value):
    one, two = (data.draw(st.sampled_from(keys)) for _ in range(2))
    start = 1 / value if one.startswith("ema") else value
    assert abs(way(two, one).value(way(one, two).value(start)) / start - 1) < F(1, 10**50)


@of_each([c for c in conventions() if c.refusal is None])
def test_a_convention_is_identical_to_itself(record):
    here = Side(convention=record, run=SGD)
    itself = plan(here, target_side(here, record))
    assert itself.equivalence is Equivalence.IDENTICAL
    assert itself.needs == ()
    value = F(3) if "timescale" in record.parameter else F(1, 4)
    assert itself.value(value) == value


@given(data=st.data())
def test_equivalence_is_symmetric(data):
    sound = [c.key for c in conventions() if c.refusal is None and not c.defaults]
    one, other = (data.draw(st.sampled_from(sound)) for _ in range(2))
    try:
        there = way(one, other).equivalence
    except NoEquivalentError:
        with pytest.raises(NoEquivalentError):
            way(other, one)
    else:
        assert way(other, one).equivalence is there


@pytest.mark.parametrize(
    ("one", "two", "run", "equivalence"),
    [
        ("caffe", "keras-l2", SGD, "identical"),
        ("pytorch-sgd", "keras-l2", SGD, "identical"),
        ("pytorch-sgd", "caffe", SGD, "same-optimum"),
        ("pytorch-sgd", "caffe", PLAIN, "identical"),
        ("pytorch-sgd", "keras-sgd", SGD, "same-optimum"),
        ("pytorch-sgd", "keras-sgd", PLAIN, "identical"),
        ("mean-l2", "sum-l2", SGD, "identical"),
        ("mean-l2", "pytorch-adam", SGD, "identical"),
        ("mean-l2", "sklearn-logistic", SGD, "same-optimum"),
        ("pytorch-sgd", "pytorch-adam", SGD, "same-optimum"),
        ("pytorch-sgd", "pytorch-adamw", SGD, "same-decay"),
        ("pytorch-adamw", "pytorch-adam-decoupled", SGD, "identical"),
        ("pytorch-adamw", "tfa-adamw", SGD, "same-decay"),
        ("pytorch-adamw", "adamw-paper", SGD, "identical"),
        ("pytorch-adamw", "half-life-steps", SGD, "same-decay"),
    ],
)
def test_how_far_known_pairs_go(one, two, run, equivalence):
    assert way(one, two, run).equivalence == way(two, one, run).equivalence == equivalence


def test_constant_decay_agrees_at_peak_lr_only():
    assert "agrees at peak lr only" in way("pytorch-adamw", "tfa-adamw").note
    assert "agrees at peak lr only" not in way("pytorch-adamw", "composer-adamw").note
    assert "agrees at peak lr only" not in way("tfa-adamw", "half-life-steps").note


def test_buffers_matter_between_sgd_with_momentum_alone():
    assert "buffers differ" in way("pytorch-sgd", "caffe").note
    assert "buffers differ" not in way("pytorch-sgd", "caffe", PLAIN).note
    assert "buffers differ" not in way("caffe", "sklearn-logistic").note
    assert "buffers differ" not in way("caffe", "pytorch-adamw").note


def test_other_gradients_are_no_identity():
    moved = way("pytorch-sgd", "keras-l2", SGD, Run(batch_size=256))
    assert moved.equivalence is Equivalence.SAME_OPTIMUM
    assert "the batch sizes differ" in moved.note


def test_another_lr_is_no_identity():
    moved = way("pytorch-sgd", "keras-l2", SGD, Run(lr="0.2"))
    assert moved.equivalence is Equivalence.SAME_OPTIMUM
    assert "not the one that the loss scales ask for" in moved.note
    asked = way("sum-l2", "mean-l2", SGD, Run(lr=5000))
    assert asked.equivalence is Equivalence.IDENTICAL
    assert asked.target_lr() == 5000


def test_losses_that_differ_by_a_half_have_no_updates_in_common():
    half = replace(find("pytorch-sgd"), key="half", loss_unit="half-squared-error")
    whole = replace(find("pytorch-sgd"), key="whole", loss_unit="squared-error")
    here = Side(convention=half, run=PLAIN)
    assert plan(here, target_side(here, whole)).equivalence is Equivalence.SAME_OPTIMUM
    assert plan(here, target_side(here, whole)).value(F(1)) == 2


def test_a_solvers_decay_is_that_of_sgd_on_its_objective():
    assert "the solver takes no such steps" in way("sklearn-logistic", "pytorch-adamw").note


def test_what_the_loss_is_a_half_of_is_told():
    assert "for the squared error itself" in way("pytorch-sgd", "sklearn-elastic-net").note
    assert "for half of it" in way("pytorch-sgd", "sklearn-ridge").note
    assert way("sklearn-ridge", "sklearn-elastic-net", Run(dataset_size=100)).value(F(1)) == F(
        1, 50
    )
    assert way("sklearn-elastic-net", "sklearn-ridge", Run(dataset_size=100)).value(F(1)) == 50


@pytest.mark.parametrize(
    ("one", "two", "needs"),
    [
        ("keras-l2", "pytorch-sgd", ()),
        ("keras-l2", "sklearn-logistic", ("dataset_size",)),
        ("pytorch-adamw", "keras-adamw", ()),
        ("pytorch-adamw", "tfa-adamw", ("lr",)),
        ("sum-l2", "batch-sum-l2", ("batch_size", "dataset_size")),
        ("mean-l2", "half-life-epochs", ("lr", "dataset_size", "batch_size")),
    ],
)
def test_exactly_what_does_not_cancel_is_needed(one, two, needs):
    bare = way(one, two, Run())
    assert sorted(bare.needs) == sorted(needs)
    assert sorted(bare.missing()) == sorted(needs)
    if needs:
        with pytest.raises(MissingQuantityError) as caught:
            bare.value(F(1, 1000))
        assert sorted(caught.value.missing) == sorted(needs)
    else:
        assert bare.value(F(1, 1000)) > 0


@pytest.mark.parametrize("nesterov", [False, True])
@given(value=st.fractions(min_value=F(1, 10**6), max_value=F(1, 100)))
@settings(max_examples=12)
def test_matching_the_decay_makes_the_exact_decays_equal(nesterov, value):
    run = Run(lr="0.1", momentum="0.9", nesterov=nesterov)
    there = Run.part(momentum="0.5", nesterov=nesterov)
    matched = way("pytorch-sgd", "pytorch-sgd", run, there, Match.DECAY)
    number = matched.value(value)
    here = matched.source.exact_shrink(shrink_of(matched.source, value))
    target = matched.target.exact_shrink(shrink_of(matched.target, number))
    assert float(target) == pytest.approx(float(here), rel=1e-9)
    assert matched.formula().startswith("weight_decay = (exact shrink of lr·weight_decay/(1 - mom")


def test_matching_the_decay_looks_the_targets_lr_up_in_both_runs():
    run = Run(lr="0.1", momentum="0.9", loss=Loss.BATCH_SUM, batch_size=128)
    there = Run.part(batch_size=256, loss=Loss.BATCH_SUM)
    first = way("pytorch-sgd", "keras-sgd", run, there).value(F(1, 10**4))
    exact = way("pytorch-sgd", "keras-sgd", run, there, Match.DECAY).value(F(1, 10**4))
    assert first == F(2, 1000)
    assert float(exact) == pytest.approx(0.002, rel=2e-3)


def test_a_decay_that_the_targets_momentum_cannot_take_is_refused():
    there = Run.part(momentum="0.99")
    with pytest.raises(NoEquivalentError, match="reaches without oscillating"):
        way("pytorch-sgd", "pytorch-sgd", SGD, there, Match.DECAY).value(F(1, 50))
    assert way("pytorch-sgd", "pytorch-adamw").value(F(2)) == 20


def test_a_decay_of_more_than_a_weight_is_converted_like_any_other():
    assert way("pytorch-adamw", "keras-adamw").value(F(10)) == 10
    assert way("pytorch-adamw", "per-step-factor").value(F(25)) == F(-3, 2)
    with pytest.raises(NoEquivalentError, match="nothing is ever halved"):
        way("pytorch-adamw", "half-life-steps").value(F(25))
    with pytest.raises(NoEquivalentError, match="one step leaves nothing"):
        way("pytorch-adamw", "half-life-steps").value(F(10))
    assert float(way("pytorch-adamw", "half-life-steps").value(F(15))) == 1


def test_no_decay_has_no_c():
    with pytest.raises(NoEquivalentError, match="without decay C would be infinite"):
        way("mean-l2", "sklearn-logistic").value(F(0))


def test_the_targets_lr_follows_the_loss_scales_but_under_adam():
    assert way("mean-l2", "sum-l2").target_lr() == 0.1 / 50000
    assert way("batch-sum-l2", "mean-l2").target_lr() == 12.8
    assert way("mean-l2", "keras-l2").target_lr() is None
    assert way("sum-l2", "pytorch-adam").lr is None
    assert way("pytorch-adam", "sum-l2").lr is None
    assert way("mean-l2", "sum-l2", Run()).target_lr() is None


def test_each_frameworks_default_holds_on_its_own_side():
    assert way("mean-half-l2", "sklearn-elastic-net").value(F(1)) == 2
    assert way("sklearn-elastic-net", "mean-half-l2").value(F(1)) == F(1, 2)
    lr = Run(lr="0.1")
    # lr*0.01*x of AdamP against lr*0.1/(1 - 0.9)*y of SGDP.
    assert way("timm-adamp", "timm-sgdp", lr).value(F(1)) == F(1, 100)
    assert way("timm-adamp", "timm-sgdp", lr).formula() == (
        "weight_decay = lr·(1 - momentum)·wd_ratio·weight_decay(timm-adamp)/(to_lr·to_wd_ratio)"
    )
    # Torch7 dampens by its momentum, so its long-run decay has no 1/(1 - momentum); Keras does not
    # dampen the gradient, so that the same optimum takes ten times that.
    assert way("torch7-sgd", "per-step-shrink").value(F(1, 100)) == F(1, 1000)
    assert way("torch7-sgd", "keras-sgd").value(F(1, 100)) == F(1, 10)
    assert way("torch7-sgd", "pytorch-sgd", match=Match.DECAY).value(F(1, 100)) < F(11, 10000)


def test_adam_and_its_estimate():
    given_rms = Run(lr="1e-3", extras=(("gradient_rms", "0.01"), ("eps", 0)))
    estimate = way("pytorch-adam", "pytorch-adamw", given_rms)
    assert estimate.equivalence is Equivalence.ESTIMATE
    assert "an estimate" in estimate.note
    assert estimate.value(F(1, 100)) == 1
    with pytest.raises(NoEquivalentError, match="pytorch-adamw shrinks the weight itself"):
        way("pytorch-adamw", "pytorch-adam")


def test_refusals_name_their_reason_either_way():
    for one, two in (("l2-norm", "mean-l2"), ("mean-l2", "l2-norm")):
        with pytest.raises(NoEquivalentError, match="has length λ whatever the weights are"):
            way(one, two)


def test_layers_get_numbers_of_their_own():
    layers = (("a", 10), ("b", 1000))
    run = Run(lr="0.1", n_layers=2, dataset_size=100)
    away = way("layer-mean-l2", "mean-l2", run)
    assert away.by_layer(F(1), layers) == (("a", F(1, 20)), ("b", F(1, 2000)))
    back = way("mean-l2", "layer-mean-l2", run)
    assert back.by_layer(F(1, 20), layers) == (("a", F(1)), ("b", F(100)))
    halves = dict(way("layer-mean-l2", "half-life-steps", run).by_layer(F(1), layers))
    assert float(halves["a"]) == pytest.approx(68.968, rel=1e-4)
    with pytest.raises(MissingQuantityError, match="needs n_weights"):
        away.by_layer(F(1), ())
    assert apply(away, F(1), layers=layers).layers == (("a", 0.05), ("b", 0.0005))
    assert apply(away, None).formula == "lam = lam(layer-mean-l2)/(L·P_layer)"


@pytest.mark.parametrize(
    ("one", "two", "text"),
    [
        ("keras-l2", "sklearn-logistic", "C = 1/(2·N·l2)"),
        ("caffe", "keras-l2", "l2 = weight_decay/2"),
        ("pytorch-sgd", "keras-sgd", "weight_decay = weight_decay(pytorch-sgd)/(1 - momentum)"),
        ("half-life-steps", "pytorch-adamw", "weight_decay = (1 - 2^(-1/half_life))/lr"),
        ("pytorch-adamw", "per-step-factor", "factor = 1 - (lr·weight_decay)"),
        ("mean-half-l2", "prior-std", "sigma = sqrt(1/(N·lam))"),
    ],
)
def test_formulas_are_the_conversions_own(one, two, text):
    assert way(one, two).formula() == text


def test_convert_answers_in_floats_rounded_once():
    converted = convert("1e-4", source="pytorch-sgd", target="sum-half-l2", run=Run(dataset_size=3))
    assert converted.value == 0.0003
    assert converted.to_dict()["value"] == 0.0003
    assert converted.to_dict()["equivalence"] == "identical"
    assert decaycalc.convert(None, source="mean-l2", target="sum-l2").value is None
    assert convert(1, source=find("mean-l2"), target="keras-l2").value == 1
    assert check_value("1/3", find("mean-l2")) == F(1, 3)


def test_convert_says_what_it_assumed():
    converted = convert(1, source="mean-half-l2", target="sklearn-elastic-net")
    assert converted.assumed == (("l1_ratio", 0.5),)


@pytest.mark.parametrize("target", ["pytorch-radam", "pytorch-adadelta"])
def test_an_optimizer_that_sees_the_losss_scale_is_identical_at_one_scale_only(target):
    run = Run(lr="0.001", dataset_size=40)
    summed = convert("0.02", source="sum-l2", target=target, run=run)
    mean = convert("0.02", source="mean-l2", target=target, run=run)
    assert summed.equivalence is Equivalence.SAME_OPTIMUM
    assert mean.equivalence is Equivalence.IDENTICAL


@pytest.mark.parametrize("target", ["pytorch-asgd", "mxnet-dcasgd"])
def test_a_penalty_is_not_identical_where_the_optimizer_treats_its_own_number_otherwise(target):
    found = convert("0.02", source="mean-l2", target=target, run=Run(lr="0.1"))
    assert found.equivalence is Equivalence.SAME_OPTIMUM


def test_a_decay_whose_lr_falls_by_itself_says_so():
    assert "at first: the lr of pytorch-asgd falls" in way("pytorch-asgd", "pytorch-adamw").note
    assert way("pytorch-asgd", "pytorch-asgd").note == ""


@pytest.mark.parametrize(
    ("one", "two", "text"),
    [
        ("pytorch-adamw", "fastai", "fastai presets beta2=0.99, eps=1e-5"),
        ("fastai", "optimi-adamw", "fastai presets eps=1e-5, optimi-adamw presets eps=1e-6"),
        ("pytorch-adamw", "optax-adamw", None),
        (
            "pytorch-adamw", "keras-adamw",
            "keras-adamw presets eps=1e-7 before the bias correction",
        ),
        ("pytorch-adam", "mxnet-adam", "mxnet-adam presets eps before the bias correction"),
        ("pytorch-rmsprop", "timm-rmsprop", "timm-rmsprop presets rho=0.9"),
        ("keras-adagrad", "mxnet-adagrad", "keras-adagrad presets initial_accumulator=0.1"),
        (
            "paddle-rmsprop", "mxnet-rmsprop",
            "paddle-rmsprop presets rho=0.95, eps=1e-6, mxnet-rmsprop presets rho=0.9, eps=1e-8",
        ),
    ],
)  # fmt: skip
def test_an_identical_pair_says_where_the_optimizers_presets_differ(one, two, text):
    note = way(one, two).note
    assert ("presets" in note) == (text is not None)
    assert text is None or note.endswith(f"with equal settings of the optimizer: {text}")


def test_match_decay_holds_the_exact_decay_of_a_buffer_in_place():
    way_to = way("mxnet-nag", "pytorch-sgd", SGD, SGD, Match.DECAY)
    there = way_to.value(F(1, 100))
    shares = [
        side.exact_shrink(shrink_of(side, value))
        for side, value in ((way_to.source, F(1, 100)), (way_to.target, there))
    ]
    assert float(shares[0]) == pytest.approx(float(shares[1]), rel=1e-12)
    weight, velocity = 1.0, 0.0
    for _ in range(500):  # MXNet's NAGMomKernel without a data gradient
        moved = weight - 0.9 * (0.9 * velocity + 1e-3 * weight) - 1e-3 * weight
        velocity = 0.9 * velocity + 1e-3 * moved
        left, weight = moved / weight, moved
    assert 1 - left == pytest.approx(float(shares[0]), rel=1e-9)


def test_only_what_is_equal_to_first_order_is_said_to_be():
    note = "to first order, --match decay holds the exact long-run decay equal"
    assert note in way("pytorch-sgd", "pytorch-adamw", SGD, SGD).note
    assert note not in way("pytorch-sgd", "pytorch-adamw", SGD, SGD, Match.DECAY).note
    assert note not in way("pytorch-sgd", "caffe", SGD, SGD, Match.DECAY).note


def test_a_conversion_without_a_number_is_said_by_its_formula():
    found = decaycalc.convert(None, source="keras-l2", target="pytorch-sgd")
    assert str(found) == "pytorch-sgd weight_decay = 2·l2 (exact)"


def test_a_decay_by_division_is_not_one_by_subtraction():
    explicit = replace(find("optimi-adan"), key="explicit-adan", proximal=False)
    assert between(find("optimi-adan"), explicit).equivalence == Equivalence.SAME_DECAY


def test_plain_sgd_that_decays_after_its_step_makes_other_updates():
    late = replace(find("pytorch-sgd"), key="late-sgd", decays_after_step=True)
    assert between(find("pytorch-sgd"), late, PLAIN).equivalence == Equivalence.SAME_OPTIMUM


def test_no_momentum_is_awaited_where_there_is_none():
    made = way("paddle-sgd", "pytorch-sgd", Run(lr="0.1"))
    assert (made.equivalence, made.condition) == (Equivalence.SAME_OPTIMUM, "exact at momentum 0")


def test_a_measure_has_no_gradients_to_differ_with_the_batch():
    other = Run.part(batch_size=64)
    assert "batch sizes differ" in way("pytorch-adamw", "keras-adamw", PLAIN, other).note
    assert way("pytorch-adamw", "ema-timescale-epochs", PLAIN, other).note == ""


def between(one, other, run=SGD):
    here = Side(convention=one, run=run)
    return plan(here, target_side(here, other))


def test_a_solver_beside_a_sum_keeps_the_lr_as_it_was_given():
    run = Run(lr="0.1", loss="dataset-sum", dataset_size=100, optimizer="sgd")
    assert way("mean-l2", "sklearn-logistic", run).lr is None
    assert way("sklearn-logistic", "keras-l2", run).target.lr == Side(
        convention=find("keras-l2"), run=run
    ).lr  # fmt: skip


def test_a_plan_is_kept_for_the_runs_that_it_holds_for_alone():
    # torch7's dampening is its momentum, unless it is given.
    source, target = find("torch7-sgd"), find("per-step-shrink")
    for momentum in ("0.9", "0.5", "0.9"):
        run = Run(lr="0.1", momentum=momentum)
        kept, made = kept_plan(source, target, run=run), way(source.key, target.key, run)
        assert kept.value(F(1, 100)) == made.value(F(1, 100)) == F(1, 1000)


def test_a_default_that_is_another_quantity_makes_a_plan_see_the_numbers():
    by_batch = replace(find("yolov5"), key="own-yolo", defaults=(("nominal_batch", "batch_size"),))
    assert sees_numbers(by_batch)
    assert sees_numbers(find("torch7-sgd"))
    assert not sees_numbers(find("yolov5"))


def test_an_optimizer_beside_two_that_are_no_penalties_is_the_sources_fault():
    run = Run(lr="0.1", optimizer="sgd")
    text = "optimizer says what trains a penalty, and pytorch-adamw is not one"
    with pytest.raises(ContradictionError, match=text):
        convert("0.1", source="pytorch-adamw", target="keras-adamw", run=run)
