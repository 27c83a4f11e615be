"""Survival under a schedule: the table of recipes, high precision, and laws."""

import math
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decaycalc.conventions.record import Buffer, Follows
from decaycalc.conversion.momentum import IN_PLACE, free_survival
from decaycalc.errors import ContradictionError, InvalidValueError
from decaycalc.schedule import parse_schedule
from decaycalc.survival.every_step import ScheduledRule, find_log
from decaycalc.survival.product import compose
from decaycalc.survival.rows import CHUNK
from decaycalc.survival.rule import DecayRule
from decaycalc.survival.summary import ScheduledDecay, survive

# Recipe: step at peak lr, momentum, schedule, steps, steps per epoch; then shrink per epoch's
# reciprocal in steps, the same over the run, the sum of the shrinks and exp(-sum) as printed.
# The worked numbers say that warm-ups ramp as (t+1)/W, so every one has ramp=one. Goyal's starts
# from 0.1/3.2. DeiT's and MAE's steps leave out the short last batch (1251 and 312 an epoch).
RECIPES = [
    ("ResNet-50", 1e-5, 0.9, "step:at=30/60epochs", 90 * 5005, 5005,
     "10000", ".02220", "16.6667", "5.778e-08"),
    ("Goyal 8k", 3.2e-4, 0.9, "step:at=30/60/80epochs,warmup=5epochs,ramp=one,start=1/32",
     90 * 157, 157, "312.5", ".02212", "15.4695", "1.913e-07"),
    ("torchvision v2", 1e-5, 0.9, "cosine:warmup=5epochs,ramp=one", 600 * 1252, 1252,
     "10000", ".01331", "37.5601", "4.87e-17"),
    ("WRN-28-10", 5e-5, 0.9, "step:at=60/120/160epochs,gamma=0.2", 200 * 391, 391,
     "2000", ".02558", "14.4514", "5.295e-07"),
    ("pytorch-cifar", 5e-5, 0.9, "cosine", 200 * 391, 391,
     "2000", ".02558", "19.5503", "3.232e-09"),
    ("Caffe AlexNet", 5e-6, 0.9, "step:every=100000", 450_000, None,
     "20000", ".04444", "5.55525", "3.867e-03"),
    ("Caffe LeNet", 5e-6, 0.9, "inverse:gamma=1e-4,power=0.75", 10_000, None,
     "20000", "2.0", ".37842", "6.8494e-01"),
    ("cifar10_full", 4e-6, 0.9, "constant", 60_000, None,
     "25000", ".41667", "2.40000", "9.072e-02"),
    ("YOLOv3", 5e-7, 0.9, "step:at=400000/450000", 500_200, None,
     "200000", ".39984", "2.02751", "1.3166e-01"),
    ("nanoGPT", 6e-5, 0, "cosine:warmup=2000,final=0.1,ramp=one", 600_000, None,
     "16666.7", ".02778", "19.7941", "2.5325e-09"),
    ("build-nanogpt", 6e-5, 0, "cosine:warmup=715,final=0.1,ramp=one", 19_073, None,
     "16666.7", ".87384", ".62732", "5.3402e-01"),
    ("shakespeare", 1e-4, 0, "cosine:warmup=100,final=0.1,ramp=one", 5000, None,
     "10000", "2.0", ".27459", "7.5988e-01"),
    ("GPT-3", 6e-6, 0, "cosine:warmup=117,length=81250,final=0.1,ramp=one", 93_750, None,
     "166667", "1.7778", ".27560", "7.5912e-01"),
    ("LLaMA-1 7B", 3e-5, 0, "cosine:warmup=2000,final=0.1,ramp=one", 250_000, None,
     "33333.3", ".13333", "4.12203", "1.6212e-02"),
    ("LLaMA-1 65B", 1.5e-5, 0, "cosine:warmup=2000,final=0.1,ramp=one", 350_000, None,
     "66666.7", ".19048", "2.88601", "5.5798e-02"),
    ("Llama-2 7B", 3e-5, 0, "cosine:warmup=2000,final=0.1,ramp=one", 500_000, None,
     "33333.3", ".06667", "8.24703", "2.620e-04"),
    ("Llama-2 70B", 1.5e-5, 0, "cosine:warmup=2000,final=0.1,ramp=one", 500_000, None,
     "66666.7", ".13333", "4.12351", "1.6188e-02"),
    ("Pythia 70m", 1e-4, 0, "cosine:warmup=1430,final=0.1,ramp=one", 143_000, None,
     "10000", ".06993", "7.858", "3.87e-04"),
    ("Pythia 160m", 6e-5, 0, "cosine:warmup=1430,final=0.1,ramp=one", 143_000, None,
     "16666.7", ".11655", "4.715", "8.96e-03"),
    ("Pythia 410m", 3e-5, 0, "cosine:warmup=1430,final=0.1,ramp=one", 143_000, None,
     "33333.3", ".23310", "2.357", "9.47e-02"),
    ("Pythia 1b", 2.5e-5, 0, "cosine:warmup=1430,final=0.1,ramp=one", 143_000, None,
     "40000", ".27972", "1.964", "1.40e-01"),
    ("Pythia 1.4b", 2e-5, 0, "cosine:warmup=1430,final=0.1,ramp=one", 143_000, None,
     "50000", ".34965", "1.572", "2.08e-01"),
    ("Pythia 2.8b", 1.6e-5, 0, "cosine:warmup=1430,final=0.1,ramp=one", 143_000, None,
     "62500", ".43706", "1.257", "2.84e-01"),
    ("Pythia 12b", 1.2e-5, 0, "cosine:warmup=1430,final=0.1,ramp=one", 143_000, None,
     "83333.3", ".58275", ".943", "3.89e-01"),
    ("BERT", 1e-6, 0, "linear:warmup=10000,ramp=one", 1_000_000, None,
     "1000000", "1.0", ".50000", "6.0653e-01"),
    ("ConvNeXt", 2e-4, 0, "cosine:warmup=20epochs,ramp=one,final=0.00025", 300 * 313, 313,
     "5000", ".05325", "9.39239", "8.336e-05"),
    ("DeiT", 5e-5, 0, "cosine:warmup=5epochs,ramp=one,final=0.01", 300 * 1251, 1251,
     "20000", ".05329", "9.47481", "7.676e-05"),
    ("MAE", 1.2e-4, 0, "cosine:warmup=40epochs,ramp=one", 800 * 312, 312,
     "8333.33", ".03339", "14.9761", "3.133e-07"),
    ("RSB A1", 5e-5, 0, "cosine:warmup=5epochs,ramp=one,final=0.0002", 600 * 626, 626,
     "20000", ".05325", "9.392", "8.34e-05"),
    ("RSB A2", 1e-4, 0, "cosine:warmup=5epochs,ramp=one,final=0.0002", 300 * 626, 626,
     "10000", ".05325", "9.392", "8.34e-05"),
    ("RSB A3", 1.6e-4, 0, "cosine:warmup=5epochs,ramp=one,final=0.000125", 100 * 626, 626,
     "6250", ".09984", "5.009", "6.68e-03"),
    ("Celerity", 1.2 * 0.00034673267902102944, 0, "linear:warmup=10%,ramp=one", 13_773, None,
     "2403.39", ".17450", "2.86575", "5.694e-02"),
    ("OLMo-7B", 3e-5, 0, "linear:warmup=5000,ramp=one,final=0.1", 476_837, None,
     "33333.3", ".06991", "7.86034", "3.857e-04"),
    ("Kimi K2", 2e-5, 0, "constant", 231_343, None,
     "50000", ".21613", "4.62686", "9.785e-03"),
]  # fmt: skip


def agrees(number: float | None, printed: str) -> bool:
    """Whether a number is the printed one to within one unit of its last digit's half."""
    assert number is not None
    mantissa, _, exponent = printed.partition("e")
    decimals = len(mantissa.partition(".")[2])
    unit = 10.0 ** (int(exponent or 0) - decimals)
    return abs(number - float(printed)) <= 0.5000001 * unit


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe[0])
def test_recipes_reproduce_the_worked_numbers_to_the_digits_printed(recipe: Any) -> None:
    name, step, momentum, text, n, per_epoch, timescale, fraction, total, left = recipe
    schedule = parse_schedule(text, total_steps=n, steps_per_epoch=per_epoch)
    found = survive(schedule, DecayRule(step=step, momentum=momentum), n_points=2)
    at_peak = found.timescale_at_peak_steps
    assert at_peak is not None
    assert agrees(at_peak, timescale), name
    # Caffe LeNet and others print the timescale over the run.
    assert agrees(at_peak / n, fraction), name
    assert agrees(found.sum_shrink, total), name
    assert agrees(math.exp(-found.sum_shrink), left), name
    # exp(-sum) is first order; what is left is exact: the next term is half the sum of squares,
    # and momentum starts m/(1 - m) steps late.
    peak = DecayRule(step=step, momentum=momentum).peak_shrink
    spread = (found.sum_shrink + momentum) * peak / (1 - momentum)
    assert abs(math.log(found.survival) + found.sum_shrink) <= 1.2 * spread + 1e-12


# Timescale over the run, then initial weights left and mean age over the run: constant, linear
# to 0, cosine to a tenth. The worked numbers were made with 10,000 steps.
AVERAGES = [
    (0.05, "0.000000002", "4.5e-05", "1.7e-05", None),
    (0.1745, ".00324", ".056917", ".042733", (".17115", ".48541", ".46858")),
    (0.5, ".135308", ".367818", ".332814", None),
]


@pytest.mark.parametrize(("fraction", "constant", "linear", "cosine", "ages"), AVERAGES)
def test_moving_averages_reproduce_the_worked_numbers(
    fraction: float, constant: str, linear: str, cosine: str, ages: Any
) -> None:
    rule = DecayRule(step=1 / (fraction * 10_000))
    texts = ("constant", "linear", "cosine:final=0.1")
    found = [survive(parse_schedule(text, total_steps=10_000), rule) for text in texts]
    for each, printed in zip(found, (constant, linear, cosine), strict=True):
        assert agrees(each.survival, printed)
    for each, printed in zip(found, ages or (), strict=bool(ages)):
        assert each.mean_update_age_steps is not None
        assert agrees(each.mean_update_age_steps / 10_000, printed)


def left_exactly(mpmath: Any, multipliers: np.ndarray, rule: DecayRule) -> Any:
    """The optimizer's loop with sixty digits, written from torch, MLX and Keras."""
    q, m = mpmath.mpf(rule.step), mpmath.mpf(rule.momentum)
    weight, buffer = mpmath.mpf(1), mpmath.mpf(0)
    for number, multiplier in enumerate(multipliers.tolist()):
        x = mpmath.mpf(multiplier)
        undampened = number == 0 and rule.buffer is Buffer.OUTSIDE
        gradient = q * weight * (1 if undampened else 1 - mpmath.mpf(rule.dampening))
        if not m:
            weight -= x * q * weight
        elif rule.buffer is Buffer.INSIDE:
            buffer = m * buffer + x * gradient
            weight -= m * buffer + x * gradient if rule.lookahead else buffer
        else:
            buffer = m * buffer + gradient
            weight -= x * (gradient + m * buffer if rule.lookahead else buffer)
        if rule.lookahead == IN_PLACE:
            buffer += (x if rule.buffer is Buffer.INSIDE else 1) * (q * weight - gradient)
    return weight


def random_case(number: int) -> tuple[str, int, DecayRule]:
    chance = random.Random(number)  # noqa: S311  (a test case)
    momentum = chance.choice([0.0, 0.0, 0.5, 0.9, 0.99])
    lookahead = chance.choice([0, 0, 1, IN_PLACE]) if momentum else 0
    # Below the threshold of oscillation: past it a weight may be near 0 by chance.
    limit = ((1 - momentum) / (1 + momentum ** ((lookahead + 1) / 2))) ** 2
    rule = DecayRule(
        step=limit * 10 ** chance.uniform(-9, -0.1),
        momentum=momentum,
        dampening=0.0 if lookahead else chance.choice([0.0, 0.0, 0.5]),
        lookahead=lookahead,
        buffer=chance.choice(list(Buffer)),
    )
    text = chance.choice(
        ["cosine:final=0.1", "linear:warmup=10%", "step:at=30/60%", "constant", "sgdr:period=70"]
    )
    return text, chance.choice([1, 2, 31, 32, 33, 100, 1000]), rule


@pytest.mark.parametrize("number", range(60))
def test_survival_agrees_with_sixty_digits(number: int) -> None:
    mpmath = pytest.importorskip("mpmath")
    text, n, rule = random_case(number)
    schedule = parse_schedule(text, total_steps=n)
    found = survive(schedule, rule).survival
    with mpmath.workdps(60):
        exact = left_exactly(mpmath, schedule.multiplier(np.arange(n)), rule)
        error = abs(found - exact) / abs(exact)
        assert error <= 1e-14 * max(1, abs(mpmath.log(abs(exact))))


@pytest.mark.parametrize("buffer", list(Buffer))
@pytest.mark.parametrize("lookahead", [0, 1, IN_PLACE])
def test_oscillating_weights_agree_with_sixty_digits_beside_their_size(
    *, buffer: Buffer, lookahead: int
) -> None:
    mpmath = pytest.importorskip("mpmath")
    schedule = parse_schedule("cosine:final=0.5", total_steps=300)
    rule = DecayRule(step=0.02, momentum=0.9, lookahead=lookahead, buffer=buffer)
    assert rule.is_oscillating(1.0)
    found = survive(schedule, rule).survival
    with mpmath.workdps(60):
        exact = left_exactly(mpmath, schedule.multiplier(np.arange(300)), rule)
    assert abs(found - exact) <= 1e-12 * 0.9**150


def test_a_million_steps_of_momentum_agree_with_the_closed_form() -> None:
    rule = DecayRule(step=3e-7, momentum=0.9)
    n = 1_000_000
    iterated = survive(parse_schedule("linear:final=1", total_steps=n), rule, n_points=2)
    closed = free_survival(3e-7, n, momentum=0.9)
    assert iterated.survival == pytest.approx(closed, rel=3e-14)


def test_constant_runs_of_1e12_steps_take_no_time_and_keep_their_digits() -> None:
    schedule = parse_schedule("constant", total_steps=10**12)
    found = survive(schedule, DecayRule(step=1e-12))
    assert found.survival == pytest.approx(math.exp(-1 - 5e-13), rel=1e-14)
    assert found.sum_shrink == pytest.approx(1, rel=1e-14)
    heavy = survive(schedule, DecayRule(step=1e-13, momentum=0.9))
    assert heavy.survival == pytest.approx(math.exp(-1 - 5e-13), rel=1e-10)


def averages(text: str, n: int, rule: DecayRule) -> tuple[np.ndarray, float]:
    """Each update's share of the final weights and that of the initial weights, one by one."""
    schedule = parse_schedule(text, total_steps=n)
    shrinks = rule.factors(schedule.multiplier(np.arange(n))) * rule.peak_shrink
    left = np.append(np.cumprod((1 - shrinks)[::-1])[::-1], 1.0)
    return shrinks * left[1:], float(left[0])


@settings(max_examples=15, deadline=None)
@given(
    step=st.floats(1e-6, 0.3),
    text=st.sampled_from(
        ["cosine", "linear:warmup=7", "step:at=40/80%", "constant", "sgdr:period=9"]
    ),
    n=st.integers(2, 200),
    follows=st.sampled_from(list(Follows)),
)
def test_shares_of_all_updates_and_of_the_initial_weights_make_one(
    step: float, text: str, n: int, follows: Follows
) -> None:
    rule = DecayRule(step=step, follows=follows)
    shares, initial = averages(text, n, rule)
    assert math.fsum(shares) + initial == pytest.approx(1)
    found = survive(parse_schedule(text, total_steps=n), rule, n_points=100_000)
    assert found.survival == pytest.approx(initial, rel=1e-9)
    assert [point.update_weight for point in found.curve] == pytest.approx(shares, rel=1e-9)
    ages = np.arange(n)[::-1]
    mean = float((shares * ages).sum() / shares.sum())
    assert found.mean_update_age_steps == pytest.approx(mean, rel=1e-6, abs=1e-6)
    assert found.half_mass_age_steps is not None
    half = found.half_mass_age_steps
    assert shares[n - half :].sum() >= shares.sum() / 2 * (1 - 1e-9)
    assert shares[n - half + 1 :].sum() <= shares.sum() / 2 * (1 + 1e-9)


@pytest.mark.parametrize("text", ["cosine:final=0.1", "linear", "step:at=30/60%"])
@pytest.mark.parametrize("step", [1e-9, 1e-5, 1.5e-4])
def test_long_runs_are_those_summed_by_steps(text: str, step: float) -> None:
    n = (1 << 20) + 77
    rule = DecayRule(step=step)
    found = survive(parse_schedule(text, total_steps=n), rule)
    shares, initial = averages(text, n, rule)
    mean = float((shares * np.arange(n)[::-1]).sum() / shares.sum())
    assert found.mean_update_age_steps == pytest.approx(mean, rel=1e-6)
    shrinks = rule.step * parse_schedule(text, total_steps=n).multiplier(np.arange(n))
    exact = math.exp(math.fsum(np.log1p(-shrinks).tolist()))
    assert found.survival == pytest.approx(exact, rel=1e-14)
    assert found.survival == pytest.approx(initial, rel=1e-9)
    half = found.half_mass_age_steps
    assert half is not None
    assert shares[n - half :].sum() == pytest.approx(shares.sum() / 2, rel=1e-4)


def test_halves_are_found_in_the_right_chunk_of_a_long_interval() -> None:
    n = 9 * CHUNK + 77
    found = survive(
        parse_schedule("constant:value=0.5", total_steps=n),
        DecayRule(step=1e-7),
        n_points=2,
    )
    log = math.log1p(-5e-8)
    half = math.log1p(math.expm1(n * log) / 2) / log
    assert found.half_mass_age_steps == pytest.approx(half, abs=2)
    schedule = parse_schedule("linear", total_steps=100)
    decay = ScheduledRule(rule=DecayRule(step=1e-3), schedule=schedule)
    assert find_log(decay, 10, 20, log=0.0, target=1.0) == 19


def short(rule: DecayRule, text: str = "linear", n: int = 50) -> ScheduledDecay:
    return survive(parse_schedule(text, total_steps=n), rule)


def test_without_decay_there_are_no_times() -> None:
    for text in ("constant", "linear"):
        found = short(DecayRule(step=0.0), text)
        assert found.survival == 1
        assert found.sum_shrink == 0
        assert found.timescale_at_peak_steps is None
        assert found.mean_timescale_steps is None
        assert found.mean_update_age_steps is None
        assert found.half_mass_age_steps is None
        assert found.curve[0].update_weight is None


def test_strong_momentum_decays_are_no_moving_average() -> None:
    for text in ("constant", "linear"):
        found = short(DecayRule(step=0.2, momentum=0.9), text)
        assert found.mean_update_age_steps is None
        assert abs(found.survival) < 1


def test_weights_that_are_gone_stay_gone() -> None:
    found = short(DecayRule(step=0.3, momentum=0.9), "linear:final=0.9", 20_000)
    assert found.survival == 0
    assert found.curve[-1].survival == 0
    assert survive(parse_schedule("cosine", total_steps=9000), DecayRule(step=0.9)).survival == 0


def test_weights_that_grow_without_bound_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="makes the weight grow without bound"):
        short(DecayRule(step=9.0, momentum=0.5), "cosine:final=0.9", 5000)


def test_proximal_and_compounded_decays_follow_the_lr_in_their_own_way() -> None:
    multipliers = parse_schedule("linear", total_steps=50).multiplier(np.arange(50))
    proximal = short(DecayRule(step=0.1, proximal=True))
    assert proximal.survival == pytest.approx(float(np.prod(1 / (1 + 0.1 * multipliers))))
    assert proximal.curve[0].shrink == pytest.approx(0.1 / 1.1)
    compound = short(DecayRule(step=0.1, compounds=4))
    assert compound.survival == pytest.approx(float(np.prod((1 - 0.025 * multipliers) ** 4)))
    assert compound.curve[0].shrink == pytest.approx(1 - 0.975**4)
    assert not DecayRule(step=0.1, proximal=True).is_oscillating(1.0)


@pytest.mark.parametrize(
    ("follows", "factors"),
    [
        (Follows.LR, [1, 0.5, 0]),
        (Follows.MULTIPLIER, [1, 0.5, 0]),
        (Follows.CONSTANT, [1, 1, 1]),
        (Follows.LR_SQUARED, [1, 0.25, 0]),
    ],
)
def test_decays_follow_the_schedule_as_their_rule_says(
    follows: Follows, factors: list[float]
) -> None:
    rule = DecayRule(step=0.1, follows=follows)
    assert rule.factors(np.array([1, 0.5, 0])).tolist() == factors


def test_rules_are_checked() -> None:
    with pytest.raises(ContradictionError, match="a decay under momentum follows"):
        DecayRule(step=0.1, momentum=0.9, follows=Follows.CONSTANT)
    with pytest.raises(InvalidValueError, match=r"compounds 0\.5 must be at least 1"):
        DecayRule(step=0.1, compounds=0.5)
    with pytest.raises(InvalidValueError, match="momentum"):
        DecayRule(step=0.1, momentum=1.0)


def test_curves_have_at_most_the_points_asked_for_and_keep_ends_and_knots() -> None:
    schedule = parse_schedule("cosine:warmup=33", total_steps=10_000)
    curve = survive(schedule, DecayRule(step=1e-3), n_points=20).curve
    steps = [point.step for point in curve]
    assert len(steps) == 20
    assert {0, 33, 9999} <= set(steps)
    assert survive(schedule, DecayRule(step=1e-3), n_points=2).curve[0].step == 0
    assert len(short(DecayRule(step=1e-3)).curve) == 50
    found = survive(schedule, DecayRule(step=1e-3), n_points=20)
    assert found.curve[-1].survival == found.survival
    for wrong in (1, 100_001):
        with pytest.raises(InvalidValueError, match="must be from 2 to 100000 points"):
            survive(schedule, DecayRule(step=1e-3), n_points=wrong)


def test_products_of_steps_are_matrix_products() -> None:
    first, later = np.array([[[0.1, 0.2], [-0.3, 0.4]], [[0.05, 0.6], [-0.7, 0.8]]])
    ones = np.eye(2)
    found = np.reshape(compose(first.ravel(), later.ravel()), (2, 2))
    assert ones - found == pytest.approx((ones - later) @ (ones - first))
    assert compose(first.ravel(), np.zeros(4)) == pytest.approx(first.ravel())
