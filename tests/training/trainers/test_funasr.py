"""FunASR, whose optimizer has ESPnet's names and whose run has sections of its own."""

import pytest

from tests.training.trainers.reading import read, shrink

FILE = """
model: Paraformer
encoder_conf: {output_size: 512}
train_conf:
  accum_grad: 2
  max_epoch: 50
optim: adamw
optim_conf: {lr: 0.001, weight_decay: 0.05}
scheduler: warmuplr
scheduler_conf: {warmup_steps: 1000}
dataset_conf: {batch_type: example, batch_size: 8}
"""
LINE = (
    "python -m funasr.bin.train ++model=x ++train_conf.max_epoch=10 ++optim_conf.lr=1e-5"
    " ++dataset_conf.batch_size=4"
)


def test_a_file_s_sections_are_the_run(tmp_path):
    found = read(tmp_path, "a.yaml", FILE)
    assert (found.kind, found.convention, found.value) == ("funasr", "pytorch-adamw", "0.05")
    assert (found.run.examples_per_step, found.run.epochs) == (16, 50)
    assert found.schedule == "inverse-sqrt:warmup=1000,ramp=one"
    assert shrink(found) == pytest.approx(5e-5)
    assert found.exempt.mask == "all"


@pytest.mark.parametrize("kind", ["token", "length"])
def test_a_batch_of_lengths_has_no_one_size(tmp_path, kind):
    found = read(tmp_path, "a.yaml", FILE.replace("example", kind))
    assert found.run.batch_size is None
    assert any(f"batch_type {kind} fills a batch" in note for note in found.notes)


def test_a_command_line_has_the_trainer_s_defaults(tmp_path):
    found = read(tmp_path, "run.sh", LINE)
    assert (found.kind, found.convention, found.value) == ("funasr", "pytorch-adam", "0")
    assert (found.run.epochs, found.run.batch_size) == (10, None)
    assert any("batch_type is not set" in note for note in found.notes)
