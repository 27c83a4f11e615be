"""A run as options say it, laid over a published run or over a file's."""

import pytest

from decaycalc.conventions.run import Run
from decaycalc.errors import ContradictionError, NoEquivalentError, UnknownNameError
from decaycalc.training.chosen import chosen, given_of, loaded, typed
from decaycalc.training.measure import measure
from decaycalc.training.source import load
from tests.training.trainers.reading import read

FILE = "per_device_train_batch_size: 4\nnum_train_epochs: 2\nlearning_rate: 1e-4\n"


def test_ones_own_run_is_as_it_is():
    own = typed(value="0.1")
    assert chosen(own, None) is own


def test_what_is_said_enters_as_a_file_would_hold_it():
    own = typed(
        run=Run(lr="0.1", momentum="0.9", nesterov=True, loss="batch-sum"), schedule="cosine"
    )
    said = dict(given_of(own))
    assert (said["lr"], said["nesterov"], said["schedule"]) == ("0.1", "true", "cosine")
    assert said["loss"] == "batch-sum"


def test_a_file_whose_number_does_not_reach_the_weights_is_no_start(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(f"{FILE}optim: galore_adamw\nweight_decay: 0.1\n", encoding="utf-8")
    with pytest.raises(NoEquivalentError, match="does not pass weight_decay"):
        chosen(typed(), str(path))
    assert loaded(str(path), typed()).refusal


WARM = """torchrun train.py --lr 0.5 --batch-size 128 --epochs 600 --lr-warmup-epochs 5
  --lr-scheduler cosineannealinglr --lr-warmup-method linear --label-smoothing 0.1 --mixup-alpha 0.2
""".replace("\n ", " \\\n ")


@pytest.mark.parametrize(
    ("given", "ends"),
    [
        ({"dataset_size": 12_800, "epochs": 6}, ",until=5epochs+cosine:per=1epochs"),
        ({"dataset_size": 12_800, "epochs": 5}, ",until=5epochs"),
        ({"dataset_size": 12_800, "epochs": 3}, ",until=5epochs"),
        ({"steps": 3}, "+cosine:per=1epochs"),  # nobody knows the steps of an epoch
    ],
)
def test_a_run_that_ends_within_a_files_warm_up_keeps_what_it_reaches(tmp_path, given, ends):
    path = tmp_path / "a.sh"
    path.write_text(WARM, encoding="utf-8")
    found = loaded(str(path), typed(run=Run(**given)))
    assert found.schedule.endswith(ends)
    assert (measure(found).sum_shrink is None) == ("steps" in given)


def test_what_is_neither_a_run_nor_a_file_is_said():
    with pytest.raises(UnknownNameError, match="nor is it a file"):
        load("no-such-run")
    with pytest.raises(UnknownNameError, match=r"published runs; code is read by inspect --live\)"):
        load("train:make_optimizer")
    with pytest.raises(ContradictionError, match="it has no kind"):
        load("resnet-50-he", kind="timm")


def test_a_world_size_that_enters_nothing_is_refused(tmp_path):
    text = "deepspeed --module openrlhf.cli.train_sft --adam.weight_decay 0.1"
    with pytest.raises(ContradictionError, match="world_size 4 changes nothing"):
        read(tmp_path, "run.sh", text, world_size="4")


def test_a_training_tells_its_notes_and_its_origins(tmp_path):
    found = read(tmp_path, "a.yaml", f"{FILE}deepspeed: z.json\nwarm_lr: 3\n")
    assert all(note.startswith(f"{found.source}: ") for note in found.told)
    assert (found.imported()["kind"], found.imported()["not_used"]) == ("hf-trainer", ["warm_lr"])


def test_a_given_schedule_takes_the_files_place(tmp_path):
    found = read(tmp_path, "a.yaml", FILE, schedule="cosine")
    assert found.schedule == "cosine"
