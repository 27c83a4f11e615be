"""LAVIS' and MiniGPT-4's YAML."""

import pytest

from tests.training.trainers.reading import read, shrink

FILE = """
model:
  arch: blip2
  model_type: pretrain
datasets:
  coco_caption:
    vis_processor: {train: {name: blip2_image_train, image_size: 224}}
run:
  task: image_text_pretrain
  lr_sched: "linear_warmup_cosine_lr"
  init_lr: 1e-4
  min_lr: 1e-5
  warmup_lr: 1e-6
  weight_decay: 0.04
  max_epoch: 10
  batch_size_train: 100
  batch_size_eval: 64
  warmup_steps: 5000
  world_size: 1
  distributed: True
"""
MINIGPT4 = FILE.replace("  warmup_steps: 5000", "  warmup_steps: 1000\n  iters_per_epoch: 2000")
ITERATIONS = FILE.replace("  max_epoch: 10", "  max_iters: 32000\n  iters_per_inner_epoch: 8000")


def test_the_lr_falls_from_epoch_to_epoch(tmp_path):
    found = read(tmp_path, "a.yaml", FILE, world_size="8")
    assert (found.kind, found.convention, found.value) == ("lavis", "pytorch-adamw", "0.04")
    assert (found.run.examples_per_step, found.run.epochs) == (800, 10)
    assert found.betas == ("0.9", "0.999")
    schedule = "cosine:warmup=5000,start=0.01,final=0.1,over=run,per=1epochs,warmup_per=1"
    assert found.schedule == schedule
    assert shrink(found) == pytest.approx(4e-6)
    assert found.exempt.mask == "no-1d"
    assert "world_size" in read(tmp_path, "a.yaml", FILE).missing


def test_minigpt_4_counts_iterations(tmp_path):
    found = read(tmp_path, "a.yaml", MINIGPT4 + "  accum_grad_iters: 2\n", world_size="8")
    assert (found.kind, found.run.steps) == ("lavis", 10000)
    assert found.schedule == "cosine:warmup=500,start=0.01,final=0.1,over=run"


def test_inner_epochs_are_of_iterations(tmp_path):
    found = read(tmp_path, "a.yaml", ITERATIONS)
    assert found.run.steps == 32000
    assert found.schedule.endswith("final=0.1,over=run,per=8000,warmup_per=1")


@pytest.mark.parametrize(
    ("text", "old", "new", "schedule"),
    [
        (FILE, "linear_warmup_cosine_lr", "constant_lr", "constant:warmup=5000,start=0.01"),
        (FILE, "linear_warmup_cosine_lr", "linear_warmup_step_lr", None),
        (FILE, "warmup_lr: 1e-6", "warmup_lr: -1", "cosine:final=0.1,per=1epochs"),
        (FILE, "batch_size_train", "size", None),
        (FILE, "min_lr: 1e-5", "min_lr: ${oc.env:MIN}", None),
        (FILE, "warmup_steps: 5000", "accum_grad_iters: '${A}'", None),
        (MINIGPT4, "warmup_steps: 1000", "warmup_steps: 3000", None),
        (MINIGPT4, "iters_per_epoch: 2000", "iters_per_epoch: '${A}'", None),
        (ITERATIONS, "max_iters: 32000", "max_iters: '${A}'", None),
        (ITERATIONS, "warmup_steps: 5000", "warmup_steps: 9000", None),
        (ITERATIONS, "max_iters: 32000", "max_iters: 33000", None),
    ],
)
def test_schedules(tmp_path, text, old, new, schedule):
    assert read(tmp_path, "a.yaml", text.replace(old, new)).schedule == schedule


@pytest.mark.parametrize(("other", "size"), [("6", 6), ("8", None)])
def test_each_iteration_takes_one_data_set(tmp_path, other, size):
    text = MINIGPT4.replace("  batch_size_train: 100\n", "").replace(
        "  coco_caption:\n", f"  vqa: {{batch_size: {other}}}\n  coco_caption:\n    batch_size: 6\n"
    )
    assert read(tmp_path, "a.yaml", text, world_size="1").run.examples_per_step == size


def test_an_evaluation_has_no_decay(tmp_path):
    found = read(tmp_path, "a.yaml", FILE + "  evaluate: True\n")
    assert found.convention is None
    assert "trains nothing" in found.refusal
