"""Schedulers stepped on a copy: lr and λ of each step, the sums, nothing of the user's changed."""

import copy
import sys
from types import SimpleNamespace

import pytest

import decaycalc
from decaycalc.errors import InvalidValueError
from decaycalc.training.live import scheduler as following
from tests.training.live.frameworks import SGD, AdamW, frozen, tensor

STEPS = 10


class Falling:
    """As torch's: it sets the first lr when it is made, the next at each step."""

    def __init__(self, optimizer, rule=lambda t: 1 - t / STEPS):
        self.optimizer, self.rule, self.last_epoch = optimizer, rule, -1
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
        self.step()

    def step(self):
        self.last_epoch += 1
        for group in self.optimizer.param_groups:
            group["lr"] = group["initial_lr"] * self.rule(self.last_epoch)


class Timms:
    """As timm's: it is told its count, in epochs or in steps."""

    def __init__(self, optimizer, *, t_in_epochs):
        self.optimizer, self.t_in_epochs = optimizer, t_in_epochs
        for group in optimizer.param_groups:
            group["initial_lr"], group["lr"] = group["lr"], -1.0

    def step(self, epoch):
        assert self.t_in_epochs
        self.step_update(epoch)

    def step_update(self, count):
        for group in self.optimizer.param_groups:
            group["lr"] = group["initial_lr"] / (1 + count)


def optimizer(**more):
    return AdamW([
        {"params": [tensor(4, 3)]}, {"params": [tensor(3)], "weight_decay": 0.0, "lr": 2e-3},
    ], **{"lr": 1e-3, "weight_decay": 0.1, **more})  # fmt: skip


def test_lr_and_sums_of_each_step_come_from_the_scheduler():
    own = optimizer()
    found = decaycalc.inspect(own, None, Falling(own), steps=STEPS)
    wanted = [1e-3 * (1 - t / STEPS) for t in range(STEPS)]
    assert found.groups[0].lrs == pytest.approx(wanted, rel=1e-15)
    assert found.groups[1].lrs == pytest.approx([2 * each for each in wanted], rel=1e-15)
    assert found.figures.sum_shrink == pytest.approx(0.1 * sum(wanted), rel=1e-14)
    product = 1.0
    for each in wanted:
        product *= 1 - 0.1 * each
    assert found.figures.survival == pytest.approx(product, rel=1e-14)
    assert found.figures.shrink == pytest.approx(1e-4)
    (schedule,) = [each for each in found.training.quantities if each.name == "schedule"]
    assert schedule.value.endswith("test_scheduler.Falling")
    assert found.training.notes == ("the scheduler is taken to be stepped each step",)


def test_the_highest_lr_is_the_peak():
    own = optimizer()
    rising = Falling(own, lambda t: 25 * t / (STEPS - 1))
    found = decaycalc.inspect(own, None, rising, steps=STEPS)
    assert found.figures.shrink == pytest.approx(25e-4)
    one_cycle = optimizer(lr=4e-4)
    one_cycle.param_groups[0].update(initial_lr=4e-4, max_lr=1e-2)
    assert decaycalc.inspect(one_cycle).groups[0].lr == 1e-2
    none = decaycalc.inspect(own, None, Falling(own, lambda _: 1.0), steps=STEPS)
    assert "DC110" not in {each.code for each in none.findings}


def test_a_lambda_that_the_scheduler_moves_enters_the_sum():
    class Both(Falling):
        def step(self):
            super().step()
            self.optimizer.param_groups[0]["weight_decay"] = 0.04 * (1 + self.last_epoch)

    own = optimizer()
    both = Both(own)
    found = decaycalc.inspect(own, None, both, steps=STEPS)
    wanted = sum(1e-3 * (1 - t / STEPS) * 0.04 * (1 + t) for t in range(STEPS))
    assert found.figures.sum_shrink == pytest.approx(wanted, rel=1e-14)
    assert found.groups[0].weight_decay == pytest.approx(0.4)


def test_a_momentum_that_moves_is_said():
    class Cycle(Falling):
        def step(self):
            super().step()
            self.optimizer.param_groups[0]["momentum"] -= 0.01

    own = SGD([tensor(3)], lr=0.1, momentum=0.9, weight_decay=1e-4)
    found = decaycalc.inspect(own, None, Cycle(own), steps=STEPS)
    assert "changes the momentum" in found.training.notes[1]


def test_an_epochs_interval_holds_the_lr():
    own = optimizer()
    mapping = {"scheduler": Falling(own), "interval": "epoch", "frequency": 2}
    found = decaycalc.inspect(own, None, mapping, batch_size=10, dataset_size=20, epochs=5)
    held = [1e-3 * (1 - t / STEPS) for t in (0, 0, 0, 0, 1, 1, 1, 1, 2, 2)]
    assert found.groups[0].lrs == pytest.approx(held)
    assert found.training.notes == ("the scheduler is stepped every 4 steps",)
    every = {"scheduler": Falling(own), "interval": "step", "frequency": 5}
    found = decaycalc.inspect(own, None, every, steps=STEPS)
    assert len(set(found.groups[0].lrs)) == 2
    with pytest.raises(InvalidValueError, match="give dataset_size and batch_size"):
        decaycalc.inspect(own, None, {"scheduler": Falling(own)}, steps=STEPS)


def test_timms_are_told_their_count():
    own = optimizer()
    by_step = Timms(own, t_in_epochs=False)
    found = decaycalc.inspect(own, None, by_step, steps=3)
    assert found.groups[0].lrs == pytest.approx([1e-3, 5e-4, 1e-3 / 3])
    other = optimizer()
    by_epoch = Timms(other, t_in_epochs=True)
    run = decaycalc.Run(batch_size=5, dataset_size=10, epochs=2)
    found = decaycalc.inspect(other, None, by_epoch, run)
    assert found.groups[0].lrs == pytest.approx([1e-3, 1e-3, 5e-4, 5e-4])


def test_without_a_length_it_is_not_followed_and_that_is_said():
    own = optimizer()
    found = decaycalc.inspect(own, None, Falling(own))
    assert found.training.missing == ("steps",)
    assert (found.groups[0].lrs, found.figures.sum_shrink) == ((), None)


def test_nothing_of_the_users_changes():
    own = optimizer()

    def reaching(t):
        own.param_groups[0]["weight_decay"] = 9.0
        own.param_groups[1]["more"] = 1
        return 1 - t / STEPS

    scheduler = Falling(own)
    scheduler.rule = reaching
    before, counts = frozen(own), copy.copy(vars(scheduler))
    decaycalc.inspect(own, None, scheduler, steps=STEPS)
    assert frozen(own) == before
    assert vars(scheduler) == counts


def test_a_group_whose_lr_is_never_above_zero_does_not_decay():
    own = optimizer()
    still = Falling(own, lambda t: 1.0 - t / STEPS)
    own.param_groups[1].update(initial_lr=0.0, lr=0.0)
    found = decaycalc.inspect(own, None, still, steps=STEPS)
    assert found.groups[1].figures.sum_shrink == 0


def accelerated(own, **options):
    made = type("AcceleratedScheduler", (), {"__module__": "accelerate.scheduler", **options})()
    made.scheduler, made.step = Falling(own), print
    return made


@pytest.mark.parametrize(("n_processes", "split"), [(1, False), (4, True)])
def test_accelerates_own_is_looked_into_where_it_steps_as_often(monkeypatch, n_processes, split):
    state = SimpleNamespace(AcceleratorState=lambda: SimpleNamespace(num_processes=n_processes))
    monkeypatch.setitem(sys.modules, "accelerate.state", state)
    own = optimizer()
    found = decaycalc.inspect(own, None, accelerated(own, split_batches=split), steps=STEPS)
    assert found.figures.sum_shrink == pytest.approx(5.5e-4, rel=1e-12)


def test_accelerates_own_that_steps_once_for_each_process_is_refused(monkeypatch):
    state = SimpleNamespace(AcceleratorState=lambda: SimpleNamespace(num_processes=4))
    monkeypatch.setitem(sys.modules, "accelerate.state", state)
    own = optimizer()
    scheduler = accelerated(own, split_batches=False)
    with pytest.raises(InvalidValueError, match="not of this optimizer"):
        decaycalc.inspect(own, None, scheduler, steps=STEPS)


class Plateau(Falling):
    def step(self, metrics=0):
        self.seen = metrics
        super().step()


class NeedsMore(Falling):
    def step(self):
        if self.last_epoch >= 0:
            raise TypeError("missing\nmetrics")
        super().step()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda _: Falling(optimizer()), "not of this optimizer"),
        (Plateau, "follows a metric that only the run knows"),
        (lambda _: object(), "has no step"),
        (NeedsMore, "TypeError: missing metrics"),
    ],
)
def test_what_cannot_be_followed_is_refused_in_one_line(make, words):
    own = optimizer()
    with pytest.raises(InvalidValueError, match=words):
        decaycalc.inspect(own, None, make(own), steps=STEPS)


def test_one_that_is_under_way_or_too_long_is_refused(monkeypatch):
    own = optimizer()
    scheduler = Falling(own)
    scheduler.step()
    with pytest.raises(InvalidValueError, match="has taken 1 step already"):
        decaycalc.inspect(own, None, scheduler, steps=STEPS)
    monkeypatch.setattr(following, "_MOST_NUMBERS", 5)
    with pytest.raises(InvalidValueError, match="too many to follow"):
        decaycalc.inspect(own, None, Falling(own), steps=STEPS)


def test_it_stands_beside_a_torch_like_optimizer_and_no_other_schedule():
    own = optimizer()
    for source, more in (("resnet-50-he", {}), (own, {"schedule": "cosine"})):
        with pytest.raises(InvalidValueError, match="beside no other schedule"):
            decaycalc.inspect(source, None, Falling(own), **more)
