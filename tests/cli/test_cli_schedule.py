"""The command `decaycalc schedule`."""

import csv
import io
import json
from pathlib import Path

import pytest

NANOGPT = (
    "schedule", "0.1", "--from", "pytorch-adamw", "--lr", "6e-4", "--steps", "600000",
    "--schedule", "cosine:warmup=2000,final=0.1",
)  # fmt: skip


def test_the_json_document_holds_the_course_of_the_decay(
    run,
) -> None:
    status, out, err = run(*NANOGPT, "--json", "--curve", "7")
    document = json.loads(out)
    assert (status, err) == (0, "")
    assert document["schema"] == "decaycalc.schedule"
    assert document["total_steps"] == 600_000
    assert document["sum_shrink"] == pytest.approx(19.794, abs=1e-4)
    assert document["survival"] == pytest.approx(2.5316e-9, rel=1e-4)
    assert document["timescale_at_peak_steps"] == pytest.approx(16666.67, abs=0.01)
    assert len(document["curve"]) == 7
    assert document["curve"][-1]["survival"] == document["survival"]


def test_csv_holds_the_curve(run) -> None:
    _, out, _ = run(*NANOGPT, "--format", "csv", "--curve", "5")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["step"] for row in rows][:2] == ["0", "2000"]
    assert len(rows) == 5


def test_a_curve_that_was_written_can_be_read_as_a_schedule(run, tmp_path: Path) -> None:
    path = tmp_path / "curve.json"
    assert run(*NANOGPT, "--curve", "5000", "-o", str(path))[0] == 0
    status, out, _ = run(*NANOGPT[:-1], f"file:{path}", "--json")
    assert status == 0
    assert json.loads(out)["sum_shrink"] == pytest.approx(19.794, rel=1e-5)


def test_tables_and_plots_stand_on_stdout(run) -> None:
    pytest.importorskip("plotext")
    _, out, _ = run(*NANOGPT, "--plot", "--width", "100")
    assert out.index("Over the run") < out.index(" Step ") < out.index("optimizer step")
    assert max(map(len, out.splitlines())) <= 100
    _, wide, _ = run(*NANOGPT, "--plot")
    assert max(map(len, wide.partition("lr and decay per step")[2].splitlines())) == 80


def test_plots_go_with_tables_alone(run, tmp_path: Path) -> None:
    for more in (("--json",), ("-o", str(tmp_path / "a.md")), ("-o", str(tmp_path / "a.txt"))):
        status, out, err = run(*NANOGPT, "--plot", *more)
        assert (status, out) == (2, "")
        assert "--plot draws below tables on stdout; --save writes a picture" in err


def test_pictures_are_saved(run, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / "curve.png"
    assert run(*NANOGPT, "--save", str(path))[0] == 0
    assert path.stat().st_size > 10_000


def test_schedules_are_listed(run) -> None:
    status, out, _ = run("schedule", "--list")
    assert status == 0
    for word in ("cosine", "inverse-sqrt", "warmup", "one-cycle", "torch OneCycleLR"):
        assert word in out
    names = [row["name"] for row in json.loads(run("schedule", "--list", "--json")[1])[
        "schedules"
    ]]  # fmt: skip
    assert names[:3] == ["constant", "linear", "cosine"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("schedule", "--from", "pytorch-adamw"), "error: give a VALUE, the weight"),
        (("schedule", "0.1"), "error: give --from"),
        ((*NANOGPT, "--curve", "1"), "error: curve 1 must be from 2 to 100000 points"),
        ((*NANOGPT, "--curve", "x"), "error: curve 'x' must be a whole number of points"),
        ((*NANOGPT[:-1], "cosine:warmup=5epochs"), "give -N and -B"),
        ((*NANOGPT[:-1], "cosine:final=x"), "character 14: expected a number of at least 0"),
        ((*NANOGPT[:-1], "cosin"), "unknown schedule 'cosin'; did you mean 'cosine'"),
        (NANOGPT[:6], "error: a schedule needs steps; give --steps"),
    ],
)
def test_errors_are_one_line_with_the_way_out(run, words: tuple[str, ...], message: str) -> None:
    status, out, err = run(*words)
    assert (status, out) == (2, "")
    assert message in err


def test_syntax_errors_show_a_caret(run) -> None:
    _, _, err = run(*NANOGPT[:-1], "cosine:final=x")
    assert err.splitlines()[:2] == ["cosine:final=x", " " * 13 + "^"]


def test_what_has_no_decay_per_step_is_status_1(run) -> None:
    words = ("schedule", "0.1", "--from", "pytorch-adam", "--lr", "1e-3", "--steps", "10")
    status, _, err = run(*words)
    assert status == 1
    assert "has no decay per step" in err


def test_warnings_go_to_stderr(run) -> None:
    status, _, err = run(*NANOGPT, "--dtype", "bfloat16")
    assert status == 0
    assert err.startswith("warning: at ")
    assert "lost in bfloat16 rounding" in err


@pytest.mark.parametrize("key", ["pytorch-adamw", "pytorch-sgd", "optax-lion"])
@pytest.mark.parametrize("momentum", ["0", "0.9"])
def test_a_decay_next_to_nothing_has_no_endless_timescale(run, key, momentum):
    words = ("schedule", "1e-302", "--from", key, "--lr", "1e-9", "--steps", "9", "--json")
    own = "0.9" if key == "pytorch-sgd" else "0"
    ran = run(*words, "--momentum", min(momentum, own))
    assert ran.status == 0
    found = json.loads(ran.out)
    assert found["timescale_at_peak_steps"] is None
    assert found["equilibrium"] is None


def test_a_decay_beyond_float64_is_an_error(run):
    ran = run("schedule", "8.99e307", "--from", "mean-l2", "--lr", "0.1", "--steps", "1",
              "--momentum", "0.9")  # fmt: skip
    assert (ran.status, ran.out) == (2, "")
    assert "beyond float64" in ran.err


def test_without_a_decay_there_is_no_timescale_to_show(
    run,
) -> None:
    status, out, _ = run("schedule", "0", "--from", "pytorch-adamw", "--lr", "1e-3",
                         "--steps", "100")  # fmt: skip
    assert status == 0
    assert "timescale" not in out


def test_a_network_counts_the_weights_of_its_layers_and_shows_its_groups(
    run,
) -> None:
    words = ("schedule", "0.1", "--from", "mean-over-weights-l2", "--lr", "0.1", "--steps", "100")
    status, out, _ = run(*words, "--arch", "784-10", "--json")
    document = json.loads(out)
    # 2·λ/P a weight: 0.1·2·0.1/7840 a step.
    assert (status, document["sum_shrink"]) == (0, pytest.approx(100 * 0.02 / 7840, rel=1e-12))
    assert [each["n_weights"] for each in document["groups"]] == [7840, 10]
    assert document["groups"][1]["shrink"] == 0


def test_a_decay_of_each_layer_is_none_of_the_run(run) -> None:
    words = ("schedule", "0.1", "--from", "layer-mean-l2", "--lr", "0.1", "--steps", "100")
    status, _, err = run(*words, "--arch", "784-10-10")
    assert (status, "each layer has its own" in err) == (1, True)


def test_a_file_whose_lr_is_not_known_is_not_followed_at_a_constant_one(
    run, tmp_path: Path
) -> None:
    path = tmp_path / "a.json"
    path.write_text(
        '{"per_device_train_batch_size": 4, "learning_rate": 1e-3, "weight_decay": 0.1,'
        ' "lr_scheduler_type": "reduce_lr_on_plateau", "max_steps": 100}'
    )
    status, _, err = run("schedule", "--recipe", str(path))
    assert (status, "give --schedule" in err) == (2, True)
    status, out, _ = run("schedule", "--recipe", str(path), "--schedule", "constant", "--json")
    assert (status, json.loads(out)["sum_shrink"]) == (0, pytest.approx(0.01))
