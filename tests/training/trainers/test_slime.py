"""slime's flags: Megatron-LM's optimizer under rollouts."""

import pytest

from decaycalc.errors import UnreadableFileError
from tests.training.trainers.reading import origins, read, shrink

FILE = """\
ROLLOUT_ARGS=(
   --num-rollout 100
   --rollout-batch-size 32
   --n-samples-per-prompt 8
   --global-batch-size 128
)
OPTIMIZER_ARGS=(
   --optimizer adam
   --lr 2e-6
   --lr-decay-style constant
   --weight-decay 0.1
   --adam-beta2 0.98
)
ray job submit -- python3 train.py --actor-num-gpus-per-node 8 \\
   ${ROLLOUT_ARGS[@]} ${OPTIMIZER_ARGS[@]}
"""


def test_a_rollout_is_several_steps(tmp_path):
    found = read(tmp_path, "run.sh", FILE)
    assert (found.kind, found.convention, found.value) == ("slime", "megatron-adam", "0.1")
    assert (found.run.examples_per_step, found.run.steps) == (16, 200)
    assert (found.unit, found.betas) == ("prompts of 8 completions", ("0.9", "0.98"))
    assert (found.schedule, found.exempt.mask) == ("constant", "no-1d")
    assert shrink(found) == pytest.approx(2e-7)


def test_a_batch_may_be_told_by_its_steps(tmp_path):
    text = FILE.replace("--global-batch-size 128", "--num-steps-per-rollout 4")
    text = text.replace("--num-rollout 100", "--num-epoch 3").replace("--lr 2e-6", "")
    found = read(tmp_path, "run.sh", text)
    assert (found.run.examples_per_step, found.run.epochs, found.run.steps) == (8, 3, None)
    assert origins(found)["lr"] == "default"


def test_a_schedule_runs_over_the_rollouts(tmp_path):
    text = FILE.replace("constant", "cosine --lr-warmup-fraction 0.1 --min-lr 2e-7")
    assert read(tmp_path, "run.sh", text).schedule == "cosine:warmup=20,final=0.1"


@pytest.mark.parametrize("size", ["--global-batch-size 100", "--global-batch-size $N", ""])
def test_an_open_batch_is_none(tmp_path, size):
    found = read(tmp_path, "run.sh", FILE.replace("--global-batch-size 128", size))
    assert found.run.batch_size is None


def test_training_by_examples_counts_examples(tmp_path):
    found = read(tmp_path, "run.sh", FILE.replace("--n-samples-per-prompt 8", "--num-epoch 2"))
    assert (found.run.examples_per_step, found.unit) == (128, "examples")


def test_openrlhf_s_rollouts_are_not_slime_s(tmp_path):
    flags = "--rollout_batch_size 8 --num_rollout 3 --hf_checkpoint a --vllm_num_engines 2"
    with pytest.raises(UnreadableFileError):
        read(tmp_path, "run.sh", f"python train.py {flags} --actor_learning_rate 1e-6\n")


def test_another_backend_s_optimizer_is_not_known(tmp_path):
    found = read(tmp_path, "run.sh", FILE.replace("--lr 2e-6", "--lr 2e-6 --train-backend fsdp"))
    assert (found.value, "of fsdp" in found.refusal) == (None, True)
