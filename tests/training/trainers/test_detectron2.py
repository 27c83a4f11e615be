"""detectron2's YAML configurations."""

from fractions import Fraction

import pytest

from decaycalc.errors import DecaycalcError, UnreadableFileError
from decaycalc.inspection import inspect
from tests.training.trainers.reading import read, shrink

FILE = """\
MODEL:
  META_ARCHITECTURE: "GeneralizedRCNN"
SOLVER:
  IMS_PER_BATCH: 32
  BASE_LR: 0.04
  STEPS: (30000, 40000)
  MAX_ITER: 45000
  WEIGHT_DECAY: 0.0002
VERSION: 2
"""


def test_a_configuration_is_read_over_the_defaults(tmp_path):
    found = read(tmp_path, "a.yaml", FILE)
    assert (found.kind, found.convention, found.value) == ("detectron2", "detectron2", "0.0002")
    assert float(found.run.momentum) == 0.9
    assert found.schedule == "step:at=30000/40000,gamma=0.1,warmup=1000,start=0.001"
    assert (found.run.examples_per_step, found.run.total_steps) == (32, 45000)
    assert shrink(found) == pytest.approx(8e-5)
    assert found.exempt.rule == "norms"


def test_what_the_run_takes_off_is_as_by_hand(tmp_path):
    (tmp_path / "a.yaml").write_text(FILE, encoding="utf-8")
    assert inspect(str(tmp_path / "a.yaml")).figures.sum_shrink == pytest.approx(2.4440, abs=5e-5)


def test_the_base_file_lies_below_and_is_missed_where_it_is_not_there(tmp_path):
    (tmp_path / "base.yaml").write_text("SOLVER:\n  MOMENTUM: 0.5\n  MAX_ITER: 7\n")
    found = read(tmp_path, "a.yaml", "_BASE_: base.yaml\n" + FILE)
    assert float(found.run.momentum) == 0.5
    assert found.run.total_steps == 45000
    lost = read(tmp_path, "b.yaml", "_BASE_: other.yaml\n" + FILE)
    assert any("'other.yaml' is not beside" in note for note in lost.notes)


def test_a_base_that_is_no_mapping_is_passed_over(tmp_path):
    (tmp_path / "base.yaml").write_text("- a\n")
    assert read(tmp_path, "a.yaml", "_BASE_: base.yaml\n" + FILE).value == "0.0002"


def test_a_base_that_names_itself_ends(tmp_path):
    assert read(tmp_path, "a.yaml", "_BASE_: a.yaml\n" + FILE).value == "0.0002"


def test_workers_scale_what_the_file_says_for_its_reference(tmp_path):
    scaled = FILE.replace("  MAX_ITER", "  REFERENCE_WORLD_SIZE: 8\n  MAX_ITER")
    found = read(tmp_path, "a.yaml", scaled, world_size="16")
    assert (float(found.run.lr), found.run.examples_per_step) == (0.08, 64)
    assert found.run.total_steps == 22500
    assert read(tmp_path, "b.yaml", FILE.replace("0.04", "0.02")).run.examples_per_step == 32
    with pytest.raises(DecaycalcError, match="counts all devices"):
        read(tmp_path, "d.yaml", FILE, world_size="16")
    plain = scaled.replace("  IMS_PER_BATCH: 32\n", "")
    assert read(tmp_path, "c.yaml", plain, world_size="16").run.examples_per_step == 32
    assert found.schedule == "step:at=15000/20000,gamma=0.1,warmup=500,start=0.001"
    odd = scaled.replace("0.04", "fast")
    with pytest.raises(DecaycalcError, match="is not a number"):
        read(tmp_path, "e.yaml", odd, world_size="16")


@pytest.mark.parametrize(
    ("more", "schedule"),
    [
        ("WARMUP_ITERS: 0", "step:at=30000/40000,gamma=0.1"),
        ("STEPS: (50000,)", "constant:warmup=1000,start=0.001"),
        ("LR_SCHEDULER_NAME: WarmupCosineLR",
         "cosine:over=run,warmup=1000,start=0.001"),
        ("WARMUP_METHOD: constant",
         "step:at=30000/40000,gamma=0.1,warmup=1000,start=0.001,warmup_power=1000000000"),
        ("WARMUP_METHOD: odd", None),
        ("LR_SCHEDULER_NAME: WarmupStepWithFixedGammaLR", None),
    ],
)  # fmt: skip
def test_schedules_and_warm_ups(tmp_path, more, schedule):
    text = FILE.replace("  STEPS: (30000, 40000)\n", "") if "STEPS" in more else FILE
    found = read(tmp_path, "a.yaml", text.replace("SOLVER:\n", f"SOLVER:\n  {more}\n"))
    assert found.schedule == schedule


def test_biases_and_norms_have_switches_of_their_own(tmp_path):
    text = FILE.replace("  MAX", "  WEIGHT_DECAY_BIAS: 0.0\n  WEIGHT_DECAY_NORM: 0.1\n  MAX")
    assert read(tmp_path, "a.yaml", text).exempt.rule == "biases"


def test_a_project_s_own_optimizer_is_read_by_its_class_or_refused(tmp_path):
    named = FILE.replace("  MAX", "  OPTIMIZER: ADAMW\n  MAX")
    found = read(tmp_path, "a.yaml", named)
    assert found.convention == "pytorch-adamw"
    assert any("a project's own" in note for note in found.notes)
    assert read(tmp_path, "b.yaml", named.replace("ADAMW", "MINE")).value is None


def test_its_forerunner_s_files_are_not_its_own(tmp_path):
    text = FILE.replace("  META_ARCH", '  BACKBONE:\n    CONV_BODY: "R-50-FPN"\n  META_ARCH')
    assert read(tmp_path, "a.yaml", text).kind == "maskrcnn-benchmark"


@pytest.mark.parametrize(
    "line",
    ["OPTIMIZER_NAME: Adam", "SCHED: MultiStepLR", "MAX_EPOCH: 120", "LR_STEPS: [80000, 100000]"],
)
def test_another_program_s_solver_is_not_detectron2_s(tmp_path, line):
    with pytest.raises(DecaycalcError, match="not enough of any trainer's own keys"):
        read(tmp_path, "a.yaml", FILE.replace("  MAX_ITER: 45000", f"  {line}"))


def test_projects_have_a_polynomial_times_the_warm_up(tmp_path):
    poly = FILE.replace("  MAX_ITER", "  LR_SCHEDULER_NAME: WarmupPolyLR\n  MAX_ITER")
    found = read(tmp_path, "a.yaml", poly)
    course = "polynomial:power=0.9,over=run,toward=product,warmup=1000,start=0.001"
    assert found.schedule == course
    ended = poly.replace(
        "  MAX_ITER", "  POLY_LR_CONSTANT_ENDING: 0.01\n  WARMUP_ITERS: 0\n  MAX_ITER"
    )
    assert read(tmp_path, "b.yaml", ended).schedule == "polynomial:power=0.9,floor=0.01"
    cosine = FILE.replace("  MAX_ITER", "  LR_SCHEDULER_NAME: WarmupCosineLR\n  MAX_ITER")
    rescaled = cosine.replace("  MAX_ITER", "  RESCALE_INTERVAL: True\n  MAX_ITER")
    assert read(tmp_path, "c.yaml", rescaled).schedule == "cosine:warmup=1000,start=0.001"


def test_what_has_an_lr_or_a_decay_of_its_own_is_a_group(tmp_path):
    lines = (
        "  BIAS_LR_FACTOR: 2\n  WEIGHT_DECAY_NORM: 0.0001\n  BACKBONE_MULTIPLIER: 0.1\n  MAX_ITER"
    )
    found = read(tmp_path, "a.yaml", FILE.replace("  MAX_ITER", lines))
    shown = {group.name: (group.lr_mult, group.weight_decay) for group in found.groups[1:]}
    assert shown == {"norms": ("1", "0.0001"), "biases": ("2", None), "backbone": ("0.1", None)}
    zero = read(
        tmp_path, "b.yaml", FILE.replace("  MAX_ITER", "  WEIGHT_DECAY_BIAS: 0.0001\n  MAX_ITER")
    )
    assert zero.groups[-1].weight_decay == "0.0001"


def test_a_run_of_epochs_is_another_program_s(tmp_path):
    text = "SOLVER:\n  BASE_LR: 1e-4\n  STEPS: [0.9]\n  MAX_ITER: 1\n  MAX_NUM_EPOCHS: 50\n"
    with pytest.raises(UnreadableFileError, match="not enough of any trainer's own keys"):
        read(tmp_path, "a.yaml", text + "  WARMUP_ITERS: 10\n  OPTIMIZER: ADAMW\n")


@pytest.mark.parametrize("before", ["--num-gpus 1", "--opts", "--config-file a.yaml"])
def test_keys_of_a_command_line_with_their_values_behind_them_lie_over_the_file(tmp_path, before):
    (tmp_path / "a.yaml").write_text(FILE, encoding="utf-8")
    line = (
        "python train_net.py --config-file a.yaml {} SOLVER.BASE_LR 0.0025 SOLVER.IMS_PER_BATCH 2"
    )
    found = read(tmp_path, "run.sh", line.format(before) + " SOLVER.STEPS '(100, 200)' MODEL.A\n")
    assert (float(found.run.lr), found.run.examples_per_step) == (0.0025, 2)
    assert found.schedule.startswith("step:at=100/200,")
    assert found.run.total_steps == 45000


def test_a_key_without_a_section_behind_the_file_leaves_the_file_its_settings(tmp_path):
    (tmp_path / "base.yaml").write_text("SOLVER: {MAX_ITER: 18000, STEPS: (12000,)}\n", "utf-8")
    line = "python train_net.py --config-file base.yaml OUTPUT_DIR out SOLVER.BASE_LR 0.04\n"
    found = read(tmp_path, "run.sh", line)
    assert (found.run.steps, found.run.lr) == (18000, Fraction("0.04"))
