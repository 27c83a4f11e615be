"""What MMYOLO lays over MMEngine: hooks that set the lr, constructors that scale the decay."""

import pytest

from tests.training.trainers.reading import quantity, read, shrink

CONSTRUCTOR = "YOLOv5OptimizerConstructor"
HOOK = "dict(type='YOLOv5ParamSchedulerHook', scheduler_type='linear', lr_factor=0.01)"


def config(*, hook=HOOK, constructor=CONSTRUCTOR, own=", batch_size_per_gpu=16", decay="5e-4"):
    return (
        "train_dataloader = dict(batch_size=16)\n"
        "train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=300)\n"
        "param_scheduler = None\n"
        f"default_hooks = dict(param_scheduler={hook})\n"
        "optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.01,"
        f" momentum=0.9, weight_decay={decay}, nesterov=True{own}), constructor='{constructor}')\n"
    )


def test_a_hook_s_lr_is_not_constant(tmp_path):
    found = read(tmp_path, "a.py", config())
    assert (found.kind, found.schedule) == ("mmengine", None)
    assert any("'YOLOv5ParamSchedulerHook' has no equal" in note for note in found.notes)
    plain = read(tmp_path, "b.py", config(hook="dict(type='ParamSchedulerHook')"))
    assert plain.schedule == "constant"


@pytest.mark.parametrize(
    ("arguments", "schedule"),
    [
        ("total_epochs=360", "cosine:warmup=5epochs,length=360epochs"),
        (
            "warmup_epochs=2, start_factor=0.1, min_lr_ratio=0.05",
            "cosine:warmup=2epochs,start=0.1,length=360epochs,final=0.05",
        ),
        ("warmup_epochs=0", None),
        ("total_epochs=_base_.total", None),
    ],
)
def test_ppyoloe_s_hook_is_a_cosine_longer_than_the_run(tmp_path, arguments, schedule):
    hook = f"dict(type='PPYOLOEParamSchedulerHook', {arguments})"
    assert read(tmp_path, "a.py", config(hook=hook)).schedule == schedule


@pytest.mark.parametrize(
    ("devices", "value"), [("1", "0.0005"), ("2", "0.0005"), ("8", "0.001"), ("3", "0.000375")]
)
@pytest.mark.parametrize("constructor", [CONSTRUCTOR, "YOLOv7OptimWrapperConstructor"])
def test_the_decay_is_scaled_by_a_step_s_images(tmp_path, constructor, devices, value):
    found = read(tmp_path, "a.py", config(constructor=constructor), world_size=devices)
    assert (found.convention, found.value) == ("mmengine", value)
    assert quantity(found, "weight_decay").value == "5e-4"
    assert found.exempt.mask == "no-bias-norm"
    assert shrink(found) == pytest.approx(float(value) * 0.01 / 0.1)


@pytest.mark.parametrize(
    ("changes", "value"),
    [
        ({"own": ""}, "5e-4"),
        ({"own": ", batch_size_per_gpu=size()"}, None),
        ({"decay": "0"}, "0"),
        ({"own": ", batch_size_per_gpu=0"}, None),
    ],
)
def test_without_images_there_is_no_scaling(tmp_path, changes, value):
    assert read(tmp_path, "a.py", config(**changes)).value == value
