"""`check` on training files: findings, levels, formats, where the settings come from."""

import io
import json
import os
import threading
import zipfile
from xml.dom.minidom import parseString

import pytest

ESPNET = """\
batch_size: 64
accum_grad: 2
max_epoch: 50
optim: adam
optim_conf:
    lr: 0.002
    weight_decay: 0.1
"""
SOUND = '[a]\nvalue = 5e-4\nfrom = "caffe"\nto = "keras-l2"\nequals = 2.5e-4\n'


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.yaml").write_text(ESPNET, encoding="utf-8")
    (tmp_path / "decay.toml").write_text(SOUND, encoding="utf-8")
    return "train.yaml"


def test_a_warning_fails_the_check_and_its_line_is_named(file, run):
    done = run("check", file)
    assert done.status == 1
    assert done.out.startswith("1 warning")
    assert "FAILED" in done.out
    assert "DC101 warning" in done.out
    assert "(line 7: optim_conf.weight_decay)" in done.out


def test_what_fails_is_chosen(file, run):
    assert run("check", file, "--fail-on", "error").status == 0
    assert run("check", file, "--ignore", "DC101").status == 0
    assert run("check", file, "--select", "DC5", "--fail-on", "never").status == 0
    assert run("check", file, "--select", "DC9").status == 2
    assert run("check", file, "--select", "DC3").out.startswith("nothing found")


def test_a_comment_in_the_file_ignores_a_rule(file, run, tmp_path):
    text = ESPNET.replace("decay: 0.1", "decay: 0.1  # decaycalc: ignore DC101")
    (tmp_path / file).write_text(text, encoding="utf-8")
    assert run("check", file).status == 0


def test_a_project_says_which_rules_hold(file, run, tmp_path):
    project = tmp_path / "pyproject.toml"
    project.write_text('[tool.decaycalc.check]\nignore = ["DC101"]\n', encoding="utf-8")
    assert run("check", file).status == 0
    project.write_text('[tool.decaycalc.check]\nfail-on = "never"\n', encoding="utf-8")
    assert run("check", file).status == 0
    project.write_text("[tool.decaycalc.check]\nselect = [1]\n", encoding="utf-8")
    done = run("check", file)
    assert done.status == 2
    assert "must be a text or a list of texts" in done.err
    project.write_text("[tool]\ndecaycalc = 1\n# tool.decaycalc\n", encoding="utf-8")
    assert run("check", file).status == 1
    project.write_text('[tool.decaycalc.check]\nselect = "DC5"\n' + SOUND.replace(
        "[a]", "[tool.decaycalc.check.a]"), encoding="utf-8")  # fmt: skip
    assert "1 of 1 passed" in run("check", "pyproject.toml").out


def test_assertions_and_sources_may_stand_side_by_side(file, run):
    done = run("check", "decay.toml", file, "--fail-on", "never")
    assert done.status == 0
    assert "1 of 1 passed" in done.out
    assert "DC101" in done.out
    document = json.loads(run("check", "decay.toml", file, "--json").out)
    assert document["passed"] is False
    assert [check["name"] for check in document["checks"]] == ["a"]
    assert {finding["file"] for finding in document["findings"]} == {file}


@pytest.mark.usefixtures("file")
def test_toml_of_a_trainer_is_a_source(run, tmp_path):
    text = '[optimizer]\nlr = 4e-4\n[lr_scheduler]\nwarmup_steps = 2\n[model]\nflavor = "a"\n'
    (tmp_path / "a.toml").write_text(text, encoding="utf-8")
    assert "DC104" in run("check", "a.toml").out
    (tmp_path / "b.toml").write_text("[broken", encoding="utf-8")
    assert run("check", "b.toml").status == 2


@pytest.mark.usefixtures("file")
def test_a_published_run_is_a_source(run):
    done = run("check", "resnet-50-he")
    assert done.status == 0
    assert "DC105" in done.out


def test_annotations_of_github_name_the_level(file, run):
    out = run("check", "decay.toml", file, "--format", "github").out
    title = "title=DC101 penalty-under-adaptive-optimizer"
    assert f"::warning file={file},line=7,{title}::pytorch-adam" in out
    assert "1 of 1 passed" in out
    assert out.splitlines()[-1] == "1 finding"
    assert run("check", file, file, "--format", "github").out.splitlines()[-1] == "2 findings"
    assert run("check", "decay.toml", "--format", "github").out == "1 of 1 passed\n"


def test_junit_has_a_case_a_finding(file, run):
    out = run("check", file, "decay.toml", "--format", "junit").out
    suite = parseString(out).documentElement  # noqa: S318  (our own output)
    cases = suite.getElementsByTagName("testcase")
    assert (suite.getAttribute("failures"), suite.getAttribute("tests")) == ("1", str(len(cases)))
    (failed,) = [case for case in cases if case.getElementsByTagName("failure")]
    assert failed.getAttribute("name") == f"{file}: DC101 penalty-under-adaptive-optimizer"
    assert (failed.getAttribute("file"), failed.getAttribute("line")) == (file, "7")
    (sound,) = [case for case in cases if case.getAttribute("file") == "decay.toml"]
    assert (sound.getAttribute("name"), sound.getAttribute("line")) == ("a", "1")


def test_sarif_has_rules_results_and_places(file, run):
    log = json.loads(run("check", file, "--format", "sarif").out)
    assert log["version"] == "2.1.0"
    (only,) = log["runs"]
    (adam,) = [each for each in only["results"] if each["ruleId"] == "DC101"]
    place = adam["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": file}, "region": {"startLine": 7}}
    known = {rule["id"] for rule in only["tool"]["driver"]["rules"]}
    assert known == {each["ruleId"] for each in only["results"]}


def test_sarif_holds_what_its_schema_asks_for(file, run, tmp_path):
    """Source: OASIS sarif-schema-2.1.0.json, the required and closed parts of what is written."""
    odd = tmp_path / "my 100% run.yaml"
    odd.write_bytes((tmp_path / file).read_bytes())
    (tmp_path / "bad.toml").write_text(SOUND.replace("equals = ", "equals = 1"), encoding="utf-8")
    log = json.loads(run("check", "bad.toml", odd.name, "--format", "sarif").out)
    assert set(log) == {"$schema", "version", "runs"}
    ((only,), version) = log["runs"], log["version"]
    assert version == "2.1.0"
    assert set(only) == {"tool", "results"}
    rules = only["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    assert {rule["defaultConfiguration"]["level"] for rule in rules} <= {"error", "warning", "note"}
    failed, *found = only["results"]
    assert (failed["ruleId"], failed["level"]) == ("assertion", "error")
    assert _place(failed) == {"artifactLocation": {"uri": "bad.toml"}, "region": {"startLine": 1}}
    for result in found:
        assert set(result) == {"ruleId", "level", "message", "locations"}
        place = _place(result)
        assert place["artifactLocation"] == {"uri": "my%20100%25%20run.yaml"}
        assert place.get("region", {"startLine": 1})["startLine"] >= 1


def _place(result):
    return result["locations"][0]["physicalLocation"]


@pytest.mark.usefixtures("file")
def test_one_rule_is_explained_and_something_must_be_given(run):
    done = run("check", "--explain", "DC301")
    assert "next-to-nothing" in done.out
    assert json.loads(run("check", "--explain", "DC301", "--json").out)["code"] == "DC301"
    assert run("check", "--explain", "DC999").status == 2
    assert "give a FILE" in run("check").err


KERAS = {
    "module": "keras",
    "class_name": "Sequential",
    "compile_config": {
        "optimizer": {
            "module": "keras.optimizers",
            "class_name": "AdamW",
            "config": {"learning_rate": 0.001, "weight_decay": 0.004},
        }
    },
}


@pytest.mark.usefixtures("file")
def test_a_pipe_an_archive_and_one_command_of_a_script_are_checked_too(run, tmp_path):
    os.mkfifo("pipe.yaml")
    writer = threading.Thread(target=(tmp_path / "pipe.yaml").write_text, args=(ESPNET,))
    writer.start()
    assert run("check", "pipe.yaml").status == 1
    writer.join()
    with zipfile.ZipFile("a.keras", "w") as archive:
        archive.writestr("config.json", json.dumps(KERAS))
    assert run("check", "a.keras").status in {0, 1}
    line = "torchrun t.py --learning_rate 1e-3 --weight_decay 0.1 --num_train_epochs 3\n"
    (tmp_path / "two.sh").write_text(f"{line}{line}", encoding="utf-8")
    assert run("check", "two.sh:2", "--kind", "hf-trainer").status in {0, 1}


TRAINER = """\
learning_rate: 0.001
weight_decay: 0.1
num_train_epochs: 2
per_device_train_batch_size: 8
"""


def test_a_runs_options_take_the_place_of_its_own(tmp_path, run):
    (tmp_path / "run.yaml").write_text(TRAINER, encoding="utf-8")
    path = str(tmp_path / "run.yaml")

    def codes(*words):
        shown = run("check", path, *words, "--select", "DC301,DC501", "--json")
        return [each["code"] for each in json.loads(shown.out)["findings"]]

    assert codes() == ["DC501"]
    # 2 epochs of 50 steps, linear: 1e-4·(100/2) = 0.005 in all, below a hundredth.
    assert codes("-N", "3200", "--world-size", "8") == ["DC301"]
    assert codes("-N", "32000", "--world-size", "8") == []


@pytest.mark.parametrize(
    "words", [["-N", "5000"], ["--arch", "resnet18"], ["--set", "gradient_rms=1"]]
)
def test_a_runs_options_stand_beside_no_assertions_alone(file, run, words):
    done = run("check", "decay.toml", *words)
    assert done.status == 2
    assert "is for a training run" in done.err
    assert run("check", "decay.toml", file, *words, "--fail-on", "never").status == 0


@pytest.mark.parametrize("command", ["check", "inspect", "compare"])
def test_what_enters_no_run_is_refused(tmp_path, run, command):
    (tmp_path / "run.yaml").write_text(TRAINER, encoding="utf-8")
    path = str(tmp_path / "run.yaml")
    both = [path, path] if command == "compare" else [path]
    done = run(command, *both, "--momentum", "0.9")
    assert (done.status, done.err) == (2, "error: hf-trainer takes no momentum\n")
    assert run(command, *both, "-N", "32000", "--quiet").status == 0


def test_what_enters_one_of_two_runs_is_taken(tmp_path, run):
    (tmp_path / "run.yaml").write_text(TRAINER, encoding="utf-8")
    path = str(tmp_path / "run.yaml")
    assert run("compare", path, "resnet-50-he", "--momentum", "0.8").status == 0


@pytest.mark.parametrize(
    ("text", "status", "told"),
    [
        (ESPNET, 1, "DC101"), (f"{ESPNET.strip()}  # decaycalc: ignore DC101", 0, ""),
        (SOUND, 0, "1 of 1 passed"), ("", 2, "holds no table"), ("[a\n", 2, "not TOML"),
        ("a: 1\n", 2, "not enough of any trainer's own keys"),
    ],
)  # fmt: skip
def test_standard_input_is_told_by_its_content(run, monkeypatch, text, status, told):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    done = run("check", "-")
    assert done.status == status
    assert told in done.out + done.err
