"""llm.c's two programs, by flags of one letter and by whole words."""

import pytest

from tests.training.trainers.reading import origins, read, shrink

CUDA = "mpirun -np 4 ./train_gpt2cu -i a.bin -b 8 -t 512 -c 0.05 -l 0.0004 -u 50 -q 0.1 -x 900\n"
PYTHON = (
    "torchrun --nproc_per_node=2 train_gpt2.py --input_bin a.bin --total_batch_size 4096"
    " --num_iterations 300 --weight_decay 0.2 --learning_rate 1e-3 --learning_rate_decay_frac 0\n"
)


def test_the_cuda_program(tmp_path):
    found = read(tmp_path, "run.sh", CUDA)
    assert (found.kind, found.convention, found.value) == ("llm-c", "pytorch-adamw", "0.05")
    assert (found.run.examples_per_step, found.unit, found.run.steps) == (16384, "tokens", 900)
    assert found.schedule == "cosine:warmup=50,ramp=one,final=0.1"
    assert shrink(found) == pytest.approx(2e-5)
    whole = read(tmp_path, "b.sh", CUDA.replace("-x 900", "-d 65536"))
    assert (whole.run.examples_per_step, whole.run.epochs) == (65536, 1)


def test_the_python_program(tmp_path):
    found = read(tmp_path, "run.sh", PYTHON)
    assert (found.value, found.run.examples_per_step, found.run.steps) == ("0.2", 4096, 300)
    assert found.schedule == "cosine"
    bare = read(tmp_path, "b.sh", "python train_gpt2.py --input_bin a.bin --batch_size 4")
    assert (float(bare.run.lr), bare.run.steps, bare.run.examples_per_step) == (1e-4, 10, 256)
    assert (bare.schedule, origins(bare)["lr"]) == ("constant", "default")


@pytest.mark.parametrize(
    ("flags", "schedule"),
    [
        ("-k linear", "linear:warmup=50,ramp=one,final=0.1"),
        ("-k constant", "constant"),
        ("-k wsd", "wsd:warmup=50,ramp=one,decay=20%,final=0.1,shape=1-sqrt"),
        ("-k other", None),
    ],
)
def test_schedules(tmp_path, flags, schedule):
    assert read(tmp_path, "run.sh", f"{CUDA[:-1]} {flags}").schedule == schedule


def test_a_launcher_s_program_may_stand_at_a_path_of_its_own(tmp_path):
    text = CUDA.replace("-np 4 ./", "-np 4 --host a:2,b:2 /opt/x/")
    assert read(tmp_path, "run.sh", text).run.examples_per_step == 16384
