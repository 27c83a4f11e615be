"""Records against what their own frameworks left of a weight, and what `executed` rests on."""

import importlib.util
import json
import re
import sys
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest

from decaycalc.conventions.catalogue import conventions, find
from decaycalc.conventions.run import Run
from decaycalc.conversion.convert import convert
from decaycalc.verification.rules.rule import State, parse_rule

FOLDER = Path(__file__).parents[1] / "conformance"
MEASURED = json.loads((FOLDER / "measured.json").read_text())
TOLERANCE = 1e-6  # relative to the largest weight: they were measured in float32


ALONG = {"w_after": 0.0, "driven": 1.0}
"""What is measured beside the gradient, and along it."""
NOISE = np.random.default_rng(3).normal(size=(3, 4, 3))  # as measure.py draws it
DRIVEN = 1e-4  # directions are rounded more than decays
LOOSE = {
    ("tfa-yogi", "w_after"): 1e-5,  # its first denominators are small
    ("muon-keller", "driven"): 0.03,  # orthogonalised in bfloat16
}
HELD = {("prodigy-plus", "w_after"): 1}  # then its average of two sequences moves
DRIFTS = {("deepspeed-lion", "w_after")}  # its sign of 0 is 1
STEPS = {
    "levanter-adamh": "n = norm(w); u = adam(g, beta2=0.95); "
    "w = w - learning_rate*n*(u/norm(u) if norm(u) > 0 else 0); w = w*n/norm(w)",
}
"""What an optimizer does whose record's rule is the decay that its step stands for."""
RULED = [
    (key, way)
    for key, case in MEASURED.items()
    for way in ALONG
    if way in case and "by_hand" not in case and (key, way) not in DRIFTS
]
TUNERS = {"optax-mechanize"}  # the number is in how far they go, not in where
APART = [key for key, case in MEASURED.items() if "apart" in case and key not in TUNERS]
OWN_SCALE = r"^d = [^;]*; "  # which a case names
PENALTIES = [key for key, case in MEASURED.items() if "by_hand" in case]


@pytest.mark.parametrize(("key", "way"), RULED)
def test_a_records_rule_leaves_what_its_framework_left(key, way):
    case, record = MEASURED[key], find(key)
    text = STEPS.get(key, record.update)
    if "d" in case.get("names", {}):
        text = text.replace("1e-6", str(case["names"]["d"]))  # as it was constructed
    rule, state, w = parse_rule(text), State(), np.array(case["w0"])
    names = {
        "lr": case["lr"], "lr_peak": case["lr"], "loss_scale": 1.0, "grad_accum": 3,
        **{name: float(value) for name, value in record.defaults}, **case.get("names", {}),
    }  # fmt: skip
    for step, measured in enumerate(case[way][: HELD.get((key, way))]):
        g = ALONG[way] * np.resize(NOISE[step], w.shape)
        w = rule.step(state, w, g, names={**names, record.parameter: case["value"]})
        bound = LOOSE.get((key, way), DRIVEN if ALONG[way] else TOLERANCE)
        assert np.abs(w - measured).max() <= bound * np.abs(w).max()


def stepped(rule, state, w, g, names, **changed):
    """Return the weights after a step, the state as it was."""
    return rule.step(deepcopy(state), w, g + 0 * w, names={**names, **changed})


def direction(rule, state, w, moved, names):
    """Return the g along which a rule whose number is 0 moves the weights there: it is linear."""
    if "norm(u)" in rule.text:
        return np.sign(NOISE[0])  # as far as its first step goes
    still, along = (stepped(rule, state, w, g, names) for g in (0, 1))
    return (still - moved) / (still - along)


@pytest.mark.parametrize("key", APART)
def test_what_a_number_takes_off_beside_a_direction_is_the_rules(key):
    case, record = MEASURED[key], find(key)
    names = {"lr": case["lr"], "lr_peak": case["lr"], "multiplier": 1.0}
    names |= {name: float(value) for name, value in record.defaults} | case.get("names", {})
    text = re.sub(OWN_SCALE, "", record.update).replace("unmodelled(g)", "g")
    rule, state = parse_rule(text), State()
    inside, outside = map(np.array, case["apart"])
    without, within = {**names, record.parameter: 0.0}, {**names, record.parameter: case["value"]}
    for w, moved in zip([np.array(case["w0"]), *outside], outside, strict=False):
        g = direction(rule, state, w, moved, without)
        found = rule.step(state, w, g, names=within)
    taken = np.abs(found - moved).max()
    bound = min(2e-6, 0.1 * taken) if taken else 2e-6
    assert np.abs(found - inside[-1]).max() <= bound


@pytest.mark.parametrize("key", TUNERS)
def test_a_number_that_tunes_the_scale_leaves_the_direction(key):
    w = np.array(MEASURED[key]["w0"])
    inside, outside = (np.array(path[-1]) - w for path in MEASURED[key]["apart"])
    ratio = np.vdot(inside, outside) / np.vdot(outside, outside)
    assert ratio != pytest.approx(1, abs=3e-4)
    assert inside == pytest.approx(ratio * outside, abs=1e-4 * np.abs(outside).max())


@pytest.mark.parametrize(("key", "way"), DRIFTS)
def test_a_sign_of_zero_that_is_one_moves_a_weight_by_lr_beside_the_decay(key, way):
    case = MEASURED[key]
    drift = np.array(case[way][0]) - (1 - case["lr"] * case["value"]) * np.array(case["w0"])
    assert drift == pytest.approx(-case["lr"] * np.ones_like(drift), rel=1e-4)
    assert "its sign of 0 is not 0" in find(key).trap


def turned(share):
    """Return how far noise has turned weights, in variances, from 1 - cos of their angle."""
    return -np.log(1 - share)


def test_adamh_turns_at_the_records_lr_as_adamw_does_and_at_the_rule_of_thumb_9_5_times_as_far():
    case = MEASURED["levanter-adamh"]["turned"]
    names = {"source": "levanter-adam", "target": "levanter-adamh", "run": Run(lr=case["lr"])}
    answer = convert(case["weight_decay"], **names)
    assert answer.value == pytest.approx(case["learning_rate"])
    assert turned(case["adamh"]) == pytest.approx(turned(case["adamw"]), rel=0.03)
    assert turned(case["rule_of_thumb"]) / turned(case["adamw"]) == pytest.approx(9.5, rel=0.1)
    assert "3.1 times as large: 9.5 times the decay" in find("levanter-adamh").trap
    assert np.sqrt(9.5) == pytest.approx(3.1, abs=0.05)


def test_muonh_keeps_the_norm_with_the_coefficients_that_it_has_by_default():
    case = MEASURED["levanter-muonh"]
    norms = np.linalg.norm([case["w0"], *case["by_default"]], axis=(1, 2))
    assert norms == pytest.approx(norms[0], rel=1e-6)
    by_default, simple = np.array(case["by_default"]), np.array(case["driven"])
    assert np.abs(by_default - simple).max() <= 0.02 * np.abs(simple).max()


def test_h2os_fast_mode_spares_weights_without_input_and_its_squared_error_has_no_half():
    case = MEASURED["h2o-deeplearning"]
    error, moved = case["bias"]
    assert np.array_equal(case["fast_mode"][0], np.array(case["w0"]))
    assert moved == pytest.approx(2 * case["lr"] * error, rel=1e-6)
    assert find("h2o-deeplearning").loss_unit == "squared-error"


@pytest.mark.parametrize("key", PENALTIES)
def test_a_measured_penalty_is_one_in_the_gradient(key):
    case = MEASURED[key]
    inside, by_hand = np.array(case["w_after"]), np.array(case["by_hand"])
    assert find(key).strength is not None
    assert np.abs(inside - by_hand).max() <= TOLERANCE * np.abs(by_hand).max()


@pytest.mark.parametrize("key", MEASURED)
def test_a_measured_record_names_the_release_that_was_measured(key):
    assert find(key).verification == f"executed: {MEASURED[key]['release']}"


def loaded(path):
    """Return a module of the tests by its file; those of conformance find one another."""
    sys.path.insert(0, str(FOLDER))
    try:
        spec = importlib.util.spec_from_file_location(f"loaded_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(FOLDER))
    return module


def evidence():
    """Return the keys with a vector, a measurement or a case of the conformance suite."""
    vectors = loaded(Path(__file__).parent / "test_vectors.py")
    keys = {vectors.record_of(c).key for c in vectors.vectors() if vectors.is_covered(c)}
    collected = loaded(FOLDER / "collected.py")
    keys |= {*loaded(FOLDER / "registry.py").STEPPERS, *collected.COLLECTED, *collected.COUPLED}
    keys |= {f"heavyball-{name}" for name in collected.HEAVYBALL} | set(MEASURED)
    keys |= set(json.loads((FOLDER / "fitted.json").read_text()))
    texts = "".join(path.read_text() for path in FOLDER.glob("*.py"))
    return keys | set(re.findall(r'"([a-z0-9]+(?:-[a-z0-9]+)*)"', texts))


def test_executed_rests_on_a_vector_or_a_case_of_that_very_key():
    known = evidence()
    claimed = [each.key for each in conventions() if each.verification.startswith("executed")]
    assert [key for key in claimed if key not in known] == []
