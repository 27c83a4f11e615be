"""big_vision's Python configurations."""

import pytest

from tests.training.trainers.reading import read, shrink

FILE = """\
import ml_collections as mlc


def get_config():
  config = mlc.ConfigDict()
  config.total_epochs = 30
  config.input = {}
  config.input.data = dict(name='imagenet2012', split='train')
  config.input.batch_size = 512
  config.optax_name = 'scale_by_adam'
  config.lr = 0.001
  config.wd = 0.0001
  config.schedule = dict(warmup_steps=5_000, decay_type='cosine')
  return config
"""


def test_the_decay_is_not_times_lr_and_n_is_the_data_set_s(tmp_path):
    found = read(tmp_path, "a.py", FILE)
    assert (found.kind, found.convention) == ("big-vision", "big-vision")
    assert float(found.value) == 1e-4
    assert (found.run.examples_per_step, found.run.total_steps) == (512, 75_068)
    assert found.schedule == "cosine:warmup=5000"
    assert shrink(found) == pytest.approx(1e-4)
    assert found.exempt.rule == "all but kernels"


@pytest.mark.parametrize(
    ("schedule", "text"),
    [
        ("warmup_epochs=2, decay_type='linear'", "linear:warmup=2epochs"),
        ("warmup_percent=0.1, decay_type='cosine'", "cosine:warmup=10%"),
        ("warmup_examples=51200, decay_type='cosine'", "cosine:warmup=100"),
        ("decay_type='rsqrt', timescale=100", "inverse-sqrt:timescale=100"),
        ("decay_type='rsqrt', timescale=100, cooldown_steps=50", None),
        ("decay_type='cosine', scale_with_batchsize=True", None),
        ("decay_type='linear', linear_end=1e-5, warmup_steps=10", "linear:warmup=10,final=1e-05"),
        ("decay_type='polynomial', power=2", "polynomial:power=2"),
        ("decay_type='stair', steps=[10], mults=[0.1]", None),
        ("warmup_steps=10", "constant:warmup=10"),
    ],
)
def test_schedules(tmp_path, schedule, text):
    changed = FILE.replace("warmup_steps=5_000, decay_type='cosine'", schedule)
    assert read(tmp_path, "a.py", changed).schedule == text


def test_an_unknown_data_set_leaves_the_length_open(tmp_path):
    found = read(tmp_path, "a.py", FILE.replace("imagenet2012", "mine"))
    assert found.run.total_steps is None
    assert read(tmp_path, "b.py", FILE.replace("scale_by_adam", "mine")).value is None


def test_masks_of_one_s_own_are_told(tmp_path):
    text = FILE.replace("  return", "  config.wd_mults = [('.*', 1.0)]\n  return")
    assert "wd_mults" in read(tmp_path, "a.py", text).exempt.rule


@pytest.mark.parametrize(
    ("split", "size"),
    [("train[:99%]", 1_268_355), ("train[:100]", None), ("train[10%:]", None)],
)
def test_a_share_of_a_split_is_counted_as_the_data_set_does(tmp_path, split, size):
    found = read(tmp_path, "a.py", FILE.replace("split='train'", f"split='{split}'"))
    assert found.run.dataset_size == size
