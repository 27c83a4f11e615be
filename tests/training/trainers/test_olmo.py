"""OLMo's YAML configurations."""

import pytest

from tests.training.trainers.reading import quantity, read, shrink

FILE = """\
model:
  d_model: 256
optimizer:
  name: adamw
  learning_rate: 6.0e-4
  weight_decay: 0.1
  decay_norm_and_bias: true
  decay_embeddings: false
  betas: [0.9, 0.95]
scheduler:
  name: cosine_with_warmup
  t_warmup: 2000
  alpha_f: 0.1
max_duration: 100_000
global_train_batch_size: 512
device_train_microbatch_size: 8
"""


def test_the_warm_up_begins_at_a_tenth(tmp_path):
    found = read(tmp_path, "a.yaml", FILE)
    assert (found.kind, found.convention, found.value) == ("olmo", "pytorch-adamw", "0.1")
    assert found.schedule == "cosine:warmup=2000,start=0.1,final=0.1"
    assert (found.run.examples_per_step, found.run.total_steps) == (512, 100_000)
    assert shrink(found) == pytest.approx(6e-5)
    assert found.exempt.rule == "embeddings"


@pytest.mark.parametrize(
    ("old", "new", "steps", "epochs"),
    [
        ("100_000", "2ep", None, 2),
        # The last step may hold fewer tokens: 9536.7 steps are 9537.
        ("100_000", "5e9T", 9537, None),
        ("100_000", "100_000\nstop_at: 5000", 5000, None),
        ("100_000", "1ep\nstop_after: 5000", 5000, None),
        ("100_000", "5e9T\nstop_at: 9547", 9537, None),
        ("100_000", "soon", None, None),
        ("global_train_batch_size: 512\n", "", 100_000, None),
    ],
)
def test_a_duration_counts_steps_epochs_or_tokens(tmp_path, old, new, steps, epochs):
    run = read(tmp_path, "a.yaml", FILE.replace(old, new)).run
    assert (run.total_steps, run.total_epochs) == (steps, epochs)


def test_without_a_batch_there_are_512_sequences(tmp_path):
    text = FILE.replace("100_000", "5e9T").replace("global_train_batch_size: 512\n", "")
    assert read(tmp_path, "a.yaml", text).run.total_steps == 9537


def test_tokens_of_an_open_batch_are_no_steps(tmp_path):
    text = FILE.replace("100_000", "5e9T").replace("batch_size: 512", "batch_size: ???", 1)
    made = read(
        tmp_path, "a.yaml", text.replace("t_warmup: 2000", "t_warmup: 9e9\n  units: tokens")
    )
    assert (made.run.total_steps, made.schedule) == (None, None)


@pytest.mark.parametrize(
    ("changes", "schedule"),
    [
        ({"cosine_with": "linear_with"}, "linear:warmup=2000,start=0.1,final=0.1"),
        ({"cosine_with_warmup": "constant"}, "constant"),
        ({"cosine_with": "constant_with"}, "constant:warmup=2000,start=0.1"),
        ({"cosine_with": "inverse_sqrt_with"}, "inverse-sqrt:warmup=2000,start=0.1"),
        ({"cosine_with": "inverse_sqrt_with", "t_warmup: 2000": "t_warmup: 0"}, None),
        # A run that is stopped goes only as far along the schedule.
        ({"100_000": "100_000\nstop_at: 5000"},
         "cosine:warmup=2000,start=0.1,length=100000,final=0.1"),
        ({"100_000": "1ep\nstop_at: 5000"},
         "cosine:warmup=2000,start=0.1,length=1epochs,final=0.1"),
        ({"100_000": "2ep"}, "cosine:warmup=2000,start=0.1,final=0.1"),
        ({"100_000": "soon\nstop_at: 5000"}, "cosine:warmup=2000,start=0.1,final=0.1"),
        ({"alpha_f: 0.1": "warmup_min_lr: 0\n  t_max: 5000"},
         "cosine:warmup=2000,length=5000,final=0.1"),
        ({"t_warmup: 2000": "t_warmup: 1048576000\n  units: tokens"},
         "cosine:warmup=2000,start=0.1,final=0.1"),
        ({"t_warmup: 2000": "t_warmup: 0"}, "cosine:final=0.1"),
    ],
)  # fmt: skip
def test_schedules(tmp_path, changes, schedule):
    text = FILE
    for old, new in changes.items():
        text = text.replace(old, new)
    assert read(tmp_path, "a.yaml", text).schedule == schedule


def test_lion_is_the_default_and_others_have_no_number(tmp_path):
    assert read(tmp_path, "a.yaml", FILE.replace("name: adamw", "")).convention == "lion-pytorch"
    assert read(tmp_path, "b.yaml", FILE.replace("adamw", "sophia")).value is None


def test_what_decays_has_switches(tmp_path):
    text = FILE.replace("bias: true", "bias: false").replace("beddings: false", "beddings: true")
    assert read(tmp_path, "a.yaml", text).exempt.rule == "norms and biases"


def test_lion_takes_the_file_s_own_betas(tmp_path):
    made = read(tmp_path, "a.yaml", FILE)
    assert (made.betas, quantity(made, "beta1").value) == (("0.9", "0.95"), "0.9")
