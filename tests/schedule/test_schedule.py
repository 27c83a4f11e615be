"""The schedules: their shapes, warm-ups, floors, composition, and what does not fit a run."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import decaycalc.schedule
from decaycalc.errors import (
    ContradictionError,
    InvalidValueError,
    MissingQuantityError,
    UnknownNameError,
)
from decaycalc.schedule import COMMON, KINDS, Schedule, parse_schedule
from decaycalc.schedule.length import Length, Span, Unit
from decaycalc.schedule.shapes import BUILDERS

# Every kind with what it cannot do without, for the laws.
TEXTS = {
    "constant": "constant",
    "linear": "linear:final=0.1",
    "cosine": "cosine:final=0.1",
    "cosine-restarts": "cosine-restarts:period=30,growth=2,gamma=0.5",
    "step": "step:at=30/60%,gamma=0.1",
    "exponential": "exponential:gamma=0.99",
    "polynomial": "polynomial:power=2",
    "inverse": "inverse:gamma=1e-3,power=0.75",
    "inverse-sqrt": "inverse-sqrt:timescale=100",
    "wsd": "wsd:decay=30%,shape=1-sqrt",
    "one-cycle": "one-cycle",
    "file": "file:{path}",
}


def laid(text: str, n: int = 100, *, per_epoch: int | None = None) -> Schedule:
    return parse_schedule(text, total_steps=n, steps_per_epoch=per_epoch)


def values(text: str, n: int = 100, *, per_epoch: int | None = None) -> np.ndarray:
    return laid(text, n, per_epoch=per_epoch).multiplier(np.arange(n))


@pytest.fixture(name="curve_path")
def _curve_path(tmp_path, monkeypatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "curve.csv").write_text("step,multiplier\n0,1\n50,0.5\n")
    return "curve.csv"


def test_every_kind_is_tried_here() -> None:
    assert list(TEXTS) == [kind.name for kind in KINDS]


@pytest.mark.parametrize("name", TEXTS)
def test_every_kind_starts_with_a_linear_warm_up_and_keeps_its_floor(
    name: str, curve_path: str
) -> None:
    text = TEXTS[name].format(path=curve_path)
    text += ":" if ":" not in text else ","
    found = values(f"{text}warmup=10,floor=0.3")
    ramp = found[:11] / found[10]
    assert ramp == pytest.approx(np.arange(11) / 10)
    assert found[10:].min() >= 0.3


@pytest.mark.parametrize("name", TEXTS)
def test_multipliers_are_finite_and_not_negative(name: str, curve_path: str) -> None:
    schedule = laid(TEXTS[name].format(path=curve_path), 200_000)
    whole = schedule.multiplier(np.arange(200_000))
    assert np.isfinite(whole).all()
    assert (whole >= 0).all()


def test_warm_ups_count_from_zero_from_one_or_inside() -> None:
    assert values("constant:warmup=4")[:5] == pytest.approx([0, 0.25, 0.5, 0.75, 1])
    assert values("constant:warmup=4,ramp=one")[:5] == pytest.approx([0.25, 0.5, 0.75, 1, 1])
    assert values("constant:warmup=4,ramp=inner")[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1])
    assert values("constant:warmup=4,start=0.2")[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1])
    assert values("constant:warmup=4,warmup_power=2")[:5] == pytest.approx(
        [0, 1 / 16, 1 / 4, 9 / 16, 1]
    )
    assert values("constant:value=0.5,warmup=4")[:5] == pytest.approx([0, 0.125, 0.25, 0.375, 0.5])


def test_lengths_are_steps_epochs_or_percent_rounded_up() -> None:
    assert values("constant:warmup=5epochs", 100, per_epoch=4)[19] == pytest.approx(0.95)
    assert values("constant:warmup=2.5%", 100)[:4] == pytest.approx([0, 1 / 3, 2 / 3, 1])
    span = Span(total_steps=1001, steps_per_epoch=Fraction(10, 3))
    assert Length(amount=Fraction(5), unit=Unit.EPOCHS).steps(span) == 17
    assert Length(amount=Fraction(10), unit=Unit.PERCENT).steps(span) == 101
    assert str(Length(amount=Fraction(5), unit=Unit.EPOCHS)) == "5epochs"
    assert str(Length(amount=Fraction(1, 2), unit=Unit.PERCENT)) == "0.5%"


def test_epochs_need_the_steps_of_an_epoch() -> None:
    with pytest.raises(MissingQuantityError) as caught:
        laid("cosine:warmup=5epochs")
    assert caught.value.missing == ("dataset_size", "batch_size")


def test_goyals_schedule_counts_its_boundaries_from_the_start_of_the_run() -> None:
    found = values("step:at=30/60/80epochs,gamma=0.1,warmup=5epochs", 900, per_epoch=10)
    assert found[49] < 1
    assert found[[50, 299, 300, 599, 600, 799, 800, 899]] == pytest.approx(
        [1, 1, 0.1, 0.1, 0.01, 0.01, 0.001, 0.001]
    )


def test_a_schedule_by_epochs_keeps_its_lr_within_each() -> None:
    found = values("cosine:per=1epochs", 100, per_epoch=10)
    assert found[::10] == pytest.approx(values("cosine", 10))
    assert (found.reshape(10, 10) == found[::10, None]).all()


def test_cosine_keeps_its_digits_at_the_end() -> None:
    mpmath = pytest.importorskip("mpmath")
    n = 10**6
    found = laid("cosine", n).multiplier(np.array([n - 1.0, n - 3.0]))
    with mpmath.workdps(40):
        exact = [(1 - mpmath.cos(mpmath.pi * k / n)) / 2 for k in (1, 3)]
        assert all(abs(a / b - 1) < 1e-15 for a, b in zip(found.tolist(), exact, strict=True))


def test_cosine_holds_after_its_end_or_goes_up_again() -> None:
    assert values("cosine:length=50")[50:] == pytest.approx(0)
    mirrored = values("cosine:length=50,after=mirror", 101)
    assert mirrored[50:] == pytest.approx(mirrored[50::-1])


def test_a_polynomial_takes_a_power_of_the_share_that_is_left() -> None:
    found = values("polynomial:power=3,initial=0.9,final=0.1", 4)
    assert found == pytest.approx([0.9, 0.1 + 0.8 * 0.75**3, 0.1 + 0.8 / 8, 0.1 + 0.8 / 64])


def test_restarts_by_cycles_end_at_the_final_value() -> None:
    found = values("cosine-restarts:cycles=3,length=90,final=0.1")
    assert found[[0, 30, 60]] == pytest.approx(1)
    assert found[90:] == pytest.approx(0.1)
    growing = values("cosine-restarts:cycles=2,growth=3,length=80")
    assert growing[[0, 20]] == pytest.approx(1)


def test_one_cycle_is_torchs_or_optaxs_with_half_cosines_or_lines() -> None:
    cosine = values("one-cycle")
    assert cosine[[0, 29, 99]] == pytest.approx([0.04, 1, 4e-6])
    lines = values("one-cycle:shape=linear,rise=0.25")
    assert np.diff(lines[:25]) == pytest.approx(0.96 / 24)
    optax = values("one-cycle:follow=optax,phases=3,shape=linear")
    assert optax[[0, 30, 85]] == pytest.approx([0.04, 1, 0.04])
    torch = values("one-cycle:phases=3")
    assert torch[[29, 58]] == pytest.approx([1, 0.04])


def test_a_run_within_the_warm_up_never_reaches_the_peak() -> None:
    assert values("cosine:warmup=200") == pytest.approx(np.arange(100) / 200)
    assert laid("cosine:warmup=50").multiplier(np.array([50.0, 60.0])).min() > 0.9


def test_a_run_within_the_first_segment_follows_it_as_far_as_it_goes() -> None:
    assert values("linear:initial=0,final=1,until=200") == pytest.approx(np.arange(100) / 200)
    assert values("constant:warmup=150,until=200")[99] == pytest.approx(99 / 150)


def test_a_length_within_the_warm_up_leaves_nothing_to_run_down() -> None:
    found = values("linear:warmup=20,length=10,final=0.2")
    assert found[:21] == pytest.approx(np.arange(21) / 20)
    assert found[21:] == pytest.approx(0.2)


def test_steps_take_a_factor_for_all_or_one_each() -> None:
    assert values("step:at=10/20,gamma=0.5/0.2")[[9, 10, 20]] == pytest.approx([1, 0.5, 0.1])
    assert values("step:every=10,gamma=0.5")[[9, 10, 20]] == pytest.approx([1, 0.5, 0.25])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("step", "step takes either at or every"),
        ("step:at=10,every=10", "step takes either at or every"),
        ("step:at=20/10", "boundaries that are not in order"),
        ("step:at=10/20,gamma=0.1/0.2/0.3", "2 boundaries but 3 gammas"),
        ("step:every=10,gamma=0.1/0.2", "step with every takes one gamma"),
        ("cosine-restarts", "takes either period or cycles"),
        ("cosine-restarts:period=10,cycles=2", "takes either period or cycles"),
        ("one-cycle:rise=0.001", "phases that overlap"),
        ("one-cycle:phases=3,rise=0.8", "phases that overlap"),
        ("cosine + linear", "needs an until"),
        ("cosine:until=50", "takes no until"),
        ("cosine:until=50 + linear:until=40 + constant", "it stops at 40, where it starts 50"),
        ("cosine:until=100 + linear", "it stops at 100, where it starts 100"),
    ],
)
def test_what_contradicts_itself_is_refused(text: str, message: str) -> None:
    with pytest.raises(ContradictionError, match=message):
        laid(text)


def test_what_has_no_default_must_be_given() -> None:
    message = "schedule exponential needs gamma: write exponential:gamma=NUMBER"
    with pytest.raises(ContradictionError, match=message):
        laid("exponential")
    with pytest.raises(ContradictionError, match="schedule file needs path: write file:PATH"):
        laid("file")


def test_segments_count_their_own_steps() -> None:
    found = values("constant:warmup=10,until=40 + cosine:final=0.1,until=70% + constant:value=0.1")
    assert found[:10] == pytest.approx(np.arange(10) / 10)
    assert found[10:40] == pytest.approx(1)
    assert found[40:70] == pytest.approx(values("cosine:final=0.1", 30))
    assert found[70:] == pytest.approx(0.1)
    schedule = laid("constant:warmup=10,until=40 + constant:value=0.1")
    assert schedule.knots() == (0, 10, 40)
    assert schedule.multiplier(np.array([1000.0])) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("cosine:length=200", "cosine: it is 200 steps long but cut off at step 100"),
        ("cosine:length=50", "cosine: it ends at step 50, before step 100"),
        ("cosine:warmup=150", "cosine: the warm-up of 150 steps is cut off at step 100"),
        ("step:at=50/150", "step: boundaries after step 100 have no effect: 150"),
    ],
)
def test_what_does_not_fit_the_run_is_noted(text: str, note: str) -> None:
    assert laid(text).notes() == (note,)
    assert laid("cosine:warmup=10").notes() == ()


def test_only_the_peak_lr_throughout_is_constant() -> None:
    assert laid("constant").is_constant
    assert laid("constant:until=50 + constant").is_constant
    assert not laid("constant:value=0.5").is_constant
    assert not laid("constant:warmup=1").is_constant
    assert not laid("cosine").is_constant


@pytest.mark.parametrize("steps", [0, 1.5, 2**60])
def test_a_run_has_a_whole_number_of_steps(steps: float) -> None:
    with pytest.raises(InvalidValueError, match="must be a whole number from 1 on"):
        Span(total_steps=steps)  # type: ignore[arg-type]


def test_an_epoch_has_steps_and_lengths_can_be_counted() -> None:
    with pytest.raises(InvalidValueError, match=r"steps_per_epoch 0\.0 must be positive"):
        laid("cosine", per_epoch=0)
    with pytest.raises(InvalidValueError, match=r"length '1e\+300' is more steps than can be"):
        laid("cosine:warmup=1e300")


@given(n=st.integers(1, 5000), warmup=st.integers(0, 100), final=st.floats(0, 1))
def test_multipliers_lie_between_final_and_peak(n: int, warmup: int, final: float) -> None:
    for kind in ("linear", "cosine", "polynomial", "wsd"):
        found = values(f"{kind}:warmup={warmup},final={final!r}", n)
        assert found.max(initial=0) <= 1 + 1e-12
        assert found[warmup:].min(initial=1) >= final * (1 - 1e-12)


def test_common_parameters_stand_beside_every_kind() -> None:
    names = {parameter.name for parameter in COMMON}
    for kind in KINDS:
        assert not names & {parameter.name for parameter in kind.parameters}


def timm_sum(text: str, epochs: int) -> float:
    """The sum of lr*wd at lr 1e-3 and decay 0.05, 50 steps an epoch."""
    schedule = parse_schedule(text, total_steps=50 * epochs, steps_per_epoch=50)
    return 5e-5 * math.fsum(schedule.multiplier(np.arange(50.0 * epochs)).tolist())


def test_a_warm_up_laid_over_a_cosine_is_timms() -> None:
    # 20 of 100 epochs from 1e-5; with warmup_prefix the 100 epochs come after them.
    laid_over = "cosine:warmup=20epochs,start=0.01,per=1epochs,over=run"
    assert timm_sum(laid_over, 100) == pytest.approx(0.10176, abs=5e-6)
    before = "cosine:warmup=20epochs,start=0.01,per=1epochs"
    assert timm_sum(before, 120) == pytest.approx(0.15026, abs=5e-6)


@pytest.mark.parametrize(
    "kind", ["linear", "cosine", "polynomial:power=2", "exponential:gamma=0.9"]
)
def test_over_the_run_a_shape_is_that_without_a_warm_up(kind: str) -> None:
    join = "," if ":" in kind else ":"
    plain, over = values(kind), values(f"{kind}{join}over=run,warmup=20")
    assert over[20:] == pytest.approx(plain[20:])
    assert over[:20] == pytest.approx(np.arange(20) / 20)


def test_a_warm_up_rises_to_what_it_is_told() -> None:
    plain, t = values("cosine"), np.arange(20)
    for toward, expected in (
        ("auto", t / 20),
        ("peak", t / 20),
        ("end", plain[20] * t / 20),
        ("current", plain[:20] * t / 20),
        ("product", plain[:20] * t / 20),
    ):
        found = values(f"cosine:over=run,warmup=20,toward={toward}")
        assert found[:20] == pytest.approx(expected), toward
    current = values("cosine:over=run,warmup=20,toward=current,start=0.5")[:20]
    assert current == pytest.approx(0.5 + (plain[:20] - 0.5) * t / 20)
    product = values("cosine:over=run,warmup=20,toward=product,start=0.5")[:20]
    assert product == pytest.approx(plain[:20] * (0.5 + 0.5 * t / 20))
    bare = values("one-cycle:warmup=20,toward=peak")[:20]
    assert bare == pytest.approx(t / 20)
    assert values("constant:value=0.5,warmup=20,toward=peak")[10] == pytest.approx(0.25)


def test_a_warm_up_may_change_more_often_than_the_schedule() -> None:
    found = values("linear:over=run,warmup=20,toward=current,per=10,warmup_per=1")
    held = np.floor(np.arange(100) / 10) * 10
    expected = 1 - held / 100
    expected[:20] *= np.arange(20) / 20
    assert found == pytest.approx(expected)


def test_a_curve_may_be_late_and_holds_its_first_value_until_then() -> None:
    text = "linear:warmup=20,start=0.1"
    late = values(f"{text},delay=3")
    assert late[:4].tolist() == [0.1] * 4
    assert late[3:].tolist() == values(text)[:-3].tolist()
    assert laid(f"{text},delay=3").knots() == (0, 23)
    second = values("constant:until=40 + linear:length=80,delay=10")
    assert second[40:51].tolist() == [1.0] * 11
    assert second[51:].tolist() == values("linear:length=80", 80)[1:50].tolist()


def test_a_logarithmic_warm_up_is_deepspeeds() -> None:
    found = values("constant:warmup=50,ramp=log")
    assert found[:50] == pytest.approx(np.log(np.arange(50) + 1) / math.log(50))
    assert values("constant:warmup=1,ramp=log")[0] == 0
    assert found[50:].tolist() == [1.0] * 50


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("constant_with_warmup:warmup=10", "constant:warmup=10"),
        ("constant_with_warmup:num_warmup_steps=10", "constant:warmup=10"),
        ("inverse_sqrt:warmup=10", "inverse-sqrt:warmup=10"),
        ("cosine_with_min_lr:min_lr_rate=0.1,warmup_steps=10", "cosine:final=0.1,warmup=10"),
        ("cosine_with_restarts", "cosine-restarts:cycles=1"),
        ("cosine_with_restarts:num_cycles=3", "cosine-restarts:cycles=3"),
        ("Warmup_Stable_Decay:warmup=10,final=0.1,num_decay_steps=30",
         "wsd:warmup=10,start=0.1,final=0.1,decay=30,shape=cosine"),
        ("warmup_stable_decay:warmup=10,min_lr_ratio=0.1,start=0,shape=linear",
         "wsd:warmup=10,final=0.1"),
        ("cosine_warmup_with_min_lr:warmup=10", "cosine:warmup=10,ramp=one,counts=one,toward=peak"),
    ],
)  # fmt: skip
def test_transformers_names_mean_what_they_mean_there(name: str, same: str) -> None:
    assert values(name) == pytest.approx(values(same))


def test_every_kind_has_what_builds_its_shape() -> None:
    assert [kind.name for kind in KINDS] == list(BUILDERS)
    with pytest.raises(AttributeError, match="has no attribute 'Shape'"):
        decaycalc.schedule.Shape  # noqa: B018


@pytest.mark.parametrize("name", ["min_lr", "eta_min", "lr_end"])
def test_an_lr_where_a_multiplier_stands_is_told_apart(name):
    with pytest.raises(UnknownNameError, match=f"write what it is of the peak, final={name}/lr"):
        parse_schedule(f"cosine:{name}=1e-5", total_steps=10)


@pytest.mark.parametrize(
    ("text", "n", "expected"),
    [
        ("wsd:decay=4", 6, [1, 1, 1, 0.75, 0.5, 0.25]),
        ("wsd:decay=4,shape=1-sqrt", 6, [1, 1, 1, 0.5, 1 - math.sqrt(0.5), 1 - math.sqrt(0.75)]),
        ("wsd:decay=2,shape=exponential", 4, [1, 1, 1, math.sqrt(2) - 1]),
        ("cosine", 4, [1, (2 + math.sqrt(2)) / 4, 0.5, (2 - math.sqrt(2)) / 4]),
        ("cosine:counts=one", 4, [(2 + math.sqrt(2)) / 4, 0.5, (2 - math.sqrt(2)) / 4, 0]),
        ("inverse-sqrt:timescale=1", 4, [1, math.sqrt(1 / 2), math.sqrt(1 / 3), 0.5]),
        ("step:every=1,gamma=0.5", 4, [1, 0.5, 0.25, 0.125]),
        ("cosine-restarts:period=1", 4, [1, 1, 1, 1]),
    ],
)
def test_shapes_are_their_formulas_step_by_step(text, n, expected):
    assert values(text, n) == pytest.approx(expected, abs=1e-15)
