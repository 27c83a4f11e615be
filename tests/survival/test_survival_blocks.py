"""Sums over blocks of steps from a few of them, and the smooth pieces of schedules."""

import math
from itertools import pairwise

import numpy as np
import pytest

from decaycalc.schedule import KINDS, parse_schedule
from decaycalc.schedule.pieces import cut_pieces
from decaycalc.survival.blocks import NONE, SHORT, Stretches, join, sum_stretches
from decaycalc.survival.gram import LEAST_POWER, TERMS, block

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


@pytest.mark.parametrize("power", [LEAST_POWER, LEAST_POWER + 3])
def test_blocks_know_every_polynomial_of_their_terms(power):
    rules, n = block(power), 1 << power
    steps = np.arange(n)
    for degree in range(TERMS - 1):
        values = ((steps + 1) / n) ** degree
        at_nodes = values[rules.nodes.astype(int)]
        series = at_nodes @ rules.series
        assert series[0] * n == pytest.approx(math.fsum(values), rel=1e-14)
        assert rules.evaluate(series, steps) == pytest.approx(values, abs=1e-12)
        later = np.append(np.cumsum(values[::-1])[::-1][1:], 0)
        assert at_nodes @ rules.later == pytest.approx(
            later[rules.nodes.astype(int)], abs=1e-12 * n
        )
        change = np.append(np.diff(values), (1 + 1 / n) ** degree - 1)
        found = series @ rules.differences
        assert found == pytest.approx(change[rules.nodes.astype(int)], abs=1e-10 / n * TERMS)
        others = series @ rules.at_others
        assert others == pytest.approx(values[rules.others.astype(int)], abs=1e-12)


@pytest.mark.parametrize("power", [20, 40, 52])
def test_differences_in_long_blocks_keep_their_digits(power):
    rules, n = block(power), 2.0**power
    series = np.sin(rules.nodes / n) @ rules.series
    found = series @ rules.differences
    assert found == pytest.approx(np.cos(rules.nodes / n) / n, rel=1e-6)
    found = series @ rules.differences_at_others
    assert found == pytest.approx(np.cos(rules.others / n) / n, rel=1e-6)


FUNCTIONS = {
    "smooth": lambda t: np.log1p(-0.3 * np.cos(t / 30_000) ** 2),
    "zero": np.zeros_like,
    "constant": lambda t: np.full_like(t, 0.1),
    "square root": np.sqrt,
    "steep at first": lambda t: 0.1**t,
    "steep at last": lambda t: 0.1 ** (29_999 - t),
    "kinked": lambda t: np.maximum(t, 12_345.5),
    "rough": lambda t: np.sin(t * t),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_sums_of_functions_are_those_step_by_step(name):
    function = FUNCTIONS[name]
    cuts = np.array([0, 1, 2, 300, 8000, 8513, 30_000])
    found = sum_stretches(function, Stretches.between(cuts), len(cuts) - 1)
    each = function(np.arange(30_000.0))
    exact = [math.fsum(each[start:stop]) for start, stop in pairwise(cuts)]
    assert found == pytest.approx(exact, rel=1e-14, abs=1e-14)


def test_blocks_and_rests_make_the_stretches():
    cuts = np.array([0, 5, 5 + SHORT, 77_777, 80_000])
    stretches = Stretches.between(cuts)
    parts = join(*(stretches.blocks(power) for power in stretches.powers()), stretches.rests())
    order = np.argsort(parts.starts)
    ends = (parts.starts + parts.lengths)[order]
    assert parts.starts[order].tolist() == [0, *ends[:-1]]
    assert np.bincount(parts.places, weights=parts.lengths).tolist() == np.diff(cuts).tolist()
    assert not list(NONE.powers())


def is_monotone(values):
    """Whether the values only rise or only fall, but for rounding."""
    change = np.diff(values)
    return min(change.max(initial=0), -change.min(initial=0)) <= 1e-14


@pytest.mark.parametrize("text", TEXTS)
def test_between_kinks_schedules_are_monotone_and_known_from_few_steps(text, curve_path):
    n = 15_013
    schedule = laid(text, n, curve_path)
    cuts = cut_pieces(schedule, most=1000)
    assert (cuts[0], cuts[-1]) == (0, n)
    each = schedule.multiplier(np.arange(n))
    seen = 0

    def count(steps):
        nonlocal seen
        seen += steps.size
        return schedule.multiplier(steps)

    for start, stop in pairwise(cuts):
        assert is_monotone(each[start:stop])
    found = sum_stretches(count, Stretches.between(cuts), len(cuts) - 1)
    exact = [math.fsum(each[start:stop]) for start, stop in pairwise(cuts)]
    assert found == pytest.approx(exact, rel=1e-14, abs=1e-15)
    assert seen < n


def test_too_many_pieces_are_none():
    run = parse_schedule("step:every=10", total_steps=1000)
    assert cut_pieces(run, most=99) is None
    assert len(cut_pieces(run, most=100)) == 101
    assert cut_pieces(parse_schedule("cosine:per=10", total_steps=1000), most=9) is None


def test_kinks_between_two_steps_cut_out_the_steps_around_them():
    run = parse_schedule("one-cycle:rise=0.333", total_steps=1000)
    assert cut_pieces(run, most=9).tolist() == [0, 332, 999, 1000]
    run = parse_schedule("one-cycle:rise=0.3335", total_steps=1000)
    assert cut_pieces(run, most=9).tolist() == [0, 332, 333, 999, 1000]
