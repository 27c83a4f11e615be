"""Each command's help opens with examples, and each example runs."""

import json
import re
import struct
from importlib.util import find_spec

import pytest

from decaycalc.cli import COMMANDS
from decaycalc.cli.main import main
from tests import documentation

# Flags that need an optional package.
EXTRAS = {"--plot": "plotext", "--save": "matplotlib", "--with torch": "torch"}
SAID = ("needs an optional package", "--with torch needs torch")
# Flags whose examples show a failure, and its status.
FAILURES = {"--to-value": 1}
CHECKS = '[{}ported]\nvalue = 5e-4\nfrom = "caffe"\nto = "keras-l2"\nequals = 2.5e-4\n'
FILES = {
    "decay.toml": CHECKS.format(""),
    "pyproject.toml": CHECKS.format("tool.decaycalc.check."),
    "solver.prototxt": (
        'net: "train_val.prototxt"\nbase_lr: 0.01\nlr_policy: "step"\ngamma: 0.1\n'
        "stepsize: 100000\nmax_iter: 450000\nmomentum: 0.9\nweight_decay: 0.0005\n"
    ),
    "args.yaml": "opt: adamw\nlr: 1e-3\nweight_decay: 0.05\nepochs: 100\n",
    "train.yaml": "per_device_train_batch_size: 4\nnum_train_epochs: 3\nweight_decay: 0.1\n",
    "old.yaml": "opt: adamw\nlr: 1e-3\nweight_decay: 0.05\nepochs: 100\n",
    "new.yaml": "opt: adamw\nlr: 5e-4\nweight_decay: 0.05\nepochs: 100\n",
    "train_gpt2.py": (
        "batch_size = 12\ngradient_accumulation_steps = 40\nlearning_rate = 6e-4\n"
        "max_iters = 600000\nlr_decay_iters = 600000\nweight_decay = 1e-1\n"
    ),
    "train.py": (
        "from tests.training.live.frameworks import AdamW, tensor\n"
        "def make_optimizer():\n    return AdamW([tensor(4, 3)])\n"
    ),
    "run.sh": (
        "torchrun --nproc_per_node 2 train.py --num_train_epochs 2 --weight_decay 0.1 \\\n"
        "  --per_device_train_batch_size 4\n"
    ),
}


def command_of(name):
    from importlib import import_module

    return import_module(f"decaycalc.cli.{name}").command


EXAMPLES = [(name, example) for name in COMMANDS for example in command_of(name).examples]


def safetensors(tensors):
    """Return a safetensors file of ones with the given names and shapes."""
    header, data = {}, b""
    for name, shape in tensors.items():
        count = 1
        for size in shape:
            count *= size
        end = len(data) + 4 * count
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), end]}
        data += struct.pack(f"<{count}f", *[1.0] * count)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


@pytest.fixture
def folder(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    tensors = {"fc.weight": [3, 4], "fc.bias": [3]}
    (tmp_path / "model.safetensors").write_bytes(safetensors(tensors))
    return tmp_path


@pytest.mark.parametrize("name", COMMANDS)
def test_a_commands_help_has_examples_of_that_command_before_its_options(name, capsys):
    assert command_of(name).examples
    assert main([name, "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"Usage: decaycalc {name}")
    first = lines.index("Examples:") + 1
    assert not any(line.endswith(":") for line in lines[: first - 1])
    for line, example in zip(lines[first:], command_of(name).examples, strict=False):
        assert line.strip() == example


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_every_example_of_a_help_runs(name, example, folder):
    assert f"decaycalc {name}" in example
    missing = [flag for flag, module in EXTRAS.items() if flag in example and not find_spec(module)]
    session = documentation.Session(folder)
    # What the shell does around it, `eval "$(...)"` and `> file`, is the shell's affair.
    printed = session.run(re.search(r"decaycalc [^)>#]*", example)[0].strip())
    if missing:
        assert any(text in line for line in printed for text in SAID)
    else:
        expected = next((FAILURES[flag] for flag in FAILURES if flag in example), 0)
        assert session.status == expected, printed
        assert printed or "-o " in example
