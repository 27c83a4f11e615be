"""Groups of a run on `convert`: an lr and a number of their own."""

import json

import pytest

BASE = ("convert", "0.01", "--from", "pytorch-adamw", "--lr", "2e-4")


def groups_of(run, *words):
    status, out, _ = run(*BASE, *words, "--json")
    assert status == 0
    return json.loads(out)["groups"]


def test_without_a_network_each_rule_is_a_group_beside_the_rest(run):
    rest, second = groups_of(run, "--group", "lora_B:lr*16", "--to", "per-step-shrink")
    assert (rest["name"], rest["lr"], rest["weight_decay"]) == ("others", 2e-4, 0.01)
    assert (rest["lr_mult"], rest["decay_mult"], rest["n_tensors"]) == (1, 1, None)
    assert (second["name"], second["lr"], second["lr_mult"]) == ("lora_B", 0.0032, 16)
    assert second["shrink"] == pytest.approx(3.2e-5)
    assert second["conversions"] == [{"convention": "per-step-shrink", "value": 3.2e-5, "lr": None}]


def test_a_networks_tensors_are_counted_and_exempt_ones_do_not_decay(run):
    rows = groups_of(run, "-a", "784-300-10", "--group", "fc1:wd=0.1")
    assert [(row["name"], row["n_tensors"], row["n_weights"]) for row in rows] == [
        ("fc1", 1, 235_200), ("decayed", 1, 3000), ("exempt", 2, 310),
    ]  # fmt: skip
    assert [row["shrink"] for row in rows] == [pytest.approx(2e-5), pytest.approx(2e-6), 0]
    assert rows[0]["decay_mult"] == 10
    assert rows[2]["conversions"] == []


def test_a_group_without_an_lr_keeps_the_runs(run):
    words = ("convert", "0.01", "--from", "pytorch-adamw", "--group", "x:wd*2", "--json")
    rows = json.loads(run(*words)[1])["groups"]
    assert [(row["lr"], row["weight_decay"]) for row in rows] == [(None, 0.01), (None, 0.02)]


def test_the_screen_shows_the_groups_with_their_numbers(run):
    out = run(*BASE, "--group", "B:lr*16", "--to", "per-step-shrink", "--to", "half-life-steps")[1]
    assert "Groups" in out
    assert "others" in out
    assert "3.2e-5" in out
    assert "weights" in run(*BASE, "--group", "fc1:lr*2", "-a", "784-10")[1]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--group", "B:lr*16", "--to", "per-step-shrink", "--value"), "leave out --value"),
        (("--group", "B:update_share=0", "--to", "tfa-adamw"), "must have update_share above 0"),
        (("--group", "B:update_share*2"), "must be REGEX:lr"),
        (("--group", "(B:lr*2"), "must be a regular expression"),
        (("--group", "(B:lr*2", "--emit", "pytorch"), "must be a regular expression"),
        (("--group", "B:towards=start"), "must have towards=zero|initial"),
        (("--group", "B"), "must be REGEX:lr"),
        (("--group", "conv:lr*2", "-a", "784-10"), "fits no tensor"),
    ],
)
def test_a_group_that_cannot_be_answered_is_refused(run, words, text):
    status, out, err = run(*BASE, *words)
    assert (status, out) == (2, "")
    assert text in err


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--group", "B:lr*16", "--emit", "torchtune"), "hand all parameters to the optimizer"),
        (("--group", "B:towards=initial", "--emit", "pytorch"), "decay towards zero alone"),
    ],
)
def test_groups_that_a_framework_cannot_hold_have_no_code(run, words, text):
    status, out, err = run(*BASE, *words)
    assert (status, out) == (1, "")
    assert text in err


def test_a_group_that_few_steps_update_decays_in_these_alone(run):
    # A quarter of the steps: 2e-4 * 0.01 / 4 a step on average, (1 - 5e-7)^1000 is left.
    words = ("--steps", 1000, "--group", "emb:update_share=0.25", "--to", "tfa-adamw")
    _, rare = groups_of(run, *words)
    assert rare["update_share"] == 0.25
    assert rare["shrink"] == pytest.approx(5e-7, rel=1e-12)
    assert rare["survival"] == pytest.approx((1 - 5e-7) ** 1000, rel=1e-12)
    # TFA's number takes off 2e-6 in each step in which the group is updated.
    assert rare["conversions"][0]["value"] == pytest.approx(2e-6, rel=1e-12)


def test_a_group_may_decay_towards_its_start(run):
    # L2-SP: (1 - 1e-6)^10000 of w - w0 is left.
    words = ("convert", "0.01", "--from", "pytorch-adamw", "--lr", "1e-4", "--steps", "10000",
             "--group", "backbone:towards=initial")  # fmt: skip
    _, held = json.loads(run(*words, "--json")[1])["groups"]
    assert held["towards"] == "initial"
    assert held["survival"] == pytest.approx(0.990050, abs=1e-6)
    assert "backbone, towards its start" in run(*words)[1]


def test_a_group_keeps_its_multiple_of_the_other_runs_lr(run):
    words = ("--to", "pytorch-sgd", "--to-lr", "0.1", "--group", "B:lr*16", "--group", "C:lr=1e-3")
    rest, second, third = (each["conversions"][0] for each in groups_of(run, *words))
    assert (rest["lr"], rest["value"]) == (0.1, 2e-5)
    assert (second["lr"], second["value"]) == (1.6, 2e-5)
    assert (third["lr"], third["value"]) == (0.5, 2e-5)


def test_a_group_stands_still_without_lr(run):
    # Whatever is a multiple of lr stops; TFA's number is not.
    rows = groups_of(run, "--steps", 10, "--group", "B:lr*0,wd=0.1")
    assert [(row["weight_decay"], row["shrink"]) for row in rows] == [(0.01, 2e-6), (0.1, 0)]
    words = ("convert", "2e-6", "--from", "tfa-adamw", "--lr", "2e-4", "--group", "B:lr*0")
    rows = json.loads(run(*words, "--json")[1])["groups"]
    assert [row["shrink"] for row in rows] == [2e-6, 2e-6]


def test_a_schedule_is_followed_group_by_group(run):
    words = ("schedule", "0.01", "--from", "pytorch-adamw", "--lr", "1e-3", "--steps", "4",
             "--schedule", "linear", "--group", "B:lr*10")  # fmt: skip
    document = json.loads(run(*words, "--json")[1])
    left = 1.0
    for multiplier in (1, 0.75, 0.5, 0.25):
        left *= 1 - 1e-2 * 0.01 * multiplier
    rest, second = document["groups"]
    assert rest["survival"] == pytest.approx(document["survival"], rel=1e-12)
    assert second["survival"] == pytest.approx(left, rel=1e-14)
    assert second["sum_shrink"] == pytest.approx(2.5e-4, rel=1e-12)
    assert "left at the end" in run(*words)[1]


def test_a_move_is_made_group_by_group(run):
    words = ("transfer", "0.1", "--from", "pytorch-adamw", "--lr", "1e-3", "-B", "256",
             "--to-batch-size", "1024", "--group", "B:lr*16", "--group", "x:wd=0")  # fmt: skip
    document = json.loads(run(*words, "--json")[1])
    rest, second, exempt = document["groups"]
    assert rest["rules"] == document["rules"]
    assert exempt["rules"] == []
    pairs = zip(rest["rules"], second["rules"], strict=True)
    assert all(two["lr"] == pytest.approx(16 * one["lr"]) for one, two in pairs)
    assert "B: if lr is" in run(*words)[1]
    refused = run(*words, "--emit", "pytorch", "--lr-rule", "sqrt", "--hold", "epoch")
    assert refused[0] == 2
    assert "leave out --group" in refused[2]


def test_a_files_groups_stand_beside_those_of_rules(run, tmp_path):
    path = tmp_path / "train.yaml"
    path.write_text(
        "per_device_train_batch_size: 8\nlearning_rate: 2e-4\nweight_decay: 0.1\nmax_steps: 100\n"
        "lr_scheduler_type: constant\n"
    )
    words = ("inspect", path, "--group", "lora_B:lr*16", "--group", "emb:update_share=0.5,wd=0.2")
    document = json.loads(run(*words, "--json")[1])
    rows = {row["name"]: row for row in document["groups"]}
    assert list(rows) == ["decayed", "exempt", "lora_B", "emb"]
    assert rows["decayed"]["shrink"] == pytest.approx(2e-5)
    assert (rows["exempt"]["decay_mult"], rows["exempt"]["shrink"]) == (0, 0)
    assert rows["lora_B"]["shrink"] == pytest.approx(3.2e-4)
    assert rows["lora_B"]["survival"] == pytest.approx((1 - 3.2e-4) ** 100, rel=1e-12)
    assert (rows["emb"]["decay_mult"], rows["emb"]["shrink"]) == (2, pytest.approx(2e-5))
    assert "emb, in 50 % of the steps" in run(*words)[1]
    converted = run("convert", "--recipe", path, "--group", "lora_B:lr*16", "--json")[1]
    assert json.loads(converted)["groups"][2]["shrink"] == pytest.approx(3.2e-4)


def test_a_network_answers_from_a_recipe(run):
    document = json.loads(run("arch", "gpt2", "--recipe", "gpt-2-124m-nanogpt", "--json")[1])
    assert document["shrink"] == pytest.approx(6e-4 * 0.1)
    status, _, err = run("arch", "gpt2", "--kind", "timm")
    assert (status, "--kind needs a file" in err) == (2, True)


def test_a_networks_groups_say_what_is_theirs(run):
    words = ("arch", "784-300-10", "0.1", "--from", "pytorch-adamw", "--lr", "1e-3",
             "--group", "fc1:lr*0,wd=0.3",
             "--group", "fc2:update_share=0.5,towards=initial")  # fmt: skip
    document = json.loads(run(*words, "--json")[1])
    rows = {row["name"]: row for row in document["groups"]}
    assert (rows["fc1"]["shrink"], rows["fc1"]["weight_decay"], rows["fc1"]["lr"]) == (0, 0.3, 0)
    assert rows["fc2"]["shrink"] == pytest.approx(5e-5)
    assert (rows["fc2"]["update_share"], rows["fc2"]["towards"]) == (0.5, "initial")
    assert {"fc1, exempt", "fc2, exempt"} <= rows.keys()
    assert "fc2, in 50 % of the steps, towards its start" in run(*words)[1]


def test_the_rows_of_groups_are_flat(run):
    out = run(*BASE, "--group", "B:lr*16", "--to", "tfa-adamw", "--format", "csv")[1]
    heading, first, second = out.splitlines()
    assert heading.startswith("name,selector,lr,weight_decay")
    assert heading.endswith("convention,value,to_lr")
    assert first.endswith("tfa-adamw,2e-06,")
    assert second.endswith("tfa-adamw,3.2e-05,")
    words = ("transfer", *BASE[1:], "-B", 8, "--to-batch-size", 16, "--group", "B:wd=0")
    rows = [json.loads(line) for line in run(*words, "--format", "jsonl")[1].splitlines()]
    assert {row["name"] for row in rows} == {"others", "B"}
    assert next(row["to_lr"] for row in rows if row.get("lr_rule") == "linear") == 4e-4
    scheduled = ("schedule", *BASE[1:], "--steps", 9, "--group", "B:wd*2", "--format", "jsonl")
    assert len(run(*scheduled)[1].splitlines()) == 2


def test_a_group_that_loses_more_than_itself_is_warned_of(run):
    err = run(*BASE, "--group", "B:lr*1e6", "--to", "tfa-adamw")[2]
    assert "group B: a step takes 2 times the weight off" in err
    assert "others" not in err
    made = json.loads(run(*BASE, "--group", "B:lr*1e6", "--json")[1])
    assert made["warnings"][-1].startswith("group B: a step takes 2 times")
    words = ("1.6", "--from", "caffe", "--lr", "0.01", "--momentum", "0.9", "--group", "fc:lr*100")
    assert "group fc: the decay oscillates" in run("convert", *words)[2]


@pytest.mark.parametrize(
    "words", [("convert",), ("schedule",), ("transfer", "--to-batch-size", "1024")]
)
def test_an_answer_from_a_recipe_says_where_its_quantities_come_from(run, words):
    command, *more = words
    text = run(command, "--recipe", "gpt-2-124m-nanogpt", "--lr", "1e-3", *more, "--json")[1]
    origins = {each["name"]: each["origin"] for each in json.loads(text)["quantities"]}
    assert (origins["lr"], origins["weight_decay"]) == ("given", "file")
    typed = ("--from", "pytorch-adamw", "--lr", "1e-3", "--steps", "9", "-B", "8")
    assert "quantities" not in json.loads(run(command, "0.1", *typed, *more, "--json")[1])


def test_a_group_needs_a_value(run):
    status, _, err = run("convert", "--from", "pytorch-adamw", "--group", "B:lr*16")
    assert status == 2
    assert "needs a VALUE" in err
