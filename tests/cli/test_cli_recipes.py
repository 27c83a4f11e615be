"""`decaycalc recipes` on the command line."""

import csv
import io
import json

import pytest

from decaycalc.conventions.run import Run
from decaycalc.errors import ContradictionError, UnknownNameError, UnreadableFileError
from decaycalc.training.chosen import chosen, typed
from decaycalc.training.published.index import RECIPES
from decaycalc.training.source import load


def test_all_recipes_stand_in_one_table(run):
    ran = run("recipes")
    assert (ran.status, ran.err) == (0, "")
    assert all(recipe.name in ran.out for recipe in RECIPES)
    assert "timm-lamb*" in ran.out


def test_the_document_has_every_recipe(run):
    body = json.loads(run("recipes", "--json").out)
    assert body["schema"] == "decaycalc.recipes"
    assert len(body["recipes"]) == len(RECIPES)
    keys = {"name", "convention", "value", "run", "schedule", "shrink", "timescale_epochs",
            "timescale_run_fraction", "sum_shrink", "survival", "source"}  # fmt: skip
    assert all(keys <= set(entry) for entry in body["recipes"])


def test_csv_is_flat(run):
    rows = list(csv.DictReader(io.StringIO(run("recipes", "--format", "csv").out)))
    assert rows[0]["name"] == "alexnet-2012"
    assert rows[0]["run_lr"] == "0.01"


def test_search_and_nearness_choose(run):
    found = json.loads(run("recipes", "--search", "pythia", "--json").out)["recipes"]
    assert len(found) == 9
    near = json.loads(run("recipes", "--near", "2", "--json").out)["recipes"]
    assert (len(near), near[0]["name"]) == (10, "resnet-50-he")
    assert run("recipes", "--near", "zero").status == 2
    assert run("recipes", "--near", "0").status == 2


def test_one_recipe_is_shown_whole(run):
    ran = run("recipes", "resnet-50-he")
    assert "up to 60e4 steps" in ran.out
    assert "1.998" in ran.out
    body = json.loads(run("recipes", "Resnet_50_He", "--json").out)
    assert [entry["name"] for entry in body["recipes"]] == ["resnet-50-he"]


def test_an_unknown_recipe_is_answered_with_its_neighbours(run):
    ran = run("recipes", "resnet-50-hee")
    assert (ran.status, ran.out) == (2, "")
    assert "did you mean 'resnet-50-he'" in ran.err


@pytest.fixture
def solver(tmp_path):
    (tmp_path / "net.prototxt").write_text(
        'layer { name: "ip1" param { decay_mult: 250 } } layer { data_param { batch_size: 100 } }'
    )
    path = tmp_path / "solver.prototxt"
    path.write_text(
        'net: "net.prototxt" base_lr: 0.001 momentum: 0.9 weight_decay: 0.004 max_iter: 60000'
        " lr_scale: 5"
    )
    return str(path)


def test_a_file_is_a_recipe_too(run, solver):
    ran = run("recipes", solver)
    assert "ip1.weight" in ran.out
    assert "250" in ran.out
    assert "note: by default (caffe.proto): " in ran.err
    body = json.loads(run("recipes", solver, "--json").out)
    assert body["recipes"][0]["shrink"] == pytest.approx(4e-5)
    assert body["imported"]["kind"] == "caffe"
    assert body["imported"]["not_used"] == ["lr_scale"]


def test_a_recipe_has_its_code(run, solver):
    ran = run("recipes", "deit-b", "--emit", "pytorch")
    assert ran.out.startswith("# weight_decay 0.05 of timm-adamw")
    assert "betas=(0.9, 0.999)" in ran.out
    every = run("recipes", "deit-b", "--emit", "pytorch", "--decay-mask", "all").out
    assert "model.parameters()" in every
    assert "keras.regularizers.L2(0.002)" in run("recipes", solver, "--emit", "keras").out


def test_code_needs_a_recipe_that_states_its_decay(run):
    assert "needs the NAME" in run("recipes", "--emit", "pytorch").err
    for name in ("chinchilla-70b", "vit-l-jft"):
        ran = run("recipes", name, "--emit", "pytorch")
        assert (ran.status, ran.out) == (1, "")


def test_a_recipe_is_chosen_by_name_or_file(solver):
    found = chosen(typed(), "resnet-50-goyal-8k")
    assert (found.value, found.record.key) == ("0.0001", "pytorch-sgd")
    assert found.schedule.startswith("step:")
    assert found.told == ("resnet-50-goyal-8k: 23.74 % error; warm-up from lr 0.1",)
    imported = chosen(typed(), solver)
    assert imported.record.key == "caffe"
    assert imported.told[0].startswith(f"{solver}: by default (caffe.proto): ")
    assert chosen(typed(), "vit-l-jft").record is None
    assert chosen(typed(), "clip-vit-l-14").told == ()


def test_what_is_said_takes_the_recipes_place():
    own = typed(value="5e-4", run=Run(epochs=3), schedule="cosine")
    found = chosen(own, "resnet-50-he")
    assert (found.value, found.schedule) == ("5e-4", "cosine")
    assert (found.run.epochs, found.run.steps) == (3, None)
    kept = chosen(typed(run=Run(lr=1)), "resnet-50-he")
    assert (kept.run.get("lr"), kept.run.steps) == (1, 600_000)


def test_what_is_said_is_given_where_it_comes_from():
    found = chosen(typed(run=Run(lr=1, epochs=3)), "resnet-50-he")
    origins = {each.name: (each.value, each.origin.value) for each in found.quantities}
    assert origins["lr"] == ("1", "given")
    assert origins["epochs"] == ("3", "given")
    assert "steps" not in origins
    assert origins["momentum"] == ("0.9", "file")


def test_the_runs_options_take_the_place_of_a_files_own(run, tmp_path):
    path = tmp_path / "args.yaml"
    path.write_text(
        "opt: sgd\nlr: null\nlr_base: 0.1\nlr_base_size: 256\nbatch_size: 128\n"
        "grad_accum_steps: 2\nweight_decay: 1e-4\nsched: none\n"
    )
    body = json.loads(run("recipes", str(path), "--world-size", "8", "--json").out)
    (recipe,) = body["recipes"]
    assert (recipe["run"]["lr"], recipe["shrink"]) == (0.8, pytest.approx(8e-4))
    assert "need the NAME" in run("recipes", "--world-size", "8").err
    body = json.loads(run("recipes", "resnet-50-he", "--lr", "0.2", "--json").out)
    assert body["recipes"][0]["shrink"] == pytest.approx(2e-4)


def test_a_file_is_read_by_its_bare_name(run, tmp_path, monkeypatch):
    (tmp_path / "solver").write_text("base_lr: 0.1\nlr_policy: fixed\n")
    monkeypatch.chdir(tmp_path)
    assert run("recipes", "solver").status == 0


def test_a_published_run_has_no_kind():
    with pytest.raises(ContradictionError, match="has no kind"):
        load("resnet-50-he", kind="caffe")


def test_a_lamb_recipe_is_read_alike_everywhere(run):
    ran = run("convert", "--recipe", "resnet-50-rsb-a2", "--to", "per-step-shrink", "--value")
    listed = json.loads(run("recipes", "resnet-50-rsb-a2", "--json").out)["recipes"][0]
    assert float(ran.out) == pytest.approx(listed["shrink"])
    assert "read as pytorch-adamw" in ran.err


def test_two_recipes_are_for_compare(run):
    ran = run("convert", "--recipe", "resnet-50-he", "--recipe", "deit-b")
    assert ran.status == 2
    assert "compare" in ran.err


def test_what_is_neither_name_nor_file_is_refused():
    with pytest.raises(UnknownNameError):
        load("no-such-recipe")
    with pytest.raises(UnreadableFileError):
        load("no/such/solver.prototxt")


def test_recipes_begin_with_what_they_range_over(run):
    ran = run("recipes")
    assert ran.out.startswith("81 published runs, timescales from ")
    (line,) = (line for line in ran.out.splitlines() if line.startswith(" resnet-50-he "))
    assert line.split()[1:4] == ["1.998", "1.67", "%"]
    assert run("recipes", "--search", "nanochat").out.startswith("1 published run\n")
    assert max(map(len, run("recipes", "--width", "60").out.splitlines())) <= 60


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("recipes deit-b --search x", "--search lists: leave out NAME"),
        ("recipes deit-b --near 3", "--near lists: leave out NAME"),
        ("recipes --near 3 --search x", "--search and --near choose otherwise: give one of them"),
        (
            "recipes --search zzz",
            "unknown published run with 'zzz' ('decaycalc recipes' lists them)",
        ),
        (
            "conventions --search zzz",
            "unknown convention with 'zzz' ('decaycalc conventions' shows the groups)",
        ),
        ("recipes --decay-mask all", "--decay-mask says what decays in code: give --emit"),
        ("recipes deit-b --decay-mask all", "--decay-mask says what decays in code: give --emit"),
        ("conventions keras-l2 --search x", "--search lists: leave out KEY"),
        ("conventions keras --framework keras", "--framework lists: leave out KEY"),
    ],
)
def test_what_chooses_from_a_list_does_not_go_with_a_name(run, words, message):
    ran = run(*words.split())
    assert (ran.status, ran.out, ran.err) == (2, "", f"error: {message}\n")


def test_a_file_is_no_paper_and_a_published_run_keeps_its_own(run, solver):
    shown = run("recipes", solver)
    assert "read again in" not in shown.out
    assert json.loads(run("recipes", solver, "--json").out)["recipes"][0]["checked"] == ""
    whole = json.loads(run("recipes", "resnet-50-he", "--json").out)["recipes"][0]
    other = json.loads(run("recipes", "resnet-50-he", "-B", "128", "--json").out)["recipes"][0]
    kept = ("name", "title", "source", "checked", "note")
    assert [other[name] for name in kept] == [whole[name] for name in kept]


def test_a_timescale_is_named_in_the_first_unit_that_it_is_known_in(run, solver):
    lines = run("recipes", solver).out.splitlines()
    assert any(line.startswith(" timescale ") and line.endswith(" steps") for line in lines)


@pytest.mark.parametrize("near", ["0", "-3"])
def test_a_timescale_that_is_none_is_refused_by_the_name_that_it_was_given(run, near):
    ran = run("recipes", "--near", near)
    assert (ran.status, ran.out) == (2, "")
    assert ran.last_error == f"error: near '{near}' must be positive"


def test_one_run_found_has_one_timescale(run):
    assert run("recipes", "--search", "alexnet-2012").out.startswith(
        "1 published run, timescale 2.133 epochs\n"
    )
