"""Records against what their own frameworks left of a weight, and what `executed` rests on."""

import importlib.util
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from decaycalc.conventions.catalogue import conventions, find
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
DRIFTS = {("deepspeed-lion", "w_after")}  # its sign of 0 is 1
RULED = [
    (key, way)
    for key, case in MEASURED.items()
    for way in ALONG
    if way in case and "by_hand" not in case and (key, way) not in DRIFTS
]
CAUTIOUS = "if u*w"
PENALTIES = [key for key, case in MEASURED.items() if "by_hand" in case]


@pytest.mark.parametrize(("key", "way"), RULED)
def test_a_records_rule_leaves_what_its_framework_left(key, way):
    case, record = MEASURED[key], find(key)
    rule, state, w = parse_rule(record.update), State(), np.array(case["w0"])
    names = {
        "lr": case["lr"], "lr_peak": case["lr"], "loss_scale": 1.0, "grad_accum": 3,
        **{name: float(value) for name, value in record.defaults}, **case.get("names", {}),
    }  # fmt: skip
    for step, measured in enumerate(case[way]):
        g = ALONG[way] * np.resize(NOISE[step], w.shape)
        w = rule.step(state, w, g, names={**names, record.parameter: case["value"]})
        bound = LOOSE.get((key, way), DRIVEN if ALONG[way] else TOLERANCE)
        assert np.abs(w - measured).max() <= bound * np.abs(w).max()


@pytest.mark.parametrize("key", [key for key, case in MEASURED.items() if "apart" in case])
def test_what_a_number_takes_off_beside_a_direction_is_the_rules(key):
    case, record = MEASURED[key], find(key)
    w, names = np.array(case["w0"]), {"lr": case["lr"], "lr_peak": case["lr"]}
    names |= {**case.get("names", {}), record.parameter: case["value"], "multiplier": 1.0}
    inside, outside = map(np.array, case["apart"])
    if CAUTIOUS in record.update:  # its direction says where it decays
        text = record.update.replace("u = unmodelled(g)", "u = g")
        found = parse_rule(text).step(State(), w, (w - outside) / case["lr"], names=names)
        assert np.abs(found - inside).max() <= 2e-6
        return
    w = outside if record.proximal or record.decays_after_step else w  # it acts on the moved one
    decayed = parse_rule(record.update).step(State(), w, 0 * w, names=names)
    assert np.abs(inside - outside - (decayed - w)).max() <= LOOSE.get((key, "apart"), 2e-6)


@pytest.mark.parametrize(("key", "way"), DRIFTS)
def test_a_sign_of_zero_that_is_one_moves_a_weight_by_lr_beside_the_decay(key, way):
    case = MEASURED[key]
    drift = np.array(case[way][0]) - (1 - case["lr"] * case["value"]) * np.array(case["w0"])
    assert drift == pytest.approx(-case["lr"] * np.ones_like(drift), rel=1e-4)
    assert "its sign of 0 is not 0" in find(key).trap


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
