"""OneTrainer's JSON, whose presets say what differs from its defaults."""

import json

import pytest

from tests.training.trainers.reading import origins, read, shrink

PRESET = {
    "base_model_name": "a",
    "model_type": "FLUX_DEV_1",
    "training_method": "LORA",
    "output_model_format": "SAFETENSORS",
    "train_dtype": "BFLOAT_16",
    "output_dtype": "BFLOAT_16",
    "learning_rate": 1e-4,
    "batch_size": 4,
    "gradient_accumulation_steps": 2,
    "learning_rate_scheduler": "COSINE",
    "epochs": 20,
}


def _read(folder, **changes):
    return read(folder, "a.json", json.dumps(PRESET | changes))


def test_a_preset_has_the_trainer_s_defaults(tmp_path):
    found = _read(tmp_path)
    assert (found.kind, found.convention, found.value) == ("onetrainer", "pytorch-adamw", "0.01")
    assert origins(found)["weight_decay"] == "default"
    assert (found.run.examples_per_step, found.run.epochs) == (8, 20)
    assert found.schedule == "cosine:warmup=100"
    assert shrink(found) == pytest.approx(1e-6)
    assert found.exempt.mask == "all"


@pytest.mark.parametrize(
    ("changes", "schedule"),
    [
        ({"learning_rate_warmup_steps": 0.1, "learning_rate_min_factor": 0.2},
         "cosine:warmup=10%,final=0.2"),
        ({"learning_rate_warmup_steps": 1.5}, "cosine"),
        ({"learning_rate_scheduler": "LINEAR", "learning_rate_warmup_steps": 0}, "linear"),
        ({"learning_rate_scheduler": "CONSTANT"}, "constant:warmup=100"),
        ({"learning_rate_scheduler": "COSINE_WITH_HARD_RESTARTS", "learning_rate_cycles": 3},
         "cosine-restarts:cycles=3,warmup=100"),
        ({"learning_rate_scheduler": "COSINE_WITH_RESTARTS"}, None),
        ({"optimizer": {"optimizer": "SCHEDULE_FREE_ADAMW"}}, "constant:warmup=100"),
    ],
)  # fmt: skip
def test_schedules(tmp_path, changes, schedule):
    assert _read(tmp_path, **changes).schedule == schedule


@pytest.mark.parametrize(
    ("settings", "convention", "value"),
    [
        ({"optimizer": "ADAMW_8BIT", "weight_decay": 0.05}, "bitsandbytes-adamw", "0.05"),
        ({"optimizer": "ADAFACTOR"}, "hf-adafactor", "0"),
        ({"optimizer": "ADAFACTOR", "relative_step": True}, "hf-adafactor-relative", "0"),
        ({"optimizer": "LION"}, "lion-pytorch", "0"),
        ({"optimizer": "PRODIGY"}, "prodigy", "0"),
        ({"optimizer": "PRODIGY", "decouple": False}, None, None),
        ({"optimizer": "MUON_ADV"}, None, None),
    ],
)
def test_optimizers(tmp_path, settings, convention, value):
    found = _read(tmp_path, optimizer=settings)
    assert (found.convention, found.value) == (convention, value)


@pytest.mark.parametrize(
    ("model", "part"),
    [("STABLE_DIFFUSION_XL_10_BASE", "unet"), ("STABLE_CASCADE_1", "prior"),
     ("STABLE_DIFFUSION_35", "transformer")],
)  # fmt: skip
def test_the_diffused_part_may_have_an_lr_of_its_own(tmp_path, model, part):
    parts = {name: {"learning_rate": 5e-4} for name in ("unet", "prior", "transformer")}
    parts[part] = {"learning_rate": 2e-4}
    parts["text_encoder_2"] = {"learning_rate": 1e-5}
    found = _read(tmp_path, model_type=model, **parts)
    assert float(found.run.lr) == pytest.approx(2e-4)
    assert any("text_encoder_2" in note for note in found.notes)


def test_a_scaler_takes_the_root_of_what_it_counts(tmp_path):
    plain = _read(tmp_path, learning_rate_scaler="BATCH")
    assert float(plain.run.lr) == pytest.approx(2e-4)
    own = {"transformer": {"learning_rate": 3e-4}, "learning_rate_scaler": "BOTH", "batch_size": 2}
    assert float(_read(tmp_path, **own).run.lr) == pytest.approx(6e-4)
    assert _read(tmp_path, learning_rate_scaler="OTHER").run.lr is None
