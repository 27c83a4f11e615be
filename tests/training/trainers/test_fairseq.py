"""fairseq: its YAML configurations, and the flags of fairseq-train."""

import pytest

from tests.training.trainers.reading import read, shrink

FILE = """\
task:
  _name: masked_lm
dataset:
  batch_size: 16
distributed_training:
  distributed_world_size: 8
optimizer:
  _name: adam
  weight_decay: 0.01
  adam_betas: (0.9,0.98)
  adam_eps: 1e-06
lr_scheduler:
  _name: polynomial_decay
  warmup_updates: 10000
optimization:
  lr: [0.0005]
  max_update: 125000
  update_freq: [4]
"""
FLAGS = """\
fairseq-train data --optimizer adam --adam-betas '(0.9, 0.98)' --weight-decay 0.1 --lr 0.0005 \\
  --lr-scheduler inverse_sqrt --warmup-init-lr 5e-05 --max-sentences 8 --update-freq 2 \\
  --max-update 1000
"""


def test_a_configuration_multiplies_devices_and_frequency(tmp_path):
    found = read(tmp_path, "a.yaml", FILE)
    assert (found.kind, found.convention, found.value) == ("fairseq", "fairseq-adam", "0.01")
    assert (found.run.examples_per_step, found.run.total_steps) == (512, 125_000)
    assert found.schedule == "polynomial:power=1,warmup=10000"
    assert found.betas == ("0.9", "0.98")
    assert shrink(found) == pytest.approx(5e-6)


def test_flags_are_read_alike_and_the_warm_up_of_inverse_sqrt_is_4000(tmp_path):
    found = read(tmp_path, "run.sh", FLAGS)
    assert (found.value, found.run.examples_per_step) == ("0.1", 16)
    assert found.schedule == "inverse-sqrt:warmup=4000,start=0.1"
    assert found.betas == ("0.9", "0.98")
    assert read(tmp_path, "b.sh", FLAGS.replace("--weight-decay", "--wd")).value == "0.1"


@pytest.mark.parametrize(
    ("name", "schedule"),
    [
        ("cosine", "cosine:warmup=10000"),
        ("fixed", "constant:warmup=10000,ramp=one"),
        ("tri_stage", None),
    ],
)
def test_schedules(tmp_path, name, schedule):
    assert read(tmp_path, "a.yaml", FILE.replace("polynomial_decay", name)).schedule == schedule


def test_nag_has_a_momentum_of_its_own_and_others_none(tmp_path):
    nag = read(tmp_path, "a.yaml", FILE.replace("_name: adam", "_name: nag"))
    assert (nag.convention, float(nag.run.momentum)) == ("fairseq-nag", 0.99)
    sgd = read(tmp_path, "b.yaml", FILE.replace("_name: adam", "_name: sgd"))
    assert not sgd.run.given("momentum")
    assert read(tmp_path, "c.yaml", FILE.replace("_name: adam", "_name: x")).value is None


@pytest.mark.parametrize(
    ("arguments", "schedule"),
    [
        ("phase_ratio: [0.1, 0.4, 0.5]",
         ("constant:warmup=12500,start=0.01,until=62500 + exponential:gamma=0.05,every=62500,"
         "floor=0.05")),
        ("{warmup_steps: 100, decay_steps: 900}",
         "constant:warmup=100,start=0.01,until=100 + exponential:gamma=0.01,every=900,floor=0.01"),
        ("{hold_steps: 100, decay_steps: 900}",
         "constant:until=100 + exponential:gamma=0.01,every=900,floor=0.01"),
        ("decay_steps: 900", "exponential:gamma=0.01,every=900,floor=0.01"),
        ("warmup_steps: 100", None),
    ],
)  # fmt: skip
def test_three_stages(tmp_path, arguments, schedule):
    inner = arguments.strip("{}").replace(", ", "\n  ") if "{" in arguments else arguments
    if "phase" in arguments:
        inner += "\n  final_lr_scale: 0.05"
    own = FILE.replace(
        "_name: polynomial_decay\n  warmup_updates: 10000", f"_name: tri_stage\n  {inner}"
    )
    assert read(tmp_path, "a.yaml", own).schedule == schedule


def test_what_is_to_be_given_is_missing(tmp_path):
    found = read(tmp_path, "a.yaml", FILE.replace("125000", "???").replace("10000", "???"))
    assert (found.run.total_steps, found.schedule) == (None, None)
    assert "steps" in found.missing
    assert any("???" in note for note in found.notes)


@pytest.mark.parametrize(
    ("lines", "schedule"),
    [
        ("min_lr: 0.00005", "cosine:warmup=10000,start=0.1,final=0.1"),
        ("warmup_init_lr: 0.0001", "cosine:warmup=10000,start=0.2"),
        ("lr_period_updates: 200000", "cosine:warmup=10000,length=210000"),
        ("lr_period_updates: 115000", "cosine:warmup=10000"),
        ("lr_period_updates: 50000", "cosine-restarts:warmup=10000,period=50000,gamma=0.1"),
        (
            "lr_period_updates: 50000\n  t_mult: 2\n  lr_shrink: 1",
            "cosine-restarts:warmup=10000,period=50000,growth=2",
        ),
        ("lr_period_updates: 50000\n  t_mult: 1.5", None),
        ("lr_period_updates: 50000\n  min_lr: 0.00005", None),
    ],
)
def test_a_cosine_may_have_periods(tmp_path, lines, schedule):
    text = FILE.replace("polynomial_decay", f"cosine\n  {lines}")
    assert read(tmp_path, "a.yaml", text).schedule == schedule


def test_a_line_may_end_after_the_run_and_a_fixed_lr_may_be_annealed(tmp_path):
    longer = FILE.replace("polynomial_decay", "polynomial_decay\n  total_num_update: 250000")
    found = read(tmp_path, "a.yaml", longer)
    assert found.schedule == "polynomial:power=1,warmup=10000,length=250000"
    annealed = FILE.replace("polynomial_decay", "fixed\n  force_anneal: 50")
    assert read(tmp_path, "b.yaml", annealed).schedule is None


def test_a_warm_up_may_be_a_share_of_the_run(tmp_path):
    text = FILE.replace("polynomial_decay", "polynomial_decay\n  warmup_ratio: 0.06")
    found = read(tmp_path, "a.yaml", text)
    assert found.schedule == "polynomial:power=1,warmup=6%"
