"""The command line takes nothing for granted in silence: notes, --strict, --optimizer, --to-lr."""

import json

import pytest


def ran(run, words, *, command="convert"):
    """Return status, stdout and stderr of a command line."""
    return run(command, *words.split())


ESTIMATE = "1e-4 --from keras-l2 --to pytorch-adamw --lr 1e-3 --optimizer adam --gradient-rms 0.01"


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (ESTIMATE, 0.02), (f"{ESTIMATE} --to-lr 1e-3", 0.02),
        ("1e-4 --from keras-l2 --to pytorch-adamw --lr 1e-2 --optimizer sgd --to-lr 1e-3", 0.002),
        ("1e-4 --from pytorch-sgd --lr 0.1 --momentum 0.9 --to pytorch-adamw --to-lr 1e-3", 0.1),
        ("0.01 --from pytorch-adamw --to tfa-adamw --lr 1e-3", 1e-5),
        ("0.01 --from pytorch-adamw --lr 2e-4 --lr-mult 16 --to per-step-shrink", 3.2e-5),
        ("5e-4 --from pytorch-sgd --lr 0.1 --loss 8 --to pytorch-sgd --to-loss mean", 6.25e-5),
        ("5e-4 --from caffe --decay-mult 0 --to pytorch-sgd", 0),
        ("15 --from pytorch-sgd --lr 0.1 --to per-step-factor", -0.5),
        ("24 --from pytorch-sgd --lr 0.1 --to per-step-shrink", 2.4),
        ("0.01 --from pytorch-adamw --lr 1e-3 --set update_share=0.1 --to per-step-shrink", 1e-6),
        ("50 --from sklearn-ridge --to sklearn-linear-svr", 0.01),
    ],
)  # fmt: skip
def test_what_is_said_makes_the_number(words, value, run):
    status, out, _ = ran(run, f"{words} --value")
    assert status == 0
    assert float(out) == pytest.approx(value, rel=1e-2)


@pytest.mark.parametrize(
    ("words", "status", "text"),
    [
        ("1e-4 --from keras-l2 --to pytorch-adamw --lr 1e-3", 2, "give --optimizer (what "),
        ("1e-4 --from keras-l2 --to pytorch-adamw --lr 1e-3 --optimizer adam", 1, "Adam-like"),
        ("1e-4 --from pytorch-sgd --lr 0.1 --momentum 0.9 --to pytorch-adamw", 2, "give --to-lr"),
        ("0.1 --from pytorch-adamw --lr 1e-3 --to keras-lion", 2, "give --to-lr"),
        ("0.1 --from pytorch-adamw --lr 1e-3 --to pytorch-muon", 2, "give --to-lr"),
        ("1 --from sklearn-ridge --to sklearn-logistic -N 9", 1, "data losses differ"),
        ("0.1 --from pytorch-adamw --to keras-adamw --momentum 0.9", 2, "takes no momentum"),
        ("1e-4 --from pytorch-sgd --to keras-sgd --lr 0.1 --strict", 2, "give --momentum"),
        ("1e-4 --from pytorch-sgd --to mean-l2 --strict", 2, "give --loss"),
        ("1e-4 --from keras-l2 --to per-step-shrink --lr 1 --strict", 2, "--optimizer and"),
    ],
)
def test_what_is_not_said_is_asked_for(words, status, text, run):
    found = ran(run, f"{words} --value")
    assert (found[0], found[1]) == (status, "")
    assert text in found[2]


def test_a_bare_number_has_its_assumptions_on_stderr(run):
    words = "1e-4 --from pytorch-sgd --to keras-sgd --lr 0.1"
    status, out, err = ran(run, f"{words} --value")
    assert (status, out) == (0, "0.0001\n")
    assert err.startswith("note: momentum 0 is assumed: not given")
    assert ran(run, f"{words} --value -q") == (0, "0.0001\n", "")
    assert ran(run, f"{words} --momentum 0.9 --strict --value") == (0, "0.001\n", "")
    status, _, err = ran(run, f"{words} --emit keras")
    assert err.startswith("note: momentum 0 is assumed")
    status, out, err = ran(run, f"{words} --emit keras --strict")
    assert (status, out) == (2, "")
    assert "give --momentum" in err
    status, out, _ = ran(run, f"{words} --format csv")
    assert "assumptions" in out.splitlines()[0]


def test_a_strict_document_assumes_nothing_in_its_decay_either(run):
    words = "5e-4 --from caffe --to keras-l2 --strict"
    assert ran(run, f"{words} --value --lr 0.1")[0] == 0
    assert ran(run, f"{words} --json")[0] == 0
    status, _, err = ran(run, f"{words} --json --lr 0.1")
    assert status == 2
    assert "--momentum" in err


def test_a_document_says_what_is_assumed_and_missing(run):
    words = "1e-4 --from pytorch-sgd --lr 0.1 --to pytorch-adamw --json"
    document = json.loads(ran(run, words)[1])
    (made,) = document["conversions"]
    assert (made["value"], made["missing"]) == (None, ["to_lr"])
    assert [entry["name"] for entry in made["assumptions"]] == ["momentum", "loss"][:1]
    assert "momentum" in [entry["name"] for entry in document["assumptions"]]
    status, out, err = ran(run, words.replace("--json", "--emit pytorch"))
    assert (status, out) == (2, "")
    assert "--to-lr" in err


def test_emitted_code_needs_the_target_s_lr_between_families(run):
    words = "1e-4 --from pytorch-sgd --lr 0.1 --momentum 0.9 --to pytorch-adam --emit pytorch"
    status, out, err = ran(run, words)
    assert (status, out) == (2, "")
    assert "give --to-lr" in err
    status, out, _ = ran(run, f"{words} --to-lr 1e-3")
    assert status == 0
    assert "lr=0.001" in out


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ("", "lost in float32 rounding: no weight moves"),
        ("--dtype float64", ""),
        ("--dtype bf16", "lost in bfloat16 rounding"),
        ("--dtype bf16 --rounding stochastic", "rounded by chance it holds on average"),
        ("--dtype bf16 --rounding master", "lost in float32 rounding"),
        ("--dtype float64 --rounding nearest", ""),
    ],
)
def test_a_decay_that_rounding_loses_is_said(more, text, run):
    words = f"0.01 --from pytorch-adamw --lr 5e-7 --to per-step-shrink --value {more}"
    _, out, err = ran(run, words)
    assert out == "5e-09\n"
    assert (text in err) if text else (err == "")


def test_verify_follows_the_same_rules(run):
    words = "1e-4 --from keras-l2 --to pytorch-adamw --lr 1e-3"
    assert "give --optimizer" in ran(run, words, command="verify")[2]
    assert ran(run, f"{words} --optimizer adam", command="verify")[0] == 1
    sgd = f"{words} --optimizer sgd --momentum 0 --to-lr 1e-3 --steps 20"
    assert ran(run, sgd, command="verify")[0] == 0
    lost = "1 --from sklearn-logistic --to liblinear --model least-squares"
    assert "another data loss" in ran(run, lost, command="verify")[2]
    stood_in = ran(run, "1 --from sklearn-svc --to libsvm --steps 5 --json", command="verify")
    assert "no model here has their data loss" in stood_in[1]


def test_a_schedule_refuses_what_enters_nothing_and_lists_what_is_assumed(run):
    words = "0.1 --from pytorch-adamw --lr 1e-3 --steps 100 --json"
    assert ran(run, words, command="schedule")[0] == 0
    status, _, err = ran(run, f"{words} --set lambd=1", command="schedule")
    assert (status, "pytorch-adamw takes no lambd" in err) == (2, True)
    keras = words.replace("pytorch-adamw", "keras-l2")
    document = json.loads(ran(run, keras, command="schedule")[1])
    assert {entry["name"] for entry in document["assumptions"]} == {"optimizer", "momentum"}


def test_both_branches_of_a_projected_decay_are_given(run):
    for key, here, other in (
        ("timm-adamp", 0.99993599, 0.993599), ("timm-sgdp", 0.993599, 0.93599),
        ("pytorch-optimizer-adamp", 0.9993599, 0.993599),
    ):  # fmt: skip
        words = f"0.37 --from {key} --lr 0.0173 --to per-step-shrink --json"
        document = json.loads(ran(run, words)[1])
        decay = document["decay"]
        assert decay["per_step_factor"] == pytest.approx(here, rel=1e-12)
        assert decay["per_step_factor_with_gradient"] == pytest.approx(other, rel=1e-12)
        assert "with any other gradient" in document["warnings"][0]
        assert "at wd_ratio 1" in document["conversions"][0]["note"]


SILENT = {
    "convert": "1e-4 --from pytorch-sgd --lr 0.1 --to pytorch-adamw --to-lr 1e-3",
    "schedule": "1e-4 --from pytorch-sgd --lr 0.1 --steps 10",
    "arch": "784-30-10 1e-4 --from pytorch-sgd --lr 0.1 --loss mean",
    "transfer": "1e-4 --from pytorch-sgd --lr 0.1 --to pytorch-adamw --to-lr 1e-3",
    "suggest": "--to pytorch-sgd --lr 0.1 --steps 100",
}


@pytest.mark.parametrize("command", SILENT)
def test_every_answer_says_that_momentum_was_taken_for_granted(command, run):
    words = SILENT[command]
    body = json.loads(ran(run, f"{words} --json", command=command)[1])
    assert [entry["name"] for entry in body["assumptions"]] == ["momentum"]
    given = json.loads(ran(run, f"{words} --momentum 0 --json", command=command)[1])
    assert given["assumptions"] == []
    assert "momentum 0 (not given)" in ran(run, words, command=command)[1]


@pytest.mark.parametrize("hold", ["step", "epoch"])
def test_a_bare_number_moved_to_another_optimizer_says_what_it_assumes(hold, run):
    words = f"1e-4 --from pytorch-sgd --lr 0.1 --hold {hold} --value"
    moved = ran(run, f"{words} --to pytorch-adamw --to-lr 1e-3", command="transfer")
    assert moved[:2] == (0, "0.01\n")
    assert moved[2].startswith("note: momentum 0 is assumed")
    same = ran(run, f"{words} --to-lr 0.2", command="transfer")  # it cancels
    assert same == (0, "5e-05\n", "")


def names_of(run, words, command):
    body = json.loads(ran(run, f"{words} --json", command=command)[1])
    return [entry["name"] for entry in body["assumptions"]]


@pytest.mark.parametrize(
    ("command", "words", "more", "named"),
    [
        ("schedule", "0.1 --from pytorch-adamw --lr 1e-3 -B 16 -N 1000 --epochs 3",
         "--grad-accum 1 --world-size 1", ["grad_accum", "world_size"]),
        ("schedule", "0.1 --from optax-sgdw --lr 1e-3 --steps 9", "--momentum 0", ["momentum"]),
        ("arch", "10-4 0.1 --from pytorch-sgd --lr 0.1 --momentum 0.9", "--loss mean", ["loss"]),
        ("arch", "10-4 0.1 --from batch-sum-l2 -B 16", "--grad-accum 1 --world-size 1",
         ["grad_accum", "world_size"]),
        ("arch", "10-4 0.1 --from keras-sgd --lr 0.1 --loss mean", "--momentum 0", ["momentum"]),
        ("arch", "10-4 0.1 --from pytorch-asgd --lr 0.1", "--loss mean --set lambd=0",
         ["lambd", "loss"]),
        ("transfer", "0.1 --from pytorch-adamw --lr 1e-3 -N 1000 -B 16 --to-batch-size 32",
         "--grad-accum 1 --world-size 1", ["grad_accum", "world_size"]),
        ("transfer", "0.01 --from kaldi-nnet3 --lr 0.1 --momentum 0 --to-batch-size 32",
         "--grad-accum 1 --world-size 1", ["grad_accum", "world_size"]),
        ("convert", "0.01 --from timm-csgdw --to mean-l2 --lr 0.1 --momentum 0", "--loss mean",
         ["loss"]),
    ],
)  # fmt: skip
def test_what_enters_any_number_of_an_answer_is_named_until_it_is_given(
    command, words, more, named, run
):
    assert names_of(run, words, command) == named
    assert names_of(run, f"{words} {more}", command) == []


def test_an_sgd_with_projections_scales_its_lr_with_the_loss_as_sgd_does(run):
    words = "0.01 --from torch-optimizer-sgdp --to pytorch-sgd --lr 0.1 --momentum 0 --value"
    alone = ran(run, words)[1]
    assert ran(run, f"{words} --loss 8")[1] == alone == "0.001\n"
