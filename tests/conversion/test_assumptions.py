"""Nothing is assumed in silence: what was not given and entered a number stands in the answer."""

import subprocess
import sys
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import decaycalc
from decaycalc.algebra.quantity import EXTRAS, OF_GROUPS
from decaycalc.answers import Question, answer_of
from decaycalc.conventions.catalogue import conventions, find
from decaycalc.conventions.record import Equivalence
from decaycalc.conventions.run import Run
from decaycalc.conventions.runs import runs_with
from decaycalc.conversion.assumptions import assumed, require_said
from decaycalc.conversion.convert import convert
from decaycalc.conversion.decay import require_decay
from decaycalc.conversion.plan import Match, plan, target_side
from decaycalc.conversion.side import Side
from decaycalc.errors import (
    ContradictionError,
    DecaycalcError,
    MissingQuantityError,
    NoEquivalentError,
)
from decaycalc.record import replace

CONVERTIBLE = [record.key for record in conventions() if record.refusal is None]
QUANTITIES = {
    "lr": "0.02", "momentum": "0.75", "dampening": "0.25", "nesterov": True, "batch_size": 16,
    "grad_accum": 4, "world_size": 2, "dataset_size": 1600, "epochs": 7, "steps": 300,
    "loss": "batch-sum", "optimizer": "sgd",
    **{q.name: "0.3" for q in EXTRAS if not q.integer and q.name not in OF_GROUPS},
    "nbs": 32,
}  # fmt: skip
ALWAYS = {"lr", "batch_size", "dataset_size"}


def way_of(source, target, run):
    here = Side(convention=source, run=run)
    return plan(here, target_side(here, target))


def run_with(names):
    return runs_with(Run(), None, {name: QUANTITIES[name] for name in names})[0]


@st.composite
def questions(draw):
    """Draw two conventions, the names of what is said of their run, and one that is not."""
    # Keys: hypothesis hashes all that it draws from, at every draw.
    source, target = (find(draw(st.sampled_from(CONVERTIBLE))) for _ in range(2))
    others = sorted(QUANTITIES.keys() - ALWAYS)
    said = set(draw(st.lists(st.sampled_from(others), max_size=4, unique=True))) | ALWAYS
    said -= {draw(st.sampled_from(sorted(ALWAYS)))}
    return source, target, said, draw(st.sampled_from(sorted(QUANTITIES.keys() - said)))


@given(question=questions())
@settings(max_examples=200, deadline=None)
def test_what_was_unsaid_changes_no_number_without_standing_among_its_assumptions(question):
    source, target, said, added = question
    try:
        before = way_of(source, target, run_with(said))
        after = way_of(source, target, run_with({*said, added}))
        value = Fraction(1, 1000)
        numbers = before.value(value), after.value(value)
    except DecaycalcError:
        return
    if numbers[0] != numbers[1]:
        assert added in {entry.name for entry in assumed(before)}


def of_pair(source, target, **run):
    return convert("1e-4", source=source, target=target, run=runs_with(Run(), None, run)[0])


@pytest.mark.parametrize(
    ("source", "target", "run", "names"),
    [
        ("pytorch-sgd", "keras-sgd", {"lr": "0.1"}, {"momentum"}),
        ("pytorch-sgd", "tfa-sgdw", {"lr": "0.1"}, {"momentum"}),
        ("caffe", "half-life-steps", {"lr": "0.1"}, {"momentum"}),
        ("keras-sgd", "mean-l2", {}, {"momentum", "loss"}),
        ("pytorch-sgd", "keras-sgd", {"lr": "0.1", "momentum": 0}, set()),
        ("pytorch-sgd", "caffe", {}, set()),
        ("caffe", "keras-l2", {}, set()),
        ("pytorch-adamw", "keras-adamw", {}, set()),
        ("pytorch-sgd", "mean-l2", {}, {"loss"}),
        ("sum-l2", "keras-l2", {"dataset_size": 9}, {"loss"}),
        ("sum-l2", "keras-l2", {"dataset_size": 9, "loss": "mean"}, set()),
        ("sum-l2", "batch-sum-l2", {"dataset_size": 9, "batch_size": 3},
         {"grad_accum", "world_size"}),
        ("keras-l2", "per-step-shrink", {"lr": "0.1", "momentum": 0}, {"optimizer"}),
        ("sklearn-logistic", "per-step-shrink",
         {"lr": "0.1", "momentum": 0, "dataset_size": 9}, {"optimizer"}),
        ("keras-l2", "per-step-shrink", {"lr": "0.1", "momentum": 0, "optimizer": "sgd"}, set()),
        ("pytorch-adam", "pytorch-adamw", {"lr": "0.1", "gradient_rms": "0.1"}, {"eps"}),
        ("sklearn-elastic-net", "mean-half-l2", {}, {"l1_ratio"}),
        ("sklearn-sgd", "pytorch-sgd", {"loss": "mean"}, {"l1_ratio"}),
        ("composer-adamw", "pytorch-adamw", {"lr": "0.1"}, {"lr_initial"}),
        ("optimi-decoupled", "per-step-shrink", {"lr": "0.1"}, {"lr_max"}),
        ("torch7-sgd", "per-step-shrink", {"lr": "0.1", "momentum": "0.9"}, {"dampening"}),
        ("keras-sgd-micro-step", "per-step-shrink", {"lr": "0.1"}, {"grad_accum"}),
        ("pytorch-sgd", "keras-sgd", {"lr": "0.1", "momentum": "0.9"}, set()),
        ("pytorch-sgd", "half-life-steps", {"lr": "0.1", "momentum": "0.9"}, {"dampening"}),
        ("composer-sgdw", "pytorch-sgd", {"lr": "0.1", "momentum": "0.9", "lr_initial": "0.1"},
         {"dampening"}),
        ("mean-l2", "per-step-shrink", {"lr": "0.1", "momentum": "0.9", "optimizer": "sgd"},
         {"dampening"}),
        ("pytorch-sgd", "keras-sgd", {"lr": "0.1", "momentum": "0.9", "nesterov": True}, set()),
        ("caffe", "keras-sgd", {"lr": "0.1", "momentum": "0.9"}, set()),
        ("pytorch-adamw", "pytorch-optimizer-sgdp-fixed", {"lr": "0.1", "wd_ratio": "0.1"},
         {"momentum"}),
        ("yolov5", "pytorch-sgd", {"batch_size": 16, "loss": "mean"},
         {"nbs", "grad_accum", "world_size"}),
        ("yolov5", "pytorch-sgd", {"batch_size": 16, "grad_accum": 2, "loss": "mean"},
         {"nbs", "world_size"}),
        ("yolov5", "pytorch-sgd",
         {"batch_size": 16, "grad_accum": 2, "world_size": 4, "loss": "mean"}, {"nbs"}),
        ("ema-timescale-epochs", "ema-timescale-run",
         {"dataset_size": 9, "batch_size": 3, "epochs": 2}, {"grad_accum", "world_size"}),
    ],
)  # fmt: skip
def test_exactly_what_was_not_given_and_entered_is_listed(source, target, run, names):
    found = of_pair(source, target, **run)
    assert {entry.name for entry in found.assumptions} == names
    assert found.to_dict()["assumptions"] == [entry.to_dict() for entry in found.assumptions]
    assert all(entry.why and entry.name in entry.text for entry in found.assumptions)


def test_under_an_exact_decay_nesterov_is_among_what_was_not_said():
    run = Run(lr="0.1", momentum="0.9", dampening=0)

    def exactly(run):
        made = convert("1e-3", source="pytorch-sgd", target="keras-sgd", run=run, match=Match.DECAY)
        return made.value, [entry.name for entry in made.assumptions]

    heavy_ball, nesterov = (exactly(replace(run, nesterov=said)) for said in (False, True))
    assert exactly(run) == (heavy_ball[0], ["nesterov"])
    assert heavy_ball[0] != nesterov[0]
    assert heavy_ball[1] == nesterov[1] == []
    assert exactly(replace(run, dampening=None))[1] == ["dampening", "nesterov"]


def test_what_two_frameworks_preset_otherwise_is_said_of_either():
    made = of_pair("timm-sgd", "pytorch-sgd", lr="0.1")
    decay = convert(
        "1e-3", source="timm-sgd", target="pytorch-sgd", run=Run(lr="0.1"), match=Match.DECAY
    )
    assert [entry.value for entry in made.assumptions if entry.name == "momentum"] == []
    assert {entry.value for entry in decay.assumptions if entry.name == "momentum"} == {0.0, 0.9}
    with pytest.raises(MissingQuantityError, match=r"needs momentum, dampening, nesterov$"):
        require_said("it", decay.assumptions)


def test_yolov5_accumulates_the_batches_of_all_devices():
    # Its train.py: max(round(64/48), 1) = 1, of 2 * 24 examples.
    made = of_pair("yolov5", "pytorch-sgd", batch_size=24, world_size=2, loss="mean")
    assert made.value == pytest.approx(1e-4 * 48 / 64, rel=1e-15)
    assert {entry.name: entry.value for entry in made.assumptions} == {
        "nbs": 64.0, "grad_accum": 1.0,
    }  # fmt: skip


def test_an_assumption_says_its_value():
    values = {
        entry.name: entry.value
        for pair in (
            ("keras-sgd", "mean-l2", {}),
            ("composer-adamw", "pytorch-adamw", {"lr": 1}),
            ("keras-l2", "per-step-shrink", {"lr": 1}),
        )
        for entry in of_pair(pair[0], pair[1], **pair[2]).assumptions
    }
    assert values == {"momentum": 0.0, "loss": "mean", "lr_initial": "lr", "optimizer": "sgd"}


@pytest.mark.parametrize(
    ("source", "target", "condition"),
    [
        ("pytorch-sgd", "keras-sgd", "exact at momentum 0"),
        ("pytorch-sgd", "caffe", "exact at momentum 0"),
        ("mean-l2", "keras-sgd", "exact at momentum 0"),
        ("mean-l2", "pytorch-sgd", ""),
        ("pytorch-sgd", "mlx-sgd", ""),
        ("pytorch-sgd", "oneflow-sgd", ""),
    ],
)
def test_identical_is_claimed_only_where_an_unsaid_momentum_could_not_change_it(
    source, target, condition
):
    unsaid = of_pair(source, target, lr="0.1")
    assert unsaid.condition == unsaid.to_dict()["condition"] == condition
    assert (unsaid.equivalence is Equivalence.IDENTICAL) == (not condition)
    said = of_pair(source, target, lr="0.1", momentum=0)
    assert (said.equivalence, said.condition) == (Equivalence.IDENTICAL, "")


def test_a_dampened_first_buffer_matters_only_where_there_is_dampening():
    assert of_pair("mlx-sgd", "pytorch-sgd", momentum="0.9").equivalence == "identical"
    damped = of_pair("mlx-sgd", "pytorch-sgd", momentum="0.9", dampening="0.1")
    assert damped.equivalence == "same-optimum"
    assert "the first buffer is dampened in one of the two" in damped.note


def test_an_optimizer_that_is_always_nesterov_is_another_s_nesterov():
    said = {"momentum": "0.9", "nesterov": True, "lr": "0.1"}
    assert of_pair("fairseq-nag", "composer-sgdw", **said).equivalence == "identical"
    assert of_pair("fairseq-nag", "composer-sgdw", momentum=0, lr="0.1").equivalence == "identical"


@pytest.mark.parametrize("key", ["yolov5", "ultralytics-sgd"])
def test_nesterov_s_step_that_a_trainer_never_leaves_is_no_heavy_ball_s(key):
    sizes = {"batch_size": 16, "grad_accum": 4, "nbs": 64, "lr": "0.1"}
    said = of_pair(key, "pytorch-sgd", momentum="0.9", nesterov=True, **sizes)
    assert said.equivalence == "identical"
    for source, target in ((key, "pytorch-sgd"), ("pytorch-sgd", key)):
        heavy = of_pair(source, target, momentum="0.9", nesterov=False, **sizes)
        assert heavy.equivalence == "same-optimum"
    assert of_pair(key, "pytorch-sgd", momentum=0, **sizes).equivalence == "identical"


def test_a_squared_error_s_unit_is_part_of_the_claim():
    found = of_pair("sklearn-sgd", "vw-sgd", momentum=0)
    assert found.equivalence == "same-optimum"
    assert "halve λ" in found.note


# A penalty in a loss has no optimizer of its own.


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("keras-l2", "pytorch-adamw"), ("tf-l2-loss", "keras-lion"), ("mean-l2", "optax-adamw"),
        ("flux-weight-decay", "pytorch-adamw"), ("pytorch-adamw", "paddle-l2decay"),
        ("pytorch-muon", "lasagne-l2"), ("sklearn-logistic", "pytorch-adamw"),
    ],
)  # fmt: skip
def test_a_penalty_s_optimizer_is_asked_for_where_it_decides(source, target):
    run = {"lr": "0.01", "dataset_size": 9, "batch_size": 3, "momentum": 0}
    with pytest.raises(MissingQuantityError) as caught:
        of_pair(source, target, **run)
    assert caught.value.missing == ("optimizer",)
    with pytest.raises(NoEquivalentError, match="gradient_rms gives an estimate"):
        of_pair(source, target, **run, optimizer="adam")
    with pytest.raises(MissingQuantityError) as caught:
        of_pair(source, target, **run, optimizer="sgd")
    assert caught.value.missing == ("to_lr",)
    there = Run(lr="0.001")
    sgd = convert(
        "1e-4", source=source, target=target, run=Run(**run, optimizer="sgd"), target_run=there
    )
    assert sgd.equivalence == "same-decay"
    assert sgd.value > 0


@pytest.mark.parametrize("key", ["torch-optimizer-aggmo", "pytorch-adagrad", "mxnet-signum"])
def test_an_estimate_is_offered_only_where_the_gradients_scale_gives_one(key):
    run = Run(lr="0.01")
    with pytest.raises(NoEquivalentError, match="not known as a share of the weight") as refused:
        convert("1e-4", source=key, target="pytorch-adamw", run=run)
    assert "gradient_rms" not in str(refused.value)
    with pytest.raises(NoEquivalentError, match="what a step makes of that is not known"):
        require_decay(Side(convention=find(key), run=run), Fraction(1), "half_life_steps")


def test_an_estimate_is_labelled_one():
    run = Run(lr="1e-3", optimizer="adamw", extras=(("gradient_rms", "0.01"),))
    there = Run(lr="1e-3")
    for source, number in (("keras-l2", 0.02), ("mean-half-l2", 0.01), ("keras-l2", 0.02)):
        found = convert("1e-4", source=source, target="pytorch-adamw", run=run, target_run=there)
        assert found.value == pytest.approx(number, rel=1e-5)
        assert found.equivalence == "estimate"
    lion = Run(lr="1e-3", optimizer="lion", extras=(("gradient_rms", "0.01"),))
    with pytest.raises(DecaycalcError):
        convert("1e-4", source="keras-l2", target="keras-lion", run=lion)


def test_between_objectives_the_partner_s_optimizer_trains_a_penalty():
    for target in ("pytorch-sgd", "pytorch-adam", "mean-l2", "sklearn-ridge", "keras-sgd"):
        found = of_pair("keras-l2", target, lr="0.1", momentum=0, dataset_size=10)
        assert "optimizer" not in {entry.name for entry in found.assumptions}


# lr belongs to an optimizer.


@pytest.mark.parametrize(
    ("key", "family"),
    [
        ("pytorch-sgd", "sgd"), ("timm-sgdp", "sgd"), ("pytorch-adamw", "adam"),
        ("pytorch-nadam", "adam"), ("bert-adamw", "adam"), ("timm-adamp", "adam"),
        ("keras-lion", "sign"), ("mxnet-signum", "sign"), ("pytorch-muon", "orthogonalised"),
        ("dion", "orthogonalised"), ("keras-lamb", "trust-ratio"), ("keras-adagrad", "adagrad"),
        ("pytorch-adagrad", "adagrad"), ("pytorch-rmsprop", "rmsprop"), ("keras-l2", None),
        ("half-life-steps", None), ("sklearn-logistic", None),
    ],
)  # fmt: skip
def test_an_lr_has_a_family(key, family):
    assert find(key).lr_family == find(key).to_dict()["lr_family"] == family


@pytest.mark.parametrize(
    ("source", "target", "own"),
    [
        ("pytorch-sgd", "pytorch-adamw", True), ("pytorch-adamw", "keras-lion", True),
        ("pytorch-adamw", "pytorch-muon", True), ("keras-lion", "pytorch-muon", True),
        ("pytorch-adamw", "keras-lamb", True), ("pytorch-adamw", "keras-adamw", False),
        ("bert-adamw", "pytorch-nadam-decoupled", False), ("keras-lion", "optax-lion", False),
        ("pytorch-muon", "keras-muon", False), ("pytorch-adamw", "tfa-adamw", False),
        ("pytorch-adamw", "per-step-shrink", False), ("half-life-steps", "keras-lion", False),
    ],
)  # fmt: skip
def test_between_families_the_target_s_lr_is_its_own(source, target, own):
    value = 100 if source == "half-life-steps" else "0.01"
    run = Run(lr="0.01", momentum=0)
    shown = answer_of(
        Question(source=find(source), value=value, run=run, targets=(find(target),))
    ).conversions[0]
    assert shown.missing == (("to_lr",) if own else ())
    assert (shown.value is None) == own
    if not own:
        return
    assert "to_lr" in shown.formula
    there = convert(value, source=source, target=target, run=run, target_run=Run(lr="0.004"))
    assert there.value == pytest.approx(shown.per_lr / 0.004)
    assert there.lr == 0.004
    with pytest.raises(MissingQuantityError):
        convert(value, source=source, target=target, run=run)


def test_a_number_that_no_lr_enters_needs_none_between_families():
    found = of_pair("pytorch-sgd", "pytorch-adam", lr="0.1")
    assert (found.value, found.lr, found.missing) == (1e-4, None, ())
    assert of_pair("pytorch-sgd", "tfa-adamw", lr="0.1", momentum="0.9").value == 1e-4
    assert of_pair("pytorch-sgd", "big-vision", lr="0.1", momentum="0.9").value == 1e-4


@pytest.mark.parametrize(
    "measure", ["half-life-steps", "per-step-shrink", "intrinsic-lr", "ema-timescale-steps"]
)
def test_a_measure_has_no_lr(measure):
    for loss in ("mean", "dataset-sum", "8"):
        found = of_pair("pytorch-sgd", measure, lr="0.1", dataset_size=320000, loss=loss)
        assert found.lr is None
    back = convert(100, source="half-life-steps", target="pytorch-sgd",
                   run=Run(lr="0.1", momentum=0, loss=8))  # fmt: skip
    assert back.lr is None


# Groups' multipliers, shares and loss scales enter every convention.


@pytest.mark.parametrize(
    ("source", "extras", "times"),
    [
        ("pytorch-adamw", {"lr_mult": 16}, 16), ("pytorch-adamw", {"decay_mult": "0.5"}, 0.5),
        ("pytorch-sgd", {"lr_mult": 2, "decay_mult": 2}, 4), ("caffe", {"decay_mult": 0}, 0),
        ("keras-l2", {"lr_mult": 2, "decay_mult": "0.1"}, 0.2), ("tfa-adamw", {"lr_mult": 2}, 1),
        ("caffe", {"lr_mult": 2, "decay_mult": 2}, 4), ("keras-lion", {"update_share": "0.1"}, 0.1),
        ("pytorch-sgd", {"update_share": "0.1", "lr_mult": 10}, 1),
    ],
)  # fmt: skip
def test_multipliers_and_shares_enter_every_decay(source, extras, times):
    run = {"lr": "2e-4", "momentum": 0}
    plain = of_pair(source, "per-step-shrink", **run).value
    found = of_pair(source, "per-step-shrink", **run, **extras).value
    assert found == pytest.approx(times * plain, rel=1e-12)


def test_a_group_s_number_is_its_own_where_the_framework_has_no_multipliers():
    run = {"lr": "0.1", "momentum": 0, "decay_mult": 2, "lr_mult": 3}
    assert of_pair("pytorch-adamw", "keras-adamw", lr="0.1", decay_mult=2).value == 2e-4
    own = of_pair("caffe", "pytorch-sgd", **run)
    assert (own.value, own.lr) == (2e-4, pytest.approx(0.3))
    theirs = of_pair("caffe", "mxnet-sgd", **run)
    assert (theirs.value, theirs.lr) == (1e-4, None)
    form = of_pair("pytorch-asgd", "per-step-shrink", lr=1, decay_mult=2, lambd=0).value
    assert form == 2e-4


@pytest.mark.parametrize(
    ("loss", "to_loss", "number", "lr"),
    [("8", "mean", 1.25e-05, 0.8), ("mean", 8, 8e-4, 0.0125), ("1/4", "mean", 4e-4, 0.025)],
)
def test_a_loss_may_be_any_multiple_of_the_mean(loss, to_loss, number, lr):
    run = Run(lr="0.1", loss=loss)
    found = convert("1e-4", source="pytorch-sgd", target="pytorch-sgd", run=run,
                    target_run=Run(loss=to_loss))  # fmt: skip
    assert (found.value, found.lr) == (number, lr)
    adam = convert("1e-4", source="pytorch-adamw", target="keras-adamw", run=run,
                   target_run=Run(loss=to_loss))  # fmt: skip
    assert (adam.value, adam.lr) == (1e-4, None)


# An optimum is shared with the same data loss alone.


@pytest.mark.parametrize(
    ("source", "target", "value"),
    [
        ("sklearn-ridge", "sklearn-logistic", None), ("sklearn-svc", "sklearn-logistic", None),
        ("libsvm", "glmnet-gaussian", None), ("sklearn-huber", "sklearn-ridge", None),
        ("sklearn-ridge", "sklearn-linear-svr", 0.01), ("sklearn-svc", "libsvm", 50),
        ("sklearn-logistic", "liblinear", 50), ("pytorch-sgd", "sklearn-ridge", 2500),
    ],
)  # fmt: skip
def test_an_optimum_is_shared_with_the_same_data_loss_alone(source, target, value):
    run = Run(dataset_size=100, loss="mean")
    if value is None:
        with pytest.raises(NoEquivalentError, match="their data losses differ"):
            convert(50, source=source, target=target, run=run)
        return
    found = convert(50, source=source, target=target, run=run)
    assert (found.value, found.equivalence) == (value, "same-optimum")


@pytest.mark.parametrize(
    ("source", "target", "note"),
    [
        ("sklearn-linear-svc", "sklearn-svc", "for a data loss that is hinge"),
        ("vw-bfgs", "libsvm", "for a data loss that is hinge"),
        ("liblinear", "sklearn-linear-svc", "for a data loss that is hinge or squared or"),
        ("sklearn-ridge", "sklearn-linear-svr", "for a loss of the squared error: for half of it"),
        ("sklearn-svc", "libsvm", ""), ("pytorch-sgd", "sklearn-svc", ""),
    ],
)  # fmt: skip
def test_estimators_that_differ_in_some_losses_name_the_shared_ones(source, target, note):
    found = convert(50, source=source, target=target, run=Run(dataset_size=100, loss="mean"))
    assert found.note.startswith(note)
    assert found.equivalence == "same-optimum"
    assert bool(found.note) == bool(note)


def test_a_form_holds_the_objective_where_the_class_says_so():
    run = Run(lr="0.01", momentum="0.9")
    for source, target, value, number in (
        ("pytorch-asgd", "pytorch-sgd", "1e-4", 2e-4), ("pytorch-asgd", "keras-sgd", "1e-4", 2e-3),
        ("keras-sgd", "pytorch-asgd", "2e-3", 1e-4), ("pytorch-asgd", "mean-l2", "1e-4", 1e-4),
        ("mean-l2", "pytorch-asgd", "1e-4", 1e-4),
    ):  # fmt: skip
        found = convert(value, source=source, target=target, run=run)
        assert found.value == pytest.approx(number, rel=1e-12)
        assert found.equivalence == "same-optimum"


def test_a_factor_of_many_steps_has_a_sign_above_1_and_an_end():
    def factor(value, steps):
        run = Run(lr="0.1", steps=steps)
        return convert(value, source="pytorch-adamw", target="per-run-factor", run=run).value

    assert factor(15, 2) == pytest.approx(0.25)
    assert factor(15, 3) == pytest.approx(-0.125)
    assert factor(25, 3) == pytest.approx(-3.375)
    assert factor(10, 3) == 0
    with pytest.raises(DecaycalcError, match="is beyond float64's range"):
        factor(250, 10**6)


def test_a_form_s_strength_is_open_where_its_lr_is():
    shown = answer_of(Question(source=find("pytorch-asgd"), value=1))
    assert shown.strength is None


def test_a_quantity_that_no_convention_of_a_list_takes_is_refused():
    with pytest.raises(ContradictionError, match="takes no nbs, nor do its targets"):
        answer_of(Question(source=find("pytorch-sgd"), value=1, run=Run(extras=(("nbs", 64),))))


@pytest.mark.parametrize(("name", "factor"), [("lr_mult", 4), ("update_share", 0.5)])
def test_what_multiplies_a_penalty_s_steps_asks_for_their_lr(name, factor):
    run = Run(extras=((name, factor),))
    with pytest.raises(MissingQuantityError, match=f"{name} beside mean-half-l2 needs lr"):
        answer_of(Question(source=find("mean-half-l2"), value=1, run=run))
    known = Question(source=find("mean-half-l2"), value=1, run=Run(lr="0.1", extras=run.extras))
    assert answer_of(known).shrink == pytest.approx(0.1 * factor)


def test_a_run_says_its_optimizer_and_its_loss():
    assert Run(optimizer="AdamW", loss="1/4").to_dict()["optimizer"] == "adam"
    assert Run(loss="1/4").to_dict()["loss"] == 0.25
    assert Run(loss=8).to_dict()["loss"] == 8
    assert "optimizer" not in Run().to_dict()
    with pytest.raises(DecaycalcError, match="unknown optimizer 'sdg'"):
        Run(optimizer="sdg")


def test_the_target_s_zero_and_false_are_said():
    run = Run(lr="0.1", momentum="0.9", batch_size=32, dataset_size=960)
    pair = {"source": "per-step-shrink", "target": "pytorch-sgd", "run": run}
    for own in (Run(momentum=0), Run(momentum=0, dampening=0)):
        alone = decaycalc.convert(1e-5, target_run=own, **pair).value
        beside = decaycalc.convert(1e-5, target_run=own, to_batch_size=32, **pair).value
        assert alone == beside == 1e-4
    nesterov = Run(lr="0.1", momentum="0.9", nesterov=True)
    there = runs_with(nesterov, Run.part(nesterov=False), {"to_batch_size": 8})[1]
    assert there.nesterov is False


def test_the_api_s_answer_takes_quantities_by_name():
    shown = decaycalc.answer("1e-4", source="pytorch-sgd", lr=0.1, to_lr=0.2, batch_size=None)
    assert (shown.shrink, shown.target_run.lr) == (1e-5, Fraction(1, 5))
    assert decaycalc.answer(1e-4, source="pytorch-sgd", run=Run(lr=0.1)).shrink == 1e-5
    with pytest.raises(MissingQuantityError):
        decaycalc.answer(1, source="pytorch-sgd", targets=("keras-sgd",), lr=1, strict=True)


def test_a_user_s_code_is_typed(tmp_path, pytestconfig):
    pytest.importorskip("mypy")
    code = tmp_path / "user.py"
    code.write_text(
        "import decaycalc\n"
        "a: float = 2 * decaycalc.convert('5e-4', source='caffe', target='keras-l2').value\n"
        "b: float = decaycalc.convert(1, source='caffe', target='keras-l2', lr=0.1).value\n"
        "c: None = decaycalc.convert(None, source='caffe', target='keras-l2').value\n"
        "d = decaycalc.convert([1, 2], source='caffe', target='keras-l2').value.sum()\n"
    )
    cache = getattr(pytestconfig, "cache", None)  # which a run may have switched off
    kept = tmp_path if cache is None else cache.mkdir("mypy")
    # In a process of its own: what mypy keeps would slow every search for garbage after it.
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(kept), str(code)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout
