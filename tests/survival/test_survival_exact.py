"""Long runs, summed from few steps, against every step in sixty digits and in float64."""

import math
import random
from decimal import Context, Decimal, localcontext

import numpy as np
import pytest

from decaycalc.conventions.record import Buffer, Follows
from decaycalc.conversion.momentum import IN_PLACE
from decaycalc.errors import InvalidValueError
from decaycalc.schedule import parse_schedule
from decaycalc.survival import DecayRule, survive, walk
from decaycalc.survival.few import FewSteps
from decaycalc.survival.slow import settle_ratio
from tests.survival.test_survival import left_exactly
from tests.survival.test_survival_blocks import TEXTS, laid

N_STEPS = 6007


@pytest.fixture(name="curve_path", scope="module")
def _curve_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("curve") / "curve.csv"
    path.write_text("step,multiplier\n0,0\n1000.5,1\n5000,0.9\n14000,0.1\n")
    return str(path)


@pytest.fixture
def short_blocks(monkeypatch):
    """Take few steps of runs for which it would not pay, so that exact products are at hand."""
    monkeypatch.setattr("decaycalc.survival.survey.LONG_RUN", 1024)
    monkeypatch.setattr("decaycalc.survival.slow.LEAST_BLOCK", 256)


@pytest.fixture
def leaps(monkeypatch):
    """Return the list of the leaps that walks make, as pairs of steps."""
    made, leap = [], walk._Walker._leap

    def note(walker, settled):
        made.append((walker.position, settled.stop))
        leap(walker, settled)

    monkeypatch.setattr(walk._Walker, "_leap", note)
    return made


def left(multipliers, rule):
    """Return what every step in turn leaves of a weight, a number of sixty digits for each.

    The optimizer's loop, as `left_exactly` of the other tests but ten times as fast.
    """
    e, m, x = Decimal(rule.step), Decimal(rule.momentum), [Decimal(x) for x in multipliers.tolist()]
    weight, buffer, result = Decimal(1), Decimal(0), []
    inside, damped = rule.buffer is Buffer.INSIDE, 1 - Decimal(rule.dampening)
    with localcontext(Context(prec=60, Emin=-(10**9))):
        for number, lr in enumerate(x):
            undampened = not number and rule.buffer is Buffer.OUTSIDE
            gradient = e * weight if undampened or not m else e * damped * weight
            gradient = lr * gradient if inside else gradient
            buffer = m * buffer + gradient
            moved = gradient + m * buffer if rule.lookahead else buffer
            weight -= moved if inside else lr * moved
            if rule.lookahead == IN_PLACE:
                buffer += (lr if inside else 1) * e * weight - gradient
            result.append(weight)
    return result


def worst_error(found, exact):
    """Return the largest error of a curve's survivals, over the largest that is promised."""
    errors = [0.0]
    for point in found.curve:
        expected = exact[point.step]
        if expected > Decimal("1e-300"):
            allowed = Decimal("1e-14") * max(1, abs(expected.ln()))
            errors.append(float(abs(Decimal(point.survival) - expected) / expected / allowed))
    return max(errors)


def test_the_loop_of_sixty_digits_is_that_of_mpmath():
    mpmath = pytest.importorskip("mpmath")
    multipliers = parse_schedule("cosine", total_steps=500).multiplier(np.arange(500))
    for buffer in Buffer:
        for momentum, lookahead in ((0.9, IN_PLACE), (0.9, 1), (0.9, 0), (0.0, 0)):
            rule = DecayRule(step=1e-3, momentum=momentum, lookahead=lookahead, buffer=buffer)
            with mpmath.workdps(60):
                expected = left_exactly(mpmath, multipliers, rule)
                assert abs(mpmath.mpf(str(left(multipliers, rule)[-1])) / expected - 1) < 1e-50


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.usefixtures("short_blocks")
def test_without_momentum_every_form_keeps_the_promise(text, curve_path):
    chance = random.Random(text)  # noqa: S311  (a test case)
    schedule = laid(text, N_STEPS, curve_path)
    rule = DecayRule(step=10 ** chance.uniform(-12, -0.3))
    multipliers = schedule.multiplier(np.arange(N_STEPS))
    found = survive(schedule, rule)
    assert worst_error(found, left(multipliers, rule)) <= 1
    total = math.fsum((multipliers * rule.step).tolist())
    assert found.sum_shrink == pytest.approx(total, rel=2e-15)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.usefixtures("short_blocks")
def test_with_momentum_every_form_keeps_the_promise(text, curve_path):
    chance = random.Random(f"{text} moves")  # noqa: S311  (a test case)
    momentum = chance.choice([0.3, 0.5, 0.8, 0.9])
    lookahead = chance.choice([0, 0, 1, IN_PLACE])
    reach = ((1 - momentum) / (1 + momentum ** ((lookahead + 1) / 2))) ** 2
    rule = DecayRule(
        step=reach * 10 ** chance.uniform(-9, -0.1),
        momentum=momentum,
        lookahead=lookahead,
        dampening=0.0 if lookahead else chance.choice([0.0, 0.5]),
        buffer=chance.choice(list(Buffer)),
    )
    schedule = laid(text, N_STEPS, curve_path)
    found = survive(schedule, rule, n_points=20)
    assert worst_error(found, left(schedule.multiplier(np.arange(N_STEPS)), rule)) <= 1


@pytest.mark.parametrize("step", [1e-9, 1e-6, 0.02])
@pytest.mark.parametrize(
    "text", ["step:every=7,gamma=0.999", "cosine:per=50,warmup=1", "linear:warmup=1"]
)
@pytest.mark.usefixtures("short_blocks")
def test_constant_stretches_keep_the_promise(text, step, monkeypatch):
    monkeypatch.setattr("decaycalc.survival.survey.LEAST_PIECE", 1)
    schedule, rule = parse_schedule(text, total_steps=1500), DecayRule(step=step, momentum=0.9)
    found = survive(schedule, rule, n_points=20)
    exact = left(schedule.multiplier(np.arange(1500)), rule)
    if rule.is_oscillating(1):
        assert abs(Decimal(found.survival) - exact[-1]) < Decimal("1e-12") * max(map(abs, exact))
    else:
        assert worst_error(found, exact) <= 1


@pytest.mark.usefixtures("short_blocks")
def test_a_long_memory_keeps_the_promise(leaps):
    n = 60_000
    schedule, rule = parse_schedule("cosine", total_steps=n), DecayRule(step=1e-6, momentum=0.99)
    found = survive(schedule, rule, n_points=20)
    assert leaps
    assert worst_error(found, left(schedule.multiplier(np.arange(n)), rule)) <= 1


def test_smooth_runs_are_leapt_over_almost_wholly(leaps):
    n = 10_000_000
    survive(parse_schedule("cosine:warmup=2000", total_steps=n), DecayRule(step=1e-9, momentum=0.9))
    assert sum(stop - start for start, stop in leaps) > 0.999 * n


RULES = [
    DecayRule(step=6e-6),
    DecayRule(step=0.3),
    DecayRule(step=1e-4, follows=Follows.LR_SQUARED),
    DecayRule(step=1e-3, proximal=True),
    DecayRule(step=1e-3, compounds=4),
    DecayRule(step=3e-6, momentum=0.9),
    DecayRule(step=0.02, momentum=0.9),
    DecayRule(step=1e-8, momentum=0.999, lookahead=1, buffer=Buffer.INSIDE),
    DecayRule(step=1e-5, momentum=0.9, lookahead=IN_PLACE, buffer=Buffer.INSIDE),
]


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_all_figures_are_those_of_every_step(rule, curve_path):
    chance = random.Random(str(rule))  # noqa: S311  (a test case)
    for text in chance.sample(TEXTS, 4):
        schedule = laid(text, 70_000, curve_path)
        found, exact = (
            survive(schedule, rule, n_points=9, every_step=every) for every in (False, True)
        )
        for name in ("sum_shrink", "survival", "mean_timescale_steps"):
            ours, theirs = getattr(found, name), getattr(exact, name)
            assert ours == pytest.approx(theirs, rel=1e-12, abs=1e-300), (text, name)
        age = exact.mean_update_age_steps
        assert found.mean_update_age_steps == (age and pytest.approx(age, rel=1e-10))
        half = exact.half_mass_age_steps
        assert found.half_mass_age_steps == (half and pytest.approx(half, abs=1))
        weights = [point.update_weight for point in exact.curve]
        assert [point.update_weight for point in found.curve] == (
            weights if weights[0] is None else pytest.approx(weights, rel=1e-10, abs=1e-300)
        )


@pytest.mark.usefixtures("short_blocks")
def test_where_no_ratio_is_settled_every_step_is_taken(leaps, monkeypatch):
    schedule = parse_schedule("linear:final=0.999", total_steps=N_STEPS)
    for rule in (DecayRule(step=0.01, momentum=0.9), DecayRule(step=0.0026, momentum=0.9)):
        found, exact = (
            survive(schedule, rule, n_points=9, every_step=every) for every in (False, True)
        )
        assert found.survival == pytest.approx(exact.survival, rel=1e-12, abs=1e-300)
    assert not leaps
    monkeypatch.setattr(walk, "SETTLED", -1.0)
    monkeypatch.setattr(walk, "NOTHING", -1.0)
    rule = DecayRule(step=1e-5, momentum=0.9)
    found, exact = (
        survive(schedule, rule, n_points=9, every_step=every) for every in (False, True)
    )
    assert not leaps
    survivals = [point.survival for point in exact.curve]
    assert [point.survival for point in found.curve] == pytest.approx(survivals, rel=1e-14)


@pytest.mark.usefixtures("short_blocks")
def test_ratios_are_settled_on_both_sides_of_a_rough_place():
    class Kinked:
        def multiplier(self, steps):
            return 0.5 + np.abs(steps - 30_000) / 60_000

    first, *_, last = found = settle_ratio(
        DecayRule(step=1e-5, momentum=0.5), Kinked(), 100, 60_000
    )
    assert (first.start, last.stop) == (100, 60_000)
    assert all(not each.start < 29_999 < each.stop for each in found)


def test_decays_that_remove_a_whole_weight_are_refused_in_long_runs():
    with pytest.raises(InvalidValueError, match=r"shrink 1\.2 must stay below 1 at every step"):
        survive(parse_schedule("linear", total_steps=10**9), DecayRule(step=1.2))


@pytest.mark.parametrize("momentum", [0, 0.9])
@pytest.mark.parametrize("text", ["cosine:warmup=1%", "step:every=10%", "inverse:gamma=1e-6"])
def test_runs_of_1e12_steps_take_no_time(text, momentum):
    schedule = parse_schedule(text, total_steps=10**12)
    rule = DecayRule(step=1e-11 * (1 - momentum), momentum=momentum)
    found = survive(schedule, rule, n_points=20)
    assert math.log(found.survival) == pytest.approx(-found.sum_shrink, rel=1e-5)


def test_updates_long_decayed_are_not_looked_at(monkeypatch):
    schedule = parse_schedule("linear:final=0.5", total_steps=10**8)
    few = FewSteps(schedule, DecayRule(step=1e-3), np.array([0, 10**8]))
    seen, logs = [], FewSteps.logs

    def note(steps_of, steps):
        seen.extend(steps.ravel())
        return logs(steps_of, steps)

    intervals = few.sum_intervals([0, 99_000_000, 10**8])
    monkeypatch.setattr(FewSteps, "logs", note)
    after = {99_000_000: intervals[1].log.get(), 10**8: 0.0}
    gone = few.sum_gone(intervals, after)
    assert min(seen) >= 99_000_000
    assert gone == pytest.approx(10**8 - 1 / 5e-4, abs=2)
