"""The schedule and the length of a plain Python script, by its loops."""

import pytest

from decaycalc.training.source import read_training
from tests.training.trainers.reading import LOOP, SCRIPT, quantity, read, script

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


STEP_OF_IT = "optimizer.step()"
MADE = "optimizer = SGD(m.parameters(), lr=0.1)"
STEPLR = "s = torch.optim.lr_scheduler.StepLR(optimizer, 3)"
BATCHES = "    for x in loader:\n        optimizer.step()\n"
EPOCHS = f"for epoch in range(9):\n{BATCHES}"


@pytest.mark.parametrize(
    ("loop", "why"),
    [
        (f"{EPOCHS}    s.step(epoch - 1)", "is stepped to a place of its own, s.step(epoch - 1)"),
        (f"{EPOCHS}    if epoch > 3: s.step()", "is stepped where epoch > 3"),
        (f"{EPOCHS}        if i % 9 == 0: s.step()", "is stepped where i % 9 == 0"),
        ("for epoch in range(9):\n    s.step()\n    train(m)",
         "is stepped before the batches of its epoch"),
        (f"for epoch in range(9):\n    s.step()\n{BATCHES}",
         "is stepped before the batches of its epoch"),
        (f"{EPOCHS}        s.step()\n    s.step()", "it is not clear how often"),
        (f"{EPOCHS}    while i < 3: s.step()", "it is not clear how often"),
    ],
)  # fmt: skip
def test_a_scheduler_that_is_not_stepped_each_turn(tmp_path, loop, why):
    found = script(tmp_path, MADE, STEPLR, after=f"{loop}\n")
    assert (found.schedule, why in quantity(found, "interval").note) == (None, True)


@pytest.mark.parametrize(
    ("loop", "schedule"),
    [
        (f"{EPOCHS}    if s is not None: s.step()", "step:every=3epochs,gamma=0.1"),
        (f"{EPOCHS}    if True: s.step()", "step:every=3epochs,gamma=0.1"),
        (f"{EPOCHS}    if False: s.step(1)\n    s.step()", "step:every=3epochs,gamma=0.1"),
        (f"{EPOCHS}    with x: s.step()", "step:every=3epochs,gamma=0.1"),
        ("for epoch in range(9):\n    m.train()\n    f(optimizer)\n    s.step()\n    m.train()",
         "step:every=3epochs,gamma=0.1"),
        (("for epoch in range(9):\n    for x in loader:\n        if ready:\n"
          "            optimizer.step()\n            s.step()"), "step:every=3,gamma=0.1"),
    ],
)  # fmt: skip
def test_a_scheduler_that_is_stepped_each_turn(tmp_path, loop, schedule):
    assert script(tmp_path, MADE, STEPLR, after=f"{loop}\n").schedule == schedule


@pytest.mark.parametrize("given", ["10", "3, last_epoch=7", "3, last_epoch=n"])
def test_a_second_scheduler_and_a_start_of_its_own_are_not_read(tmp_path, given):
    second = f"t = torch.optim.lr_scheduler.StepLR(optimizer, {given})"
    lines = (MADE, STEPLR, second) if given == "10" else (MADE, second.replace("t =", "s ="))
    assert script(tmp_path, *lines, after=f"{EPOCHS}    s.step()\n").schedule is None
    usual = f"{STEPLR[:-1]}, last_epoch=-1)"
    assert script(tmp_path, MADE, usual, after=f"{EPOCHS}    s.step()\n").schedule is not None


METHOD = f"class C:\n    def f(self):\n        for epoch in range(4):\n            {STEP_OF_IT}\n"


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (f"for u in range(99):\n    for epoch in range(4):\n        {STEP_OF_IT}",
         "the loop over epochs runs again in line 4"),
        (f"while True:\n    for epoch in range(4):\n        {STEP_OF_IT}",
         "the loop over epochs runs again in line 4"),
        (f"def f():\n    for epoch in range(4):\n        {STEP_OF_IT}\nf()\nf()",
         "the loop over epochs runs again in line 4"),
        (f"def f():\n    for epoch in range(4):\n        {STEP_OF_IT}\nfor x in y: f()",
         "the loop over epochs runs again in line 7"),
        (f"{METHOD}c = C()\nwhile True: c.f()", "the loop over epochs runs again in line 9"),
        (f"{METHOD}    def g(self):\n        while True: self.f()",
         "the loop over epochs runs again in line 9"),
        (f"{EPOCHS}{EPOCHS}", "several loops over epochs take its steps: lines 4 and 7"),
        (("for epoch in range(4):\n    for x in loader:\n        for i in range(5):\n"
          f"            {STEP_OF_IT}"), "it steps several times a batch, line 6"),
    ],
)  # fmt: skip
def test_epochs_that_are_run_again_are_not_the_run_s(tmp_path, lines, why):
    found = script(tmp_path, MADE, after=f"{lines}\n")
    assert (found.run.epochs, quantity(found, "epochs").note) == (None, f"epochs: {why}")


@pytest.mark.parametrize(
    "lines",
    [
        f"for fold in range(5):\n    {MADE}\n    for epoch in range(4):\n        {STEP_OF_IT}",
        f"{MADE}\ndef f(o):\n    for epoch in range(4):\n        o.step()\nf(optimizer)\nf(other)",
        (f"{MADE}\nclass C:\n    def f(self):\n        for epoch in range(4):\n"
         f"            {STEP_OF_IT}\nC().f()"),
        f"def f():\n    {MADE}\n    for epoch in range(4):\n        {STEP_OF_IT}\nf()",
        (f"{MADE}\nclass C:\n    def train(self):\n        for epoch in range(4):\n"
         f"            {STEP_OF_IT}\nC().train()\nwhile True: model.train()"),
    ],
)  # fmt: skip
def test_epochs_that_each_optimizer_has_are_the_run_s(tmp_path, lines):
    assert script(tmp_path, after=f"{lines}\n").run.epochs == 4


def test_steps_of_a_function_that_is_called_again_are_not_the_run_s(tmp_path):
    lines = f"def f():\n    for i in range(10):\n        {STEP_OF_IT}\nwhile True: f()\n"
    found = script(tmp_path, MADE, after=lines)
    assert (found.run.steps, quantity(found, "steps").note) == (
        None, "steps: the loop of steps runs again in line 7")  # fmt: skip


@pytest.mark.parametrize(
    "made", ["ReduceLROnPlateau(optimizer)", "CosineWithPause(optimizer)",
             "getattr(torch.optim.lr_scheduler, name)(optimizer, 3)"]
)  # fmt: skip
def test_a_scheduler_by_any_name_is_not_passed_over(tmp_path, made):
    lines = ("from torch.optim.lr_scheduler import ReduceLROnPlateau", MADE, f"by_loss = {made}")
    assert script(tmp_path, *lines, after=f"{EPOCHS}    by_loss.step()\n").schedule is None


def test_steps_that_a_test_decides_are_not_counted(tmp_path):
    loop = "for i in range(100):\n    if i % 4 == 0:\n        optimizer.step()\n"
    found = script(tmp_path, MADE, after=loop)
    assert quantity(found, "steps").note == "steps: a step is taken where i % 4 == 0"
    assert "grad_accum" in found.missing
    loop = "for i in range(100):\n    if i > 9:\n        optimizer.step()\n        other.step()\n"
    assert script(tmp_path, MADE, after=loop).run.steps is None
    assert "grad_accum" not in script(tmp_path, MADE, after=loop).missing


@pytest.mark.parametrize(
    ("more", "schedule"),
    [("", None), ("P()", "constant"), ("class Q(P): pass", "constant")],
)
def test_an_optimizer_that_an_object_keeps_for_another_file(tmp_path, more, schedule):
    held = (
        "class P:\n    def __init__(self):\n        self.opt = SGD(m.parameters(), lr=0.1)\n"
        f"    def train(self):\n        self.opt.step()\n{more}\n"
    )
    assert script(tmp_path, after=held).schedule == schedule


RAMP = "torch.optim.lr_scheduler.LinearLR(optimizer, 0.1, total_iters=3)"
CONSTANT = "torch.optim.lr_scheduler.ConstantLR(optimizer, 0.2, 3)"
MAIN = "torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 6)"
BOTH = f"s = torch.optim.lr_scheduler.SequentialLR(optimizer, [{RAMP}, {MAIN}], milestones=[3])"


@pytest.mark.parametrize(
    ("old", "new", "schedule"),
    [
        ("", "", "linear:initial=0.1,final=1,per=1epochs,until=3epochs + cosine:per=1epochs"),
        (f"{RAMP}, {MAIN[:-2]}6)", f"{CONSTANT}, {MAIN[:-2]}9)",
         "constant:value=0.2,until=3epochs + cosine:length=9epochs,per=1epochs"),
        (RAMP, CONSTANT,
         "constant:value=0.2,until=3epochs + cosine:per=1epochs"),
        (RAMP, "torch.optim.lr_scheduler.ConstantLR(optimizer, total_iters=3)", None),
        (RAMP, "torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)", None),
        (MAIN, "torch.optim.lr_scheduler.OneCycleLR(optimizer, 1, 6)", None),
        (MAIN, "torch.optim.lr_scheduler.LambdaLR(optimizer, f)", None),
        ("r, 6)", "r, 6 * len(loader))", None),
        ("=[3]", "=[n]", None), ("=[3]", "=[3, 5]", None), ("=[3]", "=[4]", None),
        (", milestones=[3]", "", None), (f"[{RAMP}, {MAIN}], ", "", None),
        (f"[{RAMP}, {MAIN}]", "parts", None), (f", {MAIN}", "", None),
        ("s = ", f"t = {MAIN}\ns = ", None), ("s = ", "s = t = ", None),
    ],
)  # fmt: skip
def test_a_warm_up_and_what_follows_it(tmp_path, old, new, schedule):
    made = BOTH.replace(old, new, 1) if old else BOTH
    assert script(tmp_path, MADE, made, after=f"{EPOCHS}    s.step()\n").schedule == schedule


def test_two_sequences_are_not_read(tmp_path):
    text = f"{EPOCHS}    s.step()\n"
    assert script(tmp_path, MADE, BOTH, BOTH.replace("s =", "t ="), after=text).schedule is None
