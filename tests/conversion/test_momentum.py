"""The exact dynamics of a constant decay: worked numbers, high precision, laws."""

import math
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from decaycalc.conversion.momentum import (
    IN_PLACE,
    factor_over,
    first_order_shrink,
    free_survival,
    half_life_steps,
    is_oscillating,
    long_run_shrink,
    proximal_shrink,
    shrink_over,
    step_for_proximal_shrink,
    step_for_shrink,
)
from decaycalc.errors import InvalidValueError

momenta = st.sampled_from([0.0, 0.5, 0.9, 0.95, 0.99, 0.999]) | st.floats(0, 0.9999)


def iterate(
    step: float, n_steps: int, *, momentum: Any, dampening: Any, lookahead: int, dampened: bool
) -> Any:
    """The optimizer's loop, written from torch/optim/sgd.py with lr folded into the step."""
    weight, buffer = 1 * (momentum + 1 - momentum), 0 * momentum
    for number in range(n_steps):
        gradient = step * weight
        if not momentum:
            weight -= gradient
            continue
        damping = dampening if number or dampened else 0
        buffer = momentum * buffer + (1 - damping) * gradient
        weight -= gradient + momentum * buffer if lookahead else buffer
        if lookahead == IN_PLACE:
            buffer += step * weight - gradient
    return weight


# lr, momentum, decay, 1 - root of heavy ball, first order, 1 - root of Nesterov, half-life.
WORKED_ROOTS = [
    (0.1, 0.9, 1e-4, "1.00090171e-04", "1.000000e-04", "1.00081147e-04", "6924.88"),
    (0.1, 0.9, 5e-4, "5.02271632e-04", "5.000000e-04", "5.02043536e-04", "1379.68"),
    (3.2, 0.9, 1e-4, "3.29822880e-03", "3.200000e-03", "3.28812591e-03", "209.811"),
    (0.01, 0.937, 5e-4, "7.94589911e-05", "7.936508e-05", "7.94530680e-05", "8722.99"),
]


@pytest.mark.parametrize(("lr", "m", "decay", "ball", "first", "nesterov", "half"), WORKED_ROOTS)
def test_roots_reproduce_the_worked_numbers_to_the_digits_printed(
    *, lr: float, m: float, decay: float, ball: str, first: str, nesterov: str, half: str
) -> None:
    step = lr * decay
    assert f"{long_run_shrink(step, momentum=m):.8e}" == ball
    assert f"{first_order_shrink(step, momentum=m):.6e}" == first
    assert f"{long_run_shrink(step, momentum=m, lookahead=1):.8e}" == nesterov
    half_life = half_life_steps(long_run_shrink(step, momentum=m))
    digits = len(half.partition(".")[2])
    assert f"{half_life:.{digits}f}" == half


def test_momentum_of_0_99_at_lr_0_1_and_decay_5e_4_oscillates_with_modulus_root_momentum() -> None:
    shrink = long_run_shrink(5e-5, momentum=0.99)
    assert f"{1 - shrink:.6f}" == "0.994987"
    assert is_oscillating(5e-5, momentum=0.99)
    assert is_oscillating(5e-5, momentum=0.99, lookahead=1)
    # Nesterov's real part, which the table gives, is (1 + m)(1 - q)/2.
    assert f"{1 - (1.99 * (1 - 5e-5)) / 2:.4e}" == "5.0497e-03"


def test_dampening_equal_to_momentum_cancels_the_gain() -> None:
    assert f"{long_run_shrink(1e-5, momentum=0.9, dampening=0.9):.5e}" == "1.00009e-05"
    assert math.isclose(first_order_shrink(1e-5, momentum=0.9, dampening=0.9), 1e-5)


@pytest.mark.parametrize(
    ("m", "threshold"),
    # The worked numbers print 6.41031138e-4 for 0.95: two digits changed places. To 30 digits
    # (1 - sqrt(0.95))^2 is 6.41131038207218632317360020078e-4.
    [(0.9, "2.63340390e-03"), (0.95, "6.41131038e-04"), (0.99, "2.51257868e-05")],
)
def test_thresholds_of_oscillation_reproduce_the_worked_numbers(m: float, threshold: str) -> None:
    assert not is_oscillating(float(threshold) * (1 - 1e-8), momentum=m)
    assert is_oscillating(float(threshold) * (1 + 1e-8), momentum=m)


def test_thresholds_know_nesterov_and_dampening() -> None:
    for threshold, settings in (
        (1 / 9, {"momentum": 0.5, "lookahead": 1}),
        (4 * (1 - 0.5**0.5) ** 2, {"momentum": 0.5, "dampening": 0.75}),
        (1.0, {"momentum": 0.0, "dampening": 1.0}),
    ):
        assert not is_oscillating(threshold * (1 - 1e-9), **settings)
        assert is_oscillating(threshold * (1 + 1e-9), **settings)


# lr, momentum, decay, steps, dampening, lookahead, weight: PyTorch SGD on a zero loss.
WORKED_SURVIVAL = [
    (0.1, 0.9, 0.0001, 1, 0, 0, "0.9999900000"),
    (0.1, 0.9, 0.0001, 100, 0, 0, "0.9909340148"),
    (0.1, 0.9, 0.0001, 10000, 0, 0, "0.3678611961"),
    (0.1, 0.9, 0.0001, 10000, 0, 1, "0.3678611946"),
    (0.1, 0.9, 0.0001, 10000, 0.9, 0, "0.9048288286"),
    (0.1, 0, 0.0001, 10000, 0, 0, "0.9048369656"),
    (3.2, 0.9, 0.0001, 1000, 0, 0, "0.0379154106"),
    (0.01, 0.937, 0.0005, 10000, 0, 1, "0.4522804609"),
    (0.1, 0.99, 0.0005, 1000, 0, 0, "-0.0044373026"),
]


@pytest.mark.parametrize(("lr", "m", "decay", "n", "dampening", "lookahead", "w"), WORKED_SURVIVAL)
def test_survival_reproduces_the_vectors_of_pytorch_sgd(
    *, lr: float, m: float, decay: float, n: int, dampening: float, lookahead: int, w: str
) -> None:
    found = free_survival(lr * decay, n, momentum=m, dampening=dampening, lookahead=lookahead)
    assert f"{found:.10f}" == w


@given(
    step=st.floats(1e-9, 0.9) | st.floats(1.1, 3),
    momentum=momenta,
    dampening=st.sampled_from([0.0, 0.5, 0.9, 1.0]),
    lookahead=st.integers(0, IN_PLACE),
    dampened=st.booleans(),
    n_steps=st.integers(0, 40),
)
def test_survival_in_closed_form_is_the_iterated_recursion(
    *, step: float, momentum: float, dampening: float, lookahead: int, dampened: bool, n_steps: int
) -> None:
    dampening = 0.0 if lookahead else dampening
    closed = free_survival(
        step,
        n_steps,
        momentum=momentum,
        dampening=dampening,
        lookahead=lookahead,
        first_step_dampened=dampened,
    )
    mpmath = pytest.importorskip("mpmath")
    with mpmath.workdps(60):
        exact = iterate(
            mpmath.mpf(step),
            n_steps,
            momentum=mpmath.mpf(momentum),
            dampening=mpmath.mpf(dampening),
            lookahead=lookahead,
            dampened=dampened,
        )
        # Near a change of sign the weight is small beside what it is made of.
        modulus = mpmath.mpf(1 - long_run_shrink(
            step, momentum=momentum, dampening=dampening, lookahead=lookahead
        ))  # fmt: skip
        scale = max(abs(exact), modulus**n_steps * (1 + step * n_steps))
    assert abs(closed - exact) <= 2e-13 * float(scale) * max(1, n_steps)


@pytest.mark.parametrize("lookahead", [0, 1, IN_PLACE])
@pytest.mark.parametrize("step", [1e-15, 1e-12, 1e-8, 1e-4, 2.6e-3, 0.3])
@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9, 0.999])
def test_shrinks_agree_with_sixty_digits(*, step: float, momentum: float, lookahead: int) -> None:
    mpmath = pytest.importorskip("mpmath")
    with mpmath.workdps(60):
        q, m = mpmath.mpf(step), mpmath.mpf(momentum)
        trace, product = {
            0: (1 + m - q, m),
            1: ((1 + m) * (1 - q), m * (1 - q)),
            IN_PLACE: (1 + m - (1 + m + m * m) * q, m * (1 - (1 + m) * q)),
        }[lookahead]
        width = mpmath.sqrt(trace**2 - 4 * product)
        exact = 1 - max(abs((trace + width) / 2), abs((trace - width) / 2))
        found = long_run_shrink(step, momentum=momentum, lookahead=lookahead)
        assert abs(found - exact) <= 1e-14 * abs(exact)


@given(
    share=st.floats(1e-12, 0.999),
    momentum=momenta,
    dampening=st.sampled_from([0.0, 0.3, 0.9]),
    lookahead=st.integers(0, IN_PLACE),
)
def test_steps_found_for_a_shrink_give_it_back(
    *, share: float, momentum: float, dampening: float, lookahead: int
) -> None:
    dampening = 0.0 if lookahead else dampening
    limit = (1 - momentum) / (1 + momentum ** ((lookahead + 1) / 2))
    settings = {"momentum": momentum, "dampening": dampening, "lookahead": lookahead}
    step = step_for_shrink(share * limit, **settings)
    # Near the threshold the root moves as a square root of the step.
    assert long_run_shrink(step, **settings) == pytest.approx(share * limit, rel=1e-9)
    assert not is_oscillating(step, **settings)


def test_a_shrink_that_momentum_only_reaches_oscillating_is_refused_by_name() -> None:
    with pytest.raises(InvalidValueError, match=r"^shrink 0\.06 must be .* below 0\.0513167"):
        step_for_shrink(0.06, momentum=0.9)
    with pytest.raises(InvalidValueError, match=r"below 0\.0526316"):
        step_for_shrink(0.06, momentum=0.9, lookahead=1)
    with pytest.raises(InvalidValueError, match="shrink nan"):
        step_for_shrink(math.nan)
    with pytest.raises(InvalidValueError, match="dampening 1 leaves no decay"):
        step_for_shrink(0.01, momentum=0.9, dampening=1.0)


def test_no_shrink_needs_no_step() -> None:
    assert step_for_shrink(0.0, momentum=0.9, dampening=1.0) == 0
    assert long_run_shrink(0.0, momentum=0.9) == 0


@given(step=st.floats(1e-12, 1e-3), momentum=st.floats(0, 0.9))
def test_the_first_order_is_the_limit_of_weak_decay(step: float, momentum: float) -> None:
    weak = step * (1 - momentum) ** 2
    exact = long_run_shrink(weak, momentum=momentum)
    # The next term of the root is m*e^2/(1 - m)^3.
    bound = 2 * weak / (1 - momentum) ** 2 + 1e-14
    assert exact == pytest.approx(first_order_shrink(weak, momentum=momentum), rel=bound)


@given(step=st.floats(0, 0.9))
def test_without_momentum_nesterov_and_dampening_change_nothing(step: float) -> None:
    assert long_run_shrink(step, dampening=0.7) == pytest.approx(step, rel=1e-15)
    assert long_run_shrink(step, lookahead=1) == pytest.approx(step, rel=1e-15)
    assert first_order_shrink(step, dampening=0.7) == step


def test_past_every_threshold_the_weight_alternates_and_then_grows() -> None:
    assert long_run_shrink(1.5) == 0.5
    assert long_run_shrink(2.5) == -0.5
    assert is_oscillating(1.5)
    assert free_survival(1.5, 3) == pytest.approx(-0.125)
    assert free_survival(2.0, 5, momentum=0.5, lookahead=1) == pytest.approx(
        iterate(2.0, 5, momentum=0.5, dampening=0, lookahead=1, dampened=False)
    )
    assert long_run_shrink(1.0, momentum=0.5, lookahead=1) == 1
    assert free_survival(1.0, 1, momentum=0.5, lookahead=1) == -0.5
    assert free_survival(1.0, 2, momentum=0.5, lookahead=1) == 0


def test_equal_roots_need_no_case_of_their_own() -> None:
    # m = 1/4: (1 - sqrt(m))^2 is exactly 1/4, both roots 1/2.
    exact = iterate(0.25, 12, momentum=0.25, dampening=0, lookahead=0, dampened=False)
    assert free_survival(0.25, 12, momentum=0.25) == pytest.approx(exact, rel=1e-14)


def test_factors_and_half_lives_keep_their_digits_at_a_shrink_of_1e_12() -> None:
    assert factor_over(1e-12, 1e12) == pytest.approx(0.36787944117125827, rel=1e-15)
    assert shrink_over(1e-12, 1) == pytest.approx(1e-12, rel=1e-15)
    half_life = half_life_steps(1e-12)
    assert half_life == pytest.approx(693147180559.5987, rel=1e-15)


@given(shrink=st.floats(1e-15, 0.5), n_steps=st.floats(1, 1e15))
def test_factors_agree_with_forty_digits(shrink: float, n_steps: float) -> None:
    mpmath = pytest.importorskip("mpmath")
    with mpmath.workdps(40):
        exact = (1 - mpmath.mpf(shrink)) ** mpmath.mpf(n_steps)
        assume(exact > 1e-300)
        bound = 1e-14 * max(1, abs(mpmath.log(exact)))
        assert abs(factor_over(shrink, n_steps) - exact) <= bound * exact
        assert abs(shrink_over(shrink, n_steps) - (1 - exact)) <= bound * (1 - exact)


def test_factors_of_shrinks_above_1_change_sign() -> None:
    assert factor_over(1.5, 3) == pytest.approx(-0.125, rel=1e-15)
    assert factor_over(1.5, 2) == pytest.approx(0.25, rel=1e-15)
    assert shrink_over(1.5, 3) == pytest.approx(1.125, rel=1e-15)
    assert factor_over(1.0, 0) == 1
    assert factor_over(1.0, 2) == 0
    assert shrink_over(1.0, 2) == 1
    assert factor_over(-0.5, 2) == pytest.approx(2.25)
    with pytest.raises(InvalidValueError, match=r"n_steps 2\.5 must be whole"):
        factor_over(1.5, 2.5)


def test_what_never_happens_is_none() -> None:
    assert half_life_steps(0.0) is None
    assert half_life_steps(-0.1) is None
    assert half_life_steps(2.5) is None
    assert half_life_steps(5e-324) is None
    assert half_life_steps(1.0) == 0


@given(step=st.floats(0, 1e6))
def test_proximal_shrinks_go_back(step: float) -> None:
    shrink = proximal_shrink(step)
    assert 0 <= shrink < 1
    assert step_for_proximal_shrink(shrink) == pytest.approx(step, rel=1e-9, abs=1e-300)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: long_run_shrink(-1.0), "step -1.0 must be a number from 0 to 1e100"),
        (lambda: long_run_shrink(math.inf), "step inf"),
        (lambda: long_run_shrink(0.1, momentum=1.0), "momentum 1.0 must be at least 0 and below 1"),
        (lambda: long_run_shrink(0.1, momentum=0.9, dampening=2.0), "dampening 2.0 must be from"),
        (
            lambda: long_run_shrink(0.1, momentum=0.9, dampening=0.5, lookahead=1),
            "dampening 0.5 must be 0 with Nesterov momentum",
        ),
        (lambda: half_life_steps(math.nan), "shrink nan must be a number from -1e100 to"),
        (lambda: half_life_steps(1e307), "shrink 1e+307 must be a number from -1e100 to 1e100"),
        (lambda: factor_over(0.1, -1), "n_steps -1 must be a number from 0 to 1e100"),
        (lambda: factor_over(-1.0, 1e9), "shrink -1.0 makes the weight grow beyond every float"),
        (lambda: step_for_proximal_shrink(1.0), "shrink 1.0 must be at least 0 and below 1"),
        (lambda: free_survival(0.1, -1), "n_steps -1 must be a whole number"),
        (lambda: free_survival(3.0, 10**9), "makes the weight grow beyond every float"),
    ],
)
def test_values_out_of_range_are_refused_by_name(call: Any, text: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        call()
    assert text in str(caught.value)


def test_a_number_of_steps_of_hundreds_of_digits_is_named_in_a_few() -> None:
    with pytest.raises(InvalidValueError, match=r"n_steps '1.000e\+300' must be .* to 1e100$"):
        factor_over(0.1, 10**300)


def test_a_weight_at_the_threshold_keeps_its_sign() -> None:
    assert not is_oscillating(0.25, momentum=0.25)
    assert is_oscillating(math.nextafter(0.25, 1), momentum=0.25)


def test_the_shrink_at_the_threshold_is_out_of_reach() -> None:
    with pytest.raises(InvalidValueError, match=r"below 0\.5, the most that momentum 0\.25"):
        step_for_shrink(0.5, momentum=0.25)
    assert step_for_shrink(0.499, momentum=0.25) < 0.25
