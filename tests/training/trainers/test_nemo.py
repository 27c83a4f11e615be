"""NeMo's YAML, of Megatron models and of speech models."""

import pytest

from tests.training.trainers.reading import read, shrink

MEGATRON = """\
trainer:
  devices: 8
  num_nodes: 2
  max_steps: 100000
  accumulate_grad_batches: 1
model:
  micro_batch_size: 4
  global_batch_size: 256
  optim:
    name: distributed_fused_adam
    lr: 2e-4
    weight_decay: 0.1
    betas: [0.9, 0.98]
    sched:
      name: CosineAnnealing
      warmup_steps: 500
      constant_steps: 5000
      min_lr: 2e-5
"""
SPEECH = """\
trainer:
  devices: -1
  max_epochs: 100
  max_steps: -1
model:
  train_ds:
    batch_size: 16
  optim:
    name: adam
    lr: 1e-3
    sched:
      name: {sched}
      warmup_ratio: 0.1
"""


def test_a_megatron_model_has_a_global_batch(tmp_path):
    made = read(tmp_path, "c.yaml", MEGATRON)
    assert (made.kind, made.convention, made.value) == ("nemo", "apex-fused-adam", "0.1")
    assert (made.run.examples_per_step, made.run.steps) == (256, 100000)
    assert made.schedule == "cosine:length=95000,final=0.1,warmup=500"
    assert (made.exempt.rule, made.unit) == ("norms and biases", "sequences")
    assert shrink(made) == pytest.approx(2e-5)


def test_norms_decay_where_that_is_asked_for(tmp_path):
    text = MEGATRON.replace("    lr: 2e-4", "    lr: 2e-4\n    do_layer_norm_weight_decay: true")
    assert read(tmp_path, "c.yaml", text).exempt.rule == "biases"


@pytest.mark.parametrize(
    ("sched", "schedule"),
    [
        ("CosineAnnealing", "cosine:warmup=10%,ramp=inner"),
        ("WarmupPolicy", "constant:warmup=10%,ramp=inner"),
        ("WarmupHoldPolicy", "constant:warmup=10%,ramp=inner"),
        ("WarmupAnnealing", "linear:warmup=10%,ramp=inner"),
        ("SquareRootAnnealing", "polynomial:power=0.5,over=run,warmup=10%,ramp=inner"),
        ("InverseSquareRootAnnealing", None),  # its timescale is the warm-up's own steps and one
        ("PolynomialDecayAnnealing", "polynomial:power=1,warmup=10%,ramp=inner"),
        ("PolynomialHoldDecayAnnealing", None),  # nothing is said to be held
        ("NoamHoldAnnealing", None),
        ("ReduceLROnPlateau", None),
        ("StepLR", None),
        ("ExponentialLR", "exponential:gamma=0.1,every=1epochs,per=1epochs"),
        ("null", "constant"),
    ],
)
def test_a_speech_model_counts_a_device(tmp_path, sched, schedule):
    made = read(tmp_path, "c.yaml", SPEECH.format(sched=sched), world_size="4")
    assert (made.convention, made.value, made.run.examples_per_step) == ("pytorch-adam", "0", 64)
    assert made.schedule == schedule
    assert made.exempt.rule == "nothing"


# Each sum of the steps' lr agrees with NeMo's own formula to a thousandth.
@pytest.mark.parametrize(
    ("sched", "schedule"),
    [
        ("CosineAnnealing\n      max_steps: 90", "cosine:length=90,warmup=9,ramp=inner"),
        ("CosineAnnealing\n      constant_ratio: 0.1", None),
        ("InverseSquareRootAnnealing\n      max_steps: 90",
         "inverse-sqrt:warmup=9,ramp=inner,timescale=10"),
        ("PolynomialDecayAnnealing\n      cycle: true", None),
        ("PolynomialHoldDecayAnnealing\n      hold_ratio: 0.4\n      power: 2\n      min_lr: 1e-4",
         "constant:warmup=10%,ramp=inner,until=50% + polynomial:power=2,final=0.1"),
        ("PolynomialHoldDecayAnnealing\n      hold_steps: 40", None),
        ("StepLR\n      step_size: 30", "step:every=30,gamma=0.1"),
    ],
)  # fmt: skip
def test_schedules_take_their_own_lengths(tmp_path, sched, schedule):
    text = SPEECH.replace("name: adam", "name: adamw").format(sched=sched)
    assert read(tmp_path, "c.yaml", text, world_size="1").schedule == schedule


def test_what_is_held_ends_where_its_steps_end(tmp_path):
    text = MEGATRON.replace("CosineAnnealing", "{}").replace("constant_steps: 5000", "{}")
    held = text.format("PolynomialHoldDecayAnnealing", "hold_steps: 1500")
    assert read(tmp_path, "a.yaml", held).schedule == (
        "constant:warmup=500,ramp=inner,until=2000 + polynomial:power=1,final=0.1"
    )
    noam = text.format("NoamHoldAnnealing", "hold_steps: 1500\n      decay_rate: 1.0")
    assert read(tmp_path, "a.yaml", noam).schedule == (
        "constant:warmup=500,ramp=inner,until=2000 + inverse:gamma=0.002,power=1,floor=0.1"
    )


NOAM = SPEECH.replace("warmup_ratio: 0.1", "warmup_steps: 10000\n      min_lr: 1e-6").replace(
    "1e-3", "5.0"
)


def test_noams_lr_is_a_factor_of_its_peak(tmp_path):
    text = NOAM.format(sched="NoamAnnealing\n      d_model: 512").replace("adam", "adamw")
    made = read(tmp_path, "c.yaml", text + "    weight_decay: 1e-3\n", world_size="1")
    assert float(made.run.lr) == pytest.approx(5 / (512 * 10000) ** 0.5)
    assert made.schedule == "inverse-sqrt:warmup=10000,floor=0.00045254834"
    assert shrink(made) == pytest.approx(2.2097e-6, rel=1e-4)


def test_noam_without_a_warmup_peaks_at_its_first_step(tmp_path):
    text = NOAM.replace("warmup_steps: 10000", "warmup_steps: 0").replace(
        "      min_lr: 1e-6\n", ""
    )
    made = read(tmp_path, "c.yaml", text.format(sched="NoamAnnealing\n      d_model: 400"))
    assert (float(made.run.lr), made.schedule) == (0.25, "inverse-sqrt:timescale=1")


@pytest.mark.parametrize("text", [NOAM, SPEECH])
def test_noams_peak_is_missing_where_its_parts_are(tmp_path, text):
    made = read(tmp_path, "c.yaml", text.format(sched="NoamAnnealing"))
    assert (made.run.lr, "lr" in made.missing) == (None, True)


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("novograd", "timm-novograd", "0"),
        ("lamb", "apex-fused-lamb", "0.01"),
        ("adafactor", "fairseq-adafactor", "0"),
        ("mcore_distributed_optim", "megatron-adam", None),
        ("magic", None, None),
    ],
)
def test_other_names_have_a_convention_or_none(tmp_path, name, key, value):
    text = SPEECH.format(sched="null").replace("adam", name)
    made = read(tmp_path, "c.yaml", text)
    assert (made.convention, made.value) == (key, value)


def test_novograds_decay_has_no_constant_share(tmp_path):
    text = SPEECH.format(sched="null").replace("adam", "novograd")
    made = read(tmp_path, "c.yaml", text + "    args:\n      params:\n        weight_decay: 1e-3\n")
    assert (made.value, shrink(made)) == ("1e-3", None)
    assert any("/ (1 - beta1)" in note for note in made.notes)


def test_a_command_may_hold_nothing_but_overrides(tmp_path):
    text = (
        "python pretrain.py model.optim.name=fused_adam model.optim.lr=1e-4"
        " model.optim.weight_decay=0.1 +trainer.max_steps=1000 model.global_batch_size=64"
        " model.micro_batch_size=4 ++model.optim.sched.name=CosineAnnealing"
    )
    made = read(tmp_path, "run.sh", text)
    assert (made.kind, made.value, made.schedule) == ("nemo", "0.1", "cosine")
    assert (made.run.examples_per_step, made.run.steps) == (64, 1000)


def test_a_batch_that_grows_is_told(tmp_path):
    text = MEGATRON.replace("model:\n", "model:\n  rampup_batch_size: [32, 32, 500000]\n")
    assert any("grows" in note for note in read(tmp_path, "c.yaml", text).notes)


def test_without_a_warmup_there_is_none(tmp_path):
    text = SPEECH.format(sched="CosineAnnealing").replace("      warmup_ratio: 0.1\n", "")
    assert read(tmp_path, "c.yaml", text).schedule == "cosine"


def test_a_run_shorter_than_its_constant_phase_has_no_cosine(tmp_path):
    text = MEGATRON.replace("max_steps: 100000", "max_steps: 50")
    assert read(tmp_path, "a.yaml", text).schedule is None
