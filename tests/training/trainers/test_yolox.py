"""YOLOX's experiments and command lines."""

import pytest

from tests.training.trainers.reading import read, shrink

FILE = """\
import os

from yolox.exp import Exp as MyExp


class Exp(MyExp):
    kind = "a"

    def __init__(self):
        super(Exp, self).__init__()
        self.depth = 0.33
        self.width = 0.50
        self.max_epoch = 100
        self.basic_lr_per_img = 0.02 / 64.0
        self.exp_name = os.path.split(os.path.realpath(__file__))[1].split(".")[0]

    def get_eval_dataset(self, **kwargs):
        self.weight_decay = 1.0
"""
NAMED = "python -m yolox.tools.train -n yolox-s -d 8 -b 128 --fp16 -o"


def with_lines(*lines):
    return FILE.replace(
        "        self.depth", "".join(f"        {x}\n" for x in lines) + "        self.depth"
    )


def test_an_experiment_is_a_run(tmp_path):
    found = read(tmp_path, "a.py", FILE)
    assert (found.kind, found.convention, found.value) == ("yolox", "pytorch-sgd", "5e-4")
    assert (found.run.lr, found.run.momentum) == (pytest.approx(0.02), pytest.approx(0.9))
    assert (found.run.nesterov, found.run.examples_per_step, found.run.epochs) == (True, 64, 100)
    assert found.schedule == "cosine:warmup=5epochs,warmup_power=2,length=85epochs,final=0.05"
    assert shrink(found) == pytest.approx(1e-4)
    assert found.exempt.mask == "no-bias-norm"


@pytest.mark.parametrize(
    ("line", "schedule"),
    [
        ("self.scheduler = 'cos'", "cosine"),
        ("self.scheduler = 'warmcos'", "cosine:warmup=5epochs"),
        ("self.scheduler = 'multistep'", None),
        ("self.no_aug_epochs = 0", "cosine:warmup=5epochs,warmup_power=2,final=0.05"),
        ("self.warmup_epochs = 0", "cosine:length=85epochs,final=0.05"),
        ("self.warmup_lr = 0.002",
         "cosine:warmup=5epochs,start=0.1,warmup_power=2,length=85epochs,final=0.05"),
    ],
)  # fmt: skip
def test_schedules(tmp_path, line, schedule):
    assert read(tmp_path, "a.py", with_lines(line)).schedule == schedule


def test_an_experiment_s_own_methods_are_not_known(tmp_path):
    made = read(
        tmp_path, "a.py", f"{FILE}\n    def get_optimizer(self, batch_size):\n        pass\n"
    )
    assert (made.convention, made.value) == (None, None)
    made = read(tmp_path, "b.py", f"{FILE}\n    def get_lr_scheduler(self, lr):\n        pass\n")
    assert (made.convention, made.schedule) == ("pytorch-sgd", None)


def test_a_command_line_trains_an_experiment_by_its_name(tmp_path):
    found = read(tmp_path, "a.sh", NAMED)
    assert (found.kind, float(found.run.lr), found.run.examples_per_step) == ("yolox", 0.02, 128)
    assert read(tmp_path, "b.sh", f"{NAMED} max_epoch 10").run.epochs == 10
    assert read(tmp_path, "c.sh", NAMED.replace("yolox-s", "mine")).convention is None
    assert read(tmp_path, "d.sh", NAMED.replace("128", "$B")).run.lr is None


def test_a_command_line_trains_an_experiment_of_a_file(tmp_path):
    line = "python tools/train.py -f exps/a.py -d 8 -b 32"
    assert "is not here" in read(tmp_path, "a.sh", line).refusal
    (tmp_path / "exps").mkdir()
    (tmp_path / "exps" / "a.py").write_text(FILE)
    found = read(tmp_path, "a.sh", line)
    assert (float(found.run.lr), found.run.epochs) == (0.01, 100)
