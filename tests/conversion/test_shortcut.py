from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decaycalc.conventions.catalogue import conventions, find
from decaycalc.conventions.run import Run
from decaycalc.conversion import kept_plans
from decaycalc.conversion.kept_plans import kept_plan, kept_side
from decaycalc.conversion.momentum import calm_limit, is_oscillating
from decaycalc.conversion.shortcut import NoShortcutError, Term, shortcut, size_of, usual_ratio
from decaycalc.errors import DecaycalcError, NoEquivalentError
from tests.every_record import of_each

NAMES = ("lr", "momentum", "batch_size", "dataset_size", "epochs")
SETTING = {
    "lr": "0.1",
    "momentum": "0.9",
    "batch_size": "128",
    "dataset_size": "50000",
    "epochs": "9",
}


def made(source, target, **setting):
    """Return a plan, the shortcut of it and the ratios of its setting."""
    way = kept_plan(find(source), find(target), run=Run(**setting))
    places = {name: place for place, name in enumerate(setting)}
    return way, shortcut([way], places), [usual_ratio(text) for text in setting.values()]


@of_each(record.key for record in conventions())
def test_a_shortcut_gives_the_plan_s_own_number(target):
    for source in ("pytorch-sgd", "pytorch-adamw", "keras-l2", "sum-l2"):
        for setting in (SETTING, {"lr": "3e-4", "grad_accum": "2", "batch_size": "96"}):
            try:
                way, short, ratios = made(source, target, **setting)
            except (DecaycalcError, NoShortcutError):
                continue
            if way.missing():
                continue
            for text in ("1e-4", "2/3", "0.012345678901234567"):
                numbers = short.numbers(usual_ratio(text), ratios)
                if numbers is not None:
                    assert numbers[0] == float(way.value(Fraction(text)))
                    assert way.target_lr() is None or numbers[1] == way.target_lr()


@pytest.mark.parametrize(
    ("source", "target", "setting"),
    [
        ("pytorch-adamw", "half-life-steps", SETTING),
        ("half-life-steps", "pytorch-adamw", SETTING),
        ("half-life-steps", "half-life-steps", SETTING),
        ("pytorch-adamw", "adamw-normalized", SETTING),
        ("mean-l2", "prior-std", SETTING),
        ("pytorch-sgd", "keras-l2", {**SETTING, "steps": "3519"}),
        ("pytorch-adamw", "ema-timescale-run", SETTING),
        ("mean-l2", "layer-mean-l2", {}),
        # The target's buffer: its decay is the source's to first order alone.
        ("per-step-shrink", "pytorch-sgd", {"lr": "0.1", "momentum": "0.9", "dampening": "0"}),
    ],
)
def test_what_is_not_one_quotient_has_no_shortcut(source, target, setting):
    with pytest.raises(NoShortcutError):
        made(source, target, **setting)


def test_a_framework_s_own_momentum_has_no_shortcut():
    with pytest.raises(NoShortcutError):
        made("timm-sgdp", "per-step-shrink", lr="0.1")
    with pytest.raises(NoShortcutError):
        made("torch7-sgd", "per-step-shrink", lr="0.1", momentum="0.9")


def test_coefficients_beyond_all_measure_have_no_shortcut():
    way = kept_plan(find("mean-over-weights-l2"), find("mean-l2"), run=Run(n_weights=10**100))
    with pytest.raises(NoShortcutError):
        shortcut([way], {})


@pytest.mark.parametrize(
    ("value", "changes"),
    [
        ("0", {}),
        ("1e-4", {"momentum": "0.99999999999999999"}),
        ("1e-4", {"batch_size": "50001"}),
        ("9", {}),
    ],
)
def test_what_there_is_more_to_say_of_is_left_to_the_plan(value, changes):
    _, short, ratios = made("pytorch-sgd", "keras-l2", **SETTING)
    assert short.numbers(usual_ratio("1e-4"), ratios) == [5e-05]
    ratios = [usual_ratio({**SETTING, **changes}[name]) for name in SETTING]
    assert short.numbers(usual_ratio(value), ratios) is None


def test_a_broken_count_and_a_number_beyond_float64_are_left_to_the_plan():
    _, short, _ = made("mean-l2", "keras-l2", grad_accum="2")
    assert short.numbers((1, 1), [(5, 2)]) is None
    _, short, _ = made("mean-l2", "sum-l2", dataset_size="10")
    assert short.numbers((10**200, 1), [(10**200, 1)]) is None
    assert short.numbers((1, 10**200), [(1, 10**100)]) is None


def test_a_term_is_a_product_of_powers():
    term = Term(top=3, bottom=1, power=0, factors=((0, 2, False), (1, -2, False), (1, 1, True)))
    assert term.at((1, 1), [(3, 1), (1, 2)]) == 3 * 9 * 4 / 2
    with pytest.raises(ZeroDivisionError):
        term.at((1, 1), [(3, 1), (0, 2)])


@given(st.floats(0.01, 0.999), st.integers(0, 2))
def test_a_calm_decay_is_below_the_threshold_of_oscillation(momentum, lookahead):
    step = calm_limit(momentum, lookahead) * (1 - momentum)
    settings = {"momentum": momentum, "lookahead": lookahead}
    assert not is_oscillating(step * 0.9999, **settings)
    assert is_oscillating(step * 1.0001, **settings)


def test_a_fraction_of_what_is_no_decimal_is_left_to_the_exact_reader():
    assert [usual_ratio(text) for text in ("1/x", "x/2", "1/0", "3/-2")] == [None] * 4


@pytest.mark.parametrize(
    ("text", "size"), [("0", 0), ("0.0", 0), ("1", 1), ("1.0", 1), ("3/3", 1), ("0.3", 2)]
)
def test_a_plan_sees_of_a_number_whether_it_is_0_or_1(text, size):
    assert size_of(usual_ratio(text)) == size


def test_plans_and_sides_are_kept_within_bounds_and_refused_ones_too(monkeypatch):
    monkeypatch.setattr(kept_plans, "_MOST", 2)
    kept_plans._KEPT.clear()
    kept_plans._SIDES.clear()
    sgd, adam = find("pytorch-sgd"), find("pytorch-adam")
    for n in range(5):
        run = Run(
            lr=n + 2, **({"momentum": 0.5} if n % 2 else {}), **({"steps": 9} if n > 2 else {})
        )
        assert kept_plan(sgd, find("keras-l2"), run=run).value(Fraction(2)) == 1
        assert kept_side(sgd, run).run is run
        for _ in range(2):
            with pytest.raises(NoEquivalentError, match="adds the penalty to the gradient"):
                kept_plan(adam, find("pytorch-adamw"), run=run)
    assert len(kept_plans._KEPT) <= 2
    assert len(kept_plans._SIDES) <= 2
