"""open_clip's flags."""

import pytest

from decaycalc.errors import UnreadableFileError
from tests.training.trainers.reading import origins, read, shrink

FILE = """\
#!/bin/bash
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=4
srun python -m open_clip_train.main \\
    --train-data="data/{000..009}.tar" \\
    --train-num-samples 1024000 \\
    --batch-size=250 \\
    --epochs=10 \\
    --lr 1e-3 \\
    --warmup 500 \\
    --model ViT-B-32
"""


def test_defaults_go_by_the_model_and_devices_by_the_scheduler_of_jobs(tmp_path):
    found = read(tmp_path, "run.sh", FILE)
    assert (found.kind, found.convention, found.value) == ("open-clip", "open-clip", "0.2")
    assert origins(found)["weight_decay"] == "default"
    assert (found.run.examples_per_step, found.run.total_steps) == (2000, 5120)
    assert found.schedule == "cosine:warmup=500,ramp=one"
    assert (found.betas, float(found.eps)) == (("0.9", "0.98"), 1e-6)
    assert shrink(found) == pytest.approx(2e-4)
    other = read(tmp_path, "b.sh", FILE.replace("ViT-B-32", "RN50"))
    assert other.betas == ("0.9", "0.999")


@pytest.mark.parametrize(
    ("more", "schedule"),
    [
        ("const", "constant:warmup=500,ramp=one"),
        ("const-cooldown --epochs-cooldown 2", "wsd:warmup=500,ramp=one,decay=2epochs"),
        (
            "const-cooldown --epochs-cooldown 2 --lr-cooldown-end 1e-4",
            "wsd:warmup=500,ramp=one,decay=2epochs,final=0.1",
        ),
        ("cosine --skip-scheduler", "constant"),
        ("const-cooldown", None),
    ],
)
def test_schedules(tmp_path, more, schedule):
    text = FILE.replace("--warmup 500", f"--warmup 500 --lr-scheduler {more}")
    assert read(tmp_path, "run.sh", text).schedule == schedule
    plain = FILE.replace("--warmup 500", "--warmup 0")
    assert read(tmp_path, "b.sh", plain).schedule == "cosine"


def test_timm_s_optimizers_have_no_number_here(tmp_path):
    text = FILE.replace("--warmup 500", "--warmup 500 --opt timm/lamb")
    found = read(tmp_path, "run.sh", text)
    assert found.value is None
    assert "timm-NAME" in found.refusal


def test_an_evaluation_trains_nothing(tmp_path):
    text = "python -m open_clip_train.main --imagenet-val /i --model ViT-B-32 --batch-size 64\n"
    with pytest.raises(UnreadableFileError, match="not enough of any trainer's own keys"):
        read(tmp_path, "run.sh", text)


def test_clap_has_an_optimizer_of_its_own(tmp_path):
    text = "python -m training.main --train-data x --amodel HTSAT --lr 1e-4 --optimizer adam"
    with pytest.raises(UnreadableFileError):
        read(tmp_path, "a.sh", text)
