"""Random command lines and rows: no traceback, no nan or inf, no hang.

DECAYCALC_FUZZ=100000 makes it long; every hundredth example is a whole command line.
"""

import io
import json
import math
import os
import signal
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from decaycalc.bulk.csv_rows import convert_csv
from decaycalc.bulk.json_rows import convert_jsonl
from decaycalc.bulk.stream import Stream
from decaycalc.cli.main import main
from decaycalc.conventions.catalogue import conventions
from decaycalc.schedule import KINDS
from decaycalc.training.published.index import RECIPES

N_EXAMPLES = int(os.environ.get("DECAYCALC_FUZZ", "0"))
ROWS, LINES = (N_EXAMPLES * 4 // 5, N_EXAMPLES // 5) if N_EXAMPLES else (160, 40)
relaxed = {
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
    "derandomize": not N_EXAMPLES,
    "database": None,
}

KEYS = st.sampled_from([c.key for c in conventions()])
COMMON = st.sampled_from(["caffe", "keras-l2", "pytorch-adamw", "mean-l2", "sklearn-logistic"])
NUMBERS = st.one_of(
    st.floats(min_value=0, allow_infinity=False).map(repr),
    st.floats().map(repr),
    st.floats(min_value=1e-6, max_value=1).map(repr),
    st.integers(-3, 10**7).map(str),
    st.integers().map(str),
    st.decimals().map(str),
    st.fractions().map(str),
    st.sampled_from(["1e-4", "0.1", "1/3", "1e400", "1e-400", "0x1p-3", "", " ", "-0", "1_0", "١"]),
    st.text(max_size=8),
)
NAMES = (
    "lr", "momentum", "dampening", "batch_size", "grad_accum", "world_size", "dataset_size",
    "epochs", "steps", "to_lr", "to_momentum", "to_dampening", "to_batch_size", "gradient_rms",
    "eps", "nbs", "l1_ratio", "lr_mult", "classes",
)  # fmt: skip
TEXTS = {
    "loss": st.sampled_from(["mean", "batch-sum", "dataset-sum", "median"]),
    "to_loss": st.sampled_from(["mean", "batch-sum", "dataset-sum"]),
    "match": st.sampled_from(["optimum", "decay"]),
    "dtype": st.sampled_from(["float32", "bfloat16", "int8"]),
    "arch": st.sampled_from(["4-3-2", "4--2", "1e3", "resnet18", "nonsense"]),
    "decay_mask": st.sampled_from(["all", "no-1d", "none"]),
    "init": st.sampled_from(["he", "normal:0.1", "normal:x"]),
    "schedule": st.sampled_from(["cosine", "linear:warmup=10", "step:at=3/2", "x"]),
}
FLAGS = ("nesterov", "drop_last", "no_bias")
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(NAMES, NUMBERS), **TEXTS, **dict.fromkeys(FLAGS, st.booleans()),
    },
)  # fmt: skip
SMALL = st.lists(st.sampled_from(NAMES[:9]), max_size=3, unique=True).flatmap(
    lambda names: st.fixed_dictionaries(dict.fromkeys(names, NUMBERS))
)
# A lone surrogate is valid JSON as an escape, and no text that can be written; `st.text` has none.
ODD_TEXTS = st.text(max_size=5) | st.sampled_from(["\ud800", "x\udfff", "\0", "\x1b[31m"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | ODD_TEXTS | st.just(10**4000),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(ODD_TEXTS, inner),
    max_leaves=4,
)


class HangError(Exception):
    """An example that takes too long."""


@pytest.fixture(autouse=True)
def watchdog():
    """Give every example together a time that only a hang exceeds."""

    def hang(*_):
        raise HangError

    before = signal.signal(signal.SIGALRM, hang)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def is_finite(value):
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(map(is_finite, value.values()))
    return all(map(is_finite, value)) if isinstance(value, list) else True


def answer_row(data, convert=convert_jsonl):
    signal.alarm(20)
    sink = io.BytesIO()
    tally = convert(Stream(io.BufferedReader(io.BytesIO(data)), sink), {"from": "caffe"})
    signal.alarm(0)
    return sink.getvalue(), tally


ROW = st.one_of(
    st.builds(
        lambda value, source, target, more: {"value": value, "from": source, "to": target, **more},
        NUMBERS, KEYS | COMMON, KEYS | COMMON, SMALL | SETTINGS,
    ),
    st.builds(
        lambda value, source, more: {"value": value, "from": source, **more},
        NUMBERS, COMMON, SMALL,
    ),
    st.dictionaries(st.sampled_from([*NAMES, *TEXTS, "value", "from", "to", "x"]), ANYTHING),
    st.dictionaries(
        st.sampled_from([*NAMES, *TEXTS, *FLAGS, "value", "from", "to", "result", "group", "set",
                         "optimizer", "decay_schedule", "x"]),
        ANYTHING, min_size=1, max_size=2,
    ).map(lambda odd: {"value": "0.1", "from": "caffe", "to": "keras-l2", **odd}),
)  # fmt: skip


@settings(max_examples=ROWS, **relaxed)
@given(ROW)
def test_no_row_breaks_the_stream(row):
    out, tally = answer_row(json.dumps(row).encode() + b"\n")
    assert tally.rows == 1
    line, rest = out.decode().split("\n")
    assert rest == ""
    result = json.loads(line)
    own = {name: result[name] for name in result if name.startswith(("result", "conversions"))}
    assert is_finite(own or result.get("error"))


@settings(max_examples=ROWS // 10, **relaxed)
@given(st.binary(max_size=80), st.sampled_from([convert_jsonl, convert_csv]))
def test_no_bytes_break_the_stream(data, convert):
    head = b"value,to\n" if convert is convert_csv else b""
    answer_row(head + data, convert)


@st.composite
def command_lines(draw):
    name = draw(st.sampled_from(["convert"] * 6 + ["schema", "completion", "check", "conventions"]))
    if name != "convert":
        word = draw(
            st.sampled_from(["convert", "bash", "no-such", "caffe", "-", "--json", "-x", ""])
        )
        return [name, word]
    words = ["convert", draw(NUMBERS), "--from", draw(KEYS | COMMON)]
    if draw(st.booleans()):
        words += ["--to", draw(KEYS | COMMON)]
    for field, value in draw(SMALL | SETTINGS).items():
        flag = f"--{field.replace('_', '-')}"
        words += ([flag] if value else []) if isinstance(value, bool) else [flag, value]
    more = [["--json"], ["--value"], ["--format", "csv"], ["--format", "md"], ["--all"], ["--bad"]]
    return [*words, *draw(st.sampled_from([[], *more]))]


SCHEDULES = st.one_of(
    st.sampled_from([kind.name for kind in KINDS]).flatmap(
        lambda name: st.sampled_from(
            [name, f"{name}:warmup=10", f"{name}:final=0.1", f"{name}:x=1", f"{name}:warmup=1e99"]
        )
    ),
    st.sampled_from(
        ["step:at=30/60/80%,factor=0.1", "cosine-restarts:period=7,growth=2", "inverse:gamma=1e-4",
         "warmup-stable-decay:decay=10%", "one-cycle", "constant:10;linear", "@no-such.csv", ":"]
    ),
    st.text("cosinestp:=,;%/.0123456789e-", max_size=20),
)  # fmt: skip
WIDTHS = st.lists(st.integers(-1, 10**6), min_size=1, max_size=5).map(
    lambda widths: "-".join(map(str, widths))
)
SPECS = st.one_of(
    WIDTHS,
    st.sampled_from(["resnet18", "vit-tiny", "gpt2", "WRN_16_4", "resnet1", "/", "x.safetensors"]),
    NUMBERS,
)
PATTERNS = st.sampled_from(["bias", "(", ".*", "fc.=2", "fc1.=x", "*"]) | st.text(max_size=4)
TARGET_NAMES = ("to_lr", "to_momentum", "to_dampening", "to_batch_size")
SOUND = st.fixed_dictionaries(
    {"lr": st.sampled_from(["0.1", "6e-4"]), "steps": st.integers(1, 10**5).map(str)},
    optional={"momentum": st.just("0.9"), "batch_size": st.just("256"),
              "dataset_size": st.just("50000")},
)  # fmt: skip
RUNS = (
    SOUND
    | SMALL
    | st.fixed_dictionaries(
        {}, optional={**dict.fromkeys(NAMES, NUMBERS), "loss": TEXTS["loss"]}
    ).map(lambda run: {name: run[name] for name in run if name not in TARGET_NAMES})
)
OWN_OPTIONS = {
    "schedule": {
        "schedule": SCHEDULES, "curve": NUMBERS, "dtype": TEXTS["dtype"], "list": st.booleans(),
    },
    "transfer": {
        "to": COMMON, "recipe": st.sampled_from([*(recipe.name for recipe in RECIPES), "x"]),
        "hold": st.sampled_from(["objective", "step", "epoch", "run", "normalized", "x"]),
        "lr_rule": st.sampled_from(["none", "linear", "sqrt", "muP", "given"]),
        "emit": st.sampled_from(["pytorch", "keras", "optax", "hf", "timm", "sklearn", "x"]),
        "schedule": SCHEDULES, "explain": st.sampled_from(["text", "latex", "y"]),
        **dict.fromkeys(
            (*TARGET_NAMES, "to_dataset_size", "to_epochs", "to_steps", "to_width_ratio",
             "parameters", "to_parameters"), NUMBERS,
        ),
    },
    "arch": {
        "decay_mask": TEXTS["decay_mask"], "decay_only": PATTERNS, "no_decay": PATTERNS,
        "group": PATTERNS, "layer_decay": NUMBERS, "init": TEXTS["init"], "depth": NUMBERS,
        "classes": NUMBERS, "groups": st.just("json"), "measure": st.booleans(),
    },
    "recipes": {
        "search": st.text(max_size=3), "near": NUMBERS,
        "emit": st.sampled_from(["pytorch", "keras", "x"]),
    },
    "verify": {"to": COMMON, "to_value": NUMBERS, "match": TEXTS["match"]},
}  # fmt: skip
ARGUMENTS = {
    "arch": st.tuples(SPECS) | st.tuples(SPECS, NUMBERS),
    "recipes": st.just(()) | st.tuples(st.sampled_from([recipe.name for recipe in RECIPES])),
}


@st.composite
def other_command_lines(draw):
    """Return a line of a command besides convert, its options by their names."""
    name = draw(st.sampled_from(["schedule", "transfer", "arch"] * 4 + ["recipes", "verify"]))
    words = [name, *draw(ARGUMENTS.get(name, st.tuples(NUMBERS)))]
    own = draw(st.fixed_dictionaries({}, optional=OWN_OPTIONS[name]))
    run = {} if name == "recipes" else draw(RUNS)
    keys = {} if name == "recipes" else {"from": draw(KEYS | COMMON)}
    if name == "verify":  # every step is taken by each of six small networks
        own["steps"] = "9"
    for field, value in {**keys, **run, **own}.items():
        flag = f"--{field.replace('_', '-')}"
        words += ([flag] if value else []) if isinstance(value, bool) else [flag, value]
    return [*words, *draw(st.sampled_from([[], ["--json"], ["--format", "csv"], ["--bad"]]))]


def run_line(words):
    """Run a command line and check what every one of them owes its user."""
    out, err, standard = io.StringIO(), io.StringIO(), (sys.stdin, sys.stdout, sys.stderr)
    sys.stdin, sys.stdout, sys.stderr = io.TextIOWrapper(io.BytesIO(b"")), out, err
    signal.alarm(20)
    try:
        status = main(words)
    finally:
        signal.alarm(0)
        sys.stdin, sys.stdout, sys.stderr = standard
    assert status in {0, 1, 2}, words
    assert "Traceback" not in err.getvalue()
    if status == 2:
        assert out.getvalue() == ""
        assert "error: " in err.getvalue()
    if status == 0 and "--json" in words:
        assert is_finite(json.loads(out.getvalue()))
    if status == 0 and "--value" in words:
        assert math.isfinite(float(out.getvalue()))


@settings(max_examples=LINES, **relaxed)
@given(command_lines())
def test_no_command_line_breaks_the_program(words):
    run_line(words)


@settings(max_examples=LINES, **relaxed)
@given(other_command_lines())
def test_no_line_of_another_command_breaks_the_program(words):
    run_line(words)
