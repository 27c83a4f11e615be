"""Every form of schedule, without and with momentum, against every step in sixty digits."""

import math
import random
from decimal import Context, Decimal, localcontext

import numpy as np
import pytest

from decaycalc.conventions.record import Buffer
from decaycalc.conversion.momentum import IN_PLACE
from decaycalc.errors import InvalidValueError
from decaycalc.schedule import KINDS, parse_schedule
from decaycalc.survival.every_step import _geometric_gone
from decaycalc.survival.losses import sum_losses
from decaycalc.survival.rows import BLOCK
from decaycalc.survival.rule import DecayRule
from decaycalc.survival.summary import survive
from tests.survival.test_survival import left_exactly

N_STEPS = 6007

# Every kind, with the features that bring kinks: the laws below are tried on all of them.
TEXTS = [
    "constant:value=0.5,warmup=7%",
    "linear:warmup=3%,final=0.1",
    "linear:length=40%,ramp=one,start=0.2,warmup=1%",
    "cosine:warmup=2%,final=0.1",
    "cosine:length=60%,exponent=1.5",
    "cosine:length=7%,after=mirror",
    "cosine-restarts:cycles=7,gamma=0.9",
    "cosine-restarts:cycles=3,growth=2,length=80%",
    "cosine-restarts:period=1%,growth=2,final=0.01",
    "cosine-restarts:period=30%",
    "step:at=30/60/80%",
    "step:every=11%,gamma=0.7,warmup=5%",
    "exponential:gamma=0.5,every=5%",
    "exponential:gamma=0.3",
    "polynomial:power=0.9",
    "polynomial:power=3,floor=0.1",
    "inverse:gamma=1e-3,power=0.75",
    "inverse:gamma=50,power=2",
    "inverse-sqrt:warmup=1%",
    "wsd:shape=cosine",
    "wsd:shape=1-sqrt,final=0.01",
    "one-cycle",
    "one-cycle:shape=linear,phases=3",
    "one-cycle:follow=optax",
    "file:{path}",
    "file:{path},interpolate=hold",
    "cosine:per=1%,floor=0.3",
    "cosine:floor=0.3,warmup=77,warmup_power=1.5",
    "constant:warmup=90%,warmup_power=500",
    "constant:warmup=10,until=40% + cosine:final=0.1,until=70% + inverse:gamma=0.01,initial=0.1",
    "constant:until=50% + cosine:floor=0.5,until=80% + linear:per=50",
]


@pytest.fixture(name="curve_path", scope="module")
def _curve_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("curve") / "curve.csv"
    path.write_text("step,multiplier\n0,0\n1000.5,1\n5000,0.9\n14000,0.1\n")
    return str(path)


def laid(text, n, path):
    return parse_schedule(text.replace("{path}", path), total_steps=n)


def test_every_kind_is_tried_here():
    assert {text.partition(":")[0] for text in TEXTS} >= {kind.name for kind in KINDS}


def left(multipliers, rule, decays=None):
    """Return what every step in turn leaves of a weight, a number of sixty digits for each.

    The optimizer's loop, as `left_exactly` of the other tests but ten times as fast.
    """
    m, x = Decimal(rule.momentum), [Decimal(x) for x in multipliers.tolist()]
    step = Decimal(rule.step)
    weight, buffer, result = Decimal(1), Decimal(0), []
    inside, damped = rule.buffer is Buffer.INSIDE, 1 - Decimal(rule.dampening)
    with localcontext(Context(prec=60, Emin=-(10**9))):
        each = [step] * len(x) if decays is None else [step * Decimal(d) for d in decays.tolist()]
        for number, (lr, e) in enumerate(zip(x, each, strict=True)):
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
def test_constant_stretches_keep_the_promise(text, step):
    schedule, rule = parse_schedule(text, total_steps=1500), DecayRule(step=step, momentum=0.9)
    found = survive(schedule, rule, n_points=20)
    exact = left(schedule.multiplier(np.arange(1500)), rule)
    if rule.is_oscillating(1):
        assert abs(Decimal(found.survival) - exact[-1]) < Decimal("1e-12") * max(map(abs, exact))
    else:
        assert worst_error(found, exact) <= 1


def test_a_long_memory_keeps_the_promise():
    n = 65_536 + 33 * 32 * 10
    schedule, rule = parse_schedule("cosine", total_steps=n), DecayRule(step=1e-6, momentum=0.99)
    found = survive(schedule, rule, n_points=20)
    assert worst_error(found, left(schedule.multiplier(np.arange(n)), rule)) <= 1


def test_decays_of_more_than_a_whole_weight_change_its_sign(curve_path):
    for text in ("linear:final=0.5", "step:at=30%,gamma=0.5", "constant"):
        schedule = laid(text, 60, curve_path)
        rule = DecayRule(step=1.2)
        found = survive(schedule, rule, n_points=7)
        each = 1 - 1.2 * schedule.multiplier(np.arange(60))
        left_after = np.cumprod(each)
        for point in found.curve:
            assert point.survival == pytest.approx(left_after[point.step], rel=1e-12)
        assert found.mean_update_age_steps is None
        assert found.curve[0].shrink == pytest.approx(0.8)


def test_a_step_that_takes_the_whole_weight_leaves_nothing():
    assert survive(parse_schedule("linear", total_steps=9), DecayRule(step=1.0)).survival == 0
    assert survive(parse_schedule("constant", total_steps=9), DecayRule(step=1.0)).survival == 0


def test_weights_that_grow_beyond_every_float_are_refused():
    for text in ("constant", "linear:final=1"):
        with pytest.raises(InvalidValueError, match="makes the weight grow without bound"):
            survive(parse_schedule(text, total_steps=9000), DecayRule(step=3.0))


def test_a_decay_that_takes_all_at_one_of_its_times_is_refused():
    with pytest.raises(InvalidValueError, match=r"shrink 4\.5 must stay below 4 at every step"):
        survive(parse_schedule("linear", total_steps=10), DecayRule(step=4.5, compounds=4))


def test_more_steps_than_can_be_followed_are_refused():
    schedule = parse_schedule("cosine", total_steps=10**15)
    with pytest.raises(InvalidValueError, match=r"steps 1000000000000000 are too many"):
        survive(schedule, DecayRule(step=1e-9))


def test_a_weight_that_is_gone_is_carried_no_further():
    schedule = parse_schedule("linear:final=0.5", total_steps=300_000)
    found = survive(schedule, DecayRule(step=0.002, momentum=0.9), n_points=9)
    assert found.curve[0].survival > 0.9
    assert [point.survival for point in found.curve[2:]] == [0] * 7


@pytest.mark.parametrize("decay_text", ["cosine:final=10", "linear:warmup=5%", "step:at=30/60%"])
@pytest.mark.parametrize("lookahead", [0, 1, IN_PLACE])
@pytest.mark.parametrize("buffer", list(Buffer))
def test_a_decay_with_a_schedule_of_its_own_keeps_the_promise(decay_text, lookahead, buffer):
    n = 3000
    schedule, own = (parse_schedule(text, total_steps=n) for text in ("cosine", decay_text))
    for momentum in (0.0, 0.9):
        rule = DecayRule(step=1e-4, momentum=momentum, lookahead=lookahead, buffer=buffer)
        found = survive(schedule, rule, decay_schedule=own, n_points=20)
        multipliers, decays = (each.multiplier(np.arange(n)) for each in (schedule, own))
        assert worst_error(found, left(multipliers, rule, decays)) <= 1
        total = math.fsum((multipliers * decays * rule.peak_shrink).tolist())
        assert found.sum_shrink == pytest.approx(total, rel=1e-14)
        assert [point.decay_multiplier for point in found.curve] == [
            decays[point.step] for point in found.curve
        ]


def test_the_curve_has_the_knots_of_both_schedules():
    schedule, own = (
        parse_schedule(text, total_steps=1000) for text in ("cosine:warmup=17", "linear:warmup=33")
    )
    found = survive(schedule, DecayRule(step=1e-4), decay_schedule=own, n_points=20)
    assert {17, 33} <= {point.step for point in found.curve}


def test_a_constant_decay_schedule_changes_nothing():
    schedule, own = (parse_schedule("constant", total_steps=10**12) for _ in range(2))
    rule = DecayRule(step=1e-12)
    assert survive(schedule, rule, decay_schedule=own) == survive(schedule, rule)


def test_blocks_of_weak_decays_lose_what_their_steps_lose():
    chance = np.random.default_rng(3)
    shrinks = 3e-4 * chance.uniform(0.9, 1, (BLOCK, 4, 500))
    found, exact = both_sums(shrinks)
    assert found.log == pytest.approx(exact.log, rel=1e-14)
    assert found.gone == pytest.approx(exact.gone, rel=1e-6)
    alone, one = both_sums(shrinks.reshape(BLOCK, -1, 1))
    assert alone.gone == pytest.approx(one.gone, rel=1e-4)
    assert alone.gone.sum() == pytest.approx(one.gone.sum(), rel=1e-5)


def both_sums(shrinks):
    """Return what steps do, summed in blocks and one by one."""
    return (sum_losses(-shrinks, largest=3e-4, in_blocks=each) for each in (True, False))


@pytest.mark.parametrize(
    ("n", "log"), [(100, -9e-7), (100, -2e-6), (1000, -1e-2), (7, -1e-5), (2, -4e-5)]
)
def test_what_is_gone_of_equal_steps_is_their_sum(n, log):
    exact = -math.fsum(math.expm1(k * log) for k in range(n))
    assert _geometric_gone(log, n) == pytest.approx(exact, rel=1e-10)


def test_what_lies_beyond_a_row_s_end_may_grow_without_a_word():
    rule = DecayRule(step=5e19, momentum=0.9)
    schedule = parse_schedule("linear:warmup=1000000,final=0.1", total_steps=2_000_000)
    with pytest.raises(InvalidValueError, match="without bound"):
        survive(schedule, rule, n_points=2)
    text = (
        "constant:value=0.001,until=1epochs+"
        "cosine:over=run,length=300epochs,warmup=5epochs,start=0.001,final=0.01,per=1epochs"
    )
    epochs = parse_schedule(text, total_steps=300_000, steps_per_epoch=1000)
    with pytest.raises(InvalidValueError, match="without bound"):
        survive(epochs, DecayRule(step=38.0), n_points=2)
