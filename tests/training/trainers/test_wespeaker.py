"""wespeaker's YAML."""

import pytest

from tests.training.trainers.reading import read, shrink

FILE = """
gpus: "[0,1]"
num_epochs: 150
dataloader_args: {batch_size: 128}
projection_args: {project_type: arc_margin}
optimizer: SGD
optimizer_args: {momentum: 0.9, nesterov: True, weight_decay: 0.0001}
scheduler: ExponentialDecrease
scheduler_args: {initial_lr: 0.1, final_lr: 0.00005, warm_up_epoch: 6, warm_from_zero: True}
"""


def test_an_lr_is_for_64_examples(tmp_path):
    found = read(tmp_path, "a.yaml", FILE)
    assert (found.kind, found.convention, found.value) == ("wespeaker", "pytorch-sgd", "0.0001")
    assert (found.run.examples_per_step, float(found.run.lr)) == (256, 0.4)
    assert found.schedule == (
        "exponential:gamma=0.0005,every=100%,over=run,warmup=6epochs,toward=product"
    )
    assert (found.run.nesterov, found.exempt.mask) == (True, "all")
    assert shrink(found) == pytest.approx(4e-4)


@pytest.mark.parametrize(
    ("old", "new", "more"),
    [
        ("warm_from_zero: True", "warm_from_zero: False",
         ",warmup=6epochs,start=0.25,toward=product"),
        ("warm_up_epoch: 6", "warm_up_epoch: 0", ""),
        ("128}", "32}", ",warmup=6epochs,toward=product"),
    ],
)  # fmt: skip
def test_the_warm_up_goes_to_the_scaled_lr(tmp_path, old, new, more):
    found = read(tmp_path, "a.yaml", FILE.replace(old, new))
    assert found.schedule == f"exponential:gamma=0.0005,every=100%,over=run{more}"


def test_what_is_not_known_has_no_schedule(tmp_path):
    text = FILE.replace("ExponentialDecrease", "TriAngular2")
    assert read(tmp_path, "a.yaml", text).schedule is None
    bare = FILE.replace("final_lr: 0.00005, ", "").replace('gpus: "[0,1]"\n', "")
    found = read(tmp_path, "b.yaml", bare)
    assert (found.schedule, found.run.examples_per_step) == (None, 128)
