"""Every kind of complaint: its status, its one line, an empty stdout."""

import io
import json
import shlex
import subprocess
import sys

import pytest

from decaycalc.cli.foreign_flags import ours
from decaycalc.cli.main import main

TO_SUM = "--from mean-l2 --to sum-l2"
NUMBER = "is not a number such as 0.001, 1e-3 or 1/3"

BAD = {
    # names
    "1 --from pytorch-sdg": "unknown convention 'pytorch-sdg'; did you mean 'pytorch-sgd' or "
    "'pytorch-asgd' or 'pytorch-adam'? ('decaycalc conventions' lists them)",
    f"1 {TO_SUM} -N 9 --dtype float31": "unknown dtype 'float31'; did you mean 'float32' or "
    "'float16' or 'float'? (float64, float32, float16, bfloat16)",
    f"1 {TO_SUM} -a 3-2 --decay-mask x": "unknown decay mask 'x' (one of all, no-bias, no-1d, "
    "no-norm, no-bias-norm, no-embedding, timm, hf, matrices, olmo, open-clip, ultralytics)",
    f"1 {TO_SUM} --decay-mask all": "--decay-mask needs a network: give --arch",
    f"1 {TO_SUM} --init he": "--init needs a network: give --arch",
    f"1 {TO_SUM} --no-bias": "--no-bias needs a network: give --arch",
    f"1 {TO_SUM} --classes 10": "--classes needs a network: give --arch",
    # what is missing
    f"1 {TO_SUM} --value": "mean-l2 to sum-l2 needs dataset_size; give -N",
    "1 --from pytorch-adamw --to tfa-adamw": "pytorch-adamw to tfa-adamw needs lr; give --lr",
    "1 --from mean-l2 --to half-life-epochs": "mean-l2 to half-life-epochs needs lr, "
    "dataset_size, batch_size; give --lr and -N and -B",
    "--from caffe --emit pytorch --lr 1": "--emit needs value; give a VALUE",
    "1 --from per-run-factor --to per-step-shrink": "per-run-factor to per-step-shrink needs "
    "steps; give --steps (or --epochs with -N and -B)",
    "1 --from layer-mean-l2 --to mean-l2": "layer-mean-l2 to mean-l2 needs n_weights; give --arch",
    "1": "give --from, what VALUE is in: pytorch-sgd, pytorch-adamw, keras-l2, keras-adamw, "
    "optax-adamw, sklearn-logistic, mean-l2, sum-l2 ('decaycalc conventions' lists all)",
    "run.yaml": f"VALUE 'run.yaml' {NUMBER}",
    "resnet-50-he --from caffe": "'resnet-50-he' names a published run, not a number: give "
    "--recipe resnet-50-he",
    "resnet-50": f"VALUE 'resnet-50' {NUMBER}",
    # hostile numbers
    f"-1 {TO_SUM}": "VALUE -1 must not be negative",
    f"-1e-4 {TO_SUM}": "VALUE -1e-4 must not be negative",
    f"{TO_SUM} -- -1": "lam -1 must not be negative",
    f"nan {TO_SUM}": "lam 'nan' must be finite, below 1.8e308",
    f"inf {TO_SUM}": "lam 'inf' must be finite, below 1.8e308",
    f"1e400 {TO_SUM}": "lam '1e400' must be finite, below 1.8e308",
    f"1e999999999 {TO_SUM}": "lam '1e999999999' must be finite, below 1.8e308",
    f"1e308/1e-308 {TO_SUM}": "lam '1e308/1e-308' must be finite, below 1.8e308",
    f"1e-400 {TO_SUM}": "lam '1e-400' is below float64's range",
    f"'' {TO_SUM}": f"lam '' {NUMBER}",
    f"' ' {TO_SUM}": f"lam ' ' {NUMBER}",
    f"abc {TO_SUM}": f"lam 'abc' {NUMBER}",
    f"1_ {TO_SUM}": f"lam '1_' {NUMBER}",
    f"1 {TO_SUM} -N 60,000": "dataset_size '60,000' has a comma: write 60000, or 60.000 if that is "
    "meant",
    f"١ {TO_SUM}": f"lam '١' {NUMBER}",
    f"1/0 {TO_SUM}": "lam '1/0' divides by zero",
    f"1 {TO_SUM} --lr -1": "lr -1 must be positive",
    f"1 {TO_SUM} --lr nan": "lr 'nan' must be finite, below 1.8e308",
    f"1 {TO_SUM} --lr ''": f"lr '' {NUMBER}",
    f"1 {TO_SUM} -N 0": "dataset_size 0 must be positive",
    f"1 {TO_SUM} --momentum 1": "momentum 1 must be at least 0 and below 1",
    f"1 {TO_SUM} --grad-accum 1.5": "grad_accum 1.5 must be a whole number",
    f"1 {TO_SUM} --classes 1": "classes '1' must be a whole number of at least 2",
    "1e308 --from mean-half-l2 --to sum-half-l2 -N 1e10": "lam '1.000e+318' is beyond float64's "
    "range",
    "1e308 --from mean-l2 --to keras-l2": "strength '2.000e+308' is beyond float64's range",
    # zeros that mean nothing
    "0 --from sklearn-logistic --to keras-l2 -N 9": "C 0 must be above 0: it divides",
    "0 --from half-life-steps --to per-step-shrink": "half_life 0 must be above 0",
    "0 --from prior-std --to mean-l2 -N 9": "sigma 0 must be above 0: it divides",
    "2 --from per-step-factor --to per-step-shrink": "factor 2 must be above 0 and at most 1",
    # contradictions
    f"1 {TO_SUM} -N 10 -B 20": "dataset_size 10 is below the 20 examples of one step",
    f"1 {TO_SUM} -N 100 -B 10 --epochs 10 --steps 7": "steps 7 contradict epochs 10: at 10 steps "
    "an epoch that is 100",
    f"1 {TO_SUM} --nesterov": "nesterov needs a momentum above 0",
    f"1 {TO_SUM} --momentum .9 --nesterov --dampening .1": "nesterov needs a dampening of 0",
    # networks
    f"1 {TO_SUM} -a 784-30a-10": "architecture '784-30a-10', character 7: expected a digit or "
    "'-', as before",
    f"1 {TO_SUM} -a 784-": "architecture '784-', character 5: expected a layer width",
    "- --from caffe --to keras-l2": "VALUE '-': rows from stdin are --input -",
    # the command line itself
    f"1 {TO_SUM} --lrr 3": "no such option '--lrr'; did you mean '--lr' or '--to-lr' or "
    "'--all'?",
    f"1 {TO_SUM} --qqqq": "no such option '--qqqq'",
    f"1 {TO_SUM} --lr": "option '--lr' requires an argument",
    f"1 2 {TO_SUM}": "got unexpected extra argument (2); usage: decaycalc convert "
    "[OPTIONS] [VALUE]",
    f"1 {TO_SUM} --loss foo": "loss 'foo' must be one of mean, batch-sum, dataset-sum, or "
    "what the loss is of the mean loss, as 8",
    f"1 {TO_SUM} --loss 0": "loss '0' must be one of mean, batch-sum, dataset-sum, or "
    "what the loss is of the mean loss, as 8",
    f"1 {TO_SUM} --optimizer adm": "unknown optimizer 'adm'; did you mean 'adam' or 'radam' or "
    "'nadam'? (sgd, adam ...)",
    f"1 {TO_SUM} --rounding Master --dtype bf16": "unknown rounding 'Master'; did you mean "
    "'master'? (nearest, stochastic, master)",
    f"1 {TO_SUM} --rounding up --dtype bf16": "unknown rounding 'up' (nearest, stochastic, master)",
    f"1 {TO_SUM} --rounding master": "rounding says how a dtype is rounded: give the dtype too",
    "1 --from pytorch-adamw --to keras-adamw --set lambd=1": "pytorch-adamw takes no lambd, nor "
    "does keras-adamw",
    "1 --from pytorch-adamw --to keras-adamw --optimizer sgd": "optimizer says what trains a "
    "penalty, and pytorch-adamw is not one",
    "1 --from keras-l2 --to sum-l2 -N 9 --gradient-rms 1": "gradient_rms enters nothing: keras-l2 "
    "is not a penalty under Adam",
    "1 --from pytorch-sgd --to half-life-steps --to-lr 1 --lr 1": "half-life-steps takes no lr",
    f"1 {TO_SUM} --format csv --value": "one format at a time, not csv and value",
    f"1 {TO_SUM} -N 9 --width 3": "width '3' must be a number of columns from 20 to 10000",
    f"1 {TO_SUM} -N 9 --to keras-l2 --value": "--value needs exactly one --to",
    f"{TO_SUM} --value": "--value needs a VALUE to convert",
    # files
    f"1 {TO_SUM} -N 9 -o /no/such/place.json": "cannot write '/no/such/place.json': No such file "
    "or directory",
    f"1 {TO_SUM} -N 9 -o x.docx": "output 'x.docx' must end in one of .txt .json .jsonl .csv .md "
    ".html .svg, or give --format",
}  # fmt: skip

NO_ANSWER = {
    "0.01 --from pytorch-adam --to pytorch-adamw --lr 1e-3": "pytorch-adam has no equivalent in "
    "pytorch-adamw: pytorch-adam adds the penalty to the gradient, where Adam-like scaling turns "
    "it into a step of about lr whatever λ is; pytorch-adamw shrinks the weight itself; "
    "--gradient-rms gives an estimate",
    "1 --from l2-norm --to mean-l2": "l2-norm has no equivalent in mean-l2: the norm's gradient "
    "λ·w/‖w‖ has length λ whatever the weights are: no constant share decays",
    "0 --from mean-l2 --to prior-std -N 9": "mean-l2 has no equivalent in prior-std: without decay "
    "sigma would be infinite",
    "0 --from mean-l2 --to half-life-steps --lr 1": "no decay has no equivalent in "
    "half-life-steps: nothing is ever halved",
    "1 --from layer-mean-l2 --to mean-l2 -a 3-4-5 --value": "layer-mean-l2 has no equivalent in "
    "mean-l2: it has one number a layer; see --json",
}


@pytest.mark.parametrize(("line", "complaint"), BAD.items(), ids=list(BAD))
def test_bad_input_is_refused_in_one_line_with_status_2(run, line, complaint):
    ran = run("convert", *shlex.split(line))
    assert (ran.status, ran.out, ran.last_error) == (2, "", f"error: {complaint}")
    assert not complaint.endswith(".")


@pytest.mark.parametrize(("line", "complaint"), NO_ANSWER.items(), ids=list(NO_ANSWER))
def test_sound_input_without_an_answer_has_status_1(run, line, complaint):
    ran = run("convert", *shlex.split(line))
    assert (ran.status, ran.out, ran.last_error) == (1, "", f"error: {complaint}")


@pytest.mark.parametrize("command", ["convert", "arch resnet18"])
@pytest.mark.parametrize("key", ["pytorch-adamw", "heavyball-psgd-kron", "caffe", "timm-adan"])
def test_a_decay_per_step_beyond_float64_is_said_in_one_line(run, command, key):
    done = run(*command.split(), "4e298", "--from", key, "--lr=1.5e16", "--json")
    assert done.status == 2
    assert "beyond float64's range" in done.err


@pytest.mark.parametrize("format_", ["github", "junit", "sarif"])
def test_an_explanation_has_no_format_of_findings(run, format_):
    done = run("check", "--explain", "DC104", "--format", format_)
    assert (done.status, done.out) == (2, "")
    assert f"--format {format_} has no form of this" in done.err


def test_a_syntax_error_shows_the_place(run):
    ran = run("convert", "1", "--from", "mean-l2", "-a", "784-30a-10")
    assert ran.err.splitlines()[:2] == ["784-30a-10", "      ^"]


@pytest.mark.parametrize("flags", [["--json"], ["--format", "json"], ["--format=json"]])
def test_with_json_the_error_is_an_object_too(run, flags):
    ran = run("convert", "1", "--from", "mean-l2", "--to", "sum-l2", *flags)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.splitlines()[0] == "error: mean-l2 to sum-l2 needs dataset_size; give -N"
    assert json.loads(ran.last_error) == {
        "error": {
            "type": "missing-quantity",
            "message": "mean-l2 to sum-l2 needs dataset_size; give -N",
            "what": "mean-l2 to sum-l2",
            "missing": ["dataset_size"],
        }
    }


def test_the_program_alone_shows_its_help_and_no_answer(run):
    error = "error: unknown command 'convrt'; did you mean 'convert'? ('decaycalc -h' lists them)"
    assert run("convrt").last_error == error
    behind = "options stand behind a command: decaycalc convert 1e-4 --from KEY"
    assert run("--bogus").last_error == f"error: no such option '--bogus'; {behind}"
    assert run("--versoin").last_error.endswith("; did you mean '--version'?")
    assert run("convrt").status == run("--bogus").status == 2


@pytest.mark.parametrize(
    ("word", "way_out"),
    [
        ("1e-4", "'decaycalc convert 1e-4 --from KEY' converts a number"),
        ("run.yaml", "'decaycalc inspect run.yaml' reads a training file"),
        ("help", "'decaycalc -h' is the help, 'decaycalc COMMAND -h' a command's"),
        ("version", "'decaycalc --version' prints it"),
        ("nonsense", "'decaycalc -h' lists them"),
    ],
)
def test_what_stands_in_a_commands_place_is_told_where_it_belongs(
    run, tmp_path, monkeypatch, word, way_out
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.yaml").write_text("learning_rate: 1")
    ran = run(word, "--from", "caffe")
    assert (ran.status, ran.out) == (2, "")
    assert ran.last_error == f"error: unknown command {word!r} ({way_out})"


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("inspect", "missing argument 'SOURCE'; usage: decaycalc inspect [OPTIONS] SOURCE"),
        (
            "compare a",
            "missing argument 'SOURCE'; usage: decaycalc compare [OPTIONS] SOURCE SOURCE",
        ),
        ("suggest 1", "got unexpected extra argument (1); usage: decaycalc suggest [OPTIONS]"),
    ],
)
def test_an_argument_too_few_or_too_many_is_answered_with_the_usage(run, line, complaint):
    ran = run(*line.split())
    assert (ran.status, ran.out, ran.last_error) == (2, "", f"error: {complaint}")


@pytest.mark.parametrize(
    ("line", "way_out"),
    [
        ("from pytorch-sgd", "options begin with hyphens: --from"),
        ("pytorch-sgd keras-l2", "write --from pytorch-sgd"),
        ("--from pytorch-sgd lr=0.1", "write --lr 0.1"),
        ("--from pytorch-sgd learning_rate=0.1", "write --lr 0.1"),
        ("--from pytorch-sgd \N{EM DASH}lr 0.1", "options begin with hyphens: --lr"),
        ("--from pytorch-sgd foo", "usage: decaycalc convert [OPTIONS] [VALUE]"),
    ],
)
def test_an_option_without_its_hyphens_is_answered_with_the_option(run, line, way_out):
    ran = run("convert", "1e-4", *line.split())
    assert (ran.status, ran.out) == (2, "")
    assert ran.last_error.endswith(f"; {way_out}")


@pytest.mark.parametrize(
    ("option", "complaint"),
    [
        ("-lr", "no such option '-lr'; give --lr"),
        ("-epochs=90", "no such option '-epochs'; give --epochs"),
        ("-ba", "no such option '-ba'"),
        ("-b", f"no such option '-b'; give {ours('b')}"),
        ("-z", "no such option '-z'"),
    ],
)  # fmt: skip
def test_a_long_option_behind_one_hyphen_is_named_whole(run, option, complaint):
    ran = run("convert", "1e-4", "--from", "pytorch-sgd", option, "0.1")
    assert (ran.status, ran.last_error) == (2, f"error: {complaint}")


@pytest.mark.parametrize(
    ("line", "stdin", "said"),
    [
        ("inspect -", "", "cannot read 'stdin': it is empty"),
        ("check -", '{"a": 1', "stdin:1:1: not TOML"),
        ("arch -", "{", "cannot read 'stdin': not JSON"),
        ("recipes -", "\0", "cannot read 'stdin': not a text"),
        ("convert --recipe -", "a: 1", "cannot read 'stdin': it has a, not enough"),
    ],
)
def test_standard_input_has_one_name(run, monkeypatch, line, stdin, said):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
    ran = run(*line.split())
    assert ran.status == 2
    assert said in ran.last_error


def test_a_file_from_standard_input_is_spoken_of_by_that_name(run, monkeypatch):
    text = b"per_device_train_batch_size: 8\noptim: adamw_torch\nweight_decay: 0.01\n"
    text += b"learning_rate: 5.0e-5\nlr_scheduler_type: linear\n"
    for line, begins in (
        ("inspect -", "stdin: Hugging Face Trainer"),
        ("check - --format github", "::notice file=stdin,"),
    ):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
        assert run(*line.split()).out.startswith(begins)


def test_an_unknown_kind_is_answered_in_a_line_that_can_be_read(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.yaml").write_text("lr: 1")
    error = run("inspect", "run.yaml", "--kind", "hf-trainr").last_error
    assert error.startswith("error: unknown kind 'hf-trainr'; did you mean 'hf-trainer'")
    assert error.endswith("? ('decaycalc guide training-files' lists them)")


@pytest.mark.parametrize(
    "words",
    [["1e308/1e-308"], ["0." + "1" * 5000], ["1e-200", "--lr", "1e-200", "--momentum", ".9"],
     ["1e300", "--lr", "1e300", "--momentum", ".9"], ["1", "--steps", "1e300", "--lr", "1e-9"],
     ["0.999999999", "--lr", "1", "--steps", "1e9"], ["0"], ["5e-324"], ["1.7e308"]],
)  # fmt: skip
@pytest.mark.parametrize("key", ["pytorch-sgd", "sum-half-l2", "per-step-factor", "sklearn-ridge"])
def test_extreme_numbers_end_in_json_or_in_one_line(run, key, words):
    ran = run("convert", *words, "--from", key, "-N", "1e9", "-B", "7", "--json")
    assert ran.status in {0, 2}
    assert "Traceback" not in ran.err
    if ran.status == 0:
        json.loads(ran.out, parse_constant=lambda name: pytest.fail(f"{name} in the output"))


def test_a_full_disk_is_a_complaint_not_a_traceback():
    with open("/dev/full", "w") as full:  # noqa: PTH123  (a device)
        done = subprocess.run(
            [sys.executable, "-m", "decaycalc", "convert", "1", "--from", "mean-l2", "--to",
             "keras-l2"],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == "error: cannot write 'stdout': No space left on device\n"


@pytest.mark.parametrize(
    ("words", "flag"),
    [
        (["convert", "1", "--from", "sklearn-ridge", "--from", "sklearn-svc"], "--from"),
        (["convert", "0.1", "--from", "pytorch-adamw", "--lr", "1e-3", "--lr", "2e-3"], "--lr"),
        (["schedule", "0.1", "--from", "pytorch-adamw", "--steps", "9", "--steps=8"], "--steps"),
        (["convert", "1", "-B", "8", "--from", "mean-l2", "--batch-size", "16"], "--batch-size"),
        (["suggest", "--optimizer", "adamw", "--optimizer", "sgd"], "--optimizer"),
        (["convert", "1", "--from", "keras-l2", "--nesterov", "--no-nesterov"], "--nesterov"),
        (["arch", "resnet50", "--not-stacked", "--stacked"], "--stacked"),
    ],
)
def test_an_option_with_one_value_that_stands_twice_is_refused(words, flag, capsys):
    assert main(words) == 2
    assert f"{flag} stands twice; give it once" in capsys.readouterr().err


def test_options_of_several_values_may_stand_as_often_as_one_likes(capsys):
    words = ["convert", "1e-4", "--from", "keras-l2", "--to", "mean-l2", "--to", "mean-half-l2"]
    assert main(words) == 0
    assert "0.0002" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("transfer 0.1 --from pytorch-adamw --lr 1e-3 -B 4 --to-batch-size 8 --momentum 0.9",
         "pytorch-adamw takes no momentum"),
        ("transfer 0.1 --from pytorch-adamw --lr 1e-3 -B 4 --to-batch-size 8 --set nbs=4",
         "pytorch-adamw takes no nbs"),
        ("suggest --rule short-run --lr 2e-4 --steps 1000 --optimizer sgd",
         "optimizer says what trains a penalty"),
        ("inspect gpt-2-124m-nanogpt --momentum 0.9", "nanogpt takes no momentum"),
        ("inspect resnet-50-he --set nbs=4", "caffe takes no nbs"),
    ],
)  # fmt: skip
def test_what_enters_no_number_is_refused_by_every_command(capsys, line, message):
    assert main(line.split()) == 2
    assert message in capsys.readouterr().err


def test_adams_epsilon_and_a_measures_momentum_enter(capsys):
    moved = "transfer 0.1 --from pytorch-adamw --lr 1e-3 -B 4 --to-batch-size 8 --eps 1e-7"
    wanted = "suggest --to per-step-shrink --lr 0.1 --momentum 0.9 -B 256 -N 1281167 --epochs 90"
    assert [main(line.split()) for line in (moved, wanted)] == [0, 0]
    assert capsys.readouterr().out
