"""`--decay-schedule` wherever it is taken: convert, schedule, transfer, rows, checks, the API."""

import json

import pytest

import decaycalc
from decaycalc.training.published.record import Recipe

RUN = ("0.04", "--from", "pytorch-adamw", "--lr", "1e-3", "--steps", "1000")
RISING = ("--decay-schedule", "cosine:final=10")


def document(run, *words):
    status, out, err = run(*words, "--json")
    assert status == 0, err
    return json.loads(out)


def test_schedule_shows_both_curves(run):
    found = document(run, "schedule", *RUN, *RISING, "--schedule", "cosine")
    assert (found["schedule"], found["decay_schedule"]) == ("cosine", "cosine:final=10")
    curve = found["curve"]
    assert curve[0]["decay_multiplier"] == 1
    assert curve[-1]["decay_multiplier"] == pytest.approx(10, rel=1e-4)
    _, out, _ = run("schedule", *RUN, *RISING)
    assert " λ × " in out
    assert "cosine:final=10" in out
    _, out, _ = run("schedule", *RUN, "--format", "csv", "--curve", "2")
    assert out.splitlines()[0].split(",")[:3] == ["step", "multiplier", "decay_multiplier"]


def test_convert_sums_over_both(run):
    words = ("convert", *RUN, "--to", "keras-adamw")
    found = document(run, *words, *RISING)["schedule"]
    assert (found["schedule"], found["decay_schedule"]) == ("constant", "cosine:final=10")
    alone = document(run, "schedule", *RUN, *RISING)
    assert found["sum_shrink"] == pytest.approx(alone["sum_shrink"], rel=1e-14)
    _, out, _ = run(*words, *RISING)
    assert "over the schedules (decay cosine:final=10)" in out


def test_convert_says_which_numbers_the_schedule_multiplies(run):
    text = "the conversions are of VALUE itself, which the decay schedule multiplies"
    found = document(run, "convert", *RUN, *RISING, "--to", "keras-adamw")
    assert found["warnings"][-1] == text
    two = ("--to", "keras-adamw", "--to", "half-life-steps")
    found = document(run, "convert", *RUN, *RISING, *two)
    assert found["warnings"][-1] == f"{text}; it does not multiply half-life-steps"
    assert text not in str(document(run, "convert", *RUN, "--to", "keras-adamw")["warnings"])


def test_transfer_and_convert_emit_it(run):
    for words in (("convert", *RUN), ("transfer", *RUN, "--to-lr", "2e-3")):
        status, out, _ = run(*words, *RISING, "--emit", "pytorch", *(
            ("--lr-rule", "given", "--hold", "step") if words[0] == "transfer" else ()
        ))  # fmt: skip
        assert status == 0
        assert "optimizer.register_step_pre_hook(set_decays)" in out


def test_rows_and_checks_take_it(tmp_path, run):
    rows = tmp_path / "rows.jsonl"
    row = {"value": "0.04", "from": "pytorch-adamw", "to": "keras-adamw", "lr": "1e-3",
           "steps": "1000"}  # fmt: skip
    texts = [{**row, "decay_schedule": text} for text in ("cosine:final=10", "cosin")]
    rows.write_text("\n".join(map(json.dumps, texts)))
    status, out, err = run("convert", "--input", str(rows))
    first, second = map(json.loads, out.splitlines())
    assert status == 1
    assert first["result"] == 0.04
    assert "unknown schedule 'cosin'" in str(second) + err
    checks = tmp_path / "checks.toml"
    checks.write_text(
        '[rising]\nvalue = "0.04"\nfrom = "pytorch-adamw"\nto = "keras-adamw"\nlr = "1e-3"\n'
        'steps = 1000\ndecay_schedule = "cosine:final=10"\nquantity = "sum_shrink"\n'
        "equals = 0.21982\nrtol = 1e-4\n"
    )
    status, out, _ = run("check", str(checks))
    assert status == 0, out


def test_the_api_takes_it():
    found = decaycalc.answer(
        "0.04", source="pytorch-adamw", run=decaycalc.Run(lr=1e-3, steps=1000),
        decay_schedule="cosine:final=10",
    )  # fmt: skip
    assert found.schedule.decay.sum_shrink == pytest.approx(0.21982, rel=1e-4)


@pytest.fixture(name="dino")
def _dino(monkeypatch):
    recipe = Recipe(
        name="some-dino", title="A run whose decay rises", convention="pytorch-adamw",
        source="a configuration", value="0.04", lr="1e-3", steps=1000, schedule="cosine",
        decay_schedule="cosine:final=10",
    )  # fmt: skip
    monkeypatch.setattr("decaycalc.training.source.find_published", lambda _: recipe)
    return recipe


@pytest.mark.usefixtures("dino")
def test_a_recipes_own_is_taken_and_may_be_replaced(run):
    words = ("--recipe", "some-dino")
    own = document(run, "schedule", *words)
    typed = document(run, "schedule", *RUN, *RISING, "--schedule", "cosine")
    assert own["decay_schedule"] == "cosine:final=10"
    assert own["sum_shrink"] == typed["sum_shrink"]
    converted = document(run, "convert", *words, "--to", "keras-adamw")["schedule"]
    assert converted["sum_shrink"] == pytest.approx(own["sum_shrink"], rel=1e-14)
    other = document(run, "schedule", *words, "--decay-schedule", "constant")
    assert other["sum_shrink"] < own["sum_shrink"]


def test_a_recipes_whole_run_follows_its_decay(dino):
    from decaycalc.record import replace
    from decaycalc.training.published.measure import measure

    rising, steady = measure(dino), measure(replace(dino, decay_schedule=None))
    assert rising.sum_shrink > 3 * steady.sum_shrink
    assert rising.to_dict()["decay_schedule"] == "cosine:final=10"


def test_without_a_length_a_recipes_schedules_are_left_out(dino):
    from decaycalc.record import replace
    from decaycalc.training.chosen import chosen, typed

    assert chosen(typed(), "some-dino").decay_schedule == "cosine:final=10"
    endless = replace(dino, steps=None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("decaycalc.training.source.find_published", lambda _: endless)
        found = chosen(typed(), "some-dino")
        assert (found.schedule, found.decay_schedule) == (None, None)
        assert "its schedule is left out" in found.notes[-1]
        kept = chosen(typed(schedule="cosine"), "some-dino")
        assert kept.schedule == "cosine"


def test_inspect_takes_it_in_place_of_the_sources_own(run):
    steady = document(run, "inspect", "gpt-2-124m-nanogpt")
    falling = document(run, "inspect", "gpt-2-124m-nanogpt", "--decay-schedule", "linear")
    assert (steady["decay_schedule"], falling["decay_schedule"]) == (None, "linear")
    assert falling["sum_shrink"] < 0.9 * steady["sum_shrink"]


TYPED = "import torch\nopt = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.1)\n"


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "t.py"
    path.write_text(TYPED)
    return str(path)


@pytest.mark.parametrize("option", ["--schedule", "--decay-schedule"])
@pytest.mark.parametrize("command", ["inspect", "check", "recipes", "compare resnet-50-he"])
def test_a_schedule_that_there_is_not_is_refused_even_where_the_length_is_unknown(
    run, script, command, option
):
    status, out, err = run(*command.split(), script, option, "nosuch")
    assert (status, out) == (2, "")
    assert err.startswith("error: unknown schedule 'nosuch'")


def test_a_schedule_takes_the_place_of_a_runs_own_in_every_command_that_reads_one(run, script):
    more = (script, "--steps", "1000", "--schedule", "linear", "--json")
    inspected = json.loads(run("inspect", *more)[1])
    assert inspected["sum_shrink"] == pytest.approx(0.1 * 1e-3 * 1000 / 2, rel=1e-2)
    (row,) = json.loads(run("recipes", *more)[1])["recipes"]
    assert row["sum_shrink"] == pytest.approx(inspected["sum_shrink"])
    sides = json.loads(run("compare", "resnet-50-he", *more)[1])["sides"]
    assert [side["schedule"] for side in sides] == ["linear", "linear"]
    by_api = decaycalc.compare(script, script, steps=1000, schedule="linear")
    assert by_api.to_dict()["sides"][0]["sum_shrink"] == inspected["sum_shrink"]
    codes = [each["code"] for each in json.loads(run("check", *more)[1])["findings"]]
    assert "DC505" not in codes
    assert "DC505" in run("check", script)[1]


def test_a_schedule_in_a_list_of_runs_is_refused(run):
    assert run("recipes", "--schedule", "cosine")[0] == 2
