"""MeZO's scripts: the Trainer, or a loop of its own that estimates gradients."""

import pytest

from tests.training.trainers.reading import read, shrink

LARGE = (
    "python run.py --model_name facebook/opt-13b --task_name RTE --train_set_seed 0 \\\n"
    " --num_dev 50 --learning_rate 1e-6 --weight_decay 0.1 --per_device_train_batch_size 16"
    " --max_steps 20000"
)
MEDIUM = (
    "python run.py --model_name_or_path roberta-large --task_name SST-2 --learning_rate 1e-6 \\\n"
    " --weight_decay 0.1 --per_device_train_batch_size 64 --max_steps 1000 --zero_order_eps 1e-3"
)


def test_the_loop_of_its_own_is_plain_sgd_by_the_trainer_s_schedule(tmp_path):
    found = read(tmp_path, "a.sh", f"{LARGE} --trainer zo --zo_eps 1e-3")
    assert (found.kind, found.convention, found.value) == ("mezo", "pytorch-sgd", "0.1")
    assert (float(found.run.lr), found.run.examples_per_step, found.run.steps) == (1e-6, 16, 20000)
    assert (found.schedule, found.betas) == ("linear", None)
    assert shrink(found) == pytest.approx(1e-7)
    assert found.exempt.rule == "names with bias, layer_norm or layernorm"
    assert not any("micro-batches" in note for note in found.notes)


def test_its_gradient_is_of_the_last_micro_batch(tmp_path):
    flags = "--trainer zo --zo_eps 1e-3 --gradient_accumulation_steps 4"
    found = read(tmp_path, "a.sh", f"{LARGE} {flags} --lr_scheduler_type constant")
    assert (found.run.examples_per_step, found.schedule) == (64, "constant")
    assert any("of the 4 micro-batches" in note for note in found.notes)


def test_the_regular_trainer_is_the_trainer(tmp_path):
    found = read(tmp_path, "a.sh", f"{LARGE} --trainer regular")
    assert (found.kind, found.convention, found.exempt.mask) == ("mezo", "hf-trainer", "hf")


@pytest.mark.parametrize(
    ("name", "reason"),
    [("zo_sgd", "not handed"), ("none", "nothing is trained"), ("lozo", "is not MeZO's")],
)
def test_another_trainer_has_no_number(tmp_path, name, reason):
    found = read(tmp_path, "a.sh", f"{LARGE} --trainer {name}")
    assert (found.value, found.convention) == (None, None)
    assert reason in found.refusal


def test_medium_models_own_loop_decays_everything_at_a_constant_lr(tmp_path):
    found = read(tmp_path, "a.sh", f"{MEDIUM} --zero_order_optim --lr_scheduler_type linear")
    assert (found.kind, found.convention, found.schedule) == ("mezo", "pytorch-sgd", "constant")
    assert found.exempt.mask == "all"


@pytest.mark.parametrize(
    ("flags", "convention", "said"),
    [
        ("--zero_order_optim --zero_order_use_trainer_optim", "hf-trainer", ""),
        ("--optimizer sgd", "pytorch-sgd", ""),
        ("--optimizer adan", None, "not MeZO's"),
    ],
)
def test_medium_models_make_an_optimizer_by_their_own_flag(tmp_path, flags, convention, said):
    found = read(tmp_path, "a.sh", f"{MEDIUM} {flags}")
    assert (found.convention, found.schedule) == (convention, "linear")
    assert said in found.refusal
    assert found.exempt.rule == "names with bias or LayerNorm.weight"
