"""Starting `convert` from a recipe, leaving it with code, and the recipes nearest to an answer."""

import json

import pytest


def test_convert_starts_from_a_recipe(run):
    words = ("convert", "--recipe", "resnet-50-he", "--to", "keras-l2", "--json")
    status, out, err = run(*words)
    document = json.loads(out)
    assert status == 0
    assert document["source"] == {
        "convention": "caffe",
        "parameter": "weight_decay",
        "value": 0.0001,
    }
    assert document["run"]["lr"] == 0.1
    assert document["conversions"][0]["value"] == 5e-05
    assert "resnet-50-he:" in err


def test_what_is_said_takes_the_place_of_the_recipes_own(run):
    words = ("convert", "2e-4", "--recipe", "resnet-50-he", "--lr", "0.2", "--to", "keras-l2")
    _, out, _ = run(*words, "--json")
    document = json.loads(out)
    assert document["source"]["value"] == 0.0002
    assert document["run"]["lr"] == 0.2
    assert document["run"]["momentum"] == 0.9


def test_a_file_is_a_recipe(tmp_path, run):
    solver = tmp_path / "solver.prototxt"
    solver.write_text('base_lr: 0.01\nmomentum: 0.9\nweight_decay: 0.0005\nlr_policy: "fixed"\n')
    words = ("convert", "--recipe", str(solver), "--to", "keras-l2", "--value")
    status, out, err = run(*words)
    assert (status, out) == (0, "0.00025\n")
    assert "its schedule is left out: the run's length is unknown (give --steps)" in err


@pytest.mark.parametrize("words", [(), ("--from", "caffe")])
@pytest.mark.parametrize("command", ["convert", "transfer", "schedule"])
def test_a_file_in_the_place_of_a_number_is_told_where_it_belongs(
    tmp_path, monkeypatch, run, command, words
):
    (tmp_path / "solver.prototxt").write_text("base_lr: 0.01\n")
    monkeypatch.chdir(tmp_path)
    status, out, err = run(command, "solver.prototxt", *words)
    told = "'solver.prototxt' names a file, not a number: give --recipe solver.prototxt"
    assert (status, out, err) == (2, "", f"error: {told}\n")


def test_the_nearest_recipes_are_told_where_the_timescale_is_known(run):
    setting = ("convert", "1e-4", "--from", "pytorch-sgd", "--lr", "0.1", "--momentum", "0.9")
    size = ("-B", "256", "-N", "1281167")
    _, out, _ = run(*setting, *size, "--json")
    assert json.loads(out)["nearest_recipes"][0]["title"] == "ResNet-50 of He et al."
    _, out, _ = run(*setting, *size)
    assert "as ResNet-50 of He et al. (1.998 epochs)" in out
    _, out, _ = run(*setting, "--json")
    assert json.loads(out)["nearest_recipes"] == []
    _, out, _ = run("schedule", *setting[1:], *size, "--epochs", "2")
    assert "as ResNet-50 of He et al. (1.998 epochs)" in out


def test_code_is_emitted_for_a_setting_and_for_a_recipe(run):
    words = ("convert", "1e-4", "--from", "pytorch-sgd", "--lr", "0.1", "--emit", "keras")
    status, out, _ = run(*words)
    assert status == 0
    assert "keras.regularizers.L2(5e-05)" in out
    words = (
        "convert",
        "--recipe",
        "resnet-50-goyal-8k",
        "--emit",
        "pytorch",
        "--to",
        "pytorch-sgd",
    )
    status, out, _ = run(*words)
    assert status == 0
    assert "lr=3.2" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--emit", "pytorch", "--from", "caffe"), "--emit needs value"),
        (
            ("1e-4", "--from", "caffe", "--emit", "keras", "--to", "keras-l2", "--to", "keras-sgd"),
            "--emit writes code for one --to at a time",
        ),
        (("1e-4", "--emit", "pytorch"), "give --from"),
        (("--recipe", "resnet-51-he"), "unknown recipe 'resnet-51-he'"),
        (("--recipe", "nothere"), "unknown recipe 'nothere' (nor is it a file;"),
    ],
)
def test_what_cannot_be_started_or_emitted_is_said(words, message, run):
    status, out, err = run("convert", *words)
    assert (status, out) == (2, "")
    assert message in err.splitlines()[-1]


OPEN = """\
per_device_train_batch_size: 8
save_strategy: epoch
max_steps: 1000
learning_rate: 1e-4
weight_decay: 0.1
lr_scheduler_type: reduce_lr_on_plateau
"""


def test_nothing_of_the_whole_run_follows_where_its_lr_is_not_known(tmp_path, run):
    path = tmp_path / "a.yaml"
    path.write_text(OPEN)
    line = ("convert", "--recipe", str(path))
    status, _, err = run(*line, "--to", "per-run-factor", "--value")
    assert status == 1
    assert "the lr over its run (lr_scheduler_type) is not known: give --schedule" in err
    given = ("--to", "per-run-factor", "--value", "--schedule", "constant")
    assert float(run(*line, *given)[1]) == pytest.approx((1 - 1e-5) ** 1000)
    whole = json.loads(run(*line, "--all", "--json")[1])
    assert whole["decay"]["per_run_factor"] is None
    unavailable = {each["convention"]: each["reason"] for each in whole["unavailable"]}
    assert unavailable["per-run-factor"] == "no-equivalent"


TIMM = "lr: 0.001\nopt: adamw\nweight_decay: 0.05\nbatch_size: 128\nepochs: 300\nsched: none\n"


@pytest.fixture
def timm_file(tmp_path):
    path = tmp_path / "args.yaml"
    path.write_text(f"{TIMM}aa: rand\nmodel: vit_base_patch16_224\nclip_grad: null\n")
    return str(path)


def weights(*words, run):
    """Return the number of decayed weights in a command's document, and what it says."""
    status, out, err = run(*words, "--json")
    assert status == 0, err
    document = json.loads(out)
    groups = {group["name"]: group["n_weights"] for group in document.get("groups") or ()}
    penalty = document.get("penalty")
    counted = penalty["n_weights"] if isinstance(penalty, dict) else None
    return counted or document.get("n_decayed") or groups["decayed"], err


@pytest.mark.parametrize("command", ["convert", "schedule", "inspect", "arch"])
def test_a_runs_own_rule_says_what_decays_of_a_network(command, timm_file, run):
    source = (timm_file,) if command == "inspect" else ("--recipe", timm_file)
    network = ("vit_base_patch16_224",) if command == "arch" else ("-a", "vit_base_patch16_224")
    words = (command, *network, *source, *(("-N", "1281167") if command == "schedule" else ()))
    found, err = weights(*words, run=run)
    assert found == 86_292_480  # the class token and the positions are exempt
    assert "no mask" not in err
    found, _ = weights(*words, "--decay-mask", "no-1d", run=run)
    assert found == 86_444_544


@pytest.mark.parametrize("command", ["convert", "schedule", "arch"])
def test_a_rule_that_is_no_mask_is_said(command, run):
    network = ("resnet50",) if command == "arch" else ("-a", "resnet50")
    words = (command, *network, "--recipe", "resnet-50-he")
    found, err = weights(*words, run=run)
    assert found == 25_502_912
    assert "no mask (exempt: none stated): no-1d is taken; --decay-mask names another" in err
    found, err = weights(*words, "--decay-mask", "all", run=run)
    assert found == 25_557_032
    assert "no mask" not in err
    assert "no mask" not in run(command, *words[1:-2])[2]


def test_emitted_code_exempts_what_the_run_exempts(timm_file, run):
    _, out, err = run("convert", "--recipe", timm_file, "--emit", "optax")
    assert "leaf.ndim > 1" in out
    assert "what the model's own list exempts, as no_weight_decay does, decays in this code" in err
    _, out, err = run("convert", "--recipe", timm_file, "--emit", "timm")
    assert "own list" not in err
    every = ("convert", "--recipe", "resnet-50-torch7", "--emit", "pytorch")
    _, out, err = run(*every)
    assert "model.parameters()" in out
    assert "rule" not in err
    _, out, err = run(*every, "--decay-mask", "no-1d")
    assert "model.parameters()" not in out
    words = ("convert", "--recipe", "resnet-50-goyal-8k", "--emit", "keras")
    _, out, err = run(*words)
    assert "len(variable.shape) > 1" in out
    own = "the run's own rule of what is exempt (batch normalisation's gain and bias) has no code"
    assert f"{own} here: biases and one-dimensional tensors are; --decay-mask names another" in err


EMIT = ("convert", "1e-4", "--lr", "0.1", "--emit", "pytorch")


def test_emitted_code_counts_the_weights_of_the_network_that_is_named(run):
    words = (*EMIT, "--from", "mean-over-weights-l2")
    assert "give --arch" in run(*words)[2]
    status, out, _ = run(*words, "-a", "784-30-10")
    assert status == 0
    assert f'"weight_decay": {2e-4 / (784 * 30 + 30 * 10)!r}' in out
    _, out, _ = run(*words, "-a", "784-30-10", "--decay-mask", "all")
    assert f'"weight_decay": {2e-4 / (785 * 30 + 31 * 10)!r}' in out
    status, _, err = run(*EMIT, "--from", "layer-mean-l2", "-a", "784-30-10")
    assert status == 1
    assert "it is another number in every layer, and the code has one for all" in err


@pytest.mark.parametrize(
    "words",
    ["--all", "--explain", "--dtype bf16", "--rounding master", "--init he", "--classes 10"],
)
def test_what_does_not_enter_emitted_code_is_refused(words, run):
    status, out, err = run(*EMIT, "--from", "pytorch-sgd", *words.split())
    assert (status, out) == (2, "")
    assert err == f"error: {words.split()[0]} does not enter --emit's code\n"


def test_emitted_code_holds_what_match_says(run):
    words = ("convert", "1e-4", "--from", "pytorch-sgd", "--lr", "0.1", "--momentum", "0.9",
             "--to", "keras-sgd", "--match", "decay")  # fmt: skip
    number = run(*words, "--value")[1].strip()
    assert float(number) == pytest.approx(0.00100090171407, rel=1e-12)
    assert f"weight_decay={number}" in run(*words, "--emit", "keras")[1]


def test_what_a_finding_says_is_no_warning_too(tmp_path, run):
    path = tmp_path / "a.yaml"
    lines = ("per_device_train_batch_size: 8", "save_strategy: epoch", "learning_rate: 1e-4",
             "weight_decay: 0.1", "optim: galore_adamw")  # fmt: skip
    path.write_text("\n".join(lines))
    _, out, err = run("inspect", str(path))
    assert "DC102 error" in out
    assert "does not pass weight_decay" not in err


@pytest.mark.parametrize("words", ["convert --to per-step-shrink --recipe", "recipes"])
def test_what_holds_by_a_trainers_default_is_a_note(words, tmp_path, run):
    path = tmp_path / "a.yaml"
    path.write_text("per_device_train_batch_size: 8\nsave_strategy: epoch\nlearning_rate: 1e-4")
    _, _, err = run(*words.split(), str(path))
    told = [line.partition(":")[0] for line in err.splitlines() if "by default (" in line]
    assert set(told) == {"note"}
    assert "warning: " in err


@pytest.mark.parametrize(
    "words",
    [
        "convert --recipe resnet-50-he --to keras-l2",
        "convert --recipe resnet-50-he --emit pytorch",
        "schedule --recipe resnet-50-he --schedule constant",
        "transfer --recipe resnet-50-he --to-lr 1",
        "inspect resnet-50-he",
        "arch resnet18 --recipe resnet-50-he",
        "recipes resnet-50-he --emit keras",
    ],
)
def test_what_is_told_of_a_published_run_is_a_note(words, run):
    _, _, err = run(*words.split())
    (line,) = (text for text in err.splitlines() if "divided by 10 on a plateau" in text)
    assert line.startswith("note: ")
    assert run(*words.split(), "-q")[2] == ""


def test_an_unknown_number_of_devices_is_said_wherever_a_batch_is(tmp_path, run):
    path = tmp_path / "a.yaml"
    path.write_text("per_device_train_batch_size: 4\nnum_train_epochs: 3\nweight_decay: 0.1\n")
    file, told = str(path), "the number of devices is not in the file"
    for words in (("convert", "--recipe", file), ("compare", file, file), ("recipes", file)):
        assert told in run(*words)[2]
        assert told not in run(*words, "--world-size", "1")[2]
    inspected = run("inspect", file)[1]
    assert "one device taken: --world-size" in inspected
    assert told in inspected
