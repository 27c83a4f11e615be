"""torchtitan's TOML configurations."""

import pytest

from tests.training.trainers.reading import read, shrink

FILE = """\
[model]
name = "llama3"
flavor = "debugmodel"

[optimizer]
name = "AdamW"
lr = 4e-4

[lr_scheduler]
warmup_steps = 200
decay_ratio = 0.2
decay_type = "sqrt"
min_lr_factor = 0.1

[training]
local_batch_size = 4
global_batch_size = 256
seq_len = 2048
steps = 5000

[parallelism]
data_parallel_replicate_degree = 1
data_parallel_shard_degree = 8
"""


def test_a_configuration_counts_tokens(tmp_path):
    found = read(tmp_path, "a.toml", FILE)
    assert (found.kind, found.convention, found.value) == ("torchtitan", "torchtitan", "0.1")
    assert (found.run.examples_per_step, found.unit) == (524_288, "tokens")
    assert found.schedule == "wsd:warmup=200,ramp=one,decay=1000,final=0.1,shape=1-sqrt"
    assert shrink(found) == pytest.approx(4e-5)
    assert found.exempt.rule == "nothing"


def test_without_a_whole_batch_the_devices_multiply_it(tmp_path):
    text = FILE.replace("global_batch_size = 256", "global_batch_size = -1")
    assert read(tmp_path, "a.toml", text).run.examples_per_step == 4 * 8 * 2048
    auto = text.replace("shard_degree = 8", "shard_degree = -1")
    found = read(tmp_path, "b.toml", auto)
    assert found.run.examples_per_step == 4 * 2048
    assert any("number of devices" in note for note in found.notes)


@pytest.mark.parametrize(
    ("changes", "schedule"),
    [
        ({"decay_ratio = 0.2\n": "", '"sqrt"': '"cosine"'},
         "cosine:warmup=200,ramp=one,final=0.1"),
        ({"decay_ratio = 0.2\n": ""},
         "wsd:warmup=200,ramp=one,decay=4800,final=0.1,shape=1-sqrt"),
        ({'"sqrt"': '"other"'}, None),
    ],
)  # fmt: skip
def test_schedules(tmp_path, changes, schedule):
    text = FILE
    for old, new in changes.items():
        text = text.replace(old, new)
    assert read(tmp_path, "a.toml", text).schedule == schedule


def test_adam_is_coupled_and_another_optimizer_has_no_number(tmp_path):
    assert read(tmp_path, "a.toml", FILE.replace("AdamW", "Adam")).convention == "pytorch-adam"
    assert read(tmp_path, "b.toml", FILE.replace("AdamW", "Mine")).value is None
