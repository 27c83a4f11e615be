"""BEiT's scripts and VideoMAE's, whose lr is of 256 examples."""

import pytest

from tests.training.trainers.reading import quantity, read, shrink

LAUNCH = "python -m torch.distributed.launch --nproc_per_node=8"
BEIT = (
    f"{LAUNCH} \\\n run_class_finetuning.py --model beit_base_patch16_224 --batch_size 64"
    " --data_path /x --lr 4e-3 --update_freq 2 --warmup_epochs 20 --epochs 100 --layer_decay 0.65"
)
VIDEO = (
    f"{LAUNCH} --nnodes=8 run_class_finetuning.py --model vit_base --data_path /x --num_frames 16"
    " --batch_size 8 --lr 5e-4 --opt_betas 0.9 0.95 --epochs 50"
)
PRETRAIN = (
    f"{LAUNCH} run_mae_pretraining.py --model vit --data_path /x --mask_type tube --batch_size 32"
)


def test_beit_s_lr_is_as_it_is_given(tmp_path):
    found = read(tmp_path, "a.sh", BEIT)
    assert (found.kind, found.convention, found.value) == ("beit", "pytorch-adamw", "0.05")
    assert (found.run.examples_per_step, found.run.epochs) == (1024, 100)
    assert found.schedule == "cosine:warmup=20epochs,final=0.00025"
    assert shrink(found) == pytest.approx(2e-4)
    assert any("layer_decay 0.65" in note for note in found.notes)
    assert found.exempt.mask == "timm"


def test_videomae_s_lr_is_of_256_videos(tmp_path):
    found = read(tmp_path, "a.sh", VIDEO)
    assert (float(found.run.lr), found.run.examples_per_step) == (1e-3, 512)
    assert (found.schedule, found.unit) == (
        "cosine:warmup=5epochs,final=0.002", "videos of 2 clips",
    )  # fmt: skip
    assert any("layer_decay 0.75" in note for note in found.notes)
    other = read(tmp_path, "b.sh", f"{VIDEO} --num_sample 1 --enable_deepspeed")
    assert (other.unit, other.convention) == ("examples", "deepspeed-adam")


@pytest.mark.parametrize("flag", ["--prefix /x", "--test_best", "--split ','"])
def test_the_lr_of_scripts_made_from_videomae_s_is_of_256_clips(tmp_path, flag):
    # unmasked_teacher's and VideoMamba's: lr · B · num_sample / 256, and min_lr by the same.
    found = read(tmp_path, "a.sh", f"{VIDEO} {flag}")
    assert (float(found.run.lr), found.run.examples_per_step) == (2e-3, 512)
    assert (found.schedule, found.unit) == (
        "cosine:warmup=5epochs,final=0.002", "videos of 2 clips",
    )  # fmt: skip
    assert quantity(found, "lr").where == "lr · B · num_sample / 256"
    single = read(tmp_path, "b.sh", f"{VIDEO} {flag} --num_sample 1")
    assert (float(single.run.lr), single.unit) == (1e-3, "examples")
    unknown = read(tmp_path, "c.sh", f"{VIDEO} {flag} --num_sample $N")
    assert (unknown.run.lr, unknown.unit) == (None, "videos of several clips")


@pytest.mark.parametrize("script", ["umt", "videomamba"])
def test_pretraining_scripts_made_from_videomae_s_are_read(tmp_path, script):
    found = read(tmp_path, "a.sh", PRETRAIN.replace("run_mae", f"run_{script}"))
    assert (found.kind, float(found.run.lr), found.run.epochs) == ("beit", 1.5e-4, 800)
    twice = f"{PRETRAIN.replace('run_mae', f'run_{script}')} --num_sample 2"
    assert float(read(tmp_path, "b.sh", twice).run.lr) == 3e-4


def test_pretraining_has_defaults_of_its_own(tmp_path):
    found = read(tmp_path, "a.sh", PRETRAIN)
    assert (float(found.run.lr), found.run.epochs) == (1.5e-4, 800)
    assert (found.schedule, found.unit) == ("cosine:warmup=40epochs,final=1/15", "examples")
    assert not any("layer_decay" in note for note in found.notes)
    assert read(tmp_path, "d.sh", f"{PRETRAIN} --num_sample 4").unit == "videos of 4 clips"
    beit = read(tmp_path, "b.sh", PRETRAIN.replace("run_mae", "run_beit"))
    assert read(tmp_path, "c.sh", f"{PRETRAIN} --batch_size $B").run.lr is None
    assert beit.run.lr is not None


def test_a_script_that_may_be_either_s_leaves_its_lr_open(tmp_path):
    found = read(tmp_path, "a.sh", VIDEO.replace("--num_frames 16", "--drop_path 0.1"))
    assert (found.run.lr, found.schedule) == (None, None)
    assert "VideoMAE" in quantity(found, "lr").note
