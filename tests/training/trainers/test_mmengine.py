"""MMEngine's and mmcv 1.x's configurations, parsed and never run."""

import pytest

from decaycalc.conventions.run import Run
from decaycalc.inspection import inspect
from decaycalc.training.record import Exemption
from tests.training.trainers.reading import origins, read, shrink

MMENGINE = """\
base_lr = 1e-4 * 2
optim_wrapper = dict(
    type='OptimWrapper',
    accumulative_counts=2,
    optimizer=dict(type='AdamW', lr=base_lr, weight_decay=0.05, betas=(0.9, 0.999)),
    paramwise_cfg=dict(norm_decay_mult=0.0, bias_decay_mult=0.0{custom}))
param_scheduler = {schedulers}
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=24, val_interval=1)
train_dataloader = dict(batch_size=4, num_workers=2)
auto_scale_lr = dict(enable={scaled}, base_batch_size=16)
"""
WARM = "dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=1000)"
STEPS = "dict(type='MultiStepLR', by_epoch=True, begin=0, end=24, milestones=[16, 22], gamma=0.1)"


def config(*schedulers, scaled="False", custom=""):
    chosen = f"[{', '.join(schedulers or (WARM, STEPS))}]"
    return MMENGINE.format(schedulers=chosen, scaled=scaled, custom=custom)


def test_a_configuration_is_read(tmp_path):
    made = read(tmp_path, "c.py", config())
    assert (made.kind, made.convention, made.value) == ("mmengine", "pytorch-adamw", "0.05")
    assert made.run.examples_per_step == 8
    assert made.run.epochs == 24
    assert made.schedule == "step:at=16/22epochs,gamma=0.1,warmup=1000,start=0.01"
    assert made.exempt == Exemption(
        rule="norms and biases", switch="paramwise_cfg", mask="no-bias-norm"
    )
    assert shrink(made) == pytest.approx(1e-5)
    assert origins(made)["schedule"] == "derived"


@pytest.mark.parametrize(
    ("schedulers", "schedule"),
    [
        ((STEPS,), "step:at=16/22epochs,gamma=0.1"),
        ((WARM,), "constant:warmup=1000,start=0.01"),
        (("dict(type='LinearLR', end=3)",), "constant:warmup=2epochs,start=1/3,warmup_per=1epochs"),
        ((WARM, STEPS, STEPS), None),
        ((WARM, WARM), None),
        (("dict(type='StepLR', step_size=8, gamma=0)",), "step:every=8epochs,gamma=0"),
        (("dict(type='StepLR', step_size=8, gamma=make())",), None),
        (("dict(type='MultiStepLR', milestones=[16], gamma=0)",), "step:at=16epochs,gamma=0"),
        (("dict(type='MultiStepLR', milestones=[16], gamma=make())",), None),
        (("dict(type='PolyLR', power=make())",), None),
        (("dict(type='PolyLR', power=0)",), "polynomial:power=0,per=1epochs"),
        (("dict(type='CosineAnnealingLR', eta_min=make())",), None),
        (("dict(type='CosineAnnealingLR', eta_min=None)",), "cosine:per=1epochs"),
        ((WARM, "dict(type='CosineAnnealingLR', begin=make())"), None),
        (("dict(type='LinearLR', end=3, start_factor=make())",), None),
        (("dict(type='StepLR', step_size=8)",), "step:every=8epochs,gamma=0.1"),
        (("dict(type='StepLR')",), None),
        (("dict(type='MultiStepLR', milestones=[])",), None),
        (("dict(type='ExponentialLR', gamma=0.9)",), "step:every=1epochs,gamma=0.9"),
        (("dict(type='ExponentialLR')",), None),
        (("dict(type='OneCycleLR')",), None),
        (
            (WARM, "dict(type='CosineAnnealingLR', T_max=24, eta_min=2e-6)"),
            "cosine:final=0.01,per=1epochs,warmup=1000,start=0.01,warmup_per=1,over=run,toward=product",
        ),
        (
            (WARM, "dict(type='CosineAnnealingLR', T_max=10, by_epoch=False, begin=1000)"),
            "constant:warmup=1000,start=0.01,until=1000+cosine:length=10",
        ),
        (
            ("dict(type='CosineAnnealingLR', convert_to_iter_based=True, eta_min_ratio=0.1)",),
            "cosine:final=0.1",
        ),
        (("dict(type='PolyLR', power=0.9)",), "polynomial:power=0.9,per=1epochs"),
        ((WARM, "dict(type='CosineAnnealingLR', by_epoch=False, begin=500)"), None),
        (("dict(type='LinearLR', end=1)",), None),
        (("dict(type='LinearLR', by_epoch=False)",), None),
        (("dict(type='QuadraticWarmupLR', end=5)",), None),
        (("dict(type='LinearLR', begin=23, end_factor=0.1)",), None),
        (
            ("dict(type='LinearLR', begin=5)",),
            "constant:until=5epochs+linear:initial=1/3,final=1,length=18epochs,per=1epochs",
        ),
        ((STEPS, "dict(type='CosineAnnealingMomentum', T_max=3)"), "step:at=16/22epochs,gamma=0.1"),
        ((WARM, "dict(type='OneCycleLR', begin=2)"), None),
        ((WARM, "dict(type='StepLR', begin=2)"), None),
        (("dict(type='CosineAnnealingLR', by_epoch=False, T_max=100)",), "cosine:length=100"),
        (
            ("dict(type='PolyLR', end=10)",),
            "polynomial:power=1,length=10epochs,per=1epochs,until=10epochs+constant:value=0.1",
        ),
    ],
)
def test_schedulers_multiply_the_warmup(tmp_path, schedulers, schedule):
    assert read(tmp_path, "c.py", config(*schedulers)).schedule == schedule


def test_the_lr_is_scaled_where_that_is_on(tmp_path):
    made = read(tmp_path, "c.py", config(scaled="True"), world_size="8")
    assert float(made.run.lr) == pytest.approx(2e-4 * 8 * 4 / 16)
    text = config(scaled="True").replace("base_batch_size=16", "base_batch_size=0")
    assert float(read(tmp_path, "c.py", text).run.lr) == pytest.approx(2e-4)
    assert read(tmp_path, "c.py", config(scaled="True"), lr="1").run.lr == 1


@pytest.mark.parametrize(
    ("optimizer", "convention", "value"),
    [
        ("type='SGD', lr=0.1, momentum=0.9", "mmengine", "0"),
        ("type='AdamW', lr=1e-3", "pytorch-adamw", "0.01"),
        ("type='Lion', lr=1e-3", "lion-pytorch", "0"),
        ("type='Magic', lr=1e-3", None, None),
    ],
)
def test_a_missing_weight_decay_is_the_classs_own(tmp_path, optimizer, convention, value):
    text = f"optim_wrapper = dict(optimizer=dict({optimizer}))\n"
    made = read(tmp_path, "c.py", text)
    assert (made.convention, made.value, made.schedule) == (convention, value, "constant")


def test_custom_keys_are_named(tmp_path):
    made = read(tmp_path, "c.py", config(custom=", custom_keys={'backbone': dict(lr_mult=0.1)}"))
    assert any("custom_keys backbone" in note for note in made.notes)


def test_the_longest_custom_key_wins_and_loses_the_exemption_of_norms(tmp_path):
    # A key that gives no lr_mult has 1, so backbone.norm is not at a tenth of the lr.
    keys = (
        "{'backbone': dict(lr_mult=0.1), 'backbone.norm': dict(decay_mult=0.0),"
        " 'query': dict(lr=1e-3, decay_mult=0.5), 'odd': dict(lr_mult=some), 'x': 3}"
    )
    text = f", norm_decay_mult=0.0, bias_decay_mult=0.5, bias_lr_mult=2.0, custom_keys={keys}"
    path = tmp_path / "c.py"
    path.write_text(config(custom=text))
    rows = {row["name"]: row for row in inspect(str(path)).to_dict()["groups"]}
    lr, decay = rows["decayed"]["lr"], rows["decayed"]["weight_decay"]
    names = ["decayed", "exempt", "biases", "backbone.norm", "backbone", "query", "odd"]
    assert list(rows) == names
    assert (rows["backbone"]["lr"], rows["backbone"]["weight_decay"]) == (
        pytest.approx(lr / 10), decay,
    )  # fmt: skip
    assert (rows["backbone.norm"]["lr"], rows["backbone.norm"]["weight_decay"]) == (lr, 0)
    assert (rows["query"]["lr"], rows["query"]["weight_decay"]) == (1e-3, decay / 2)
    assert (rows["biases"]["lr"], rows["biases"]["weight_decay"]) == (2 * lr, decay / 2)
    assert (rows["odd"]["lr_mult"], rows["odd"]["decay_mult"]) == (1, 1)


def test_bases_are_joined_and_replaced_where_they_say_so(tmp_path):
    (tmp_path / "base.py").write_text(
        "optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1, momentum=0.9))\n"
        "train_dataloader = dict(batch_size=32, x=1)\n"
    )
    text = (
        "_base_ = ['base.py', '../none.py', '/etc/passwd']\n"
        "optim_wrapper = dict(optimizer=dict(lr=0.2))\n"
        "train_dataloader = dict(_delete_=True, batch_size=8)\n"
    )
    made = read(tmp_path, "c.py", text)
    assert (made.convention, float(made.run.lr), made.run.batch_size) == ("mmengine", 0.2, 8)
    assert any("../none.py is not here" in note for note in made.notes)
    (tmp_path / "loop.py").write_text("_base_ = 'loop.py'\noptim_wrapper = dict()\n")
    assert read(tmp_path, "loop.py", (tmp_path / "loop.py").read_text()).value is None


MMCV = """\
optimizer = dict(type='SGD', lr=0.02, momentum=0.9, weight_decay=0.0001{more})
optimizer_config = dict(grad_clip=None)
lr_config = dict({lr})
runner = dict(type='EpochBasedRunner', max_epochs=12)
data = dict(samples_per_gpu=2, workers_per_gpu=2)
"""
WARMUP = "warmup='linear', warmup_iters=500, warmup_ratio=0.001"


def test_an_old_configuration_is_read(tmp_path):
    made = read(tmp_path, "c.py", MMCV.format(lr=f"policy='step', {WARMUP}, step=[8, 11]", more=""))
    assert (made.kind, made.convention, made.value) == ("mmcv", "mmengine", "0.0001")
    assert made.schedule == "step:at=8/11epochs,gamma=0.1,warmup=500,start=0.001"
    assert shrink(made) == pytest.approx(2e-5)
    assert made.run.epochs == 12
    assert made.run.batch_size == 2


@pytest.mark.parametrize("type_", ["RepeatDataset", "mmengine.dataset.RepeatDataset"])
def test_data_that_an_epoch_repeats_are_told_of(tmp_path, type_):
    more = f"data['train'] = dict(type='{type_}', times=3, dataset=dict(type='A'))\n"
    text = MMCV.format(lr="policy='fixed'", more="")
    assert any(
        "data.train 3 times over" in note for note in read(tmp_path, "c.py", text + more).notes
    )
    assert not read(tmp_path, "a.py", text + more.replace("Repeat", "Own")).notes
    by_steps = text.replace("max_epochs", "max_iters")
    assert not read(tmp_path, "b.py", by_steps + more).notes
    unknown = read(tmp_path, "d.py", text + more.replace("times=3, ", ""))
    assert any("several times" in note for note in unknown.notes)


def test_an_old_loaders_own_batch_overrides_that_of_all(tmp_path):
    loader = "data['train_dataloader'] = dict(samples_per_gpu=5)\n"
    made = read(tmp_path, "c.py", MMCV.format(lr="policy='fixed'", more="") + loader)
    assert made.run.batch_size == 5


@pytest.mark.parametrize(
    ("lr", "schedule"),
    [
        ("policy='step', step=3", "step:every=3epochs,gamma=0.1"),
        ("policy='step', step=[]", None),
        ("policy='step', step=[8], by_epoch=False", "step:at=8,gamma=0.1"),
        ("policy='fixed'", "constant"),
        ("policy='fixed', warmup='exp'", None),
        (
            "policy='step', step=[8, 11], warmup='constant', warmup_iters=500, warmup_ratio=0.5",
            "step:at=8/11epochs,gamma=0.1,warmup=500,start=0.5,warmup_power=1000000000",
        ),
        ("policy='exp', gamma=0.9", "step:every=1epochs,gamma=0.9"),
        ("policy='exp', gamma=0.9, by_epoch=False", "step:every=1,gamma=0.9"),
        ("policy='exp'", None),
        # lr falls within the warm-up, whose share multiplies it: at once, at its end, in its unit.
        (
            f"policy='step', step=[100, 900], by_epoch=False, {WARMUP}",
            "step:at=100/900,gamma=0.1,warmup=500,start=0.001,toward=product",
        ),
        (
            f"policy='step', step=500, by_epoch=False, {WARMUP}",
            "step:every=500,gamma=0.1,warmup=500,start=0.001,toward=product",
        ),
        (
            f"policy='step', step=[600], by_epoch=False, {WARMUP}",
            "step:at=600,gamma=0.1,warmup=500,start=0.001",
        ),
        (
            f"policy='step', step=[1, 8], {WARMUP}",
            "step:at=1/8epochs,gamma=0.1,warmup=500,start=0.001,toward=product",
        ),
        (
            f"policy='step', step=[900], by_epoch=False, {WARMUP}, warmup_by_epoch=True",
            "step:at=900,gamma=0.1,warmup=500epochs,start=0.001,toward=product",
        ),
        (
            f"policy='exp', gamma=0.9, {WARMUP}",
            "step:every=1epochs,gamma=0.9,warmup=500,start=0.001,toward=product",
        ),
        ("policy='LinearAnnealing', min_lr=2e-4, by_epoch=False", "linear:final=0.01"),
        ("policy='step', warmup='exp', step=[8]", None),
        ("policy='poly', warmup='exp'", None),
        ("policy='cyclic'", None),
        (
            f"policy='CosineAnnealing', {WARMUP}, min_lr_ratio=1e-2",
            "cosine:final=0.01,per=1epochs,warmup=500,start=0.001,over=run,toward=product,warmup_per=1",
        ),
        (
            "policy='poly', power=0.9, min_lr=2e-4, by_epoch=False",
            "polynomial:final=0.01,power=0.9",
        ),
        (
            "policy='fixed', warmup='linear', warmup_iters=2, warmup_by_epoch=True",
            "constant:warmup=2epochs,start=0.1",
        ),
    ],
)
def test_policies_become_schedules(tmp_path, lr, schedule):
    made = read(tmp_path, "c.py", MMCV.format(lr=lr, more=""))
    assert made.schedule == schedule


def test_old_custom_keys_are_named(tmp_path):
    more = ", paramwise_cfg=dict(custom_keys={'head': dict(decay_mult=0)})"
    made = read(tmp_path, "c.py", MMCV.format(lr="policy='fixed'", more=more))
    assert any("custom_keys head" in note for note in made.notes)


def test_a_step_s_gamma_is_a_tenth_where_it_is_not_given(tmp_path):
    made = read(
        tmp_path, "c.py", config("dict(type='MultiStepLR', by_epoch=True, milestones=[16])")
    )
    assert made.schedule == "step:at=16epochs,gamma=0.1"


def test_types_may_be_the_classes_themselves(tmp_path):
    text = config().replace("type='AdamW'", "type=AdamW").replace("'MultiStepLR'", "MultiStepLR")
    made = read(tmp_path, "c.py", f"from torch.optim import AdamW\n{text}")
    assert (made.convention, made.value) == ("pytorch-adamw", "0.05")
    assert made.schedule == "step:at=16/22epochs,gamma=0.1,warmup=1000,start=0.01"
    known = read(tmp_path, "d.py", "kind = 'SGD'\n" + config().replace("'AdamW'", "kind"))
    assert known.convention == "mmengine"


def test_a_constructor_of_its_own_leaves_the_exemptions_open(tmp_path):
    text = (
        "optim_wrapper = dict(optimizer=dict(type='AdamW', lr=1e-4, weight_decay=0.05),\n"
        "    constructor='MyOwnConstructor', paramwise_cfg=dict(norm_decay_mult=0))\n"
        "train_cfg = dict(max_epochs=3)\n"
    )
    found = read(tmp_path, "a.py", text)
    assert found.exempt.rule == "what MyOwnConstructor leaves out, which is not known here"
    assert any("MyOwnConstructor sets lr and decay" in note for note in found.notes)


# Σ of the multipliers over 24 epochs of 20 steps, as mmengine 0.10.7 sets them step by step.
MEASURED = [
    ("'LinearLR', start_factor=1e-3, end=5", "'MultiStepLR', begin=5, milestones=[10, 15]", 260.85),
    ("'LinearLR', start_factor=1e-2, by_epoch=False, end=50",
     "'CosineAnnealingLR', eta_min=1e-5, begin=12, T_max=12, convert_to_iter_based=True", 341.725),
    ("'LinearLR', start_factor=1e-3, end=4, convert_to_iter_based=True",
     "'CosineAnnealingLR', eta_min=1e-6, begin=4", 250.990),
    ("'LinearLR', start_factor=1e-3, end=4", "'CosineAnnealingLR', eta_min=1e-6", 211.375),
    ("'LinearLR', start_factor=1e-3, by_epoch=False, end=60", "'CosineAnnealingLR'", 220.1275),
    ("'LinearLR', start_factor=1e-3, by_epoch=False, end=60",
     "'PolyLR', by_epoch=False, power=0.9, end=300", 129.6512),
    ("'LinearLR', start_factor=0.1, by_epoch=False, end=40",
     "'CosineAnnealingLR', T_max=10, begin=2, end=12", 137.873),
    ("'QuadraticWarmupLR', end=5, convert_to_iter_based=True",
     "'CosineAnnealingLR', begin=5, T_max=20, end=20, convert_to_iter_based=True", 241.216),
    ("'ConstantLR', factor=1", "'CosineAnnealingLR', T_max=40, begin=2, end=12", 442.6985),
    ("'ConstantLR', factor=1", "'CosineAnnealingLR', T_max=10", 273.4786),
    ("'ConstantLR', factor=1", "'LinearLR', start_factor=1, end_factor=0.01", 242.4),
    ("'ConstantLR', factor=1",
     "'ExponentialLR', gamma=0.99, by_epoch=False, begin=100", 197.8053),
]  # fmt: skip


@pytest.mark.parametrize(("warm", "main", "total"), MEASURED)
def test_the_lr_adds_up_as_mmengine_sets_it(tmp_path, warm, main, total):
    (tmp_path / "c.py").write_text(
        "optim_wrapper = dict(optimizer=dict(type='SGD', lr=2e-4, weight_decay=1.0))\n"
        f"param_scheduler = [dict(type={warm}), dict(type={main})]\n"
        "train_cfg = dict(max_epochs=24, max_iters=480)\ntrain_dataloader = dict(batch_size=1)\n"
    )
    found = inspect(str(tmp_path / "c.py"), run=Run.part(dataset_size=20))
    assert found.figures.sum_shrink / 2e-4 == pytest.approx(total, abs=0.51)


@pytest.mark.parametrize("marks", [(10, 40), (20, 40), (20,), (30,)])
def test_lr_that_falls_within_the_warmup_adds_up_by_mmcvs_formula(tmp_path, marks):
    """Source: mmcv 1.7 runner/hooks/lr_updater.py, get_warmup_lr."""
    (tmp_path / "c.py").write_text(
        "optimizer = dict(type='SGD', lr=2e-4, weight_decay=1.0)\n"
        "lr_config = dict(policy='step', warmup='linear', warmup_iters=20, warmup_ratio=0.1,"
        f" step={list(marks)}, by_epoch=False)\nrunner = dict(max_iters=60)\n"
    )
    regular = [0.1 ** sum(mark <= t for mark in marks) for t in range(60)]
    factors = [1 - (1 - min(t / 20, 1)) * 0.9 for t in range(60)]
    total = sum(lr * factor for lr, factor in zip(regular, factors, strict=True))
    found = inspect(str(tmp_path / "c.py"))
    assert found.figures.sum_shrink / 2e-4 == pytest.approx(total, rel=1e-3)


def test_mmdetection_1_has_options_and_a_scaled_lr(tmp_path):
    text = MMCV.format(
        lr="policy='step', step=[8]", more=", paramwise_options=dict(bias_lr_mult=2.)"
    )
    made = read(tmp_path, "c.py", text)
    assert (made.groups[-1].name, made.groups[-1].lr_mult) == ("biases", "2")
    scaled = f"{text}auto_scale_lr = dict(enable=True, base_batch_size=16)\n"
    assert float(read(tmp_path, "d.py", scaled, world_size="4").run.lr) == 0.01


def test_a_layer_decay_is_told(tmp_path):
    text = config(custom=", layer_decay_rate=0.65")
    notes = read(tmp_path, "c.py", text).notes
    assert any(note.startswith("layer_decay_rate 0.65: a layer's lr") for note in notes)


LAZY = """\
from torch.optim import SGD
with open('x') as stream:
    pass
with read_base():
    import os
    from .._base_.runtime import *
    from .near import *
optim_wrapper = dict(type=OptimWrapper, optimizer=dict(type=SGD, lr=0.02, momentum=0.9))
optim_wrapper.update(dict(optimizer=dict(lr=0.01)), accumulative_counts=2)
train_dataloader.update(batch_size=4)
print('x')
'a text'
made[0].update(dict(a=1))
optim_wrapper.update(dict(a=1), dict(b=1))
optim_wrapper.update(others)
train_cfg = dict(max_epochs=12)
"""


def test_imported_bases_are_read_and_updates_laid_over_at_every_depth(tmp_path):
    (tmp_path / "configs" / "_base_").mkdir(parents=True)
    own = tmp_path / "configs" / "own"
    own.mkdir()
    own_rule = "optimizer=dict(weight_decay=9), paramwise_cfg=dict(norm_decay_mult=0)"
    base = f"optim_wrapper = dict({own_rule})\n"
    (tmp_path / "configs" / "_base_" / "runtime.py").write_text(
        f"{base}train_dataloader = dict(batch_size=32, drop_last=True)\n"
    )
    made = read(own, "c.py", LAZY)
    assert (made.convention, made.value, float(made.run.lr)) == ("mmengine", "0", 0.01)
    assert made.run.examples_per_step == 8
    assert made.exempt.rule == "nothing"
    assert any("near.py is not here" in note for note in made.notes)


def test_a_class_under_a_name_of_the_file_s_own_and_shared_devices(tmp_path):
    text = (
        "from torch.optim import AdamW\nsequence_parallel_size = 4\naccumulative_counts = 2\n"
        "accumulative_counts *= sequence_parallel_size\noptim_type = AdamW\n"
        "optim_wrapper = dict(accumulative_counts=accumulative_counts,\n"
        "    optimizer=dict(type=optim_type, lr=2e-4, weight_decay=0.1))\n"
        "train_dataloader = dict(batch_size=1)\ntrain_cfg = dict(max_epochs=3)\n"
    )
    found = read(tmp_path, "a.py", text, world_size="2")
    assert (found.kind, found.convention, found.run.examples_per_step) == (
        "mmengine", "pytorch-adamw", 16,
    )  # fmt: skip
    assert any("sequence_parallel_size" in note for note in read(tmp_path, "a.py", text).notes)


@pytest.mark.parametrize(
    "scheduler",
    [
        "dict(type='CosineAnnealingLR', T_max=24, eta_min=_base_.lr * 0.05)",
        "dict(type='MultiStepLR', milestones=[8, epochs() - 1])",
        "dict(type='PolyLR', power=make(a=1))",
    ],
)
def test_what_a_scheduler_is_computed_from_is_not_its_default(tmp_path, scheduler):
    text = config() + f"param_scheduler = [{scheduler}]\n"
    assert read(tmp_path, "a.py", text).schedule is None


def test_a_key_whose_multiplier_is_computed_is_named(tmp_path):
    custom = ", custom_keys={'backbone': dict(lr_mult=_base_.share), 'head': dict(lr_mult=2)}"
    notes = read(tmp_path, "a.py", config(custom=custom)).notes
    assert any("custom_keys backbone: what they multiply by is not known" in note for note in notes)


BASE = (
    "base_lr = 0.01\nmax_epochs = 30\n"
    "optim_wrapper = dict(optimizer=dict(type='SGD', lr=base_lr, weight_decay=1e-4))\n"
    "train_cfg = dict(max_epochs=max_epochs)\n"
    "param_scheduler = [dict(type='CosineAnnealingLR', eta_min=1e-4, convert_to_iter_based=True)]\n"
)


def over_base(tmp_path, text, head="_base_ = ['./base.py']\n"):
    (tmp_path / "base.py").write_text(BASE, encoding="utf-8")
    return read(tmp_path, "a.py", head + text)


def test_what_a_file_changes_of_its_base_is_laid_over_it(tmp_path):
    text = "_base_.optim_wrapper.optimizer.lr = 0.5\nmax_epochs = 2 * _base_.max_epochs\n"
    found = over_base(tmp_path, f"{text}train_cfg = dict(max_epochs=max_epochs)\n")
    assert (float(found.run.lr), found.run.epochs, found.value) == (0.5, 60, "1e-4")
    assert found.schedule == "cosine:final=0.0002"
    again = over_base(tmp_path, "_base_.base_lr = 0.4\nbase_lr = _base_.base_lr / 2\n"
                      "optim_wrapper = dict(optimizer=dict(lr=base_lr))\n")  # fmt: skip
    assert float(again.run.lr) == 0.2


@pytest.mark.parametrize(
    "value", ["{{_base_.base_lr}}", "'{{ _base_.base_lr }}'", "_base_.base_lr"]
)
def test_a_base_s_value_is_looked_up_there(tmp_path, value):
    schedulers = f"param_scheduler = [dict(type='PolyLR', eta_min={value})]\n"
    found = over_base(tmp_path, schedulers + "_base_.optim_wrapper.optimizer.lr = 0.1\n")
    assert found.schedule == "polynomial:final=0.1,power=1,per=1epochs"


@pytest.mark.parametrize(
    "text",
    [
        "_base_.param_scheduler[0].eta_min = 1e-3\n",
        "param_scheduler = [dict(type='PolyLR', eta_min=_base_.low)]\n",
        "param_scheduler = [*_base_.param_scheduler]\n",
        "param_scheduler = [dict(type='PolyLR')]\nparam_scheduler[0]['power'] = 2\n",
    ],
)
def test_a_list_that_is_changed_in_part_is_open(tmp_path, text):
    assert over_base(tmp_path, text).schedule is None


def test_without_its_base_a_change_of_it_stands_alone(tmp_path):
    found = read(tmp_path, "a.py", "_base_ = 'b.py'\n_base_.optim_wrapper.optimizer.type = 'SGD'\n"
                 "_base_.optim_wrapper.optimizer.lr = _base_.lr\n")  # fmt: skip
    assert (found.convention, found.run.lr) == ("mmengine", None)
    assert any("b.py is not here" in note for note in found.notes)


def test_names_of_a_base_that_is_imported_whole_are_known(tmp_path):
    head = "from mmengine.config import read_base\nwith read_base():\n    from .base import *\n"
    text = "optim_wrapper.update(dict(optimizer=dict(lr=base_lr * 2)))\n"
    assert float(over_base(tmp_path, text, head).run.lr) == 0.02
