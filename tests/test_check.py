import json
import xml.etree.ElementTree as ET

import pytest

from decaycalc.checks import parse_checks, run_check
from decaycalc.cli.main import main
from decaycalc.errors import DecaycalcError

SOUND = """
[caffe-and-keras]
about = "what this is for"
value = 5e-4
from = "caffe"
to = "keras-l2"
equals = 2.5e-4

["long enough"]
value = 0.1
from = "pytorch-adamw"
lr = 3e-4
batch_size = 512
dataset_size = 1281167
quantity = "timescale_epochs"
min = 1
max = 20
"""
FAILING = """
[wrong]
value = 1e-4
from = "caffe"
to = "keras-l2"
equals = 1e-4

[outside]
value = 0.1
from = "pytorch-adamw"
lr = 0.1
quantity = "shrink"
min = 0.02
"""


@pytest.fixture
def run(run, tmp_path):
    def check(text, *words):
        path = tmp_path / "decay.toml"
        path.write_text(text, encoding="utf-8")
        return run("check", path, *words)

    return check


def checked(text):
    return [run_check(check) for check in parse_checks(text, path="x.toml")]


def test_sound_checks_pass_in_one_line_each(run):
    status, out, err = run(SOUND)
    assert status == 0
    assert "caffe-and-keras" in out
    assert "2 of 2 passed" in out
    assert err == ""


def test_a_failed_check_names_its_numbers_and_fails_the_job(run):
    status, out, _ = run(FAILING, "--format", "json")
    assert status == 1
    checks = json.loads(out)["checks"]
    assert [check["passed"] for check in checks] == [False, False]
    assert checks[0]["actual"] == 5e-5
    assert checks[0]["message"] == "keras-l2 5e-05 is not 0.0001 to a relative 1e-09"
    assert checks[1]["message"] == "shrink 0.01 is below 0.02"
    assert [check["line"] for check in checks] == [2, 8]


def test_typed_decimals_are_exact():
    text = '[a]\nvalue = 1e-4\nfrom = "caffe"\nto = "mean-l2"\nequals = 5e-5\nrtol = 0'
    assert checked(text)[0].passed


@pytest.mark.parametrize(
    ("bounds", "passed"),
    [
        ("min = 0.01", True), ("max = 0.01", True), ("min = 0.011", False), ("max = 0.009", False),
        ("equals = 0.0101\nrtol = 0.02", True), ("equals = 0.0101\nrtol = 0.001", False),
        ("min = 0.001\nmax = 0.002", False),
    ],
)  # fmt: skip
def test_a_quantity_lies_in_its_range_or_not(bounds, passed):
    text = f'[a]\nvalue = 0.1\nfrom = "pytorch-adamw"\nlr = 0.1\nquantity = "shrink"\n{bounds}'
    result = checked(text)[0]
    assert result.passed == passed
    assert result.exit_status == int(not passed)


@pytest.mark.parametrize(
    ("quantity", "more"),
    [("survival", "steps = 100"), ("share_of_loss", 'arch = "784-300-10"\nclasses = 10')],
)
def test_survival_and_share_of_the_loss_are_quantities(quantity, more):
    source = "mean-l2" if "arch" in more else "pytorch-adamw"
    text = f'[a]\nvalue = 0.1\nfrom = "{source}"\nlr = 0.1\nquantity = "{quantity}"\n{more}\nmin=0'
    assert checked(text)[0].actual > 0


def test_two_recipes_agree_or_not(tmp_path):
    path = tmp_path / "solver.prototxt"
    path.write_text('base_lr: 0.1\nmomentum: 0.9\nweight_decay: 0.0001\ntype: "SGD"\n')
    text = (
        f'[a]\nrecipes = ["resnet-50-he", "{path}"]\n[b]\nrecipes = ["resnet-50-he", "gpt-3-175b"]'
    )
    same, different = checked(text)
    assert same.passed
    assert not different.passed
    assert different.exit_status == 1
    assert "is not the" in different.message


@pytest.mark.parametrize(
    ("text", "message", "status"),
    [
        ('value = 1\nfrom = "caffe"\nto = "keras-l3"\nequals = 1', "did you mean", 2),
        ('value = 1\nfrom = "caffe"\nto = "keras-l2"', "needs equals, min or max", 2),
        ('from = "caffe"\nto = "keras-l2"\nequals = 1', "needs value", 2),
        ('value = 1\nfrom = "caffe"\nequals = 1', "needs to or quantity", 2),
        ('value = 1e-4\nfrom = "caffe"\nquantity = "shrnk"\nmin = 1', "did you mean 'shrink'", 2),
        ('value = 1e-4\nfrom = "caffe"\nquantity = "shrink"\nmin = 1', "needs lr", 2),
        ('value = 1\nfrom = "caffe"\nquantity = "half_life_steps"\nmin = 1', "needs lr", 2),
        (
            'value = 1\nfrom = "caffe"\nlr = 1\nquantity = "timescale_epochs"\nmin = 1',
            "needs batch_size, dataset_size",
            2,
        ),
        (
            'value = 1\nfrom = "caffe"\nlr = 1\nquantity = "survival"\nmin = 1',
            "survival needs steps",
            2,
        ),
        (
            'value = 1\nfrom = "caffe"\nquantity = "penalty_value"\nmin = 1',
            "needs more of the run",
            2,
        ),
        (
            'value = 1\nfrom = "pytorch-sgd"\nlr = 1\nto = "pytorch-adamw"\nequals = 1',
            "pytorch-sgd to pytorch-adamw needs to_lr",
            2,
        ),
        ('value = 1\nfrom = "caffe"\nquantity = "value"\nmin = 1', "needs one 'to'", 2),
        (
            'value = 1\nfrom = "layer-mean-l2"\nto = "caffe"\narch = "3-4-5"\nequals = 1',
            "one number a layer",
            1,
        ),
        (
            'value = 1\nfrom = "pytorch-adam"\nlr = 1\nquantity = "shrink"\nmin = 1',
            "pytorch-adam has no equivalent in a decay per step",
            1,
        ),
        (
            'value = 0\nfrom = "caffe"\nlr = 1\nquantity = "half_life_steps"\nmin = 1',
            "not shrink",
            1,
        ),
        ('value = 1\nfrom = "pytorch-adamw"\nquantity = "strength"\nmin = 1', "no objective", 1),
        (
            'value = 1e-4\nfrom = "pytorch-adam"\nto = "pytorch-adamw"\nequals = 1',
            "no equivalent",
            1,
        ),
        ('value = 1e-4\nfrom = "caffe"\nto = "keras-l2"\nequals = "x"', "not a number", 2),
        ('recipes = ["resnet-50-he"]', "must be two", 2),
        ('recipes = ["resnet-50-he", "resnet-50-hee"]', "did you mean", 2),
        ('recipes = ["a", 1]\nvalue = true', "unknown recipe", 2),
    ],
)
def test_a_check_without_an_answer_fails_with_the_reason(text, message, status):
    result = checked(f"[a]\n{text}")[0]
    assert message in result.message
    assert (result.passed, result.exit_status, result.actual) == (False, status, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no table"),
        ("a = 1", "must be a table"),
        ("[a", "decay.toml:1:3: not TOML: Expected ']' at the end of a table declaration"),
        ("[tool.decaycalc]\ncheck = 1", "holds no table"),
        ("[tool]\nx = 1", "holds no table [tool.decaycalc.check]"),
        ("tool = 1", "holds no table [tool.decaycalc.check]"),
        ("[build-system]\nrequires = []", "holds no table [tool.decaycalc.check]"),
    ],
)
def test_a_file_without_sound_checks_is_refused(run, text, message):
    status, out, err = run(text)
    assert status == 2
    assert message in err
    assert out == ""


def test_pyproject_holds_checks_under_its_own_table(run):
    text = "[tool.other]\nx = 1\n[tool.decaycalc]\nlr = 0.1\n\n[tool.decaycalc.check.decay]\n"
    text += 'value = 5e-4\nfrom = "caffe"\nto = "keras-l2"\nequals = 2e-4\n'
    status, out, _ = run(text, "--format", "github")
    assert status == 1
    assert ",line=6,title=decay::keras-l2 0.00025 is not 0.0002" in out
    assert "0 of 1 passed" in out


def test_a_table_written_inline_is_on_the_first_line():
    text = 'a = {value = 5e-4, from = "caffe", to = "keras-l2", equals = 2.5e-4}'
    assert checked(text)[0].line == 1


def test_annotations_escape_what_github_reads():
    text = '["a: b, 100%"]\nvalue = 1\nfrom = "no\\nsuch"\nto = "keras-l2"\nequals = 1'
    from decaycalc.report.check import to_github

    line = to_github(checked(text), path="a,b:c.toml")[0]
    assert line.startswith("::error file=a%2Cb%3Ac.toml,line=1,title=a%3A b%2C 100%25::unknown")


def test_junit_counts_failures_and_errors_and_survives_odd_names(run):
    text = FAILING + '\n["<&\\u0001>"]\nvalue = 1\nfrom = "x"\nto = "y"\nequals = 1\n' + SOUND
    status, out, _ = run(text, "--format", "junit")
    assert status == 2
    suite = ET.fromstring(out)  # noqa: S314  (our own report)
    assert suite.attrib == {"name": "decaycalc", "tests": "5", "failures": "2", "errors": "1"}
    assert suite[2].attrib["name"] == "<&?>"
    assert [len(case) for case in suite] == [1, 1, 1, 0, 0]


@pytest.mark.parametrize("format_", ["jsonl", "csv", "md", "table"])
def test_every_common_format_shows_the_checks(run, format_):
    status, out, _ = run(SOUND, "--format", format_)
    assert status == 0
    assert "caffe-and-keras" in out


def test_standard_input_holds_checks(monkeypatch, capsys):
    import io
    import sys

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(SOUND.encode())))
    assert main(["check", "-", "-q"]) == 0
    assert "2 of 2" in capsys.readouterr().out


def test_a_file_that_cannot_be_read_is_refused(tmp_path, capsys):
    assert main(["check", str(tmp_path / "no.toml")]) == 2
    assert "No such file" in capsys.readouterr().err
    (tmp_path / "x.toml").write_bytes(b"\xff")
    assert main(["check", str(tmp_path / "x.toml")]) == 2
    assert "not UTF-8" in capsys.readouterr().err


def test_a_junit_report_goes_to_a_file(run, tmp_path):
    report = tmp_path / "report.xml"
    assert run(SOUND, "-o", str(report), "--format", "junit")[0] == 0
    assert report.read_text().startswith("<?xml")


def test_no_list_is_a_check():
    with pytest.raises(DecaycalcError, match="must be a table"):
        parse_checks("[[a]]\nvalue = 1", path="x.toml")


def test_a_project_without_checks_is_told_what_table_it_lacks(tmp_path, capsys):
    path = tmp_path / "pyproject.toml"
    path.write_text('[project]\nname = "x"\n', encoding="utf-8")
    assert main(["check", str(path)]) == 2
    assert "pyproject.toml' holds no table [tool.decaycalc.check]\n" in capsys.readouterr().err


def test_a_misspelt_field_fails_its_own_check_at_its_line_and_the_others_run(run):
    status, out, err = run(f"[bad]\nvalue = 1\n'frm' = 2\n{SOUND}{FAILING}", "--format", "github")
    assert (status, err) == (2, "")
    lines = out.splitlines()
    assert lines[0].endswith(",line=3,title=bad::unknown field 'frm'; did you mean 'from'?")
    assert "title=wrong::" in lines[1]
    assert lines[-1] == "2 of 5 passed"


@pytest.mark.parametrize(
    "text", ["b = {valu = 1}", "b = {valu = 1}\n[a]\nvalu = 1", "[b]\na = {valu = 1}\n[a]"]
)
def test_a_misspelt_field_that_is_not_found_is_at_its_table_s_line(text):
    assert parse_checks(text, path="x.toml")[0].line == 1 + text.startswith("[b]")


def test_a_field_that_resembles_none_is_answered_with_all(run):
    _, out, _ = run("[a]\nzzz = 0.1", "--format", "json")
    message = json.loads(out)["checks"][0]["message"]
    assert message.startswith("unknown field 'zzz' (one of about, equals, max, min, quantity, ")
    assert message.endswith("value, or a quantity by its name, as lr)")


def test_a_list_of_checks_is_answered_with_tables(run):
    status, _, err = run("[[check]]\nvalue = 0.1")
    assert status == 2
    assert "check 'check' must be a table with a name of its own, [check-1]" in err


def test_defaults_of_options_enter_no_check(run, monkeypatch):
    monkeypatch.setenv("DECAYCALC_LR", "0.1")
    text = '[a]\nvalue = 0.1\nfrom = "pytorch-adamw"\nto = "tfa-adamw"\nequals = 0.01'
    status, out, _ = run(text, "--format", "jsonl")
    assert status == 2
    assert "needs lr" in out


def test_no_toml_is_shown_in_one_short_line(run):
    status, _, err = run('{"layers": [' + "1, " * 100 + "2]}")
    assert status == 2
    assert [len(line) < 200 for line in err.splitlines()] == [True] * 3
    assert err.splitlines()[0].startswith('{"layers": [1,')
    assert "decay.toml:1:1: not TOML: Invalid statement" in err


@pytest.mark.parametrize(
    "field",
    ["equals", "rtol", "min", "max", "value", "quantity", "recipes", "from", "lr", "nesterov",
     "drop_last", "arch", "match"],
)  # fmt: skip
@pytest.mark.parametrize("value", ["[0.05]", "{a = 1}", "1979-05-27T07:32:00Z", "[[1], [{}]]"])
def test_a_value_of_the_wrong_kind_makes_its_check_invalid_and_no_other(field, value):
    fields = {"value": "0.1", "from": '"caffe"', "to": '"keras-l2"', "equals": "0.05"}
    fields[field] = value
    bad = "".join(f"{name} = {text}\n" for name, text in fields.items())
    first, second = checked(f"[bad]\n{bad}{SOUND.partition('[')[1]}{SOUND.partition('[')[2]}")[:2]
    assert (first.name, first.exit_status, first.passed) == ("bad", 2, False)
    assert field in first.message
    assert second.passed


def test_the_lines_of_many_checks_are_found_in_one_walk():
    import time

    text = "".join(f'["check {n}"]\nvalue = 1\n' for n in range(8000))
    start = time.process_time()
    checks = parse_checks(text, path="x.toml")
    assert time.process_time() - start < 3
    assert [check.line for check in checks[::4000]] == [1, 8001]


def test_checks_load_no_xml_where_no_junit_is_written():
    import subprocess
    import sys

    script = "import sys, decaycalc.report.check; assert 'xml.sax' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize(("value", "passed"), [("0.9", True), ("1.1", False)])
def test_a_tolerance_is_relative_to_what_is_expected(value, passed):
    text = f'[a]\nvalue = {value}\nfrom = "caffe"\nto = "caffe"\nequals = 1\nrtol = 0.1\n'
    (check,) = parse_checks(text, path="checks.toml")  # 1.1 - 1 is above 0.1 in floats
    assert run_check(check).passed is passed
