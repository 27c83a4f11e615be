"""Lightning's hparams.yaml: free names, so nothing is guessed."""

import pytest

from decaycalc.conversion.convert import convert
from decaycalc.errors import UnreadableFileError
from decaycalc.inspection import inspect
from tests.training.trainers.reading import origins, quantity, read

FILE = "lr: 0.001\nweight_decay: 1e-4\nbatch_size: 32\nmax_epochs: 20\noptimizer: adamw\n"


def test_what_is_there_is_read_and_no_optimizer_is_guessed(tmp_path):
    found = read(tmp_path, "hparams.yaml", FILE)
    assert (found.kind, found.convention, found.value) == ("lightning-hparams", None, "1e-4")
    assert (float(found.run.lr), found.run.epochs) == (0.001, 20)
    assert found.run.examples_per_step == 32
    assert (origins(found)["lr"], found.schedule) == ("file", None)
    assert "unsure" in quantity(found, "weight_decay").note
    assert any("--from" in note for note in found.notes)
    (group,) = inspect(str(tmp_path / "hparams.yaml")).groups
    assert (group.group.name, group.figures.shrink) == ("all", None)
    assert convert(found.value, source="pytorch-adamw", target="keras-adamw").value == 1e-4


def test_names_within_sections_are_found_and_what_is_not_there_is_missing(tmp_path):
    found = read(tmp_path, "hparams.yaml", "model:\n  hidden: 3\noptim:\n  learning_rate: 0.1\n")
    assert float(found.run.lr) == 0.1
    assert {"weight_decay", "batch_size", "epochs"} <= set(found.missing)


def test_only_the_file_s_name_tells(tmp_path):
    with pytest.raises(UnreadableFileError, match="not enough"):
        read(tmp_path, "other.yaml", FILE)
