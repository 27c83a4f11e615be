"""ai-toolkit's YAML."""

import pytest

from decaycalc.errors import UnreadableFileError
from tests.training.trainers.reading import read, shrink

FILE = """
job: extension
config:
  name: "my_first_flux_lora_v1"
  process:
    - type: 'sd_trainer'
      training_folder: "output"
      device: cuda:0
      network: {type: "lora", linear: 16, linear_alpha: 16}
      train:
        batch_size: 2
        steps: 2000
        gradient_accumulation: 3
        optimizer: "adamw8bit"
        lr: 1e-4
      model: {name_or_path: "black-forest-labs/FLUX.1-dev"}
meta: {name: "[name]", version: '1.0'}
"""
ADD = "        lr: 1e-4\n        "


def _read(folder, more, optimizer="adamw8bit"):
    text = FILE.replace("        lr: 1e-4\n", f"{ADD}{more}\n").replace("adamw8bit", optimizer)
    return read(folder, "a.yaml", text)


def test_the_class_s_own_decay_holds(tmp_path):
    found = read(tmp_path, "a.yaml", FILE)
    assert (found.kind, found.convention) == ("ai-toolkit", "bitsandbytes-adamw")
    assert (found.value, found.run.examples_per_step, found.run.steps) == ("0.01", 6, 2000)
    assert (found.schedule, found.exempt.mask) == ("constant", "all")
    assert shrink(found) == pytest.approx(1e-6)


@pytest.mark.parametrize(
    ("name", "convention", "value"),
    [
        ("adam", "pytorch-adam", "0.02"),
        ("adamw8", "pytorch-adamw", "0.02"),
        ("adafactor", "hf-adafactor", "0.02"),
        ("prodigy", None, None),
    ],
)
def test_optimizers(tmp_path, name, convention, value):
    found = _read(tmp_path, "optimizer_params: {weight_decay: 0.02}", name)
    assert (found.convention, found.value) == (convention, value)


def test_adafactor_s_defaults(tmp_path):
    assert _read(tmp_path, "xformers: true", "adafactor").value == "0"
    relative = _read(tmp_path, "optimizer_params: {relative_step: true}", "adafactor")
    assert relative.convention == "hf-adafactor-relative"
    scaled = _read(tmp_path, "optimizer_params: {scale_parameter: true}", "adafactor")
    assert "scale_parameter" in scaled.refusal


def test_the_older_accumulation_drops_gradients(tmp_path):
    found = _read(tmp_path, "gradient_accumulation_steps: 4")
    assert found.run.steps == 500
    assert "grad_accum" in found.missing
    assert _read(tmp_path, "gradient_accumulation_steps: -1").run.steps is None


@pytest.mark.parametrize(
    ("more", "schedule"),
    [
        ("lr_scheduler: cosine", "cosine"),
        ("lr_scheduler: cosine\n        lr_scheduler_params: {eta_min: 1e-5}", "cosine:final=0.1"),
        ("lr_scheduler: linear", "linear:initial=1/3,final=1"),
        ("lr_scheduler: linear\n        lr_scheduler_params: {end_factor: '${A}'}", None),
        ("lr_scheduler: constant_with_warmup", "constant:warmup=1000"),
        ("lr_scheduler: constant\n        lr_scheduler_params: {factor: 0.1}", None),
        ("lr_scheduler: constant\n        lr_scheduler_params: {max_iterations: 9}", None),
    ],
)
def test_schedules(tmp_path, more, schedule):
    assert _read(tmp_path, more).schedule == schedule


def test_several_processes_are_not_one(tmp_path):
    process = FILE[FILE.index("    - type") : FILE.index("meta:")]
    with pytest.raises(UnreadableFileError, match="has 2 processes that train"):
        read(tmp_path, "a.yaml", FILE.replace("meta:", f"{process}meta:"))


def test_an_optimizer_of_its_own_has_its_own_default(tmp_path):
    assert _read(tmp_path, "xformers: true", "adamw8").value == "0"
