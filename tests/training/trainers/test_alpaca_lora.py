"""alpaca-lora's script, whose batch is of all devices and whose warm-up no flag changes."""

import pytest

from decaycalc.errors import UnreadableFileError
from tests.training.trainers.reading import read, shrink

FILE = (
    "torchrun --nproc_per_node=2 finetune.py --base_model a/b \\\n"
    " --data_path x.json --cutoff_len 9"
)


def test_its_own_settings_hold(tmp_path):
    found = read(tmp_path, "a.sh", FILE)
    assert (found.kind, found.convention, found.value) == ("alpaca-lora", "hf-trainer", "0")
    assert (float(found.run.lr), found.run.examples_per_step, found.run.epochs) == (3e-4, 128, 3)
    assert found.schedule == "linear:warmup=100"


def test_flags_take_their_place(tmp_path):
    flags = "--batch_size 16 --micro_batch_size 4 --learning_rate 2e-4 --weight_decay 0.1"
    found = read(tmp_path, "a.sh", f"{FILE} {flags} --num_epochs 5")
    assert (found.run.examples_per_step, found.run.epochs, found.value) == (16, 5, "0.1")
    assert shrink(found) == pytest.approx(2e-5)
    with pytest.raises(UnreadableFileError):
        read(tmp_path, "b.sh", "python eval.py --base_model a/b --data_path x.json --fp16")
