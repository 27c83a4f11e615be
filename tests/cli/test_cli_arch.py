import json
import sys
import types
from functools import partial

import numpy as np
import pytest

from decaycalc.cli.main import main


@pytest.fixture
def run(run):
    return partial(run, "arch")


def document(run, *words):
    status, out, err = run(*words, "--json")
    assert (status, err) == (0, "")
    return json.loads(out)


def test_the_json_document_holds_totals_and_tensors(run):
    body = document(run, "resnet50")
    assert list(body)[:3] == ["schema", "schema_version", "version"]
    assert body["schema"] == "decaycalc.arch"
    assert (body["n_parameters"], body["n_decayed"], body["n_exempt"]) == (
        25_557_032, 25_502_912, 54_120,
    )  # fmt: skip
    assert (body["n_decayed_tensors"], body["n_exempt_tensors"]) == (54, 107)
    assert body["tensors"][0] == {
        "name": "conv1.weight",
        "shape": [64, 3, 7, 7],
        "n_weights": 9408,
        "n_stacked": 1,
        "role": "weight",
        "decayed": True,
        "decay_mult": 1.0,
        "lr_mult": 1.0,
        "init_variance": 2 / (64 * 49),
        "sum_of_squares": pytest.approx(6),
        "measured_sum_of_squares": None,
        "measured_rms": None,
        "penalty": None,
    }


def test_layer_widths_give_weights_and_biases(run):
    body = document(run, "784-300-100-10")
    assert (body["n_parameters"], body["n_decayed"], body["n_exempt"]) == (266_610, 266_200, 410)
    assert document(run, "784-300-100-10", "--no-bias")["n_parameters"] == 266_200
    assert document(run, "25.6e6")["n_decayed"] == 25_600_000


def test_a_value_gives_shrink_penalty_and_equilibrium(run):
    sgd = document(run, "resnet50", "1e-4", "--from", "pytorch-sgd", "--lr", "0.1")
    assert sgd["penalty"] == pytest.approx(2.26977, rel=1e-5)
    assert sgd["shrink"] == pytest.approx(1e-5)
    assert sgd["equilibrium_rms"] is None
    adam = document(run, "gpt2", "0.1", "--from", "pytorch-adamw", "--lr", "6e-4")
    assert adam["equilibrium_rms"] == pytest.approx(0.0547723, rel=1e-6)
    assert adam["groups"][0]["shrink"] == pytest.approx(6e-5)
    assert document(run, "gpt2", "0.1", "--from", "pytorch-adamw")["shrink"] is None


def test_masks_patterns_and_multipliers_reach_the_tensors(run):
    assert document(run, "gpt2", "--decay-mask", "no-embedding")["n_decayed"] == 84_934_656
    assert document(run, "resnet18", "--decay-only", "^fc")["n_decayed"] == 513_000
    assert (
        document(run, "resnet18", "--no-decay", "^layer", "--no-decay", "^fc")["n_decayed"] == 9408
    )
    body = document(run, "resnet18", "--group", "^fc:wd*0.5", "--classes", "10")
    assert [group["decay_mult"] for group in body["groups"]] == [1, 0.5, 0]
    assert body["n_classes"] == 10
    layered = document(run, "vit-tiny", "--layer-decay", "0.75", "--init", "lecun")
    assert len(layered["groups"]) == 28


def test_tables_show_totals_groups_and_tensors(run):
    status, out, err = run("784-300-100-10", "1e-4", "--from", "pytorch-sgd", "--lr", "0.1")
    assert (status, err) == (0, "")
    for text in ("266,610", "exempt", "3 bias", "fc1.weight", "300x784", "penalty"):
        assert text in out
    assert "Tensors" not in run("resnet18", "--depth", "0")[1]
    modules = run("resnet18", "--depth", "1")[1]
    assert "layer4" in modules
    assert "layer4.0" not in modules
    assert "Groups" not in run("1e6")[1]


def test_csv_has_one_row_a_tensor(run):
    lines = run("784-300-100-10", "--format", "csv")[1].splitlines()
    assert len(lines) == 7
    assert "300x784" in lines[1]
    assert len(run("1e6", "--format", "jsonl")[1].splitlines()) == 1
    assert "| fc1.weight" in run("784-10", "--format", "md")[1]


def test_groups_are_printed_ready_for_an_optimizer(run):
    status, out, _ = run("784-10", "0.05", "--from", "pytorch-adamw", "--groups", "json")
    assert status == 0
    assert json.loads(out) == [
        {"params": ["fc1.weight"], "weight_decay": 0.05},
        {"params": ["fc1.bias"], "weight_decay": 0.0},
    ]


def test_layer_decay_counts_real_layers(run):
    words = ("resnet50", "0.05", "--from", "timm-adamw", "--lr", "1e-3", "--layer-decay", "0.75")
    first = document(run, *words)["tensors"][0]
    assert first["name"] == "conv1.weight"
    assert first["lr_mult"] == pytest.approx(0.75**17, rel=1e-15)


def test_a_group_has_an_lr_and_a_decay_of_its_own(run):
    words = ("784-10", "0.01", "--from", "pytorch-adamw", "--lr", "2e-4")
    group = document(run, *words, "--group", "fc1:lr*16,wd=0.1")["groups"][0]
    assert (group["name"], group["lr"], group["weight_decay"]) == ("fc1", 0.0032, 0.1)
    assert group["shrink"] == pytest.approx(3.2e-4)


def test_groups_with_numbers_of_their_own_are_shown(run):
    out = run("784-10", "0.01", "--from", "pytorch-adamw", "--lr", "1e-3", "--group", "fc1:lr*4")[1]
    assert "Groups" in out
    assert "0.00004" in out


def test_a_multiple_of_lr_leaves_alone_what_does_not_follow_lr(run):
    words = ("784-10", "1e-4", "--from", "tfa-adamw", "--lr", "2e-4", "--group", "fc1:lr*16")
    assert document(run, *words)["groups"][0]["shrink"] == pytest.approx(1e-4)


def test_a_multiple_of_lr_is_written_only_where_lr_is_known(run):
    status, out, err = run("784-10", "--group", "fc1:lr*16", "--groups", "json")
    assert (status, out) == (2, "")
    assert "need an lr" in err
    words = ("784-10", "--lr", "1e-4", "--group", "fc1:lr*16", "--groups", "json")
    assert json.loads(run(*words)[1])[0] == {"params": ["fc1.weight"], "lr": 0.0016}


def test_stacked_layers_are_told_and_may_be_denied(run, tmp_path):
    path = tmp_path / "scan.json"
    path.write_text(json.dumps({"h/ln/scale": [12, 8], "h/fc/kernel": [12, 8, 24]}))
    words = (str(path), "--init", "he", "--decay-mask", "no-1d")
    status, out, err = run(*words, "--json")
    body = json.loads(out)
    assert status == 0
    assert "first axis of 2 tensors" in err
    assert "12 layers" in err
    assert body["notes"] == [err.removeprefix("warning: ").strip()]
    assert [tensor["n_stacked"] for tensor in body["tensors"]] == [12, 12]
    assert body["n_exempt"] == 96
    assert body["sum_of_squares"] == 12 * 2 * 24
    flat = document(run, *words, "--not-stacked")
    assert (flat["n_exempt"], flat["notes"]) == (0, [])
    status, _, err = run("resnet18", "--stacked")
    assert status == 2
    assert "layers of 'resnet18' are known" in err


def test_a_lora_plus_run_tells_the_decay_of_both_factors_and_of_their_product(run):
    words = ("gpt2", "0.01", "--from", "pytorch-adamw", "--lr", "2e-4", "--lora", "8,16")
    body = json.loads(run(*words, "--group", "lora_B:lr*16", "--json")[1])
    assert body["n_parameters"] == 12 * 8 * (768 + 3 * 768)
    assert [(group["name"], group["lr"]) for group in body["groups"]] == [
        ("decayed", 2e-4), ("lora_B", 0.0032),
    ]  # fmt: skip
    lora = body["lora"]
    assert (lora["rank"], lora["alpha"], lora["scale"]) == (8, 16, 2)
    assert (lora["a_shrink"], lora["b_shrink"]) == (pytest.approx(2e-6), pytest.approx(3.2e-5))
    assert lora["product_shrink"] == pytest.approx(1 - (1 - 2e-6) * (1 - 3.2e-5), rel=1e-9)
    assert lora["towards"] == "initial"
    assert "towards the base" in run(*words)[1]
    assert "peft's default" in run(*words)[2]
    status, out, err = run(*words, "--group", "lora_B:lr=0.0032", "--groups", "json")
    assert (status, err.count("warning")) == (0, 1)
    assert [group["lr"] for group in json.loads(out)] == [2e-4, 0.0032]


def test_a_files_low_rank_factors_are_told_as_well(run, tmp_path):
    path = tmp_path / "adapter.json"
    path.write_text(json.dumps({"q.lora_A.weight": [8, 64], "q.lora_B.weight": [32, 8]}))
    lora = document(run, str(path), "0.01", "--from", "pytorch-adamw", "--lr", "1e-3")["lora"]
    assert lora["rank"] is None
    assert lora["product_shrink"] == pytest.approx(2e-5 - 1e-10)
    assert document(run, str(path))["lora"]["product_shrink"] is None
    assert document(run, str(path), "--init", "he")["tensors"][1]["sum_of_squares"] == 0


def test_the_class_that_is_counted_is_named(run):
    """Some checkpoints' names stand for a class with a head, some for one without."""
    classes = {"bert-base": "BertModel", "electra-base": "ElectraForPreTraining",
               "albert-base": "AlbertForMaskedLM", "resnet18": None}  # fmt: skip
    assert {name: document(run, name)["class"] for name in classes} == classes
    assert "of BertModel" in run("bert-base", "--depth", "0")[1]


def test_measured_weights_stand_beside_expected_ones(run, tmp_path, monkeypatch):
    path = tmp_path / "m.npz"
    np.savez(path, **{"dense/kernel": np.full((4, 5), 2, np.float32)})
    body = document(run, str(path), "1", "--from", "mean-half-l2", "--measure")
    assert body["measured_sum_of_squares"] == 80
    assert body["penalty"] == 40
    assert "measured Σw²" in run(str(path), "--measure")[1]
    assert document(run, str(path))["measured_sum_of_squares"] is None
    written = []
    terminal = types.SimpleNamespace(isatty=lambda: True, write=written.append, flush=lambda: None)
    monkeypatch.setattr(sys, "stderr", terminal)
    assert main(["arch", str(path), "--measure", "--json"]) == 0
    assert "measuring" in "".join(written)


def test_names_with_control_characters_do_not_reach_the_terminal(run, tmp_path):
    path = tmp_path / "shapes.json"
    path.write_text(json.dumps({"a\u001b[31mb": [2, 2], "c\nd": [3, 3]}))
    out = run(str(path))[1]
    assert "\x1b" not in out
    assert r"a\x1b[31mb" in out
    assert r"c\nd" in run(str(path), "--depth", "1")[1]


def test_an_unknown_start_leaves_the_sums_of_modules_unknown(run, tmp_path):
    path = tmp_path / "shapes.json"
    path.write_text(json.dumps({"embed.weight": [2, 2]}))
    assert run(str(path), "--depth", "1")[1].splitlines()[-1].split()[-1] == "-"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("resnt50",), "did you mean 'resnet50'"),
        (("784--10",), "expected a layer width"),
        (("resnet18", "1e-4"), "give --from"),
        (("resnet18", "--from", "pytorch-sgd"), "give VALUE after SPEC"),
        (("resnet18", "--measure"), "needs a file with weights"),
        (("resnet18", "--group", "fc"), "group 'fc' must be REGEX:lr*FACTOR"),
        (("resnet18", "--group", "fc:lr"), "must be REGEX:lr*FACTOR"),
        (("resnet18", "--group", ":lr*2", "--json"), "must be REGEX:lr*FACTOR"),
        (("resnet18", "--group", "fc:wd*nan", "--json"), '"value": "nan"'),
        (("resnet18", "--layer-decay", "nan"), "layer decay"),
        (("gpt2", "--lora", "0.5"), "rank '0.5' must be"),
        (("gpt2", "--lora", "8,0"), "alpha 0.0 must be"),
        (("gpt2", "--lora-targets", "mlp"), "give --lora"),
        (("gpt2", "--lora", "8", "--measure"), "without it"),
        (("1e6", "--lora", "8"), "has none that fits"),
        (("resnet18", "--no-decay", "("), "regular expression"),
        (("resnet18", "--decay-mask", "nope"), "unknown decay mask"),
        (("resnet18", "--init", "nope"), "unknown initialiser"),
        (("resnet18", "--classes", "1"), "classes"),
        ((), "missing argument"),
    ],
)
def test_a_mistake_is_answered_in_one_line(run, words, text):
    status, out, err = run(*words)
    assert (status, out) == (2, "")
    assert text in err.splitlines()[-1].lower() or text in err.splitlines()[-1]
    assert "Traceback" not in err


@pytest.mark.parametrize("words", ["--momentum 0.9", "-B 8", "--optimizer sgd", "--lr-mult 2"])
def test_what_says_something_of_a_decay_needs_one(run, words):
    status, out, err = run("784-30-10", *words.split())
    assert (status, out) == (2, "")
    assert "says something of VALUE: give VALUE after SPEC" in err
    assert run("784-30-10", "--lr", "0.1")[0] == 0
