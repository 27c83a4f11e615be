"""verify: conversions put to the test by training twice, and wrong numbers that fail it."""

import json
import warnings

import numpy as np
import pytest

from decaycalc.cli.main import main
from decaycalc.conventions.catalogue import find
from decaycalc.conventions.run import Loss, Run
from decaycalc.conversion.plan import Match
from decaycalc.conversion.side import Side
from decaycalc.errors import InvalidValueError, NoEquivalentError
from decaycalc.verification.pairing import rule_names
from decaycalc.verification.trials import MOST_STEPS, _lasting, _losses
from decaycalc.verification.verify import STEPS, check_models, verify

RUN = {"lr": "0.05", "batch_size": 8, "dataset_size": 36}
MOMENTUM = {"momentum": "0.9"}
NESTEROV = {"momentum": "0.9", "nesterov": True}


def proof(value, source, target, *, to_value=None, **settings):
    """Return a verification between two keys in the suite's run."""
    names = ("match", "schedule", "models", "target_run")
    options = {name: settings.pop(name) for name in names if name in settings}
    run = Run(**{**RUN, **settings})
    return verify(
        value, source=find(source), target=find(target), run=run, to_value=to_value, **options
    )


TO_ADAM = {"optimizer": "sgd", "target_run": Run(lr="0.02")}
IDENTICAL = [
    ("1e-3", "mean-l2", "mean-half-l2", {}),
    ("1e-3", "mean-l2", "pytorch-sgd", MOMENTUM),
    ("1e-3", "keras-l2", "pytorch-sgd", NESTEROV),
    ("1e-3", "keras-l2", "pytorch-adam", {}),
    ("0.1", "nielsen", "keras-l2", MOMENTUM),
    ("1e-3", "tf-slim-l2", "keras-l2", {}),
    ("5e-4", "caffe", "keras-l2", MOMENTUM),
    ("5e-4", "caffe", "mxnet-sgd", MOMENTUM),
    ("1e-3", "pytorch-sgd", "optax-sgd", NESTEROV),
    ("1e-3", "pytorch-sgd", "keras-sgd", {}),
    ("1e-3", "pytorch-sgd", "sum-l2", MOMENTUM),
    ("1e-3", "sum-l2", "batch-sum-l2", MOMENTUM),
    ("1e-3", "pytorch-sgd", "batch-sum-half-l2", MOMENTUM),
    ("0.1", "pytorch-adamw", "keras-adamw", {}),
    ("0.1", "pytorch-adamw", "optax-adamw", {}),
    ("0.1", "pytorch-adamw", "composer-adamw", {}),
    ("0.1", "pytorch-adamw", "adamw-paper", {}),
    ("0.1", "lion-pytorch", "optax-lion", {}),
    ("0.1", "timm-laprop", "timm-laprop", {}),
]
SAME_OPTIMUM = [
    ("1e-3", "pytorch-sgd", "keras-sgd", MOMENTUM),
    ("1e-3", "pytorch-sgd", "tfa-sgdw", MOMENTUM),
    ("1e-3", "pytorch-sgd", "torch7-sgd", MOMENTUM),
    ("0.1", "pytorch-sgd", "sklearn-logistic", {}),
    ("0.1", "sklearn-logistic", "liblinear", {}),
    ("1", "sklearn-ridge", "sklearn-elastic-net", {"extras": (("l1_ratio", 0),)}),
    ("1", "sklearn-ridge", "statsmodels", {}),
    ("0.1", "keras-l2", "sklearn-ridge", {}),
    ("2", "prior-std", "sklearn-logistic", {}),
    ("1e-2", "pytorch-adam", "pytorch-rmsprop", {}),
    ("1e-2", "keras-sgd-micro-step", "mean-half-l2", {"grad_accum": 3}),
]
SAME_DECAY = [
    ("0.1", "pytorch-adamw", "tfa-adamw", {}),
    ("0.1", "pytorch-adamw", "per-step-shrink", {}),
    ("1000", "half-life-steps", "pytorch-adamw", {}),
    ("0.999", "per-step-factor", "keras-lion", {}),
    ("0.1", "pytorch-adamw", "timm-adan", {"target_run": Run(lr="0.02")}),
    ("1e-3", "pytorch-sgd", "per-step-shrink", MOMENTUM),
    (
        "1e-3",
        "pytorch-sgd",
        "keras-adamw",
        {**MOMENTUM, "match": Match.DECAY, "target_run": Run(lr="0.02")},
    ),
    ("1e-3", "pytorch-sgd", "keras-sgd", {**MOMENTUM, "match": Match.DECAY}),
]
PAIRS = [
    pytest.param(kind, *pair, id=f"{pair[1]} to {pair[2]} {pair[3]}")
    for kind, pairs in (
        ("identical", IDENTICAL),
        ("same-optimum", SAME_OPTIMUM),
        ("same-decay", SAME_DECAY),
    )
    for pair in pairs
]


@pytest.mark.parametrize(("kind", "value", "source", "target", "settings"), PAIRS)
def test_claims_hold(kind, value, source, target, settings):
    found = proof(value, source, target, schedule="cosine:final=0.1", steps=100, **settings)
    assert found.claim == kind
    assert found.holds


@pytest.mark.parametrize(("value", "source", "target", "settings"), IDENTICAL[::3])
def test_identical_claims_hold_for_a_thousand_steps(value, source, target, settings):
    found = proof(value, source, target, models=("least-squares",), **settings)
    assert found.steps == STEPS == 1000
    assert found.max_difference <= 1e-12


@pytest.mark.parametrize(("kind", "value", "source", "target", "settings"), PAIRS)
def test_wrong_numbers_do_not(kind, value, source, target, settings):
    classifies = "sklearn-logistic" in {source, target}
    models = ("softmax" if classifies else "least-squares",)
    settings = {**settings, "models": models, "steps": 50}
    right = proof(value, source, target, **settings)
    wrong = right.to_value * (0.7 if right.to_value < 1 else 1.3)
    found = proof(value, source, target, to_value=wrong, **settings)
    assert found.claim == kind
    assert not found.holds


@pytest.mark.parametrize("target", ["pytorch-adadelta", "pytorch-adafactor", "pytorch-rmsprop"])
def test_wrong_numbers_fail_where_epsilon_is_the_step(target):
    settings = {"steps": 100, "models": ("least-squares",)}
    source = "keras-l2" if find(target).strength else "per-step-shrink"
    right = proof("1e-3", source, target, **settings)
    assert right.holds
    for wrong in (right.to_value / 2, right.to_value * 1.01):
        assert not proof("1e-3", source, target, to_value=wrong, **settings).holds


@pytest.mark.parametrize(
    ("source", "target", "settings"),
    [
        ("mean-l2", "pytorch-adamw", TO_ADAM),
        ("batch-sum-l2", "pytorch-adamw", TO_ADAM),
        ("pytorch-adamw", "keras-l2", {**MOMENTUM, **TO_ADAM}),
        ("sklearn-logistic", "per-step-shrink", {}),
        ("vw-bfgs", "pytorch-adamw", TO_ADAM),
        ("mean-over-weights-l2", "pytorch-sgd", {"n_weights": 50}),
        ("sklearn-mlp-adam", "pytorch-adam", {}),
        ("torch-optimizer-yogi", "pytorch-sgd", {}),
        ("mxnet-signum", "keras-l2", MOMENTUM),
        ("pytorch-sgd", "fairseq-nag", NESTEROV),
        ("mxnet-nag", "pytorch-sgd", MOMENTUM),
        ("surprise-svd", "haiku-l2", {**MOMENTUM, "match": Match.DECAY}),
    ],
)
def test_claims_between_unlike_records_hold_and_wrong_numbers_do_not(source, target, settings):
    settings = {"steps": 20, "models": ("least-squares",), **settings}
    right = proof("0.01", source, target, **settings)
    assert right.holds
    assert not proof("0.01", source, target, to_value=right.to_value * 1.01, **settings).holds


@pytest.mark.parametrize(
    ("value", "source", "settings"),
    [
        ("0.04", "pytorch-sgd", {"lr": "0.1", "momentum": "0.9"}),
        ("5e-4", "pytorch-sgd", {"lr": "0.1", "momentum": "0.99"}),
        ("0.04", "keras-l2", {"lr": "0.1", "momentum": "0.9", "nesterov": True}),
        ("0.5", "mxnet-nag", {"lr": "1", "momentum": "0.5"}),
        ("0.9", "mxnet-nag", {"lr": "1", "momentum": "0.5"}),
        ("2.95", "pytorch-sgd", {"lr": "1", "momentum": "0.5"}),
    ],
)
def test_the_decay_of_weights_that_swing_or_alternate_is_that_of_their_size(
    value, source, settings
):
    settings = {**settings, "steps": 20, "match": Match.DECAY}
    right = proof(value, source, "per-step-shrink", **settings)
    assert right.holds
    for wrong in (right.to_value * 0.99, right.to_value * 1.01):
        assert not proof(value, source, "per-step-shrink", to_value=wrong, **settings).holds


def test_a_decay_whose_lr_falls_from_the_start_is_that_of_the_first_step():
    settings = {"lr": "0.1", "steps": 400, "match": Match.DECAY}
    right = proof("0.02", "pytorch-asgd", "per-step-shrink", **settings)
    assert right.holds
    assert "at first: the lr of pytorch-asgd falls with lambd and the steps" in right.notes
    wrong = proof(
        "0.02", "pytorch-asgd", "per-step-shrink", to_value=right.to_value * 1.001, **settings
    )
    assert not wrong.holds


def test_an_objective_beside_a_decoupled_decay_is_descended_on_plainly_and_does_not_diverge():
    settings = {"lr": 30, "loss": Loss.BATCH_SUM, "steps": 50, **TO_ADAM}
    found = proof("1e-9", "mean-l2", "pytorch-adamw", **settings)
    assert found.holds
    assert found.apart[0].max_difference > 0


def test_one_number_a_layer_is_tested_on_a_model_of_one_layer():
    for source, target in (("layer-mean-l2", "pytorch-sgd"), ("keras-l2", "layer-mean-l2")):
        found = proof("0.01", source, target, steps=20)
        assert (found.claim, found.holds, len(found.trials)) == ("identical", True, 1)
        assert "assumed: n_layers 1" in found.notes
        assert "for a layer of 6 weights, the model's" in found.notes
    with pytest.raises(InvalidValueError, match="model 'softmax' must be least-squares"):
        proof("0.01", "layer-mean-l2", "pytorch-sgd", models=("softmax",))
    several = proof("0.01", "layer-mean-l2", "pytorch-sgd", n_layers=4, steps=20)
    assert several.to_value == pytest.approx(0.02 / 24)


def test_a_short_last_batch_that_would_weigh_otherwise_is_left_out_and_noted():
    def notes(source, target, **settings):
        found = proof("1e-3", source, target, steps=10, **settings)
        assert found.holds
        return [note for note in found.notes if note.startswith("whole batches only")]

    assert len(notes("pytorch-sgd", "batch-sum-l2")) == 1
    assert len(notes("sklearn-mlp-sgd", "pytorch-sgd", momentum=0)) == 1
    assert notes("sklearn-mlp-sgd", "pytorch-sgd", momentum=0, dataset_size=40) == []
    assert notes("sklearn-mlp-sgd", "pytorch-sgd", momentum=0, drop_last=True) == []
    assert notes("pytorch-sgd", "keras-l2") == []


def test_what_is_not_claimed_is_shown_beside_it():
    found = proof("1e-3", "pytorch-sgd", "keras-sgd", steps=100, **MOMENTUM)
    assert found.holds
    (apart,) = found.apart
    assert apart.max_difference > 1e-4
    assert proof("1e-3", "pytorch-sgd", "optax-sgd", steps=10).apart == ()


def test_the_target_may_have_another_run():
    found = proof(
        "1e-3",
        "pytorch-sgd",
        "batch-sum-half-l2",
        target_run=Run.part(lr="0.00625"),
        steps=50,
        **MOMENTUM,
    )
    assert (found.claim, found.to_lr, found.holds) == ("identical", 0.00625, True)
    other = proof("1e-3", "pytorch-sgd", "keras-l2", target_run=Run.part(lr="0.01"), steps=50)
    assert (other.claim, other.to_lr, other.holds) == ("same-optimum", 0.01, True)
    more = proof("1e-3", "pytorch-sgd", "keras-l2", target_run=Run.part(momentum="0.5"), steps=50)
    assert (more.claim, more.to_lr, more.holds) == ("same-optimum", 0.05, True)


def test_what_the_run_leaves_open_is_assumed_and_noted():
    ends = {"source": find("mean-l2"), "target": find("pytorch-sgd")}
    bare = verify("1e-3", run=Run(steps=5), **ends)
    assert bare.notes[:3] == (
        "assumed: lr 0.05", "assumed: batch_size 8", "assumed: dataset_size 36",
    )  # fmt: skip
    sized = verify("1e-3", run=Run(dataset_size=5, steps=5), **ends)
    assert sized.notes[1] == "assumed: batch_size 5"


def test_long_runs_are_cut_short_and_short_ones_are_not():
    short = proof("1e-3", "mean-l2", "pytorch-sgd", steps=7)
    assert short.steps == 7
    assert [point.step for point in short.trials[0].curve] == list(range(1, 8))
    long = proof("1e-3", "mean-l2", "pytorch-sgd", steps=MOST_STEPS + 1, models=("softmax",))
    assert long.steps == STEPS
    assert any("schedule compressed" in note for note in long.notes)


def test_large_learning_rates_do_not_diverge():
    assert proof("1e-6", "mean-l2", "pytorch-sgd", lr=30, loss=Loss.BATCH_SUM, steps=100).holds


def test_quantities_that_only_refine_a_record_reach_its_rule():
    run = Run(**RUN, steps=50, extras=(("decay_mult", "0.5"), ("lr_mult", 2)))
    names = rule_names(Side(convention=find("caffe"), run=run), 0.1)
    assert (names["weight_decay"], names["lr"]) == (0.05, 0.1)
    found = verify("1e-3", source=find("caffe"), target=find("keras-l2"), run=run)
    assert found.claim in {"identical", "same-optimum"}


def test_estimates_and_refusals_have_nothing_to_test():
    extras = (("gradient_rms", "0.01"),)
    with pytest.raises(NoEquivalentError, match="an estimate makes no claim"):
        proof("1e-3", "pytorch-adam", "pytorch-adamw", extras=extras)
    with pytest.raises(NoEquivalentError, match="l2-norm"):
        proof("1e-3", "l2-norm", "pytorch-sgd")


def test_an_unknown_model_is_named():
    assert check_models(("softmax",)) == ("softmax",)
    with pytest.raises(InvalidValueError, match="model 'cnn' must be one of least-squares"):
        proof("1e-3", "mean-l2", "pytorch-sgd", models=("cnn",))


def test_the_command_shows_the_verdict(run):
    words = ("1e-3", "--from", "mean-l2", "--to", "pytorch-sgd", "--steps", "9")
    status, out, err = run("verify", *words)
    assert (status, err) == (0, "")
    assert "holds" in out
    assert "minimise mean(loss) + lam*sum(w**2)" in out


def test_the_command_fails_where_the_claim_does(run):
    words = (
        "1e-3",
        "--from",
        "mean-l2",
        "--to",
        "pytorch-sgd",
        "--to-value",
        "1e-3",
        "--steps",
        "90",
    )
    status, out, _ = run("verify", *words)
    assert status == 1
    assert "DOES NOT HOLD" in out


def test_the_command_shows_how_trajectories_part(run):
    words = (
        "1e-3",
        "--from",
        "pytorch-sgd",
        "--to",
        "keras-sgd",
        "--momentum",
        "0.9",
        "--steps",
        "90",
    )
    status, out, _ = run("verify", *words)
    assert status == 0
    assert "Trajectories, which the claim is not about" in out


def test_the_document_holds_the_curves(run):
    words = (
        "1e-3",
        "--from",
        "pytorch-sgd",
        "--to",
        "keras-sgd",
        "--momentum",
        "0.9",
        "--steps",
        "90",
        "--json",
    )
    status, out, _ = run("verify", *words)
    document = json.loads(out)
    assert (status, document["schema"], document["claim"]) == (
        0, "decaycalc.verify", "same-optimum",
    )  # fmt: skip
    assert document["holds"] is True
    assert document["max_difference"] == max(m["max_difference"] for m in document["models"])
    assert {"step", "difference"} == set(document["curve"][0])
    assert document["apart"][0]["model"] == "least-squares"
    assert np.isfinite(document["apart"][0]["max_difference"])


def test_csv_has_a_line_a_point(run):
    words = ("1e-3", "--from", "mean-l2", "--to", "pytorch-sgd", "--steps", "3", "--format", "csv")
    _, out, _ = run("verify", *words)
    assert out.splitlines()[0] == "model,step,difference"
    assert len(out.splitlines()) == 10


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "a verification needs value"),
        (("1e-3", "--from", "mean-l2"), "give --to"),
        (("1e-3", "--to", "mean-l2"), "give --from"),
        (("1e-3", "--from", "mean-l2", "--to", "keras-l2", "--model", "x"), "must be one of"),
        (("1e-3", "--from", "mean-l2", "--to", "keras-l2", "--to-value", "x"), "not a number"),
    ],
)
def test_bad_usage_is_one_line_with_status_2(run, words, message):
    status, out, err = run("verify", *words)
    assert (status, out) == (2, "")
    assert message in err


def test_an_optimizers_own_momentum_is_left_alone():
    record = find("pytorch-muon")
    unsaid, said = (
        rule_names(Side(convention=record, run=Run(lr="0.02", **more)), 0.1)
        for more in ({}, {"momentum": "0.5"})
    )
    assert "momentum" not in unsaid
    assert said["momentum"] == 0.5


def test_a_weight_that_vanishes_within_the_trial_is_compared_while_it_lasts(capsys):
    # A ten-billionth is left each step: nothing that float64 holds after thirty of them.
    words = ("0.9999999999", "--from", "per-step-shrink", "--to", "pytorch-adamw", "--lr", "0.5")
    assert main(["verify", *words, "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert body["holds"]
    assert body["curve"][-1]["step"] == 30


def test_a_weight_that_is_gone_at_once_has_no_rate():
    assert _lasting(np.array([1.0, 1e-200, 1e-309])) == 2
    with pytest.raises(InvalidValueError, match="w '0' leaves nothing to compare"):
        _lasting(np.array([1.0, 0.0, 0.0]))


def test_the_share_a_step_takes_is_that_of_the_swing_or_of_the_larger_root():
    n = np.arange(120)
    swinging = 0.98**n * np.cos(0.3 * n + 0.2)
    assert _losses(swinging) == pytest.approx(np.full(118 - 1, 0.02))
    # Two real roots, one of them negative: the weight turns at first, then settles.
    settling = 0.9**n + 1.2 * (-0.8) ** n
    assert (settling[:5] < 0).any()
    assert _losses(settling)[-1] == pytest.approx(0.1, rel=1e-4)


def test_a_gradient_that_overflows_is_refused_in_one_line(capsys):
    words = ("3", "--from", "dfdx-sgd-l2", "--to", "optax-l2-loss", "--lr", "1e20")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert main(["verify", *words, "--loss", "batch-sum"]) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_an_epoch_of_more_steps_than_a_float_holds_is_trained_on():
    found = proof("1", "mean-l2", "pytorch-sgd", batch_size="5e-324", steps=20)
    assert found.holds


def test_a_loss_of_eight_means_is_trained_with(run):
    words = ("1e-4", "--from", "pytorch-sgd", "--to", "keras-l2", "--loss", "8", "--lr", "0.01")
    status, out, _ = run("verify", *words, "--steps", "20")
    assert (status, out.startswith("holds")) == (0, True)


def test_a_model_of_another_data_loss_is_refused(run):
    words = ("1", "--from", "sklearn-ridge", "--to", "sklearn-linear-svr", "-N", "30")
    status, _, err = run("verify", *words, "--model", "softmax")
    assert status == 2
    assert "model 'softmax' has another data loss" in err


def test_a_network_gives_the_number_of_weights_where_it_counts(run):
    words = ("0.1", "--from", "mean-over-weights-l2", "--lr", "0.1", "--arch", "784-10")
    status, out, _ = run("verify", *words, "--to", "mean-l2", "--json")
    document = json.loads(out)
    # λ/P: 0.1/7840 with the 7840 weights and no biases.
    assert (status, document["holds"]) == (0, True)
    assert document["target"]["value"] == pytest.approx(0.1 / 7840, rel=1e-12)
    words = ("1e-4", "--from", "pytorch-sgd", "--to", "mean-l2", "--arch", "784-10")
    status, _, err = run("verify", *words)
    assert (status, "--arch enters nothing" in err) == (2, True)
