"""What a run's decay really does: inspect, as Python and as a command."""

import io
import json
import sys
from functools import partial

import pytest

import decaycalc
from decaycalc.cli.main import main
from decaycalc.conventions.run import Run
from decaycalc.errors import InvalidValueError, NoEquivalentError
from decaycalc.inspection import inspect
from decaycalc.training.chosen import chosen, typed

TRAINER = (
    "per_device_train_batch_size: 8\ngradient_accumulation_steps: 4\nlearning_rate: 5e-5\n"
    "weight_decay: 0.01\nnum_train_epochs: 3\nlr_noise: 1\n"
)
AUTO = (
    "task: detect\nmode: train\nepochs: 200\nbatch: 24\noptimizer: auto\nlr0: 0.01\nlrf: 0.01\n"
    "momentum: 0.937\nweight_decay: 0.0005\n"
)
KEYS = {
    "source", "convention", "value", "run", "schedule", "decay_schedule", "quantities", "exempt",
    "groups", "shrink", "sum_shrink", "survival", "timescale_steps", "timescale_epochs",
    "timescale_run_fraction", "alternatives", "findings", "missing", "not_used",
}  # fmt: skip


@pytest.fixture
def write(tmp_path):
    def put(name, text):
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return put


@pytest.fixture
def run(run):
    return partial(run, "inspect")


def test_a_fine_tune_is_inspected_with_its_groups(write):
    found = inspect(write("train.yaml", TRAINER), run=Run(dataset_size=100_000, world_size=2))
    document = found.to_dict()
    assert set(document) >= KEYS
    assert document["source"]["kind"] == "hf-trainer"
    assert document["run"]["examples_per_step"] == 64
    assert document["run"]["steps"] == 4689
    decayed, exempt = document["groups"]
    assert decayed["shrink"] == pytest.approx(5e-7)
    assert decayed["survival"] == pytest.approx(0.99883, abs=1e-5)
    assert (exempt["weight_decay"], exempt["survival"]) == (0, 1)
    assert document["sum_shrink"] == pytest.approx(5e-7 * 4690 / 2, rel=1e-3)
    assert document["not_used"] == ["lr_noise"]


def test_the_api_takes_quantities_by_name(write):
    found = decaycalc.inspect(write("train.yaml", TRAINER), dataset_size=100_000, world_size=2)
    assert isinstance(found.training, decaycalc.Training)
    assert found.training.run.examples_per_step == 64
    with pytest.raises(InvalidValueError, match="none of this one run's"):
        decaycalc.inspect("resnet-50-he", to_lr=1)


def test_two_readings_are_both_inspected(write):
    document = inspect(write("args.yaml", AUTO)).to_dict()
    (other,) = document["alternatives"]
    assert document["shrink"] == pytest.approx(5.625e-5)
    assert (other["convention"], other["shrink"]) == ("ultralytics-adamw", None)
    assert "auto" in other["source"]["title"]


def test_multipliers_of_a_layer_make_its_group(write):
    write(
        "net.prototxt",
        'layer { name: "a" param { lr_mult: 2 decay_mult: 3 } param { lr_mult: 0 } }',
    )
    text = 'net: "net.prototxt" base_lr: 0.1 weight_decay: 1e-3 max_iter: 10'
    found = inspect(write("solver.prototxt", text)).to_dict()
    first, second = found["groups"]
    assert (first["lr"], first["weight_decay"]) == (0.2, 0.003)
    assert first["shrink"] == pytest.approx(6e-4)
    assert second["shrink"] == 0


def test_a_published_run_is_inspected_too():
    document = inspect("resnet-50-rsb-a2").to_dict()
    assert (document["convention"], document["read_as"]) == ("timm-lamb", "pytorch-adamw")
    assert document["shrink"] == pytest.approx(1e-4)


def test_what_is_given_takes_the_place_of_the_files(write):
    found = inspect(write("train.yaml", TRAINER), run=Run(lr=1, steps=10), schedule="constant")
    assert found.training.schedule == "constant"
    assert found.figures.sum_shrink == pytest.approx(0.1)
    assert {q.name: q.origin for q in found.training.quantities}["lr"] == "given"


def test_nesterov_and_loss_are_given_too(write):
    path = write("args.yaml", AUTO.replace("auto", "SGD"))
    found = inspect(path, run=Run(momentum="0.9", nesterov=True, loss="mean"))
    origins = {q.name: q.origin for q in found.training.quantities}
    assert (origins["nesterov"], origins["loss"], origins["momentum"]) == ("given",) * 3


def test_a_decay_that_grows_without_bound_is_refused_in_one_line(write):
    text = "opt: adamw\nlr: 1e-3\nepochs: 100\nweight_decay: 1e4\n"
    with pytest.raises(InvalidValueError, match="grow without bound"):
        inspect(write("args.yaml", text), run=Run(dataset_size=20000))


def test_a_run_of_endless_steps_is_not_followed(write):
    found = inspect(write("train.yaml", TRAINER), run=Run(steps=10**12))
    assert found.figures.survival is None
    assert any("too many to follow" in note for note in found.training.notes)


def test_lengths_in_epochs_wait_for_the_steps_of_one(write):
    text = "opt: adamw\nlr: 1e-3\nepochs: 100\nweight_decay: 0.05\n"
    found = inspect(write("args.yaml", text), run=Run(steps=500))
    assert found.figures.survival is None


def test_a_number_that_is_not_the_decay_is_refused_where_it_is_converted(write):
    path = write("a.yaml", TRAINER + "optim: lomo\n")
    assert inspect(path).figures.shrink is None
    with pytest.raises(NoEquivalentError, match="does not pass weight_decay"):
        chosen(typed(), path)


def test_the_table_shows_the_run_and_the_groups(write, run):
    path = write("train.yaml", TRAINER)
    status, out, err = run(path, "-N", "100000", "--world-size", "2")
    assert status == 0
    assert "Hugging Face Trainer" in out
    assert "64 = 8 × 4 × 2" in out
    assert "3 epochs, 4,689 steps" in out
    assert "never" in out
    assert "not read: lr_noise" in out
    assert "by default (transformers 5.24.0): eps 1e-8" in out  # what the table has no row for
    assert not err


@pytest.mark.parametrize("source", ["resnet-50-he", "vit-l-jft", "resnet-50-rsb-a2"])
def test_the_table_of_a_published_run_says_what_is_not_known(run, source):
    status, out, _ = run(source)
    assert status == 0
    assert source in out


def test_two_readings_and_a_refusal_are_shown(write, run):
    out = run(write("args.yaml", AUTO))[1]
    assert "at most 10,000 iterations" in " ".join(out.split())
    assert "not known" in out
    assert "does not pass" in run(write("a.yaml", TRAINER + "optim: lomo\n"))[1]


def test_many_groups_are_cut_short(write, run):
    layers = "".join(f'layer {{ name: "l{i}" param {{ lr_mult: 2 }} }} ' for i in range(20))
    write("net.prototxt", layers)
    out = run(write("s.prototxt", 'net: "net.prototxt" base_lr: 0.1 weight_decay: 1e-3'))[1]
    assert "and 8 groups more" in out


def test_devices_that_a_launcher_gives_are_told(write, run):
    text = "torchrun --nproc_per_node 2 t.py --num_train_epochs 1 --per_device_train_batch_size 4\n"
    assert "devices: line 1, the launcher" in run(write("run.sh", text))[1]


def test_a_pipe_is_read_with_its_kind(monkeypatch, run):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"weight_decay: 0.1\n")))
    status, out, _ = run("-", "--kind", "hf-trainer", "--json")
    assert (status, json.loads(out)["value"]) == (0, 0.1)


def test_a_kind_without_a_file_is_refused(capsys):
    assert main(["convert", "1e-4", "--from", "caffe", "--kind", "timm"]) == 2
    assert "--kind needs a file" in capsys.readouterr().err


def test_rows_are_the_groups(write, run):
    out = run(write("train.yaml", TRAINER), "--format", "csv")[1]
    assert out.splitlines()[0].startswith("source,kind,convention,value,schedule,name")
    assert len(out.splitlines()) == 3
    assert "beta2 0.999" in out.splitlines()[1]


def test_a_whole_batch_says_which_key_it_is(write, run):
    text = "train_batch_size: 256\nzero_optimization:\n  stage: 2\n"
    assert "train_batch_size" in run(write("ds.yaml", text))[1]


@pytest.mark.parametrize(
    ("line", "where"),
    [
        ("adam_beta2: 0.95\n", "default (transformers 5.24.0); line 7, adam_beta2"),
        ("adam_beta1: 0.8\nadam_beta2: 0.95\n", "line 7, adam_beta1"),
        ("", "default (transformers 5.24.0)"),
    ],
)
def test_each_of_the_betas_says_where_it_is_from(write, capsys, line, where):
    path = write("a.yaml", f"{TRAINER}{line}")
    assert main(["inspect", path, "--width", "200"]) == 0
    row = next(each for each in capsys.readouterr().out.splitlines() if each.startswith(" betas"))
    assert row.rstrip().endswith(where)
