"""Small variations of configurations: totals of the classes of transformers.

Counted in 4.57.1, or in 5.24.0 where only that has the class; tests/conformance compares the
tensors one by one.
"""

import json
from pathlib import Path

import pytest

from decaycalc.architecture.hub import build_config
from decaycalc.architecture.hub.fields import Fields

VARIANTS = json.loads((Path(__file__).parent / "variants.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant["class"])
def test_a_variation_has_transformers_count(variant):
    values = {**variant["config"], "architectures": [variant["class"]]}
    net = build_config(Fields(path="config.json", values=values))
    assert (net.class_name, net.n_parameters) == (variant["class"], variant["parameters"])
