"""MaxText's YAML configurations."""

import pytest

from tests.training.trainers.reading import read, shrink

FILE = """\
base_config: "base.yml"
run_name: "demo"
steps: 1000
learning_rate: 1.e-3
adam_weight_decay: 0.05
per_device_batch_size: 4.0
max_target_length: 1024
gradient_accumulation_steps: 2
"""


def test_a_configuration_lies_over_base_yml(tmp_path):
    found = read(tmp_path, "a.yml", FILE)
    assert (found.kind, found.convention, found.value) == ("maxtext", "maxtext-adamw", "0.05")
    assert (found.run.examples_per_step, found.run.total_steps) == (8, 1000)
    assert found.unit == "sequences of 1024 tokens"
    assert found.schedule == "cosine:warmup=100,final=0.1"
    assert shrink(found) == pytest.approx(5e-5)
    assert found.exempt.rule == "nothing"


@pytest.mark.parametrize(
    ("more", "schedule"),
    [
        ("lr_schedule_type: wsd", "wsd:warmup=100,final=0.1,decay=100"),
        ("lr_schedule_type: wsd\nwsd_decay_style: cosine",
         "wsd:warmup=100,final=0.1,decay=100,shape=cosine"),
        # What the run goes on for after the schedule's end has an lr of 0.
        ("learning_rate_schedule_steps: 500",
         "cosine:warmup=50,length=500,final=0.1,until=500 + constant:value=0"),
        ("learning_rate_schedule_steps: 2000", "cosine:warmup=200,length=2000,final=0.1"),
        ("lr_schedule_type: other", None),
    ],
)  # fmt: skip
def test_schedules(tmp_path, more, schedule):
    assert read(tmp_path, "a.yml", f"{FILE}{more}\n").schedule == schedule


@pytest.mark.parametrize(("devices", "batch"), [("8", 4), ("2", None)])
def test_devices_may_share_a_sequence(tmp_path, devices, batch):
    text = FILE.replace("per_device_batch_size: 4.0", "per_device_batch_size: 0.25")
    found = read(tmp_path, "a.yml", text, world_size=devices)
    assert found.run.examples_per_step == batch
    assert ("shared" in found.missing) == (batch is None)


def test_masks_and_other_optimizers(tmp_path):
    masked = read(tmp_path, "a.yml", FILE + "adamw_mask: ['.*scale']\n")
    assert masked.exempt.rule == "names that match .*scale"
    assert read(tmp_path, "b.yml", FILE + "opt_type: sgd\n").refusal.endswith("no weight decay")
    assert read(tmp_path, "b.yml", FILE + "opt_type: magic\n").value is None
    pax = read(tmp_path, "b.yml", FILE + "opt_type: adam_pax\n")
    assert (pax.convention, pax.value) == ("maxtext-adamw", "0.05")


@pytest.mark.parametrize(("more", "value"), [("", "0"), ("muon_weight_decay: 0.2\n", "0.2")])
def test_muons_matrices_have_a_decay_of_their_own(tmp_path, more, value):
    made = read(tmp_path, "a.yml", f"{FILE}opt_type: muon\n{more}")
    assert (made.convention, made.value) == ("optax-muon", value)


def test_a_run_of_minus_one_step_is_as_long_as_its_schedule(tmp_path):
    text = FILE.replace("steps: 1000", "steps: -1\nlearning_rate_schedule_steps: 500", 1)
    made = read(tmp_path, "a.yml", text)
    assert (made.run.steps, made.schedule) == (500, "cosine:warmup=50,final=0.1")
