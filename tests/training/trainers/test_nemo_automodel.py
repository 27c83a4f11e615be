"""NeMo Automodel's YAML, whose optimizer is told as Hydra's and whose scheduler is Megatron's."""

import pytest

from tests.training.trainers.reading import origins, read, shrink

FILE = """
step_scheduler: {global_batch_size: 64, local_batch_size: 8, max_steps: 500, num_epochs: 2}
optimizer:
  _target_: torch.optim.AdamW
  lr: 2.0e-4
  weight_decay: 0.05
lr_scheduler: {lr_decay_style: cosine, min_lr: 1.0e-5}
"""


def test_a_file_s_step_is_of_all_devices(tmp_path):
    found = read(tmp_path, "a.yaml", FILE)
    assert (found.kind, found.convention) == ("nemo-automodel", "pytorch-adamw")
    assert found.value == "0.05"
    assert (found.run.examples_per_step, found.run.steps) == (64, 500)
    assert found.schedule == "cosine:warmup=50,start=0.1,final=0.05"
    assert shrink(found) == pytest.approx(1e-5)
    assert found.exempt.mask == "all"
    assert any("max_steps" in note for note in found.notes)


@pytest.mark.parametrize(
    ("old", "new", "schedule"),
    [
        ("max_steps: 500", "max_steps: 9", "cosine:final=0.05"),
        ("max_steps: 500, ", "", "cosine:warmup=10%,start=0.1,final=0.05"),
        ("min_lr: 1.0e-5", "lr_warmup_steps: 0", "cosine:final=0.01"),
        ("cosine", "constant, lr_warmup_steps: 7, init_lr: 0", "constant:warmup=7"),
        ("lr_scheduler: {lr_decay_style: cosine, min_lr: 1.0e-5}", "", "constant"),
        ("min_lr: 1.0e-5", "lr_decay_steps: 400, min_lr: 0",
         "cosine:warmup=50,start=0.1,length=400"),
        ("cosine", "inverse-square-root", None),
        ("cosine", "WSD, wsd_decay_steps: 100, lr_wsd_decay_style: minus_sqrt",
         "wsd:warmup=50,start=0.1,decay=100,final=0.05,shape=1-sqrt"),
        ("cosine", "WSD", None),
    ],
)  # fmt: skip
def test_schedules(tmp_path, old, new, schedule):
    assert read(tmp_path, "a.yaml", FILE.replace(old, new)).schedule == schedule


def test_a_warm_up_by_the_run_s_length_does_not_fit_into_another(tmp_path):
    text = FILE.replace("max_steps: 500, ", "").replace("min_lr", "lr_decay_steps: 400, min_lr")
    found = read(tmp_path, "a.yaml", text)
    assert (found.schedule, found.run.epochs) == (None, 2)
    assert any("give --steps" in note for note in found.notes)


def test_the_scheduler_s_own_peak_and_decay_count(tmp_path):
    text = FILE.replace("min_lr", "max_lr: 1.0e-3, end_wd: 0.1, start_wd: 0.1, min_lr")
    found = read(tmp_path, "a.yaml", text)
    assert (found.value, shrink(found)) == ("0.1", pytest.approx(1e-4))
    grown = read(tmp_path, "b.yaml", text.replace("end_wd", "wd_incr_style: linear, end_wd"))
    assert grown.value is None
    assert any("λ grows over the run" in note for note in grown.notes)


def test_classes_of_other_libraries(tmp_path):
    path = "transformer_engine.pytorch.optimizers.fused_adam.FusedAdam"
    text = FILE.replace("torch.optim.AdamW", path).replace("  weight_decay: 0.05\n", "")
    found = read(tmp_path, "a.yaml", text)
    assert (found.convention, found.value, origins(found)["weight_decay"]) == (
        "apex-fused-adam", "0", "default",
    )  # fmt: skip
    coupled = read(tmp_path, "b.yaml", text.replace("  lr:", "  adam_w_mode: false\n  lr:"))
    assert "the penalty joins the gradient" in coupled.refusal
    flash = read(tmp_path, "c.yaml", FILE.replace("torch.optim.AdamW", "flashoptim.FlashAdamW"))
    assert flash.convention == "flashoptim-adamw"


def test_overrides_are_said(tmp_path):
    text = FILE.replace("  lr:", "  param_group_overrides: [{pattern: router, wd_mult: 0}]\n  lr:")
    found = read(tmp_path, "a.yaml", text)
    assert (found.exempt.mask, "wd_mult of 0" in found.exempt.rule) == (None, True)
    assert any("are not read" in note for note in found.notes)
