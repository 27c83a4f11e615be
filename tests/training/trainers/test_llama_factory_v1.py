"""LLaMA-Factory's second generation: torch's AdamW with torch's own decay, unless it is muon."""

import pytest

from tests.training.trainers.reading import origins, read, shrink

FILE = """\
model: a
model_class: llm
dist_config:
  name: fsdp2
train_dataset: b
micro_batch_size: 2
learning_rate: 2.0e-5
max_steps: 50
"""
MUON = "optim_config:\n  name: muon\n"


def test_torch_s_default_decay_acts_where_no_file_could_set_it(tmp_path):
    found = read(tmp_path, "a.yaml", FILE)
    assert (found.kind, found.convention, found.value) == (
        "llama-factory-v1",
        "pytorch-adamw",
        "0.01",
    )
    assert (found.run.examples_per_step, found.run.steps, found.schedule) == (2, 50, "constant")
    assert (shrink(found), origins(found)["weight_decay"]) == (pytest.approx(2e-7), "default")


@pytest.mark.parametrize(
    ("text", "convention", "value"),
    [
        (f"{MUON}  wd: 0.2\n", "muon-keller", "0.2"),
        (MUON, "muon-keller", "0.1"),
        ("optim_config:\n  name: mine\n", None, None),
    ],
)
def test_plug_ins(tmp_path, text, convention, value):
    found = read(tmp_path, "a.yaml", FILE + text)
    assert (found.convention, found.value) == (convention, value)


def test_a_whole_batch_and_a_schedule_of_one_s_own(tmp_path):
    text = "global_batch_size: 64\nlr_scheduler_config:\n  name: mine\n"
    found = read(tmp_path, "a.yaml", FILE + text)
    assert (found.run.examples_per_step, found.schedule) == (64, None)
