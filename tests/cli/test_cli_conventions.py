"""`decaycalc conventions`: the list, its filters, one record whole."""

import json

import pytest

from decaycalc.cli.main import main
from decaycalc.conventions.catalogue import conventions
from decaycalc.conventions.selection import select
from decaycalc.errors import UnknownNameError


def document(*words, capsys):
    assert main(["conventions", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_list_holds_every_convention(capsys):
    records = document(capsys=capsys)["conventions"]
    assert [record["key"] for record in records] == [c.key for c in conventions()]


def test_a_record_has_the_promised_keys(capsys):
    (record,) = document("torch-adamw", capsys=capsys)["conventions"]
    promised = {
        "key", "aliases", "title", "parameter", "invariant", "formula", "update", "default",
        "exempt", "follows_schedule", "coupling", "trap", "source", "verification",
    }  # fmt: skip
    assert promised <= set(record)
    assert record["key"] == "pytorch-adamw"
    assert record["default"] == 0.01
    assert record["formula"] == "shrink = lr·weight_decay"


def test_one_framework_is_listed(capsys):
    keys = [
        record["key"] for record in document("--framework", "keras", capsys=capsys)["conventions"]
    ]
    assert "keras-l2" in keys
    assert all(key.startswith("keras") for key in keys)


def test_filters_narrow_each_other():
    chosen = select(search="LAMB", invariant="none")
    assert {"optax-lamb"} <= {convention.key for convention in chosen}
    assert all(convention.invariant is None for convention in chosen)
    assert all(c.invariant == "shrink" for c in select(invariant="shrink"))


@pytest.mark.parametrize(
    ("word", "key"),
    [
        ("sparse", "mxnet-adam"),  # what is exempt
        ("clipped before", "caffe"),  # the trap
        ("width_mult", "mup-adamw"),
        ("if u*w >= 0", "nanochat-muon"),  # the rule
        ("train_gpt2.cu", "llm-c"),  # the source
        ("not pass its", "hf-trainer-galore"),  # the refusal
        ("tinygrad 0.13.0", "tinygrad-muon-0-13"),
    ],
)
def test_a_search_reads_rules_traps_sources_and_exemptions_too(word, key):
    assert key in {record.key for record in select(search=word)}


@pytest.mark.parametrize("arguments", [(), ("--framework", "keras"), ("--all",)])
def test_a_list_tells_the_newest_release_that_was_executed(run, arguments):
    assert "keras 3.15.1" in " ".join(run("conventions", *arguments).out.split())


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"framework": "kerras"}, "unknown framework 'kerras'; did you mean 'keras'"),
        ({"search": "xyzzy"}, "unknown convention with 'xyzzy'"),
    ],
)
def test_filters_that_leave_nothing_say_so(wanted, message):
    with pytest.raises(UnknownNameError) as error:
        select(**wanted)
    assert message in str(error.value)


def test_the_tables_show_the_list_and_one_record(capsys):
    assert main(["conventions", "--framework", "caffe"]) == 0
    assert "loss + ½λΣw², λ = weight_decay" in capsys.readouterr().out
    assert main(["conventions", "l2-norm", "--format", "md"]) == 0
    assert "no number because" in capsys.readouterr().out


def test_an_unknown_key_suggests_the_nearest(capsys):
    assert main(["conventions", "pytorch-sdg"]) == 2
    assert "did you mean 'pytorch-sgd'" in capsys.readouterr().err


def test_the_bare_command_begins_with_the_groups_and_shows_the_common_ones(run):
    ran = run("conventions", "--width", "80")
    lines = ran.out.splitlines()
    assert len(lines) <= 75
    assert max(map(len, lines)) <= 80
    assert "conventions of" in lines[0]
    assert "PyTorch's ecosystem" in ran.out
    assert "mean + ½λΣw², λ = 2·lam" in ran.out
    assert "sklearn-mlp-sgd" not in ran.out
    assert "sklearn-mlp-sgd" in run("conventions", "--all").out


def test_a_frameworks_name_lists_its_own(run):
    ran = run("conventions", "keras")
    assert "keras-l2" in ran.out
    assert "pytorch-sgd" not in ran.out
    assert "no single number" in ran.out
    assert run("conventions", "keras", "--json").out.count('"key"') > 10


def test_the_screen_never_says_loss_scale(run):
    assert "loss_scale" not in run("conventions", "--all").out
    for key in ("mean-over-weights-l2", "layer-mean-l2", "yolov5", "gal-dropout", "caffe"):
        assert "loss_scale" not in run("conventions", key).out


def test_a_list_of_what_was_only_read_tells_no_release(run):
    assert "Executed in" not in run("conventions", "--framework", "burn").out
