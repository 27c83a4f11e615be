"""The schedule and the length of a plain Python script, by its loops."""

import pytest

from decaycalc.training.source import read_training
from tests.training.trainers.reading import LOOP, SCRIPT, read, script

SCHEDULES = {
    "StepLR(optimizer, 30, 0.1)": "step:every=30epochs,gamma=0.1",
    "MultiStepLR(optimizer, milestones=[10, 20], gamma=0.5)": "step:at=10/20epochs,gamma=0.5",
    "ExponentialLR(optimizer, 0.9)": "exponential:gamma=0.9,every=1epochs,per=1epochs",
    "CosineAnnealingLR(optimizer, 30, eta_min=1e-3)": "cosine:final=0.01,per=1epochs",
    "LambdaLR(optimizer, f)": None,
    "CosineAnnealingLR(optimizer, n)": None,
    "ReduceLROnPlateau(optimizer)": None,
}


@pytest.mark.parametrize("made", SCHEDULES)
def test_a_scheduler_stepped_each_epoch(tmp_path, made):
    text = SCRIPT.replace("CosineAnnealingLR(optimizer, T_max=EPOCHS)", made)
    assert read(tmp_path, "train.py", text).schedule == SCHEDULES[made]


EACH_STEP = LOOP.replace("    scheduler", "        scheduler")


@pytest.mark.parametrize(
    ("made", "schedule"),
    [
        ("CosineAnnealingLR(optimizer, T_max=EPOCHS * len(train_loader))", "cosine"),
        (
            "CosineAnnealingLR(optimizer, T_max=len(train_loader) * 10)",
            "cosine:length=10epochs,after=mirror",
        ),
        ("CosineAnnealingLR(optimizer, T_max=2000)", "cosine:length=2000,after=mirror"),
        ("CosineAnnealingLR(optimizer, T_max=len(train_loader))", None),
        ("CosineAnnealingLR(optimizer, T_max=EPOCHS * n)", None),
        (
            "OneCycleLR(optimizer, max_lr=0.4, epochs=EPOCHS, steps_per_epoch=len(train_loader))",
            "one-cycle:rise=0.3,div=25,final_div=10000",
        ),
        (
            "OneCycleLR(optimizer, 0.4, total_steps=900)",
            "one-cycle:length=900,rise=0.3,div=25,final_div=10000",
        ),
    ],
)
def test_a_scheduler_stepped_with_the_optimizer(tmp_path, made, schedule):
    text = SCRIPT.replace("CosineAnnealingLR(optimizer, T_max=EPOCHS)", made)
    text = text.replace(LOOP, EACH_STEP)
    found = read(tmp_path, "train.py", text)
    assert found.schedule == schedule
    assert float(found.run.lr) == (0.4 if "OneCycle" in made else 0.1)


WARMED = """\
from transformers import get_scheduler, get_linear_schedule_with_warmup
from transformers.optimization import get_cosine_schedule_with_warmup, get_constant_schedule
from transformers import get_polynomial_decay_schedule_with_warmup
"""


@pytest.mark.parametrize(
    ("made", "schedule"),
    [
        (
            "get_scheduler('linear', optimizer, 100, EPOCHS * len(train_loader))",
            "linear:warmup=100",
        ),
        (
            (
                "get_scheduler(name='cosine', optimizer=optimizer, num_warmup_steps=0,\n"
                "num_training_steps=10 * len(train_loader))"
            ),
            "cosine:length=10epochs",
        ),
        ("get_linear_schedule_with_warmup(optimizer, 10, 500)", "linear:warmup=10,length=500"),
        ("get_cosine_schedule_with_warmup(optimizer, 10, 500, num_cycles=2)", None),
        ("get_linear_schedule_with_warmup(optimizer, w, 500)", None),
        ("get_linear_schedule_with_warmup(optimizer, 10, n)", None),
        ("get_scheduler('constant_with_warmup', optimizer, 10)", "constant:warmup=10"),
        ("get_constant_schedule(optimizer)", "constant"),
        ("get_polynomial_decay_schedule_with_warmup(optimizer, 10, 500)", None),
        ("get_scheduler(kind, optimizer, 10, 500)", None),
    ],
)
def test_schedules_of_transformers(tmp_path, made, schedule):
    call = "optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=EPOCHS)"
    text = WARMED + SCRIPT.replace(call, made).replace(LOOP, EACH_STEP)
    assert read(tmp_path, "train.py", text).schedule == schedule
    assert read(tmp_path, "each.py", text.replace(EACH_STEP, LOOP)).schedule in {None, "constant"}


@pytest.mark.parametrize(
    ("old", "new", "schedule"),
    [
        ("scheduler.step()", "pass", None),
        ("    scheduler.step()", "    for z in y:\n        scheduler.step()", None),
        ("scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=EPOCHS)\n", "", None),
        ("optim.lr_scheduler.CosineAnnealingLR(optimizer", "WarmupLR(optimizer", None),
        ("scheduler = ", "warm = WarmupLR(optimizer)\nscheduler = ", None),
        (
            "    scheduler.step()",
            "    for g in optimizer.param_groups: g['lr'] = 0.1 ** epoch",
            None,
        ),
        ("    scheduler.step()", "    for g in groups: g.update(lr=0.1 ** epoch)", None),
        ("    scheduler.step()", "    for g in groups: g.update({'lr': f(epoch)})", None),
        (
            "    scheduler.step()",
            "    scheduler.step()\nc = {}\nc.update(lr=1); c.update(); c.update({'m': 1})",
            "cosine:per=1epochs",
        ),
        ("    scheduler.step()", "    scheduler.step()\n    adjust_learning_rate(optimizer)", None),
        ("    scheduler.step()", "    lr_policy(1, epoch, 0.1, optimizer)", None),
    ],
)
def test_a_schedule_that_no_text_tells(tmp_path, old, new, schedule):
    assert read(tmp_path, "train.py", SCRIPT.replace(old, new)).schedule == schedule


def test_a_loop_in_another_file_may_have_any_schedule(tmp_path):
    lines = ("def make():", "    return SGD(m.parameters(), lr=0.1)")
    assert script(tmp_path, *lines).schedule is None
    assert script(tmp_path, *lines, "made = make()", "made.step()").schedule == "constant"


def test_the_scheduler_of_another_optimizer_is_not_its_own(tmp_path):
    lines = ("g = Adam(a.parameters(), lr=1)", "d = SGD(b.parameters(), lr=2)",
             "s = torch.optim.lr_scheduler.StepLR(g, 30)",
             "for epoch in range(9):", "    g.step()", "    d.step()", "    s.step()")  # fmt: skip
    text = "import torch\nfrom torch.optim import *\n" + "\n".join(lines)
    (tmp_path / "train.py").write_text(text)
    found = [read_training(str(tmp_path / "train.py") + f":{at}").schedule for at in (1, 2)]
    assert found == ["step:every=30epochs,gamma=0.1", "constant"]


@pytest.mark.parametrize(
    ("loop", "epochs", "steps"),
    [
        ("for epoch in range(1, 91):\n    for x in loader: optimizer.step()", 90, None),
        ("for ep in tqdm(range(N)):\n    train()", 10, None),
        ("for i in trange(num_epochs):\n    train()", 7, None),
        ("for epoch in range(3): pass\nfor epoch in range(4): pass", None, None),
        ("for i in range(500):\n    optimizer.step()", None, 500),
        ("for i in range(500):\n    scaler.step(optimizer)", None, 500),
        ("for x in loader:\n    optimizer.step()", None, None),
        ("for epoch in range(0, 9, 2):\n    train()", None, None),
        ("for x in mix(loader, range(50)):\n    optimizer.step()", None, None),
        ("for epoch in count():\n    train()", None, None),
        ("for i in range(len(x)):\n    optimizer.step()", None, None),
        ("while True:\n    optimizer.step()", None, None),
    ],
)
def test_how_long_the_loops_run(tmp_path, loop, epochs, steps):
    lines = ("N, num_epochs = 10, 7", "optimizer = SGD(m.parameters(), lr=0.1)", loop)
    run = script(tmp_path, *lines).run
    assert (run.epochs, run.steps) == (epochs, steps)
