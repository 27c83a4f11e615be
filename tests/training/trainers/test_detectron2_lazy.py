"""detectron2's LazyConfig files, alone and beside what they are made of."""

import pytest

from tests.training.trainers.reading import quantity, read, shrink

FILE = """\
from functools import partial
from fvcore.common.param_scheduler import MultiStepParamScheduler
from detectron2 import model_zoo
from detectron2.config import LazyCall as L
from detectron2.solver import WarmupParamScheduler
from ..common.coco_loader_lsj import dataloader

train = model_zoo.get_config("common/train.py").train
train.max_iter = 184375
dataloader.train.total_batch_size = 64
lr_multiplier = L(WarmupParamScheduler)(
    scheduler=L(MultiStepParamScheduler)(
        values=[1.0, 0.1, 0.01], milestones=[163889, 177546], num_updates=train.max_iter,
    ),
    warmup_length=250 / train.max_iter,
    warmup_factor=0.001,
)
optimizer = model_zoo.get_config("common/optim.py").AdamW
optimizer.params.lr_factor_func = partial(rate, num_layers=12, lr_decay_rate=0.7)
optimizer.params.overrides = {"pos_embed": {"weight_decay": 0.0}, "head": {"lr": 1e-3}, "a": 1}
"""
SHORT = """\
from ..common.optim import SGD as optimizer
from ..common.coco_schedule import lr_multiplier_1x as lr_multiplier
from ..common.data.coco import dataloader
from ..common.train import train
"""
STEPS = "values=[1.0, 0.1, 0.01], milestones=[163889, 177546], num_updates=train.max_iter,"


def test_a_file_is_laid_over_the_common_ones(tmp_path):
    found = read(tmp_path, "a.py", FILE)
    assert (found.kind, found.convention, found.value) == (
        "detectron2-lazy", "pytorch-adamw", "0.1",
    )  # fmt: skip
    assert (found.run.examples_per_step, found.run.steps) == (64, 184_375)
    assert found.schedule == "step:at=163889/177546,gamma=0.1,warmup=250,start=0.001"
    assert shrink(found) == pytest.approx(1e-5)
    assert "02b5c4e2" in quantity(found, "lr").where
    groups = {group.name: (group.lr, group.weight_decay) for group in found.groups}
    assert groups["pos_embed"] == (None, "0")
    assert groups["head"] == ("0.001", None)
    assert any("lr_decay_rate 0.7" in note for note in found.notes)
    assert any("coco_loader_lsj.py:dataloader" in note for note in found.notes)


def test_names_alone_are_the_common_files(tmp_path):
    found = read(tmp_path, "a.py", SHORT)
    assert (found.convention, found.value, float(found.run.lr)) == ("pytorch-sgd", "1e-4", 0.02)
    assert (found.run.examples_per_step, found.run.steps) == (16, 90_000)
    assert found.schedule == "step:at=60000/80000,gamma=0.1,warmup=1000,start=0.001"
    assert (found.exempt.rule, found.exempt.mask) == ("norms", "no-norm")


@pytest.mark.parametrize(
    ("name", "schedule"),
    [
        ("3x", "step:at=70000/83334,gamma=0.1,warmup=333,start=0.001"),
        ("12ep", "step:at=82500,gamma=0.1"),
        ("50ep_warmup", "step:at=72000,gamma=0.1,warmup=2,start=0.001"),
        ("13ep", None),
        ("mine", None),
    ],
)
def test_named_schedules_are_by_shares_of_the_run(tmp_path, name, schedule):
    text = SHORT.replace("lr_multiplier_1x", f"lr_multiplier_{name}")
    assert read(tmp_path, "a.py", text).schedule == schedule


@pytest.mark.parametrize(
    ("inner", "schedule"),
    [
        (
            "values=[1.0, 0.1], milestones=[9, 10],",
            "step:at=165938,gamma=0.1,warmup=250,start=0.001",
        ),
        ("values=[1.0], milestones=[10],", "constant:warmup=250,start=0.001"),
        ("values=[1.0, 0.1, 0.05], milestones=[8, 9, 10],", None),
        ("values=[1.0, 0.1], milestones=[8, 9, 10],", None),
        ("values=[0.5, 0.05], milestones=[9, 10],", None),
        ("values=[1.0, 0.1], milestones=[n for n in (9, 10)],", None),
        ("values=[1.0, 0.1], milestones=[9], num_updates=n(),", None),
    ],
)
def test_drops(tmp_path, inner, schedule):
    assert read(tmp_path, "a.py", FILE.replace(STEPS, inner)).schedule == schedule


@pytest.mark.parametrize(
    ("old", "new", "schedule"),
    [
        ("warmup_factor=0.001", 'warmup_factor=0.001, warmup_method="constant"',
         "step:at=163889/177546,gamma=0.1,warmup=250,start=0.001,warmup_power=1000000000"),
        ("warmup_factor=0.001", 'warmup_factor=0.001, warmup_method="burn"', None),
        ("L(MultiStepParamScheduler)(", "L(CosineParamScheduler)(start_value=1.0, end_value=0.1,",
         "cosine:final=0.1,over=run,warmup=250,start=0.001"),
        ("L(MultiStepParamScheduler)(", "L(CosineParamScheduler)(end_value=0.1,", None),
        ("L(MultiStepParamScheduler)(", "L(Own)(", None),
        ("250 / train.max_iter", "share()", None),
        ("250 / train.max_iter", 'share("a.py").length', None),
        ("train.max_iter = 184375", "train.max_iter *= 2", None),
    ],
)  # fmt: skip
def test_other_schedules(tmp_path, old, new, schedule):
    assert read(tmp_path, "a.py", FILE.replace(old, new)).schedule == schedule


def test_a_schedule_without_a_warm_up(tmp_path):
    text = FILE.replace("L(WarmupParamScheduler)(\n    scheduler=L(Mul", "L(Mul")
    text = text.replace("    ),\n    warmup_length=250 / train.max_iter,\n", "")
    text = text.replace("    warmup_factor=0.001,\n", "")
    assert read(tmp_path, "a.py", text).schedule == "step:at=163889/177546,gamma=0.1"


def test_files_beside_it_are_what_it_is_made_of(tmp_path):
    folder = tmp_path / "configs" / "common"
    folder.mkdir(parents=True)
    (folder / "optim.py").write_text(
        "SGD = L(torch.optim.SGD)(params=L(p)(weight_decay_norm=0.1), lr=0.5, weight_decay=3e-5)\n"
    )
    (folder / "train.py").write_text("train = dict(max_iter=50)\ntrain['max_iter'] += 10\n")
    own = tmp_path / "configs" / "own"
    own.mkdir()
    (own / "base.py").write_text(SHORT)
    taken = "from .base import optimizer, lr_multiplier, train, dataloader\noptimizer.lr = 0.25\n"
    found = read(own, "a.py", f"{taken}from . import nothing\n")
    assert (found.value, float(found.run.lr), found.run.steps) == ("3e-5", 0.25, 60)
    assert found.exempt.rule == "nothing"
