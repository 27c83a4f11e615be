"""MAE's scripts, whose lr is by the examples of a step and whose defaults are by the script."""

import pytest

from tests.training.trainers.reading import origins, quantity, read, shrink

PRETRAIN = (
    "python submitit_pretrain.py --job_dir a --nodes 2 --batch_size 32 --accum_iter 2"
    " --norm_pix_loss --epochs 200 --blr 1e-4\n"
)
FINETUNE = (
    "torchrun --nproc_per_node=4 main_finetune.py --batch_size 64 --blr 5e-4 --warmup_epochs 0"
    " --data_path /d --lr 2e-3\n"
)


def test_pre_training(tmp_path):
    found = read(tmp_path, "run.sh", PRETRAIN)
    assert (found.kind, found.convention, found.value) == ("mae", "pytorch-adamw", "0.05")
    assert (found.run.examples_per_step, float(found.run.lr)) == (1024, 4e-4)
    assert (found.run.epochs, found.schedule) == (200, "cosine:warmup=40epochs")
    assert found.betas == ("0.9", "0.95")
    assert shrink(found) == pytest.approx(2e-5)
    assert (origins(found)["weight_decay"], origins(found)["lr"]) == ("default", "derived")


def test_fine_tuning(tmp_path):
    found = read(tmp_path, "run.sh", FINETUNE)
    assert (float(found.run.lr), found.run.epochs) == (2e-3, 50)
    assert (found.schedule, found.betas) == ("cosine:final=0.0005", ("0.9", "0.999"))
    assert any("layer_decay 0.75" in note for note in found.notes)
    flat = read(tmp_path, "b.sh", f"{FINETUNE[:-1]} --layer_decay 1")
    assert not any("layer_decay" in note for note in flat.notes)


def test_other_scripts_and_open_parts(tmp_path):
    probe = read(tmp_path, "a.sh", "python main_linprobe.py --blr 0.1 --data_path /d")
    assert (probe.convention, probe.run.batch_size) == (None, 512)
    own = read(tmp_path, "b.sh", "python mine.py --blr 1e-3 --mask_ratio 0.6")
    assert own.run.epochs == 400
    other = read(tmp_path, "c.sh", "python mine.py --blr 1e-3 --nb_classes 10 --batch_size $B")
    assert (other.run.lr, other.run.epochs) == (None, 50)
    nodes = read(tmp_path, "d.sh", PRETRAIN.replace("--nodes 2", "--nodes $N"))
    assert nodes.run.world_size is None


def test_submitit_counts_its_own_devices(tmp_path):
    text = "python submitit_finetune.py --blr 1e-3 --data_path /d --batch_size 4"
    assert read(tmp_path, "run.sh", text).run.world_size == 16


def test_convnext_v2_has_its_own_word_and_defaults(tmp_path):
    text = (
        "python -m torch.distributed.launch --nproc_per_node=8 main_finetune.py --data_path /i"
        " --model convnextv2_base --blr 2.5e-4 --batch_size 32 --update_freq 4\n"
    )
    found = read(tmp_path, "run.sh", text)
    assert (found.run.examples_per_step, found.run.epochs, float(found.run.lr)) == (1024, 100, 1e-3)
    assert found.schedule == "cosine:warmup=20epochs,final=0.001"
    assert found.layer_decay is None
    layered = f"{text[:-1]} --layer_decay 0.6"
    assert read(tmp_path, "c.sh", layered).layer_decay.counting == "convnext-v2"
    grouped = f"{layered} --layer_decay_type group"
    assert read(tmp_path, "d.sh", grouped).layer_decay.counting == "convnext"
    pre = text.replace("main_finetune.py", "main_pretrain.py")
    assert read(tmp_path, "b.sh", pre).run.epochs == 800


@pytest.mark.parametrize(
    "script", ["finetuning.py --llama_model_path a", "main_finetune.py --llama_path a"]
)
def test_llama_adapter_s_fine_tuning_has_the_defaults_of_pre_training(tmp_path, script):
    text = f"torchrun --nproc_per_node 8 {script} --batch_size 4 --blr 8e-3 --warmup_epochs 2\n"
    found = read(tmp_path, "a.sh", text)
    assert (found.kind, float(found.run.lr), found.value) == ("mae", 1e-3, "0.05")
    assert found.schedule == "cosine:warmup=2epochs"
    assert quantity(found, "beta2").value == "0.95"
    assert [note.partition(" is not here")[1] for note in found.notes] == [" is not here"]


def test_a_linear_probing_of_another_name_is_refused_too(tmp_path):
    found = read(tmp_path, "a.sh", "python run_linear.py --blr 0.1 --data_path /d --epochs 90\n")
    assert found.convention is None
