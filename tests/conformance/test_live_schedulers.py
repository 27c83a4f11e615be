"""inspect with the real schedulers: the lr of each step and Σ lr·λ against stepping them."""

import copy

import pytest

import decaycalc

torch = pytest.importorskip("torch")
schedulers = torch.optim.lr_scheduler
STEPS, DECAY = 100, 0.1

MADE = {
    "cosine": lambda held: schedulers.CosineAnnealingLR(held, STEPS),
    "one-cycle": lambda held: schedulers.OneCycleLR(held, 1e-2, total_steps=STEPS),
    "lambda": lambda held: schedulers.LambdaLR(held, lambda step: min(1, (step + 1) / 10)),
    "sequential": lambda held: schedulers.SequentialLR(
        held,
        [schedulers.LinearLR(held, 0.1, total_iters=10), schedulers.CosineAnnealingLR(held, 90)],
        [10],
    ),
    "chained": lambda held: schedulers.ChainedScheduler(
        [schedulers.ConstantLR(held, 0.1, 20), schedulers.ExponentialLR(held, 0.99)], held
    ),
    "cyclic": lambda held: schedulers.CyclicLR(held, 1e-4, 1e-2, cycle_momentum=False),
    "step": lambda held: schedulers.StepLR(held, 30),
    "restarts": lambda held: schedulers.CosineAnnealingWarmRestarts(held, 10),
    "polynomial": lambda held: schedulers.PolynomialLR(held, STEPS, power=2.0),
    "transformers": lambda held: pytest.importorskip("transformers").get_scheduler(
        "cosine", held, 10, STEPS
    ),
}


def optimizer(lr=1e-3):
    shapes = ((3, 2), (3,))
    matrices, small = (torch.nn.Parameter(torch.ones(shape)) for shape in shapes)
    groups = [{"params": [matrices]}, {"params": [small], "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=lr, weight_decay=DECAY)


def held(own, scheduler):
    """Return all that the two hold, a tensor by its numbers."""
    return repr((own.state_dict(), vars(own).keys(), {**vars(scheduler), "optimizer": None}))


@pytest.mark.parametrize("lr", [1e-3, torch.tensor(1e-3)], ids=["a number", "a tensor"])
@pytest.mark.parametrize("name", MADE)
def test_each_steps_lr_is_the_schedulers_own(name, lr):
    own = optimizer(copy.deepcopy(lr))
    scheduler = MADE[name](own)
    before = held(own, scheduler)
    found = decaycalc.inspect(own, None, scheduler, steps=STEPS)
    assert held(own, scheduler) == before
    lrs = []
    for _ in range(STEPS):
        lrs.append(float(own.param_groups[0]["lr"]))
        own.step()
        scheduler.step()
    assert found.groups[0].lrs == pytest.approx(lrs, rel=1e-12, abs=1e-18)
    assert found.figures.sum_shrink == pytest.approx(DECAY * sum(lrs), rel=1e-12)
    left = 1.0
    for each in lrs:
        left *= 1 - each * DECAY
    assert found.figures.survival == pytest.approx(left, rel=1e-12)
    assert found.groups[1].figures.sum_shrink == 0


@pytest.mark.parametrize("t_in_epochs", [False, True])
def test_timms_own_loop_has_the_lr_that_is_told(t_in_epochs):
    timm = pytest.importorskip("timm.scheduler")
    per_epoch, n_epochs = 10, 10

    def made():
        own = optimizer()
        length = n_epochs if t_in_epochs else STEPS
        return own, timm.CosineLRScheduler(
            own, t_initial=length, warmup_t=length // 10, warmup_lr_init=1e-6,
            t_in_epochs=t_in_epochs,
        )  # fmt: skip

    own, scheduler = made()
    run = decaycalc.Run(batch_size=5, dataset_size=5 * per_epoch, epochs=n_epochs)
    found = decaycalc.inspect(own, None, scheduler, run)
    own, scheduler = made()
    lrs, updates = [], 0
    for epoch in range(n_epochs):  # as timm's train.py
        for _ in range(per_epoch):
            lrs.append(own.param_groups[0]["lr"])
            updates += 1
            scheduler.step_update(num_updates=updates)
        scheduler.step(epoch + 1)
    assert found.groups[0].lrs == pytest.approx(lrs, rel=1e-12)


def test_one_that_follows_a_loss_is_refused():
    own = optimizer()
    with pytest.raises(decaycalc.DecaycalcError, match="metric"):
        decaycalc.inspect(own, None, schedulers.ReduceLROnPlateau(own), steps=STEPS)
