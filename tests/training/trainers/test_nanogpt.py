"""nanoGPT's configurations, parsed and never run."""

import pytest

from decaycalc.errors import UnreadableFileError
from tests.training.trainers.reading import origins, quantity, read, shrink

GPT2 = """
# config for training GPT-2 (124M)
wandb_log = True
batch_size = 12
block_size = 1024
gradient_accumulation_steps = 5 * 8
max_iters = 600000
lr_decay_iters = max_iters
learning_rate = 6e-4
min_lr = learning_rate / 10
weight_decay = 1e-1
init_from = 'scratch'
import os; os.system('touch canary')
a = b = 1
a, c = 1, 2
"""


def test_a_configuration_is_read_and_never_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = read(tmp_path, "train_gpt2.py", GPT2)
    assert not (tmp_path / "canary").exists()
    assert (made.kind, made.convention, made.value) == ("nanogpt", "nanogpt", "1e-1")
    assert (made.run.examples_per_step, made.unit, made.run.steps) == (491520, "tokens", 600000)
    assert made.schedule == "cosine:warmup=2000,ramp=inner,final=0.1"
    assert made.betas == ("0.9", "0.95")
    assert shrink(made) == pytest.approx(6e-5)
    assert origins(made)["beta2"] == "default"


def test_what_is_computed_at_run_time_is_missing(tmp_path):
    text = (
        "learning_rate = float('1')\nmax_iters = -(-7) - 2 + 1\nlr_scale = 3\nwarmup_iters = 0\n"
        "block_size = 8\n"
    )
    made = read(tmp_path, "c.py", text)
    assert made.run.lr is None
    assert made.run.steps == 6
    assert "computed at run time" in quantity(made, "lr").note
    assert made.not_used == ("lr_scale",)
    assert "lr" in made.missing


def test_decay_lr_off_is_a_constant_lr(tmp_path):
    text = "decay_lr = False\nmax_iters = 100\nn_layer = 4\n"
    assert read(tmp_path, "c.py", text).schedule == "constant"


def test_a_shorter_decay_than_the_run_has_its_length(tmp_path):
    made = read(tmp_path, "c.py", "max_iters = 5000\nlr_decay_iters = 4000\nwarmup_iters = 0\n")
    assert made.schedule == "cosine:length=4000,final=0.1"


def test_mups_hidden_weights_have_an_lr_of_their_own(tmp_path):
    text = "n_layer = 4\nmax_iters = 10\nmup_enabled = True\nmup_width_multiplier = 8.0\n"
    made = read(tmp_path, "a.py", text)
    assert (made.groups[-1].name, made.groups[-1].lr_mult) == ("hidden", "0.125")
    off = read(tmp_path, "b.py", f"{text}mup_disable_hidden_lr_scaling = True\n")
    assert off.groups[-1].name == "exempt"


def test_an_unknown_width_of_mup_is_told(tmp_path):
    text = "python train.py --n_layer=4 --max_iters=10 --mup_enabled=True --mup_width_multiplier=$W"
    made = read(tmp_path, "run.sh", text)
    assert any("mup_width_multiplier, not known" in note for note in made.notes)


def test_a_run_of_no_steps_has_no_length(tmp_path):
    made = read(tmp_path, "c.py", "max_iters = 0\ndecay_lr = False\n")
    assert made.run.steps is None


def test_anyones_python_is_not_nanogpts(tmp_path):
    text = (
        "learning_rate = 1e-3\nweight_decay = 0.05\nbatch_size = 64\nepochs = 20\nmomentum = 0.9\n"
    )
    with pytest.raises(UnreadableFileError, match="not enough of any trainer's own keys"):
        read(tmp_path, "mine.py", text)


def test_a_program_that_shares_some_names_is_not_it(tmp_path):
    text = "out_dir = 'a'\neval_interval = 1\nmicro_batch_size = 4\nweight_decay = 0.02\n"
    with pytest.raises(UnreadableFileError, match="not enough of any trainer's own keys"):
        read(tmp_path, "adapter.py", text)


def test_the_description_of_a_model_is_no_run(tmp_path):
    text = (
        '{"model_type": "gpt2", "n_embd": 768, "n_layer": 12, "architectures": ["GPT2LMHeadModel"]}'
    )
    with pytest.raises(UnreadableFileError, match="configuration, not a run's"):
        read(tmp_path, "config.json", text)


@pytest.mark.parametrize(("name", "is_known"), [("sophiag", False), ("adamw", True)])
def test_a_fork_s_optimizer_is_none_of_its_own(tmp_path, name, is_known):
    text = f"block_size = 1024\nmax_iters = 100\nn_layer = 12\noptimizer_name = '{name}'\n"
    found = read(tmp_path, "a.py", text)
    assert (found.convention is not None, found.value is not None) == (is_known, is_known)


def test_a_fork_s_optimizer_whose_name_begins_alike_is_another(tmp_path):
    text = "max_iters = 100\nn_layer = 2\noptimizer = '{}'\n"
    assert read(tmp_path, "a.py", text.format("adamw_act_reg")).convention is None
    assert read(tmp_path, "b.py", text.format("AdamW")).convention == "nanogpt"


def test_another_pre_training_with_an_lr_of_its_own_name_is_not_nanogpt(tmp_path):
    text = "python main_pretrain.py --warmup_iters 50 --lr_decay_iters 400 --lr 2e-4 --accum_iter 4"
    with pytest.raises(UnreadableFileError):
        read(tmp_path, "a.sh", text)


@pytest.mark.parametrize("flag", ["per_gpu_train_batch_size 4", "model_name_or_path a"])
def test_scripts_of_bert_s_days_that_cut_blocks_are_not_nanogpt(tmp_path, flag):
    text = "python run.py --block_size 512 --gradient_accumulation_steps 2"
    assert read(tmp_path, "a.sh", text).kind == "nanogpt"
    with pytest.raises(UnreadableFileError):
        read(tmp_path, "b.sh", f"{text} --{flag}")


@pytest.mark.parametrize("flag", ["lr_init 6e-4", "ctx_len 512", "micro_bsz 16"])
def test_rwkv_s_own_trainer_is_not_nanogpt(tmp_path, flag):
    text = "python train.py --n_layer 12 --n_embd 768 --weight_decay 0.01"
    assert read(tmp_path, "a.sh", text).kind == "nanogpt"
    with pytest.raises(UnreadableFileError):
        read(tmp_path, "b.sh", f"{text} --{flag}")
