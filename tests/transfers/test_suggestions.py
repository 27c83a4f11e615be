"""Suggestions: each rule's number by hand, its conditions, and what is refused outside of them."""

import json
from math import sqrt

import numpy as np
import pytest

from decaycalc import convert
from decaycalc.conventions.catalogue import conventions, find
from decaycalc.conventions.record import FIT, Coupling
from decaycalc.conventions.run import Run
from decaycalc.errors import (
    ContradictionError,
    DecaycalcError,
    InvalidValueError,
    MissingQuantityError,
    OutsideFitError,
    UnknownNameError,
)
from decaycalc.record import replace
from decaycalc.training.published.index import RECIPES
from decaycalc.training.published.measured import recall
from decaycalc.transfers.suggestions import RULES, suggest

STEP = find("per-step-shrink")
PARAMETERS = 163_009_536
LANGUAGE = Run(lr="4e-4", batch_size=98_304, dataset_size=3_260_190_720)
IMAGES = Run(lr="0.1", momentum="0.9", batch_size=256, dataset_size=1_281_167, epochs=90)


def only(rule, target="pytorch-adamw", *, run=LANGUAGE, parameters=PARAMETERS):
    (found,) = suggest(target, run=run, n_parameters=parameters, rules=(rule,)).suggestions
    return found


def test_the_token_law_gives_back_the_public_run_it_was_read_from():
    assert only("token-law").value == pytest.approx(0.33724, rel=5e-4)


def test_the_token_law_divides_by_lr():
    run = Run(lr="1.4e-3", batch_size=98_304, dataset_size=3_260_190_720)
    assert only("token-law", run=run).value == pytest.approx(0.0963, rel=5e-4)


def test_both_readings_of_the_constant_are_the_interval():
    found = only("token-law")
    assert found.low == found.value
    assert found.high / found.low == pytest.approx(1.084 / (0.21 * 20**0.527))


@pytest.mark.parametrize(("key", "factor"), [("per-step-shrink", 4e-4), ("tfa-adamw", 4e-4)])
def test_another_convention_takes_the_same_shrink(key, factor):
    assert only("token-law", key).value == pytest.approx(only("token-law").value * factor)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"dataset_size": 5 * PARAMETERS}, "5 tokens a parameter are outside"),
        ({"dataset_size": 2000 * PARAMETERS}, "2000 tokens a parameter are outside"),
        ({"dataset_size": 20 * PARAMETERS, "epochs": 4}, "4 epochs"),
    ],
)
def test_outside_the_fit_the_token_law_says_which_condition_fails(changes, reason):
    run = Run(lr="4e-4", batch_size=98_304, **changes)
    with pytest.raises(OutsideFitError, match=reason) as caught:
        only("token-law", run=run)
    assert caught.value.exit_status == 1


def test_a_ratio_beyond_float64_is_told_in_digits():
    run = Run(lr="4e-4", batch_size=1, dataset_size=10**6)
    with pytest.raises(OutsideFitError, match=r"e\+3\d\d tokens a parameter"):
        only("token-law", run=run, parameters="1e-305")


@pytest.mark.parametrize(
    ("lr", "mult", "power"), [("5e-324", 1, r"e\+319"), ("1e300", "1e300", "e-604")]
)
def test_a_number_that_no_float64_holds_is_refused_with_its_size(lr, mult, power):
    with pytest.raises(OutsideFitError, match=f"would be .*{power}, which no float64 is"):
        only("short-run", run=Run(lr=lr, steps=90, extras=(("lr_mult", mult),)))


def test_a_usual_number_s_sum_is_told_at_any_size():
    found = only("short-run", run=Run(lr="5.77", steps=1000, extras=(("lr_mult", "1e308"),)))
    assert "sums up to 5.770e+310 over the run" in found.conditions[1]


def test_the_token_law_is_adamw_s_alone():
    with pytest.raises(OutsideFitError, match="not pytorch-sgd's"):
        only("token-law", "pytorch-sgd")


def test_many_epochs_over_tokens_are_warned_of_not_computed():
    run = Run(lr="4e-4", batch_size=98_304, dataset_size=3_260_190_720, epochs=4)
    found = suggest(run=run, n_parameters=PARAMETERS)
    assert "up to 30 times" in found.warnings[0]
    assert [entry.rule for entry in found.unavailable] == ["token-law", "normalized"]


def test_published_runs_give_their_median_and_the_middle_half():
    found = only("published-timescale", "pytorch-sgd", run=IMAGES, parameters=None)
    known = sorted(
        entry.timescale_epochs
        for entry in map(recall, RECIPES)
        if entry.timescale_epochs
        and entry.recipe.unit == "examples"
        and (record := find(entry.recipe.read_as or entry.recipe.convention)).optimizer == "sgd"
        and record.coupling is Coupling.COUPLED
    )
    # At lr 0.1 and momentum 0.9 a step takes off the number itself.
    epochs = [256 / 1_281_167 / value for value in (found.high, found.value, found.low)]
    assert epochs == pytest.approx(np.percentile(known, [25, 50, 75]))


def test_a_measure_takes_published_runs_of_every_optimizer():
    wide = only("published-timescale", "per-step-shrink", run=IMAGES, parameters=None)
    narrow = only("published-timescale", "pytorch-sgd", run=IMAGES, parameters=None)
    assert wide.conditions[2] == "every optimizer, counted in examples"
    assert narrow.conditions[2] == "the same family of optimizers, counted in examples"
    assert int(wide.conditions[0].split()[3]) > int(narrow.conditions[0].split()[3])


def test_a_kind_without_published_runs_is_refused():
    with pytest.raises(OutsideFitError, match="no 3 published runs"):
        only("published-timescale", "pytorch-muon", run=IMAGES.part(lr="0.1"), parameters=None)


def test_a_language_model_s_timescale_is_a_share_of_its_steps():
    run = Run(lr="4e-4", steps=1000)
    value = only("published-timescale", run=run).value
    longer = only("published-timescale", run=Run(lr="4e-4", steps=2000)).value
    assert value == pytest.approx(2 * longer)


def test_the_normalised_decay_is_the_paper_s():
    run = Run(lr="1e-3", batch_size=128, dataset_size=50_000, epochs=100)
    found = only("normalized", run=run, parameters=None)
    steps = 100 * 391
    assert found.low == pytest.approx(0.025 / sqrt(steps) / 1e-3)
    assert found.high == pytest.approx(0.05 / sqrt(steps) / 1e-3)
    with pytest.raises(OutsideFitError, match="not on language models"):
        only("normalized", run=Run(lr=1, steps=5))


def test_a_short_run_says_what_a_usual_number_sums_up_to():
    found = only("short-run", run=Run(lr="2e-4", steps=1000), parameters=None)
    assert found.value == pytest.approx(0.01 / 1000 / 2e-4)
    assert (found.low, found.high) == pytest.approx((found.value / 10, found.value * 10))
    assert "sums up to 0.02" in found.conditions[1]


def test_a_timescale_has_no_usual_number():
    found = only("short-run", "ema-timescale-steps", run=Run(steps=1000), parameters=None)
    assert found.value == pytest.approx(100_000)
    assert len(found.conditions) == 2


def test_what_was_not_given_and_entered_is_said():
    found = suggest(run=LANGUAGE, n_parameters=PARAMETERS)
    assert named(found) == {"epochs": 1.0, "grad_accum": 1.0, "world_size": 1.0}
    run = Run(lr="0.1", batch_size=256, grad_accum=1, world_size=1, dataset_size=60_000, epochs=90)
    assert named(suggest("pytorch-sgd", run=run)) == {"momentum": 0.0}
    whole = {"momentum": 0.0, "optimizer": "sgd"}
    assert named(suggest("keras-l2", run=run)) == whole
    assert named(suggest("pytorch-asgd", run=Run(lr="1e-3", steps=9))) == {"lambd": 1e-4}
    yolo = suggest("yolov5", run=Run(lr="1e-3", steps=9, batch_size=16), rules=["short-run"])
    assert named(yolo) == {"momentum": 0.0, "nbs": 64.0, "grad_accum": 4.0, "world_size": 1.0}


def named(found):
    return {entry.name: entry.value for entry in found.assumptions}


def test_what_every_rule_lacks_is_asked_for():
    with pytest.raises(MissingQuantityError) as caught:
        suggest("per-step-shrink", run=Run())
    assert caught.value.missing == ("parameters", "batch_size", "dataset_size", "steps")


def test_a_solver_has_no_decay_per_step():
    with pytest.raises(OutsideFitError, match="takes no steps"):
        suggest("sklearn-logistic", run=IMAGES)


def test_unknown_rules_and_impossible_counts_are_refused():
    with pytest.raises(UnknownNameError, match="token-law"):
        suggest(run=LANGUAGE, rules=("tokens-law",))
    with pytest.raises(InvalidValueError, match="positive"):
        suggest(run=LANGUAGE, n_parameters=0)


def test_the_command_shows_every_rule_and_derives_it(run):
    words = (
        "suggest",
        "--parameters",
        PARAMETERS,
        "-N",
        3_260_190_720,
        "-B",
        98_304,
        "--lr",
        "4e-4",
    )
    done = run(*words, "--explain")
    assert done.status == 0
    assert "0.337195" in done.out
    assert "timescale = 1.084·20^-0.527" in done.out
    assert run(*words, "--value").out.startswith("0.33719")
    assert json.loads(run(*words, "--json").out)["suggestions"][0]["rule"] == "token-law"
    plain = run("suggest", "--to", "pytorch-sgd", "--lr", "1", "--steps", "9")
    assert "momentum 0 (not given)" in plain.out
    assert run(*words, "--format", "csv").out.count("\n") == 3


def test_the_command_knows_every_rule_by_name(run):
    for name in RULES:
        assert f"unknown rule {name!r}" not in run("suggest", "--rule", name).err
    assert run("suggest", "--rule", "token-law", "--lr", "1", "--steps", "5").status == 2


def test_the_derivation_ends_with_the_suggestion_s_own_decay():
    found = only("token-law")
    assert any(step == "decay per step = 1/(timescale·D/B) = 0.0001349" for step in found.steps)
    assert found.value * 4e-4 == pytest.approx(1.349e-4, rel=1e-3)


def test_one_epoch_is_assumed_only_where_it_is_not_given_and_warned_of_only_above():
    whole = {"grad_accum": 1, "world_size": 1}
    told = Run(lr="4e-4", batch_size=98_304, dataset_size=3_260_190_720, epochs=1, **whole)
    by_law = suggest(run=told, n_parameters=PARAMETERS, rules=("token-law",))
    assert (by_law.assumptions, by_law.warnings) == ((), ())
    for rule in ("token-law", "published-timescale"):
        run = replace(told, epochs=None)
        assert [*named(suggest(run=run, n_parameters=PARAMETERS, rules=(rule,)))] == ["epochs"]
    steps = Run(lr="4e-4", steps=1000)
    assert not suggest(run=steps, n_parameters=PARAMETERS).assumptions


@pytest.mark.parametrize(
    "record", [each for each in conventions() if each.refusal], ids=lambda each: each.key
)
def test_a_convention_that_is_refused_has_no_suggestion(record):
    with pytest.raises(OutsideFitError, match="has no number"):
        suggest(record, run=Run(lr="1e-3", steps=1000), rules=["short-run"])


@pytest.mark.parametrize(
    ("words", "way_out", "given"),
    [
        ("--parameters 124e6 -B 491520 -N 2.5e9", "by token-law needs lr; give --lr", "--lr 1e-3"),
        ("--parameters 130e6 -B 491520 -N 2.5e9", "by published-timescale needs lr", "--lr 1e-3"),
        ("--to pytorch-muon --lr 0.02", "by short-run needs steps; give --steps", "--steps 2e4"),
    ],
)
def test_what_would_help_a_rule_is_asked_for_beside_rules_that_do_not_apply(
    run, words, way_out, given
):
    ran = run("suggest", *words.split())
    assert (ran.status, ran.out) == (2, "")
    assert f"error: a suggestion {way_out}" in ran.err
    assert run("suggest", *words.split(), *given.split()).status == 0


def test_a_bare_number_says_by_which_rule_it_is_where_the_first_gives_none(run):
    words = ("suggest", "--parameters", "163009536", "-B", "98304", "--lr", "1.4e-3", "--value")
    few = run(*words, "-N", "815e6")
    assert (few.status, few.out) == (0, "0.49373067911574064\n")
    reason = "token-law: 5 tokens a parameter are outside the fitted 20 to 1280"
    one = "note: epochs 1 is assumed: not given, so one pass over the data set\n"
    step = "note: grad_accum 1 is assumed: not given\nnote: world_size 1 is assumed: not given\n"
    assert few.err == f"{one}{step}note: by the rule published-timescale; {reason}\n"
    enough = run(*words, "-N", "3260190720")
    assert enough.out.startswith("0.0963")
    assert enough.err == f"{one}{step}"
    assert run(*words, "-N", "3260190720", "--epochs", "1").err == step


ADAM = {"optimizer": "adam", "extras": (("gradient_rms", "0.01"),)}
SIZES = {"batch_size": 16, "dataset_size": 1000}
RUNS = (  # and how many conventions have a number there at least
    ({"lr": "1e-3"}, 300),
    ({"lr": "1e-3", "momentum": "0.9", **SIZES}, 50),
    ({"lr": "1e-3", "optimizer": "adam"}, 0),
    ({"lr": "1e-3", **ADAM}, 20),
    ({"lr": "1e-3", "loss": "batch-sum", "optimizer": "sgd", **SIZES}, 20),
)


@pytest.mark.parametrize(("given", "fewest"), RUNS, ids=range(len(RUNS)))
def test_a_suggestion_is_what_its_decay_converts_to_and_assumes_the_same(given, fewest):
    run = Run(steps=1000, **given)
    answered = 0
    for record in conventions():
        one = attempt(lambda r=record: suggest(r, run=run, rules=["short-run"]))
        other = attempt(lambda r=record: convert("1e-5", source=STEP, target=r, run=run))
        if isinstance(other, ContradictionError) or record.optimizer == FIT:
            continue
        if isinstance(other, DecaycalcError) or other.value is None:
            assert isinstance(one, DecaycalcError), record.key
            continue
        answered += 1
        assert one.suggestions[0].value == pytest.approx(other.value, rel=1e-9), record.key
        assert named(one) == {each.name: each.value for each in other.assumptions}, record.key
    assert answered >= fewest


def attempt(call):
    try:
        return call()
    except DecaycalcError as error:
        return error


def test_a_penalty_has_no_suggestion_under_adam_but_by_its_gradients():
    with pytest.raises(OutsideFitError, match=r"pytorch-adam adds the penalty .* an estimate"):
        suggest("pytorch-adam", run=Run(lr="2e-4", steps=1000))
    with pytest.raises(OutsideFitError, match="keras-l2 adds the penalty to the gradient"):
        suggest("keras-l2", run=Run(lr="2e-4", steps=1000, optimizer="adam"))
    rough = Run(lr="2e-4", steps=1000, extras=(("gradient_rms", "0.01"),))
    (found,) = suggest("pytorch-adam", run=rough, rules=["short-run"]).suggestions
    assert found.value == pytest.approx(1e-5 * 0.01 / 2e-4, rel=1e-5)
    assert found.conditions[-1].startswith("an estimate")


def test_the_derivation_holds_what_stands_between_number_and_decay():
    found = only("short-run", "pytorch-sgd", run=IMAGES, parameters=None)
    assert found.steps[-1].endswith("by shrink = lr·weight_decay/(1 - momentum)")


def test_what_a_short_run_takes_off_is_what_a_loop_takes_off():
    found = only("short-run", run=Run(lr="1e-3", steps=100), parameters=None)
    left = {}
    for name in ("low", "value", "high"):
        weight = 1.0
        for _ in range(100):
            weight -= 1e-3 * getattr(found, name) * weight
        left[name] = f"{100 * (1 - weight):.2g}"
    assert left == {"low": "0.1", "value": "1", "high": "9.5"}
    assert "takes 1 % off" in found.conditions[0]
    assert found.conditions[0].endswith("from 0.1 to 9.5 %")


def test_a_timescale_below_a_step_is_refused():
    with pytest.raises(OutsideFitError, match=r"too short for it: a timescale would be 0\."):
        only("published-timescale", run=Run(lr="1e-3", steps=5))


def test_a_number_a_layer_is_none_to_suggest_and_weights_are_counted(run):
    words = ("suggest", "--rule", "short-run", "--lr", "2e-4", "--steps", "10")
    asked = run(*words, "--to", "mean-over-weights-l2")
    assert asked.err == "error: a suggestion needs n_weights; give --arch\n"
    assert run(*words, "--to", "mean-over-weights-l2", "-a", "10-4", "--value").out == "100.0\n"
    assert "one number a layer" in run(*words, "--to", "layer-mean-l2", "-a", "10-4").err
    assert "--arch enters nothing" in run(*words, "-a", "10-4").err


def test_a_rule_named_twice_stands_once_and_what_a_rule_lacks_is_called_by_its_flag(run):
    words = ("suggest", "--lr", "2e-4", "--steps", "1000", "--parameters", "1e9")
    assert run(*words, "--rule", "short-run", "--rule", "short-run").out.count("short-run") == 1
    assert "token-law: with -B, -N\n" in run(*words).out


def test_what_enters_no_number_is_refused_in_python_too():
    with pytest.raises(ContradictionError, match="pytorch-adamw takes no momentum"):
        suggest(run=Run(lr="2e-4", steps=10, momentum="0.9"))
