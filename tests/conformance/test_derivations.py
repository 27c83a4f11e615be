"""Derivations of every pair of kinds of conventions; a LaTeX renderer reads their formulas."""

import re
from fractions import Fraction
from functools import cache

import pytest

from decaycalc.conventions.catalogue import conventions
from decaycalc.conventions.run import Run
from decaycalc.conversion.convert import apply
from decaycalc.conversion.plan import Match, plan, target_side
from decaycalc.conversion.side import Side
from decaycalc.errors import DecaycalcError
from decaycalc.explanation.conversion import explain

RUN = Run(
    lr="0.01", momentum="0.9", batch_size=100, dataset_size=60000, epochs=10, n_weights=1000,
    n_layers=3,
    extras=(
        ("target_std", 2), ("keep_probability", "0.9"), ("length_scale", "0.1"), ("n_leaf", 100),
        ("l1_ratio", "0.25"), ("gradient_rms", "0.1"), ("lr_initial", "0.01"), ("lr_max", "0.01"),
    ),
)  # fmt: skip
VALUES = {"factor": "0.5", "half_life": "50", "timescale": "50", "C": "100", "sigma": "0.1"}


UPRIGHT = re.compile(r"\\mathrm\{((?:[^{}]|\{-\})*)\}")
NUMBER = re.compile(r"\d+(?:\.\d+)?")


@cache
def parses(latex):
    """Return whether matplotlib's mathtext reads the formula."""
    mathtext = pytest.importorskip("matplotlib.mathtext")
    return mathtext.MathTextParser("path").parse(f"${latex}$") is not None


def parts(latex):
    """Return a formula without its names and numbers, and each name: what there is to be read."""
    skeleton = NUMBER.sub("1", UPRIGHT.sub(r"\\mathrm{x}", latex))
    return {skeleton, *(rf"\mathrm{{{name}}}" for name in UPRIGHT.findall(latex))}


def nature(record):
    """Return what a derivation depends on: one convention of each kind stands for all."""
    return (
        repr(record.monomial), record.invariant, record.form, record.coupling, record.is_adaptive,
        record.optimizer in {"fit", "measure"}, record.proximal, record.compounds, record.loss,
        record.loss_unit, record.has_momentum,
    )  # fmt: skip


KINDS = tuple({nature(record): record for record in conventions() if not record.refusal}.values())


@pytest.mark.parametrize("source", conventions(), ids=lambda record: record.key)
def test_the_last_step_of_every_derivation_gives_the_conversion(source):
    targets = KINDS if source in KINDS else KINDS[::10]
    for target in targets:
        check(source, target, Match.OPTIMUM)
    for target in KINDS[::10]:
        check(source, target, Match.DECAY)


def check(source, target, match):
    side = Side(convention=source, run=RUN)
    value = Fraction(VALUES.get(source.parameter, "0.001"))
    try:
        way = plan(side, target_side(side, target), match=match)
        conversion = apply(way, value, layers=(("fc1", 100),))
    except DecaycalcError:
        return
    explanation = explain(way, value, layers=conversion.layers)
    last = explanation.steps[-1]
    assert last.result == conversion.value
    assert last.filled or conversion.layers
    assert all(parses(part) for step in explanation.steps for part in parts(step.latex))
