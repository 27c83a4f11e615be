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


@pytest.mark.parametrize("key", MEASURED)
def test_a_records_rule_leaves_what_its_framework_left(key):
    case, record = MEASURED[key], find(key)
    rule, state, w = parse_rule(record.update), State(), np.array(case["w0"])
    names = {"lr": case["lr"], "lr_peak": case["lr"], "loss_scale": 1.0, "grad_accum": 3}
    for measured in case["w_after"]:
        w = rule.step(state, w, 0 * w, names={**names, record.parameter: case["value"]})
        assert np.abs(w - measured).max() <= TOLERANCE * np.abs(w).max()


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
    texts = "".join(path.read_text() for path in FOLDER.glob("*.py"))
    return keys | set(re.findall(r'"([a-z0-9]+(?:-[a-z0-9]+)*)"', texts))


def test_executed_rests_on_a_vector_or_a_case_of_that_very_key():
    known = evidence()
    claimed = [each.key for each in conventions() if each.verification.startswith("executed")]
    assert [key for key in claimed if key not in known] == []
