"""TensorFlow's Object Detection API: pipeline.config."""

import pytest

from tests.training.trainers.reading import origins, read, shrink

FILE = """\
# SSD
model {
  ssd {
    box_predictor { conv_hyperparams { regularizer { l2_regularizer { weight: 0.00004 } } } }
    feature_extractor {
      type: 'ssd_mobilenet_v2_keras'
      conv_hyperparams { activation: RELU_6, regularizer { l2_regularizer { weight: 4e-5 } } }
    }
  }
}
train_config: {
  batch_size: 512
  num_steps: 50000
  data_augmentation_options { random_horizontal_flip { } }
  data_augmentation_options { ssd_random_crop { } }
  optimizer {
    momentum_optimizer: {
      learning_rate: {
        RATE
      }
      momentum_optimizer_value: 0.8
    }
    use_moving_average: false
  }
}
train_input_reader: { label_map_path: "PATH" }
"""
COSINE = """cosine_decay_learning_rate { learning_rate_base: .08 total_steps: 50000
          warmup_learning_rate: 0.008 warmup_steps: 2000 }"""
MANUAL = """manual_step_learning_rate { initial_learning_rate: 0.1
          schedule { step: 900 learning_rate: .01 }
          schedule { step: 1200 learning_rate: .001 } }"""


def _file(rate=COSINE):
    return FILE.replace("RATE", rate)


def test_the_penalty_of_all_parts_is_the_decay(tmp_path):
    found = read(tmp_path, "pipeline.config", _file())
    assert (found.kind, found.convention) == ("tf-object-detection", "tf-slim-l2")
    assert (found.value, origins(found)["weight_decay"]) == ("0.00004", "derived")
    assert (found.run.examples_per_step, found.run.steps) == (512, 50000)
    assert found.schedule == "cosine:warmup=2000,start=0.1"
    assert shrink(found) == pytest.approx(0.08 * 4e-5 / 0.2)
    said = "the base network keeps the penalty"
    assert any(said in note for note in found.notes)
    text = _file().replace("type:", "override_base_feature_extractor_hyperparams: true type:")
    assert not any(said in note for note in read(tmp_path, "b.config", text).notes)


@pytest.mark.parametrize(
    ("rate", "schedule"),
    [
        (COSINE.replace("50000", "40000"), "cosine:warmup=2000,start=0.1,length=40000"),
        (COSINE.replace("warmup_steps", "hold_base_rate_steps: 1000 warmup_steps"),
         "constant:warmup=2000,start=0.1,until=3000+cosine:length=47000"),
        (COSINE.replace("50000", "0"), None),
        (COSINE.replace("2000", "0"), "cosine"),
        ("constant_learning_rate { learning_rate: 0.1 }", "constant"),
        ("exponential_decay_learning_rate { initial_learning_rate: 0.1 decay_steps: 800 }",
         "step:every=800,gamma=0.95"),
        ("exponential_decay_learning_rate { decay_steps: 800 staircase: false }",
         "exponential:every=800,gamma=0.95"),
        ("exponential_decay_learning_rate { burnin_steps: 5 }", None),
        (MANUAL, "step:at=900/1200,gamma=0.1/0.1"),
        ("manual_step_learning_rate { schedule { step: 900 learning_rate: .0002 } }",
         "step:at=900,gamma=0.1"),
        ("manual_step_learning_rate { warmup: true }", None),
        ("manual_step_learning_rate { }", None),
        ("other_learning_rate { }", None),
    ],
)  # fmt: skip
def test_schedules(tmp_path, rate, schedule):
    assert read(tmp_path, "pipeline.config", _file(rate)).schedule == schedule


def test_parts_with_numbers_of_their_own_have_no_one_decay(tmp_path):
    found = read(tmp_path, "pipeline.config", _file().replace("4e-5", "0.001"))
    assert found.value is None
    assert any("regularizers of their own: 0.00004, 0.001" in note for note in found.notes)
    parts = "part { regularizer { l2_regularizer { } } } part { none { } }\n  ssd {"
    several = read(tmp_path, "d.config", _file().replace("ssd {", parts, 1))
    assert any("1.0, 0.00004" in note for note in several.notes)
    bare = read(tmp_path, "b.config", _file().replace("l2_regularizer", "none"))
    assert bare.value == "0"
    lasso = read(tmp_path, "c.config", _file().replace("l2_regularizer { w", "l1_regularizer { w"))
    assert "no weight decay" in lasso.refusal


@pytest.mark.parametrize(
    ("name", "convention", "optimizer"),
    [("adam", "tf-slim-l2", "adam"), ("rms_prop", "tf-slim-l2", "rmsprop"), ("lamb", None, None)],
)
def test_another_optimizer_minimises_the_penalty_in_its_own_steps(
    tmp_path, name, convention, optimizer
):
    text = _file().replace("momentum_optimizer:", f"{name}_optimizer:")
    found = read(tmp_path, "pipeline.config", text)
    assert (found.convention, found.run.optimizer) == (convention, optimizer)
    assert shrink(found) is None
