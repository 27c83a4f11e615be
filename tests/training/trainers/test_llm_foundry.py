"""llm-foundry's and Composer's YAML configurations."""

import pytest

from tests.training.trainers.reading import read, shrink

FILE = """\
max_seq_len: 1024
model:
  name: mpt_causal_lm
optimizer:
  name: decoupled_adamw
  lr: 6.0e-4
  betas: [0.9, 0.95]
  weight_decay: 6.0e-5
scheduler:
  name: cosine_with_warmup
  t_warmup: 100ba
  alpha_f: 0.1
max_duration: 4800ba
global_train_batch_size: 256
"""


def test_the_decay_of_a_step_is_the_number_itself(tmp_path):
    found = read(tmp_path, "a.yaml", FILE)
    assert (found.kind, found.convention) == ("llm-foundry", "composer-adamw")
    assert shrink(found) == pytest.approx(6e-5)
    assert found.schedule == "cosine:warmup=100,final=0.1"
    assert (found.run.examples_per_step, found.run.total_steps) == (256, 4800)
    assert any("not times lr" in note for note in found.notes)


def test_a_file_for_mcli_holds_the_trainers_own(tmp_path):
    inner = "".join(f"  {line}\n" for line in FILE.splitlines())
    found = read(tmp_path, "a.yaml", f"name: run\ncompute:\n  gpus: 8\nparameters:\n{inner}")
    assert (found.kind, found.value, found.run.steps) == ("llm-foundry", "6.0e-5", 4800)


@pytest.mark.parametrize(
    ("duration", "steps", "epochs"),
    [("2ep", None, 2), ("1e9tok", 3815, None), ("2560sp", 10, None), ("7", 7, None),
     ("later", None, None)],
)  # fmt: skip
def test_a_duration_has_its_unit(tmp_path, duration, steps, epochs):
    run = read(tmp_path, "a.yaml", FILE.replace("4800ba", duration)).run
    assert (run.total_steps, run.total_epochs) == (steps, epochs)


@pytest.mark.parametrize(
    ("changes", "schedule"),
    [
        ({"100ba": "2ep"}, "cosine:warmup=2epochs,final=0.1"),
        ({"100ba": "0.1dur"}, "cosine:warmup=10%,final=0.1"),
        ({"100ba": "0ba"}, "cosine:final=0.1"),
        ({"100ba": "1e6tok", "max_seq_len: 1024\n": ""}, None),
        ({"100ba": "25600sp"}, "cosine:warmup=100,final=0.1"),
        ({"cosine_with_warmup": "linear_decay_with_warmup"}, "linear:warmup=100,final=0.1"),
        ({"cosine_with": "constant_with"}, "constant:warmup=100"),
        ({"cosine_with": "inv_sqrt_with"}, None),
    ],
)
def test_schedules(tmp_path, changes, schedule):
    text = FILE
    for old, new in changes.items():
        text = text.replace(old, new)
    assert read(tmp_path, "a.yaml", text).schedule == schedule


def test_the_class_has_a_default_and_an_unknown_one_no_number(tmp_path):
    silent = FILE.replace("  weight_decay: 6.0e-5\n", "")
    assert float(read(tmp_path, "a.yaml", silent).value) == 1e-5
    assert read(tmp_path, "b.yaml", silent.replace("decoupled_adamw", "no_op")).value is None
    lion = read(tmp_path, "c.yaml", FILE.replace("adamw", "lionw"))
    assert lion.convention == "llm-foundry-lion"


def test_groups_of_parameters_are_told(tmp_path):
    text = FILE.replace("  weight_decay", "  param_groups:\n  - lr: 0.1\n  weight_decay")
    assert "param_groups" in read(tmp_path, "a.yaml", text).exempt.rule


def test_without_an_lr_there_is_nothing_to_follow(tmp_path):
    text = FILE.replace("lr: 6.0e-4", "lr: null")
    assert read(tmp_path, "a.yaml", text).run.given("lr") is None


def test_biases_and_norms_may_be_filtered_out(tmp_path):
    text = FILE.replace("  lr: 6", "  filter_bias_norm_wd: true\n  lr: 6")
    assert read(tmp_path, "a.yaml", text).exempt.rule == "biases and norms"
    assert read(tmp_path, "b.yaml", text.replace("true", "false")).exempt.rule == "nothing"
