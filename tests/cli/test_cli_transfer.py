"""`decaycalc transfer` on the command line."""

import csv
import io
import json
import math
import re

import pytest

GOYAL = (
    "transfer", "1e-4", "--from", "pytorch-sgd", "--lr", "0.1", "--momentum", "0.9", "-B", "256",
    "-N", "1281167", "--epochs", "90", "--to-batch-size", "8192",
)  # fmt: skip
ADAM = (
    "transfer", "0.1", "--from", "pytorch-adamw", "--lr", "6e-4", "-B", "500000", "-N", "1e10",
    "--epochs", "1", "--to-batch-size", "2000000", "--betas", "0.9", "0.95", "--eps", "1e-8",
)  # fmt: skip


def test_rules_with_the_same_number_share_a_row(run):
    ran = run(*GOYAL, "--all")
    assert (ran.status, ran.err) == (0, "")
    assert "the minimum, the decay per step" in ran.out
    assert "the timescale in epochs, its share of the run" in ran.out
    assert "Sources" in ran.out
    assert "arXiv 2405.13698" in ran.out
    assert "Out of reach" not in ran.out


def test_the_document_has_every_rule(run):
    body = json.loads(run(*GOYAL, "--json").out)
    assert list(body)[:3] == ["schema", "schema_version", "version"]
    assert body["schema"] == "decaycalc.transfer"
    assert len(body["rules"]) == 15
    assert body["target_run"]["batch_size"] == 8192
    assert body["laws"] == []
    rule = next(r for r in body["rules"] if (r["lr_rule"], r["hold"]) == ("sqrt", "epoch"))
    assert rule["value"] == pytest.approx(5.656854249492381e-4, rel=1e-15)


def test_csv_has_a_line_a_rule(run):
    rows = list(csv.DictReader(io.StringIO(run(*GOYAL, "--format", "csv").out)))
    assert len(rows) == 15
    assert {row["from"] for row in rows} == {"pytorch-sgd"}


def test_one_rule_prints_its_bare_number(run):
    ran = run(*GOYAL, "--lr-rule", "sqrt", "--hold", "epoch", "--value")
    assert float(ran.out) == pytest.approx(5.656854249492381e-4, rel=1e-15)
    both = run(*GOYAL, "--lr-rule", "linear", "--hold", "epoch", "--hold", "run", "--value")
    assert both.out == "0.0001\n"


def test_several_rules_have_no_bare_number(run):
    ran = run(*GOYAL, "--value")
    assert (ran.status, ran.out) == (2, "")
    assert "--lr-rule and --hold (none, linear, sqrt; objective, " in ran.err


def test_betas_and_eps_are_told_under_the_square_root_rule(run):
    assert "betas 0.6, 0.8 and eps 5e-09" in run(*ADAM).out
    body = json.loads(run(*ADAM, "--lr-rule", "sqrt", "--json").out)
    assert body["rules"][0]["betas"] == [0.6, 0.8]
    only_eps = [word for word in ADAM if word not in {"--betas", "0.9", "0.95"}]
    assert "also eps 5e-09" in run(*only_eps).out


def test_what_is_out_of_reach_says_why(run):
    assert "minimises no fixed objective" in run(*ADAM, "--all").out
    ran = run("transfer", "0.1", "--from", "pytorch-adamw", "--lr", "1", "--to-batch-size", "8")
    assert "lr linear, lr sqrt" in " ".join(ran.out.split())
    assert "with -B: the timescale in epochs" in ran.out


def test_width_is_disputed(run):
    ran = run("transfer", "0.1", "--from", "pytorch-adamw", "--lr", "1e-3", "--to-width-ratio", "2")
    assert "λ ∝ √width" in " ".join(ran.out.split())


def test_a_recipe_is_a_starting_point(run):
    ran = run("transfer", "--recipe", "resnet-50-goyal-256", "--to-batch-size", "8192",
              "--lr-rule", "linear", "--hold", "epoch", "--json")  # fmt: skip
    body = json.loads(ran.out)
    assert body["rules"][0]["lr"] == 3.2
    assert body["rules"][0]["timescale_epochs"] == pytest.approx(1.9982, abs=5e-5)
    assert body["warnings"] == ["resnet-50-goyal-256: 23.60 % error"]
    assert "23.60" in ran.err


def test_what_is_given_takes_the_recipes_place(run):
    words = ("transfer", "0.2", "--recipe", "resnet-50-he", "--from", "pytorch-adamw",
             "--momentum", "0", "--lr", "1e-3", "--epochs", "10", "--to-epochs", "20",
             "--json")  # fmt: skip
    body = json.loads(run(*words).out)
    assert body["source"] == {
        "convention": "pytorch-adamw", "parameter": "weight_decay", "value": 0.2,
    }  # fmt: skip
    assert (body["run"]["epochs"], body["run"]["batch_size"]) == (10, 256)
    assert body["target_run"]["epochs"] == 20


def test_a_recipe_without_a_value_needs_one(run):
    ran = run("transfer", "--recipe", "chinchilla-70b", "--to-lr", "1")
    assert (ran.status, ran.out) == (2, "")
    assert "needs value" in ran.err


def test_without_a_source_the_commonest_are_offered(run):
    ran = run("transfer", "0.1", "--to-lr", "1")
    assert ran.status == 2
    assert "pytorch-adamw" in ran.err


def test_the_laws_are_fits_with_their_range(run):
    words = (*ADAM, "--parameters", "1e9")
    body = json.loads(run(*words, "--json").out)
    assert [law["law"] for law in body["laws"]] == ["timescale", "optimal batch size"]
    assert "outside the fitted range" in body["laws"][0]["warning"]
    assert body["laws"][0]["fitted_range"] == [20, 1280]
    assert body["laws"][1]["fitted_range"] is None
    assert "Scaling laws" in run(*words).out


def test_the_laws_follow_tokens_and_parameters(run):
    words = ("transfer", "0.1", "--from", "pytorch-adamw", "--lr", "1e-3", "-B", "1000",
             "-N", "2e9", "--to-dataset-size", "4e9", "--parameters", "1e8",
             "--to-parameters", "2e8", "--json")  # fmt: skip
    body = json.loads(run(*words).out)
    (batch,) = body["laws"]
    assert batch["to_value"] == pytest.approx(1304.1, abs=0.05)
    epochs = json.loads(run(*words, "--epochs", "1").out)["laws"][0]
    assert epochs["value"] == epochs["to_value"]
    adam = ("transfer", "0.1", "--from", "pytorch-adam", "-B", "1000", "-N", "2e9",
            "--parameters", "1e8", "--json")  # fmt: skip
    assert len(json.loads(run(*adam).out)["laws"]) == 1
    without = ("transfer", "0.1", "--from", "pytorch-adamw", "--parameters", "1e8", "--json")
    assert json.loads(run(*without).out)["laws"] == []
    few = run(*without, "-B", "1000")
    assert json.loads(few.out)["laws"] == []
    assert "no scaling law: it needs the tokens of a step and of the run; give -B and -N" in few.err


def left(document):
    return [rule["survival"] for rule in document["rules"]]


def test_a_schedule_says_what_each_rule_leaves_of_a_weight(run):
    ran = run(*GOYAL, "--hold", "step", "--lr-rule", "none", "--schedule", "linear", "--json")
    rule = json.loads(ran.out)["rules"][0]
    steps = rule["sum_shrink"] / (rule["shrink"] / 2)
    assert steps == pytest.approx(90 * 157, rel=1e-3)
    assert rule["survival"] == pytest.approx(math.exp(-rule["sum_shrink"]), rel=0.02)
    assert "weight left" in run(*GOYAL, "--schedule", "linear").out
    assert "weight left" in run(*GOYAL, "--schedule", "linear", "--all").out
    assert "weight left" not in run(*GOYAL).out
    falling = json.loads(run(*GOYAL, "--decay-schedule", "linear", "--json").out)
    assert falling["rules"][0]["survival"] == pytest.approx(rule["survival"], rel=1e-3)


def test_a_schedule_that_was_given_is_followed_or_refused(run):
    short = run("transfer", "0.1", "--from", "pytorch-adamw", "--lr", "1e-3", "-B", "8",
                "--to-batch-size", "16", "--schedule", "cosine")  # fmt: skip
    assert (short.status, short.out) == (2, "")
    assert "a schedule needs steps" in short.err
    coupled = run("transfer", "0.1", "--from", "pytorch-adam", "--steps", "10", "-B", "8",
                  "--to-batch-size", "16", "--schedule", "cosine")  # fmt: skip
    assert (coupled.status, coupled.out) == (1, "")


def test_a_published_run_s_schedule_is_followed_where_it_fits(run):
    known = run("transfer", "--recipe", "resnet-50-goyal-256", "--to-batch-size", "8192", "--json")
    assert None not in left(json.loads(known.out))
    unknown = run("transfer", "--recipe", "deit-b", "--to-epochs", "1", "--json")
    assert left(json.loads(unknown.out)) == [None] * len(json.loads(unknown.out)["rules"])


def test_each_group_follows_the_schedule(run):
    ran = run(*GOYAL, "--schedule", "cosine", "--group", "head:lr*2", "--json")
    document = json.loads(ran.out)
    others = next(group for group in document["groups"] if group["name"] == "others")
    assert left(others) == left(document)


def test_the_new_run_has_its_code(run):
    ran = run(*ADAM, "--lr-rule", "sqrt", "--hold", "epoch", "--emit", "pytorch",
              "--schedule", "cosine:warmup=10")  # fmt: skip
    assert "lr=0.0012" in ran.out
    assert "0.2}" in ran.out
    assert "betas=(0.6, 0.8)" in ran.out
    assert "LambdaLR" in ran.out
    every = run(*ADAM, "--lr-rule", "sqrt", "--hold", "epoch", "--emit", "pytorch",
                "--decay-mask", "all")  # fmt: skip
    assert "model.parameters()" in every.out
    choose = run(*ADAM, "--emit", "pytorch")
    assert (choose.status, choose.out) == (2, "")


def test_code_keeps_the_old_betas_under_other_rules(run):
    ran = run(*ADAM, "--lr-rule", "none", "--hold", "epoch", "--emit", "optax", "--json")
    snippet = json.loads(ran.out)["snippet"]
    assert "b1=0.9" in snippet["code"]
    assert snippet["framework"] == "optax"
    markdown = run(*ADAM, "--lr-rule", "none", "--hold", "epoch", "--emit", "optax",
                   "--format", "md")  # fmt: skip
    assert "Code for optax" in markdown.out
    lines = run(*ADAM, "--lr-rule", "none", "--hold", "epoch", "--emit", "optax",
                "--format", "jsonl")  # fmt: skip
    assert json.loads(lines.out)["convention"] == "optax-adamw"


def test_another_convention_may_take_the_new_number(run):
    ran = run("transfer", "0.1", "--from", "pytorch-adamw", "--to", "big-vision", "--lr", "1e-3",
              "--to-lr", "1e-4", "--hold", "step", "--value")  # fmt: skip
    assert float(ran.out) == pytest.approx(1e-4, rel=1e-15)
    ran = run("transfer", "0.1", "--from", "pytorch-adamw", "--to", "big-vision", "--lr", "1e-3",
              "--to-batch-size", "8", "-B", "4", "--format", "jsonl")  # fmt: skip
    assert json.loads(ran.out.splitlines()[0])["to"] == "big-vision"


def test_target_quantities_join(run):
    ran = run("transfer", "0.1", "--from", "pytorch-sgd", "--lr", "1e-3", "--momentum", "0.9",
              "--to-momentum", "0.5", "--to-steps", "10", "--steps", "5", "--json")  # fmt: skip
    target = json.loads(ran.out)["target_run"]
    assert (target["momentum"], target["steps"]) == (0.5, 10)


def test_bad_numbers_are_one_line(run):
    for words in (
        ("--parameters", "x"), ("--parameters", "0"), ("--to-width-ratio", "0"),
        ("--to-depth-ratio", "0"),
        ("--to-epochs", "nan"),
        ("--parameters", "1e300", "--to-parameters", "1e-300"),
        ("--parameters", "1e9", "--to-batch-size", "1e160", "--to-steps", "1e160",
         "--to-dataset-size", "1e300"),
    ):  # fmt: skip
        ran = run(*GOYAL, *words)
        assert (ran.status, ran.out) == (2, "")
        assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    ("lr", "to_lr", "factor"),
    [
        ("0.1", "1.797e307", "1.797e+308"),
        ("0.1", "1e308", "1.000e+309"),
        ("1e308", "1e-9", "1e-317"),
        ("1e308", "1e-250", "1.000e-558"),
    ],
)
def test_a_factor_beyond_float64_is_shown_all_the_same(run, lr, to_lr, factor):
    ran = run("transfer", "0", "--from", "mean-l2", "--lr", lr, "--steps", "1", "--to-lr", to_lr,
              "--all")  # fmt: skip
    assert (ran.status, ran.err) == (0, "")
    assert f"lr ×{factor}," in ran.out


def test_a_run_of_more_steps_than_a_float_holds_is_refused_by_name(run):
    ran = run("transfer", "0", "--from", "mean-l2", "--recipe", "alexnet-2012",
              "--to-epochs", "1e305")  # fmt: skip
    assert (ran.status, ran.out) == (2, "")
    assert re.fullmatch(r"error: steps '\S+e\+30\d' (is beyond|must be finite).*\n", ran.err)


MATCH = ("transfer", "0.1", "--from", "pytorch-adamw", "--to", "keras-muon", "--lr", "3e-4",
         "--match", "update")  # fmt: skip


def test_a_match_gives_lr_and_number_with_its_conditions(run):
    ran = run(*MATCH)
    assert "matched (estimate)" in ran.out
    assert "noise dominates" in ran.out
    (rule,) = json.loads(run(*MATCH, "--json").out)["rules"]
    assert rule["lr"] == pytest.approx(3e-4 * (0.1 / 1.9) ** 0.5 / 0.2)
    assert (rule["name"], rule["equivalence"]) == ("update", "estimate")
    assert float(run(*MATCH, "--value").out) == rule["value"]


def test_a_match_is_derived(run):
    assert "to_lr = lr·0.229416/0.2" in run(*MATCH, "--explain").out


def test_a_match_is_a_rule_of_its_own(run):
    assert "leave out --lr-rule" in run(*MATCH, "--hold", "step").err
    assert "leave out --lr-rule" in run(*MATCH, "--lr-rule", "none").err
    ran = run("transfer", "0.1", "--from", "pytorch-adamw", "--lr", "1", "--match", "update")
    assert (ran.status, ran.err.count("\n")) == (2, 1)
    assert "needs --to" in ran.err


def test_depth_has_two_named_rules_on_one_screen(run):
    ran = run("transfer", "0.1", "--from", "pytorch-adamw", "--lr", "1e-3", "--to-depth-ratio", "4")
    words = " ".join(ran.out.split())
    for text in ("to depth × 4", "unchanged (completep)", "÷ √4 (depth-mup)", "completep: each"):
        assert text in words
    both = ("--to-width-ratio", "2", "--lr-rule", "depth-mup", "--hold", "depth", "--value")
    more = ("--from", "pytorch-adamw", "--lr", "1e-3", "--to-depth-ratio", "4", *both)
    assert run("transfer", "0.1", *more).out == "0.2\n"
    wide = run("transfer", "0.1", *more[:6], "--to-width-ratio", "2").out
    assert "÷ 2·√4 (depth-mup)" in wide
    assert "÷ 2 (completep)" in wide


def test_width_has_three_named_rules_on_one_screen(run):
    ran = run("transfer", "0.1", "--from", "pytorch-adamw", "--lr", "1e-3", "--to-width-ratio", "4")
    for words in ("0.4", "0.2", "mup: ", "sqrt-width: ", "independent: ", "λ ∝ √width"):
        assert words in ran.out


def test_a_longer_run_shows_the_interval_of_its_fits(run):
    words = ("transfer", "0.1", "--from", "pytorch-adamw", "--lr", "1e-3", "--steps", "1000",
             "--to-steps", "4000")  # fmt: skip
    assert "horizon (0.03896 to 0.05)" in run(*words).out
    lines = run(*words, "--all").out.splitlines()
    assert any("÷ √length" in line and "0.03896" in line for line in lines)


def test_code_of_a_match_has_no_betas_of_the_other_optimizer(run):
    words = ("transfer", "0.1", "--from", "pytorch-adamw", "--lr", "3e-4", "--betas", "0.8", "0.9")
    ran = run(*words, "--to", "keras-lion", "--match", "update", "--emit", "keras")
    assert "keras.optimizers.Lion(" in ran.out
    assert "beta" not in ran.out
    assert "beta_1=0.8" in run(*words, "--to", "keras-adamw", "--lr-rule", "none", "--hold", "step",
                               "--emit", "keras").out  # fmt: skip


@pytest.mark.parametrize(
    ("words", "number"),
    [
        # by hand: lr·λ/(1 - momentum) of the old run over to_lr, twice it over twice the batch
        ("1e-4 --from pytorch-sgd --lr 0.1 --momentum 0.9 --to pytorch-adamw --hold step", 0.1),
        ("1e-4 --from pytorch-sgd --lr 0.1 --momentum 0.9 --to pytorch-adamw --hold epoch", 0.2),
        ("0.1 --from pytorch-adamw --lr 1e-3 --to lion-pytorch --hold epoch", 0.2),
        ("0.01 --from lion-pytorch --lr 1e-2 --to pytorch-muon --hold step", 0.1),
    ],
)
def test_the_lr_of_another_optimizer_is_taken_where_it_is_given(run, words, number):
    batch = ("-B", "256", "--to-batch-size", "512", "--value")
    ran = run("transfer", *words.split(), *batch, "--to-lr", "1e-3")
    assert (ran.status, float(ran.out)) == (0, pytest.approx(number, rel=1e-12))
    without = run("transfer", *words.split(), *batch)
    assert (without.status, without.out) == (2, "")
    assert "needs to_lr; give --to-lr" in without.err


def test_an_optimizer_without_an_objective_holds_none(run):
    words = ("transfer", "1e-4", "--from", "pytorch-sgd", "--lr", "0.1", "--momentum", "0.9",
             "--to", "pytorch-adamw", "--to-lr", "1e-3")  # fmt: skip
    ran = run(*words, "--hold", "objective")
    assert (ran.status, ran.out) == (1, "")
    assert "it has a decay per step, and no objective that could be held" in ran.err
    rules = json.loads(run(*words, "--json").out)["rules"]
    assert {rule["hold"] for rule in rules} == {"step", "epoch", "run", "normalized"}


def test_a_network_counts_the_weights_that_a_convention_divides_by(run):
    words = ("transfer", "0.01", "--from", "mean-l2", "--to", "mean-over-weights-l2", "--lr", "0.1",
             "-B", "64", "--to-batch-size", "128", "--lr-rule", "linear",
             "--hold", "step")  # fmt: skip
    refused = run(*words, "--value")
    assert (refused.status, "give --arch" in refused.err) == (2, True)
    n_weights = 784 * 30 + 30 * 10
    found = run(*words, "-a", "784-30-10", "--value")
    assert float(found.out) == pytest.approx(0.01 * n_weights / 2, rel=1e-12)
    every = run(*words, "-a", "784-30-10", "--decay-mask", "all", "--value")
    assert float(every.out) == pytest.approx(0.01 * (n_weights + 40) / 2, rel=1e-12)
    layers = run(*(word.replace("mean-over-weights", "layer-mean") for word in words))
    assert (layers.status, "one number a layer" in layers.err) == (1, True)
    idle = run("transfer", "0.01", "--from", "caffe", "--lr", "1", "--to-lr", "2", "-a", "4-3")
    assert idle.last_error == "error: --arch counts weights, which do not enter caffe"


@pytest.mark.parametrize("words", ["--all", "--explain", "--parameters 1e6", "--to-parameters 1e6"])
def test_what_does_not_enter_code_is_refused(run, words):
    option, *number = words.split()
    ran = run(*ADAM, "--lr-rule", "sqrt", "--hold", "epoch", "--emit", "pytorch", option, *number)
    assert (ran.status, ran.out) == (2, "")
    assert ran.last_error == f"error: {option} does not enter --emit's code"
