"""DeepSpeed-Chat's scripts of its first two steps."""

import pytest

from tests.training.trainers.reading import read, shrink

FILE = """\
deepspeed --num_gpus 4 main.py \\
   --data_path Dahoas/rm-static --data_split 2,4,4 \\
   --model_name_or_path facebook/opt-1.3b --per_device_train_batch_size 8 \\
   --learning_rate 1e-5 --weight_decay 0.1 --num_train_epochs 2 \\
   --gradient_accumulation_steps 2 --num_warmup_steps 100 --zero_stage 2 --deepspeed
"""


def test_a_script_is_read_with_deepspeeds_adam_and_its_own_groups(tmp_path):
    found = read(tmp_path, "run.sh", FILE)
    assert (found.kind, found.convention, found.value) == (
        "deepspeed-chat",
        "deepspeed-adam",
        "0.1",
    )
    assert found.betas == ("0.9", "0.95")
    assert (found.run.examples_per_step, found.run.epochs) == (64, 2)
    assert found.schedule == "cosine:warmup=100"
    assert "norm.weight" in found.exempt.rule
    assert shrink(found) == pytest.approx(1e-6)


def test_what_is_not_given_has_its_defaults_but_the_lr_which_the_steps_differ_in(tmp_path):
    text = "deepspeed main.py --zero_stage 0 --lora_dim 128 --gradient_checkpointing --data_split 1"
    found = read(tmp_path, "run.sh", text)
    assert (found.value, found.run.batch_size, found.run.epochs) == ("0", 16, 1)
    assert found.schedule == "cosine"
    assert (found.run.lr, found.missing) == (None, ("lr",))


def test_lora_has_an_lr_of_its_own(tmp_path):
    found = read(tmp_path, "run.sh", FILE.strip() + " --lora_dim 128")
    (group,) = (each for each in found.groups if each.name == "LoRA")
    assert (group.lr, group.weight_decay) == ("5e-4", None)
    assert not [each for each in read(tmp_path, "a.sh", FILE).groups if each.name == "LoRA"]
