"""Every record of the catalogue: well formed, found by its names, and true to its own rule."""

import ast
import re
from fractions import Fraction
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from decaycalc.algebra.quantity import QUANTITIES, Monomial
from decaycalc.conventions.catalogue import FAMILIES, common, conventions, family, find
from decaycalc.conventions.record import (
    ANY,
    FIT,
    Convention,
    Coupling,
    Equivalence,
    Follows,
    Invariant,
)
from decaycalc.conventions.run import Run
from decaycalc.conversion.convert import convert
from decaycalc.conversion.shrinks import shrink_of
from decaycalc.conversion.side import Side
from decaycalc.errors import InvalidValueError, UnknownNameError
from decaycalc.record import replace
from decaycalc.verification.rules.grammar import names_in
from decaycalc.verification.rules.rule import State, parse_rule
from tests.every_record import of_each

RECORDS = conventions()
CONVERTIBLE = tuple(record for record in RECORDS if record.refusal is None)
KEYS = """
mean-l2 mean-half-l2 sum-l2 sum-half-l2 batch-sum-l2 batch-sum-half-l2 per-example-half-l2
per-batch-half-l2 mean-over-weights-l2 layer-mean-l2 l2-norm
pytorch-sgd pytorch-adam pytorch-adamw pytorch-nadam pytorch-radam pytorch-adamax pytorch-rmsprop
pytorch-adagrad pytorch-adadelta pytorch-adafactor pytorch-asgd pytorch-muon pytorch-adam-decoupled
keras-l2 keras-sgd keras-adam keras-adamw keras-lion keras-muon tf-l2-loss tf-slim-l2 tfa-adamw
tfa-sgdw tfa-lamb
optax-adamw optax-sgd optax-decay-after-lr optax-lion optax-adafactor optax-lamb optax-l2-loss
big-vision
sklearn-mlp-sgd sklearn-mlp-adam sklearn-mlp-lbfgs sklearn-sgd sklearn-logistic sklearn-linear-svc
sklearn-svc sklearn-ridge sklearn-elastic-net statsmodels glmnet-gaussian glmnet-binomial
spark-linear spark-logistic liblinear libsvm vw-sgd vw-bfgs xgboost-gblinear xgboost-gbtree lightgbm
hf-trainer hf-adafactor timm-adamw timm-sgd timm-lamb timm-adan timm-corrected fastai lion-pytorch
bitsandbytes-adam bitsandbytes-sgd composer-adamw composer-sgdw optimi-decoupled
pytorch-optimizer-fixed torch-optimizer-sgdw fairseq-adam apex-fused-adam deepspeed-adam
megatron-adam nanogpt muon-keller mmengine yolov5
paddle-sgd paddle-momentum paddle-adam paddle-adamw paddle-l2decay mxnet-sgd mxnet-adam
mxnet-adadelta mxnet-adamw chainer-weight-decay chainer-adamw mlx-sgd mlx-adamw mlx-muon
tinygrad-sgd tinygrad-adamw flux-weight-decay flux-adamw-coupled flux-adamw-uncoupled
caffe darknet cuda-convnet matconvnet torch7-sgd theano-l2 lasagne-l2
adamw-paper sgdw-paper adamw-normalized ema-timescale-steps ema-timescale-epochs ema-timescale-run
intrinsic-lr half-life-steps half-life-epochs per-step-factor per-step-shrink per-epoch-factor
per-run-factor prior-precision prior-std gal-dropout
""".split()  # noqa: SIM905 - forty keys a screen read better than four
"""The keys that the design fixes."""

rule_of = cache(parse_rule)

LR, N_WEIGHTS, N_LAYERS, LAYER_WEIGHTS = Fraction(1, 100), 12, 3, 4
EXTRAS = (
    ("target_std", "2.5"),
    ("n_leaf", "7"),
    ("keep_probability", "0.9"),
    ("length_scale", "0.1"),
    ("l1_ratio", "0.3"),
    ("nbs", "64"),
    ("wd_ratio", "0.1"),
    ("eta", "0.8"),
    ("lambd", "0.0001"),
)
FULL = {
    "lr": LR,
    "batch_size": 32,
    "dataset_size": 960,
    "steps": 90,
    "n_weights": N_WEIGHTS,
    "n_layers": N_LAYERS,
    "momentum": 0,
}


def side_of(record, **changes):
    """Return the record in a run where every quantity is known, without momentum."""
    optional = {name for name, _ in record.refinements}
    extras = tuple(pair for pair in EXTRAS if pair[0] not in optional)
    run = Run(**{**FULL, **changes}, extras=extras)
    return Side(convention=record, run=run, layer=Fraction(LAYER_WEIGHTS))


def value_of(record):
    """Return a number that the record's parameter may have."""
    special = {"sigma": 2, "factor": Fraction(9, 10), "half_life": 50, "timescale": 70, "C": 3}
    return Fraction(special.get(record.parameter, Fraction(1, 8)))


def names_of(side, rule, value):
    """Return what the rule's names stand for on a side."""
    record = side.convention
    scale = side.loss_scale.evaluate({name: side.get(name) for name in side.loss_scale.names})
    names = {"lr": float(LR), "lr_peak": float(LR), "loss_scale": float(scale)}
    known = {name: side.get(name) for name in rule.quantities if name != record.parameter}
    names |= {name: float(quantity) for name, quantity in known.items() if quantity is not None}
    return {**names, record.parameter: float(value)}


def waiting_steps(update):
    """Return how many steps a rule lets pass before its first decay; some only fill a state."""
    waits = re.search(r"t > (\d+)", update)
    return int(waits[1]) if waits else 0


def rule_shrink(record):
    """Return the share of a weight that a step of the record's rule removes without gradient."""
    side, rule = side_of(record), rule_of(record.update)
    names, w = names_of(side, rule, value_of(record)), np.linspace(-2, 3, N_WEIGHTS).reshape(4, 3)
    state, after = State(), w
    for _ in range(waiting_steps(record.update) + 1):
        before, after = after, rule.step(state, after, 0 * w, names=names)
    shares = 1 - after / before
    assert np.ptp(shares) <= 1e-12
    return float(np.mean(shares))


def rule_strength(record):
    """Return the strength of an objective's rule: the penalty's gradient beside the mean loss's."""
    side, rule = side_of(record), rule_of(record.update)
    names, w = names_of(side, rule, value_of(record)), np.linspace(-2, 3, N_WEIGHTS)
    penalty = rule.descent(w, 0 * w, names=names) / w
    data = rule.descent(0 * w, np.full_like(w, names["loss_scale"]), names=names)
    assert np.ptp(penalty) <= 1e-12
    return float(np.mean(penalty) / np.mean(data))


def penalises(record, strength):
    """Return whether the rule with its number is the rule without it, fed `g + strength*w`."""
    side, rule = side_of(record), rule_of(record.update)
    names, states = names_of(side, rule, value_of(record)), (State(), State())
    w, noise = np.linspace(-2, 3, N_WEIGHTS).reshape(4, 3), np.random.default_rng(0)
    # DCASGD squares the data's gradient alone, which its first step does not yet use.
    for _ in range(1 if record.variant == "dcasgd" else 3):
        g = noise.normal(size=w.shape)
        penalty = strength * names["loss_scale"] * w
        one = rule.step(states[0], w, g, names=names)
        other = rule.step(states[1], w, g + penalty, names={**names, record.parameter: 0.0})
        if np.abs(one - other).max() > 1e-12:
            return False
        w = one
    return True


def record_strength(record):
    """Return the strength by the record's monomial."""
    side = side_of(record)
    monomial = side.invariant(Invariant.STRENGTH)
    names = {name: side.get(name) for name in monomial.names}
    return float(monomial.evaluate({**names, "value": value_of(record)}))


def record_shrink(record):
    """Return the exact shrink by the record's monomial or form."""
    side = side_of(record)
    return float(side.exact_shrink(shrink_of(side, value_of(record))))


def is_true_to_its_rule(record):
    """Return whether monomial and rule, each written for itself, say the same."""
    if record.update.startswith("minimise "):
        return record_strength(record) == pytest.approx(rule_strength(record), rel=1e-12)
    if record.strength is not None:
        return penalises(record, record_strength(record))
    return record_shrink(record) == pytest.approx(rule_shrink(record), rel=1e-9)


def test_there_are_at_least_590_records():
    assert len(RECORDS) >= 590


def test_every_fixed_key_is_there():
    assert [key for key in KEYS if key not in {record.key for record in RECORDS}] == []


def test_no_two_records_share_a_name():
    names = [name for record in RECORDS for name in (record.key, *record.aliases)]
    assert sorted(names) == sorted(set(names))


def test_the_common_conventions_are_about_fifteen():
    assert 15 <= sum(record.common for record in RECORDS) <= 18


def test_the_conventions_come_family_by_family():
    assert tuple(record for name in FAMILIES for record in family(name)) == RECORDS


@of_each(RECORDS)
def test_a_record_is_well_formed_and_says_how_it_is_verified(record):
    names = (record.key, *record.aliases)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) for name in names)
    assert re.fullmatch(r"[A-Za-z]\w*", record.parameter)
    for text in (record.title, record.source, record.trap or "", record.exempt, record.update):
        assert "\n" not in text
        assert not text.endswith(".")
    assert len(record.trap or "") <= 130
    assert record.default is None or record.default == "none" or float(record.default) >= 0
    pattern = r"executed: \S+ \S+|literal step: .+|algebra: .+"
    assert re.fullmatch(pattern, record.verification), record.verification


@of_each(RECORDS)
def test_a_record_is_found_by_each_of_its_names(record):
    for name in (record.key, *record.aliases):
        assert find(name) is record
        assert find(f" {name.upper().replace('-', '_')} ") is record


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(UnknownNameError, match="pytorch-sgd"):
        find("pytorch-sdg")


def test_an_own_record_comes_before_the_catalogue():
    own = replace(find("pytorch-sgd"), title="mine")
    assert find("pytorch-sgd", extra=(own,)) is own


@of_each(RECORDS)
def test_a_rule_reads_its_parameter_and_known_quantities_only_and_runs(record):
    quantities = rule_of(record.update).quantities
    assert record.parameter in quantities
    assert quantities - {record.parameter} <= set(QUANTITIES)
    side, rule = side_of(record, momentum="0.5"), rule_of(record.update)
    names, w, state = names_of(side, rule, value_of(record)), np.full((4, 3), 1.5), State()
    for _ in range(3):
        w = rule.step(state, w, 0 * w, names=names)
    assert np.all(np.isfinite(w))


@of_each([record for record in CONVERTIBLE if not record.estimate])
def test_a_record_agrees_with_its_own_update_rule(record):
    assert is_true_to_its_rule(record)


CAUTIOUS = [record for record in CONVERTIBLE if ">= 0" in record.update]


@of_each(CAUTIOUS)
def test_a_cautious_decay_is_an_estimate_below_half_of_its_rule(record):
    assert record.estimate
    assert 0.36 < record_shrink(record) / rule_shrink(record) < 0.5


def test_no_cautious_record_converts_as_a_plain_one():
    for record in CAUTIOUS:
        answer = convert("0.1", source=record.key, target="per-step-shrink", run=Run(lr=LR))
        assert answer.equivalence == Equivalence.ESTIMATE
        assert "an estimate" in answer.note


STEPPED = [r for r in CONVERTIBLE if r.strength and r.has_shrink and r.optimizer != FIT]


@of_each(STEPPED)
def test_a_penalty_under_plain_descent_removes_what_the_bridge_says(record):
    assert rule_shrink(record) == pytest.approx(record_shrink(record), rel=1e-9)


@of_each([r for r in CONVERTIBLE if r.monomial])
def test_a_constant_wrong_by_a_factor_of_two_is_caught(record):
    field = "strength" if record.strength else "shrink"
    for factor in (2, Fraction(1, 2)):
        wrong = replace(record, **{field: record.monomial * Monomial.of(factor)})
        assert not is_true_to_its_rule(wrong)


def decays(record, *, lr):
    """Return the share that a step at some lr removes, by the record's rule."""
    side, rule = side_of(record), rule_of(record.update)
    names, w = names_of(side, rule, value_of(record)), np.ones((4, 3))
    state = State()
    for _ in range(waiting_steps(record.update) + 1):
        before, w = w, rule.step(state, w, 0 * w, names={**names, "lr": lr})
    return 1 - float(np.mean(w / before))


@of_each([r for r in CONVERTIBLE if r.shrink])
def test_a_decay_follows_the_schedule_as_the_record_says(record):
    exactly = not (record.proximal or record.compounds)
    at_peak, at_half = (decays(record, lr=float(LR) * x) for x in (1, 0.5))
    ratio = {
        Follows.LR: 0.5,
        Follows.MULTIPLIER: 0.5,
        Follows.CONSTANT: 1.0,
        Follows.LR_SQUARED: 0.25,
    }[record.follows]
    if record.coupling == Coupling.MEASURE:
        ratio = 1.0  # a measure is of one step at peak lr
    assert at_half / at_peak == pytest.approx(ratio, rel=1e-9 if exactly else 1e-2)


ADAPTIVE = [r for r in CONVERTIBLE if r.is_adaptive and "unmodelled" not in r.update]


def steps_without_decay(record):
    """Return where five noisy steps lead when the record's number is 0."""
    # What users choose themselves makes no other algorithm.
    update = re.sub(r", (rho|beta2|initial_accumulator)=[0-9.]+", "", record.update)
    update = re.sub(r"(eps|eps_root)=1e-\d+", r"\1=1e-12", update)
    side, rule = side_of(record), rule_of(update)
    noise, state = np.random.default_rng(1), State()
    names = {**names_of(side, rule, Fraction(0)), "eta": 1.0, "eps": 1e-12}
    w = np.linspace(1, 2, 12).reshape(4, 3)
    for _ in range(5):
        w = rule.step(state, w, noise.normal(size=w.shape), names=names)
    return w


@pytest.mark.parametrize("name", sorted({record.optimizer for record in ADAPTIVE}))
def test_one_optimizer_name_is_one_algorithm(name):
    paths = [steps_without_decay(record) for record in ADAPTIVE if record.optimizer == name]
    for one, other in pairwise(paths):
        assert np.abs(one - other).max() <= 1e-5


def test_what_is_not_modelled_shares_its_name_within_one_package_only():
    hidden = [r for r in CONVERTIBLE if r.is_adaptive and "unmodelled" in r.update]
    packages = {(r.optimizer, r.key.split("-")[0]) for r in hidden}
    assert len(packages) == len({name for name, _ in packages})


def blocks_of(rule):
    """Return the names of the functions that a rule calls."""
    calls = (node for node in ast.walk(ast.parse(rule)) if isinstance(node, ast.Call))
    return {node.func.id for node in calls if isinstance(node.func, ast.Name)}


SGD_LIKE = [r for r in RECORDS if r.optimizer == "sgd" and r.refusal is None]


@of_each(SGD_LIKE)
def test_the_buffer_of_an_sgd_record_is_that_of_its_rule(record):
    if record.variant or not record.has_momentum:
        return
    expected = {"outside": "heavy_ball", "dampened": "heavy_ball_dampened", "inside": "velocity"}
    assert blocks_of(record.update) == {expected[record.buffer]}


def test_an_objective_takes_whatever_optimizer_its_partner_has():
    for record in (r for r in RECORDS if r.optimizer == ANY and r.refusal is None):
        assert record.coupling == Coupling.COUPLED
        assert record.update.startswith("minimise ")


# A record checks itself when it is made.

SOUND = {
    "key": "own",
    "title": "own",
    "group": "own",
    "parameter": "wd",
    "source": "here",
    "update": "w = w*(1 - wd)",
    "trap": None,
}
WD = Monomial.of(1, value=1)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "one of strength, shrink, form and refusal"),
        ({"strength": WD, "shrink": WD}, "one of strength, shrink, form and refusal"),
        ({"shrink": WD, "source": ""}, "source '' must say something"),
        ({"shrink": Monomial.of(1, lr=1)}, "must depend on its own value"),
        ({"shrink": Monomial.of(1, value=1, nonsense=1)}, "'nonsense' is unknown"),
        ({"shrink": WD, "refinements": (("nonsense", WD),)}, "'nonsense' is unknown"),
        ({"shrink": WD, "defaults": (("nonsense", "1"),)}, "'nonsense' is unknown"),
    ],
)
def test_a_contradictory_record_cannot_be_made(fields, message):
    with pytest.raises(InvalidValueError, match=message):
        Convention(**{**SOUND, **fields})


def test_the_names_that_a_rule_reads_are_those_of_its_expressions():
    tree = ast.parse("w - lr*wd", mode="eval").body
    assert set(names_in(tree)) >= {"w", "lr", "wd"}


@pytest.mark.parametrize(
    ("name", "first"), [("sgd", "pytorch-sgd"), ("Adam", "pytorch-adam"), ("l2", "mean-l2")]
)
def test_a_bare_name_suggests_the_frameworks_that_have_it(name, first):
    with pytest.raises(UnknownNameError) as caught:
        find(name)
    assert caught.value.suggestions[0] == first


def test_the_common_conventions_are_those_that_say_so():
    assert common() == tuple(record for record in conventions() if record.common)
