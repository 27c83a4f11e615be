"""A training file written in another way is the same run.

Other order of keys, other layout and quotes, other forms of the same number, JSON in place of YAML,
`--flag=value` in place of `--flag value`, and a key that no trainer knows: none changes the answer.
"""

import pytest

from decaycalc.algebra.quantity import exact
from decaycalc.errors import DecaycalcError
from decaycalc.inspection import inspect
from decaycalc.training.trainers.syntax.data import parse_json
from decaycalc.training.trainers.syntax.yaml_events import parse_yaml
from tests.fuzzing import rewriting
from tests.fuzzing.cases import fuzzed
from tests.fuzzing.sources import OF_TRAINERS, SEEDS

ALL = {**SEEDS, **OF_TRAINERS}
# Scripts as their parts: the program, and its flags.
SCRIPTS = {
    "hf-trainer": (
        "torchrun --nproc_per_node 4 train.py",
        (("--learning_rate", "2e-5"), ("--weight_decay", "0.05"), ("--num_train_epochs", "2"),
         ("--per_device_train_batch_size", "2"), ("--gradient_accumulation_steps", "4"),
         ("--lr_scheduler_type", "cosine"), ("--warmup_ratio", "0.03"), ("--bf16", "True")),
    ),
    "torchvision": (
        "torchrun --nproc_per_node=8 train.py",
        (("--model", "resnet50"), ("--batch-size", "128"), ("--lr", "0.5"),
         ("--lr-scheduler", "cosineannealinglr"), ("--lr-warmup-epochs", "5"), ("--epochs", "600"),
         ("--lr-warmup-method", "linear"), ("--weight-decay", "2e-5"), ("--model-ema", None)),
    ),
    "diffusers": (
        "accelerate launch --num_processes 2 train_dreambooth.py",
        (("--pretrained_model_name_or_path", "acme/x"), ("--max_train_steps", "15000"),
         ("--lr_warmup_steps", "0"), ("--train_batch_size", "1"), ("--lr_scheduler", "constant"),
         ("--learning_rate", "1e-5"), ("--use_8bit_adam", None)),
    ),
    "megatron": (
        "torchrun --nproc_per_node 8 pretrain_gpt.py",
        (("--micro-batch-size", "4"), ("--global-batch-size", "512"), ("--train-iters", "100000"),
         ("--lr-decay-iters", "90000"), ("--weight-decay", "0.1"), ("--adam-beta2", "0.95"),
         ("--lr", "3.0e-4"), ("--min-lr", "3.0e-5"), ("--lr-decay-style", "cosine"),
         ("--lr-warmup-fraction", ".01"), ("--seq-length", "2048"), ("--bf16", None)),
    ),
    "timm": (
        "torchrun --nproc_per_node=2 train.py",
        (("--model", "vit_small_patch16_224"), ("--opt", "adamw"), ("--lr", "1e-3"),
         ("--sched", "cosine"), ("--epochs", "300"), ("--warmup-epochs", "20"), ("--batch-size",
         "256"), ("--weight-decay", "0.05"), ("--amp", None)),
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(folder, name, text):
    """Return what a file's run is, without where in the file it stands."""
    (folder / name).write_bytes(text.encode())
    found = inspect(name)
    whole = found.to_dict()
    kept = {key: value for key, value in whole.items() if key not in
            {"source", "notes", "not_used", "findings", "quantities", "alternatives"}}  # fmt: skip
    quantities = sorted(
        (each["name"], _number(each["value"]), each["origin"]) for each in whole["quantities"]
    )
    not_used = sorted(key for key in whole["not_used"] if rewriting.STRANGER not in key)
    return {
        **kept,
        "kind": found.training.kind,
        "missing": sorted(whole["missing"]),
        "quantities": quantities,
        "not_used": not_used,
        "findings": sorted(each["code"] for each in whole["findings"]),
        "alternatives": len(whole["alternatives"]),
    }


def _number(text):
    """Return a number's value, whatever its form; other texts stay."""
    if text in {"True", "False"}:
        return text.lower()
    try:
        return str(exact(text)) if isinstance(text, str) else text
    except DecaycalcError:
        return text


def endings(rng, text):
    """Return a text with other ends of its lines, or a mark at its start."""
    text = text.replace("\n", "\r\n") if rng.random() < 0.2 else text
    return f"\ufeff{text}" if rng.random() < 0.1 else text


def trees():
    """Return the seeds that are YAML or JSON, parsed."""
    found = {}
    for name, text in ALL.items():
        parse = parse_json if text.startswith("{") else parse_yaml
        try:
            found[name] = parse(text, name)
        except DecaycalcError:
            continue
    return found


TREES = trees()
KNOWN = {}


def known(folder, name, text, file=None):
    """Return what a seed's run is, None where it is none."""
    if name not in KNOWN:
        try:
            KNOWN[name] = told(folder, file or name, text)
        except DecaycalcError:
            KNOWN[name] = None
    return KNOWN[name]


@fuzzed(plain=150, share=0.03)
def test_yaml_or_json_in_another_layout_is_the_same_run(rng, folder):
    name = rng.choice(list(TREES))
    expected = known(folder, name, ALL[name])
    if expected is None:
        return
    tree = TREES[name]
    tree = rewriting.with_stranger(rng, tree) if rng.random() < 0.3 else tree
    if rng.random() < 0.4:
        file, text = "same.json", rewriting.as_json(rng, tree)
    else:
        file, text = "same.yaml", rewriting.as_yaml(rng, tree) + "\n"
        text = rng.choice(("", "", "---\n", "# a comment\n", "\n\n")) + text
    assert told(folder, file, endings(rng, text)) == expected, text


@fuzzed(plain=100, share=0.02)
def test_flags_in_another_form_are_the_same_run(rng, folder):
    kind = rng.choice(list(SCRIPTS))
    launcher, flags = SCRIPTS[kind]
    plain = " ".join([launcher, *(f"{flag} {value or ''}" for flag, value in flags)])
    expected = known(folder, f"{kind}.sh", f"{plain}\n")
    assert expected["kind"] == kind
    text = rewriting.as_shell(rng, launcher, flags)
    assert (
        told(folder, "same.sh", endings(rng, text) if rng.random() < 0.2 else text) == expected
    ), text


@fuzzed(plain=60, share=0.005)
def test_python_in_another_layout_is_the_same_run(rng, folder):
    expected = known(folder, "mmcv.py", SEEDS["mmcv.py"])
    text = rewriting.as_python(rng, SEEDS["mmcv.py"])
    assert told(folder, "same.py", endings(rng, text)) == expected, text


@fuzzed(plain=60, share=0.005)
def test_lines_of_keys_in_another_order_are_the_same_run(rng, folder):
    name, mark, spaced = rng.choice(
        (("solver.prototxt", ":", True), ("kohya.toml", "=", True), ("yolo.cfg", "=", False))
    )
    expected = known(folder, name, SEEDS[name])
    text = rewriting.in_lines(rng, SEEDS[name], mark, spaced=spaced)
    assert told(folder, f"same-{name}", endings(rng, text)) == expected, text
