import csv
import io
import json
import shlex

import pytest

from decaycalc import __version__
from tests.renew import QUESTION

RESNET = "1e-4 --from pytorch-sgd --lr 0.1 --momentum 0.9 -B 256 -N 1281167 --epochs 90"
VALUES = {
    "5e-4 --from caffe --to keras-l2": "0.00025",
    "0.001 --from mean-l2 --to sum-l2 -N 60000": "60.0",
    "1e-4 --from keras-l2 --to sklearn-logistic -N 200": "25.0",
    "0.01 --from pytorch-adamw --to tfa-adamw --lr 1e-3": "1e-05",
    "5e-4 --from pytorch-sgd --lr 0.1 --momentum 0.9 --to keras-sgd": "0.005",
    "1e-4 --from keras-l2 --to pytorch-sgd": "0.0002",
    "0.0001 --from pytorch-sgd --to pytorch-sgd": "0.0001",
    "1/3 --from keras-l2 --to mean-l2": "0.3333333333333333",
    "0.3 --from sklearn-logistic --to pytorch-sgd -N 200": "0.016666666666666666",
    "1000 --from nielsen --to pytorch-sgd -N 50000": "0.02",
    "5e-4 --from pytorch-sgd --to prior-std -N 50000": "0.2",
    "1 --from sum-half-l2 --to pytorch-sgd -N 50000": "2e-05",
    "1e-4 --from sklearn-mlp-sgd --to pytorch-sgd -B 200": "5e-07",
    "1 --from sum-half-l2 --to batch-sum-half-l2 -N 50000 -B 128": "0.00256",
    "0.2 --from pytorch-adamw --to pytorch-adamw --lr 2e-3 --to-lr 2e-4": "2.0",
    "1e-4 --from composer-adamw --to pytorch-adamw --lr 1e-3": "0.1",
    "0.025 --from adamw-normalized --to per-step-shrink -N 50000 -B 128 --epochs 1500":
        "3.265986323710904e-05",
    "0.9 --from per-step-factor --to per-step-shrink": "0.1",
    "1e-3 --from per-step-shrink --to ema-timescale-steps": "1000.0",
}  # fmt: skip


def convert(run, line, *more):
    return run("convert", *shlex.split(line), *more)


def document(run, line):
    ran = convert(run, line, "--json")
    assert ran.status == 0, ran.err
    return json.loads(ran.out)


@pytest.mark.parametrize(("line", "value"), VALUES.items(), ids=list(VALUES))
def test_the_bare_value_is_the_shortest_that_reads_back(run, line, value):
    ran = convert(run, line, "--value")
    assert (ran.status, ran.out) == (0, f"{value}\n")
    assert repr(float(value)) == value


def test_matching_the_decay_takes_the_exact_root(run):
    line = "5e-4 --from pytorch-sgd --lr 0.1 --momentum 0.9 --to keras-sgd --match decay"
    assert float(convert(run, line, "--value").out) == pytest.approx(0.005022716321081422, rel=1e-9)


def test_a_real_recipe(run):
    shown = document(run, RESNET)
    assert shown["run"]["steps_per_epoch"] == 5005
    assert shown["shrink"] == shown["strength"] == 1e-4
    decay = shown["decay"]
    assert decay["first_order_shrink"] == 1e-4
    assert decay["per_step_shrink"] == pytest.approx(1.00090171e-4, rel=1e-8)
    assert decay["timescale_steps"] == 10000
    assert decay["timescale_epochs"] == pytest.approx(1.9982, rel=1e-4)
    assert decay["timescale_run_fraction"] == pytest.approx(10000 / 450450, rel=1e-15)
    assert decay["half_life_steps"] == pytest.approx(6924.88, rel=1e-6)
    assert decay["oscillating"] is False


def test_the_founding_question(run):
    shown = document(run, QUESTION)
    penalty = shown["penalty"]
    assert penalty["coefficient_mean_loss"] == 0.001
    assert penalty["coefficient_batch_sum"] == 0.128
    assert penalty["coefficient_dataset_sum"] == 60
    assert penalty["per_weight_coefficient"] == 266.2
    assert penalty["n_weights"] == 266200
    assert penalty["sum_of_squares"] == pytest.approx(820)
    assert penalty["value"] == pytest.approx(0.82)
    assert penalty["initial_loss"] == pytest.approx(2.302585093)
    assert penalty["share_of_initial_loss"] == pytest.approx(0.82 / 2.302585093)
    assert [layer["per_step_shrink"] for layer in penalty["layers"]] == [2e-4] * 3
    assert [layer["per_step_shrink_if_normalized"] for layer in penalty["layers"]] == (
        pytest.approx([2e-4 / (3 * n) for n in (235200, 30000, 1000)])
    )


def test_the_document_has_the_promised_keys_and_no_others_are_missing(run):
    shown = document(run, QUESTION + " --epochs 10")
    assert list(shown)[:3] == ["schema", "schema_version", "version"]
    assert (shown["schema"], shown["schema_version"]) == ("decaycalc.convert", 1)
    assert shown["version"] == __version__
    assert set(shown) >= {
        "source", "run", "target_run", "strength", "shrink", "decay", "penalty", "conversions",
        "unavailable", "warnings",
    }  # fmt: skip
    assert shown["source"] == {"convention": "mean-l2", "parameter": "lam", "value": 0.001}
    assert shown["target_run"] is None
    assert set(shown["decay"]) >= {
        "per_step_factor", "per_step_shrink", "first_order_shrink", "per_epoch_factor",
        "per_run_factor", "half_life_steps", "half_life_epochs", "timescale_steps",
        "timescale_epochs", "timescale_run_fraction", "oscillating",
    }  # fmt: skip
    unknown = {name for name, value in shown["decay"].items() if value is None}
    assert unknown <= {"per_step_factor_with_gradient"}
    assert set(shown["penalty"]) >= {
        "coefficient_mean_loss", "coefficient_batch_sum", "coefficient_dataset_sum",
        "per_weight_coefficient", "n_weights", "sum_of_squares", "value", "initial_loss",
        "share_of_initial_loss", "layers",
    }  # fmt: skip
    assert set(shown["penalty"]["layers"][0]) == {
        "name", "n_weights", "sum_of_squares", "value", "share", "per_step_shrink",
        "per_step_shrink_if_normalized",
    }  # fmt: skip
    assert set(shown["conversions"][0]) >= {
        "convention", "parameter", "value", "lr", "equivalence", "formula", "note",
    }  # fmt: skip
    assert shown["warnings"] == []


def test_a_short_last_batch_is_told_where_it_makes_a_hundredth(run):
    near = convert(run, "1e-3 --from mean-l2 --lr 0.1 -N 60000 -B 128")
    assert near.err == ""
    ran = convert(run, "1e-3 --from mean-l2 --lr 0.1 -N 1000 -B 300")
    assert "an epoch is 4 steps, N/B is 3.33333" in ran.err


def test_what_is_out_of_reach_says_what_it_lacks(run):
    shown = document(run, "0.01 --from pytorch-adamw")
    missing = {entry["convention"]: entry for entry in shown["unavailable"]}
    assert missing["tfa-adamw"] == {
        "convention": "tfa-adamw", "reason": "missing", "missing": ["lr"],
        "message": "pytorch-adamw to tfa-adamw needs lr",
    }  # fmt: skip
    shown = document(run, "0.01 --from pytorch-adam")
    (adamw,) = [e for e in shown["unavailable"] if e["convention"] == "pytorch-adamw"]
    assert (adamw["reason"], adamw["missing"]) == ("no-equivalent", [])
    assert "shrinks the weight itself" in adamw["message"]


def test_no_decay_converts_where_it_can_and_says_so_where_not(run):
    shown = document(run, "0 --from mean-l2 -N 100 --lr 0.1")
    values = {entry["convention"]: entry["value"] for entry in shown["conversions"]}
    assert values["pytorch-sgd"] == values["sum-l2"] == 0
    reasons = {entry["convention"]: entry["message"] for entry in shown["unavailable"]}
    assert reasons["sklearn-logistic"] == "without decay C would be infinite"
    assert shown["decay"]["half_life_steps"] is shown["decay"]["timescale_steps"] is None


def test_without_a_value_the_formulas_alone_are_given(run):
    shown = document(run, "--from keras-l2 --to sklearn-logistic")
    assert shown["conversions"][0]["formula"] == "C = 1/(2·N·l2)"
    assert shown["conversions"][0]["value"] is shown["decay"] is shown["strength"] is None
    text = convert(run, "--from keras-l2 --to sklearn-logistic").out
    assert "C = 1/(2·N·l2)" in text
    assert "Decay" not in text


def test_the_targets_lr_follows_the_loss_scale(run):
    shown = document(run, QUESTION + " --to sum-l2 --to batch-sum-l2 --to keras-l2")
    lrs = [entry["lr"] for entry in shown["conversions"]]
    assert lrs == [pytest.approx(0.1 / 60000, rel=1e-15), 0.00078125, None]


def test_a_target_run_is_shown_whole(run):
    shown = document(run, RESNET + " --to keras-sgd --to-momentum 0.95 --to-batch-size 512")
    target = shown["target_run"]
    assert (target["momentum"], target["batch_size"], target["lr"]) == (0.95, 512, 0.1)
    assert (target["epochs"], target["steps"]) == (90, 90 * 2503)


def test_every_convention_in_reach_with_all(run):
    few, many = document(run, RESNET), document(run, RESNET + " --all")
    assert len(many["conversions"]) > 5 * len(few["conversions"])
    assert len(few["conversions"]) + len(few["unavailable"]) in range(12, 22)


def test_one_number_a_layer(run):
    shown = document(run, "1 --from layer-mean-l2 --to mean-l2 -a 784-300-100-10")
    (only,) = shown["conversions"]
    assert only["value"] is None
    assert only["layers"] == [
        {"name": "fc1", "value": 1 / (3 * 235200)},
        {"name": "fc2", "value": 1 / (3 * 30000)},
        {"name": "fc3", "value": 1 / 3000},
    ]
    text = convert(run, "1 --from layer-mean-l2 --to mean-l2 -a 784-300-100-10").out
    assert " By layer   layer        value\n" in text
    everything = convert(run, "1 --from layer-mean-l2 -a 784-300-100-10").out
    assert "differs by layer" in everything
    assert "a wide layer's λ decays each of them less" in everything.replace("\n", " ")


def test_an_oscillating_decay_is_told(run):
    ran = convert(run, "5e-4 --from pytorch-sgd --lr 0.1 --momentum 0.99 --to keras-sgd")
    assert "warning: the decay oscillates" in ran.err
    assert (
        convert(run, "5e-4 --from pytorch-sgd --lr .1 --momentum .99 --to keras-sgd -q").err == ""
    )


def test_a_decay_lost_in_rounding_is_told(run):
    ran = convert(run, "0.1 --from pytorch-adamw --lr 3e-4 --to tfa-adamw --dtype bfloat16")
    assert "lost in bfloat16 rounding: no weight moves" in ran.err
    assert (
        convert(run, "0.1 --from pytorch-adamw --lr 3e-4 --to tfa-adamw --dtype float32").err == ""
    )


def test_a_frameworks_default_is_told(run):
    ran = convert(run, "1 --from sklearn-elastic-net --to mean-half-l2 --value")
    note = "note: l1_ratio 0.5 is assumed: not given: the default of sklearn-elastic-net\n"
    assert (ran.out, ran.err) == ("0.5\n", note)


def test_a_schedule_is_shown_beside_the_constant_lr(run):
    ran = convert(run, RESNET + " --schedule cosine --to keras-l2")
    assert "over the schedule: sum of the decays" in ran.out


def test_the_classes_may_be_given(run):
    shown = document(run, "1e-4 --from pytorch-sgd -a 25.6e6 --classes 1000 --to keras-l2")
    assert shown["penalty"]["initial_loss"] == pytest.approx(6.907755279)
    assert shown["penalty"]["per_weight_coefficient"] == 1280
    assert shown["penalty"]["value"] is None


def test_csv_and_json_lines_hold_a_row_a_conversion(run):
    line = RESNET + " --to keras-l2 --to keras-sgd"
    rows = list(csv.DictReader(io.StringIO(convert(run, line, "--format", "csv").out)))
    assert [row["convention"] for row in rows] == ["keras-l2", "keras-sgd"]
    assert float(rows[0]["value"]) == 5e-5
    lines = convert(run, line, "--format", "jsonl").out.splitlines()
    assert [json.loads(text)["value"] for text in lines] == [5e-5, 1e-3]


def test_markdown_has_the_same_tables(run):
    text = convert(run, QUESTION, "--format", "md").out
    heads = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("|")]
    titles = ("Decay", "Penalty", "λ beside a loss that is", "Elsewhere")
    assert [head for head in heads if head in titles] == list(titles)
    assert "| fc1 | 235,200 | 0.6 |" in text


def test_the_decay_table_says_why_there_is_none(run):
    assert "--gradient-rms gives an estimate" in convert(run, "1 --from pytorch-adam").out
    adagrad = convert(run, "1 --from pytorch-adagrad").out
    assert "the penalty joins the gradient: its decay per step is not known" in adagrad
    assert "the decay per step needs --lr" in convert(run, "1 --from pytorch-adamw").out
    assert "differs by layer: give --arch" in convert(run, "1 --from layer-mean-l2").out
    assert "has length λ whatever" in convert(run, "1 --from l2-norm").out


def test_the_golden_layers_sum_to_the_golden_total(request):
    text = (request.path.parents[1] / "golden" / "founding-question.txt").read_text(
        encoding="utf-8"
    )
    layers = [line.split() for line in text.splitlines() if line.startswith(" fc")]
    assert sum(int(words[1].replace(",", "")) for words in layers) == 266200
    assert sum(float(words[2]) for words in layers) == pytest.approx(0.82)
    assert sum(float(words[3]) for words in layers) == pytest.approx(100, abs=0.1)


@pytest.mark.parametrize("columns", ["80", "100", "120"])
def test_a_narrow_terminal_loses_no_number(run, monkeypatch, columns):
    wide = convert(run, QUESTION).out
    monkeypatch.setenv("COLUMNS", columns)
    narrow = convert(run, QUESTION).out
    assert "…" not in narrow
    assert max(map(len, narrow.splitlines())) <= int(columns)
    numbers = {word for word in wide.split() if word[0].isdigit() and word[-1].isdigit()}
    assert numbers <= set(narrow.split()) | {"λ/(L·weights)"}


def test_piped_tables_keep_their_natural_width(run):
    assert max(map(len, convert(run, RESNET).out.splitlines())) > 80


@pytest.mark.parametrize(
    ("source", "target", "number"),
    [("timm-csgdw", "caffe", 5e-6), ("caffe", "timm-csgdw", 2e-3), ("timm-sgdp", "caffe", None)],
)
def test_an_lr_that_cancels_is_not_asked_for_by_what_is_said_of_the_long_run(
    run, source, target, number
):
    words = ("convert", "1e-4", "--from", source, "--to", target, "--momentum", "0.95", "--value")
    ran = run(*words)
    assert "needs lr" not in ran.err
    assert number is None or float(ran.out) == pytest.approx(number, rel=1e-12)
