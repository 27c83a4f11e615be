"""The screen of `arch`: exempt tensors at a glance, names folded."""

import json
import time


def test_the_summary_answers_which_tensors_are_exempt(run):
    lines = run("arch", "gpt2", "--width", "80").out.splitlines()
    assert len(lines) <= 28
    assert lines[0].split()[:3] == ["gpt2", "tensors", "weights"]
    assert "50 norm, 48 bias" in lines[3 if "1 position" in lines[2] else 4]


def test_names_that_differ_by_a_number_share_a_row(run):
    ran = run("arch", "gpt2")
    (line,) = (line for line in ran.out.splitlines() if "h.{0-11}.ln_1.weight" in line)
    assert line.split()[1:] == ["768", "9,216", "norm", "exempt", "9,216"]
    assert "h.3.ln_1" not in ran.out
    assert "h.3.ln_1" in run("arch", "gpt2", "--format", "csv").out


def test_a_group_with_a_factor_of_its_own_is_shown(run):
    plain = run("arch", "resnet18").out
    assert "Groups" not in plain
    halved = run("arch", "resnet18", "--group", "^fc:wd*0.5").out
    assert "Groups" in halved
    assert "× 0.5" in halved


def test_what_a_file_calls_its_tensors_moves_no_cursor(run, tmp_path):
    path = tmp_path / "net.json"
    path.write_text(json.dumps({"\x1b[2Jx": [3, 4], "a\nb": [2, 2]}))
    for format_ in ("table", "md", "csv", "json", "jsonl"):
        ran = run("arch", path, "--format", format_)
        assert ran.status == 0
        assert "\x1b" not in ran.out
        ran.out.encode()


def test_a_table_of_many_tensors_takes_time_in_proportion(run, tmp_path):
    def seconds(n):
        path = tmp_path / f"{n}.json"
        path.write_text(json.dumps({f"block{k}.weight": [4, 4] for k in range(n)}))
        start = time.process_time()
        assert run("arch", path).status == 0
        return time.process_time() - start

    seconds(50)
    assert seconds(2400) < 8 * seconds(600)
