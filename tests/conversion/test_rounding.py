"""Decays lost when weights are stored with few bits."""

import numpy as np
import pytest

from decaycalc.conversion.rounding import RoundingEffect, find_dtype, precision_warning
from decaycalc.errors import UnknownNameError


def test_adamw_at_lr_3e_4_and_decay_0_1_does_nothing_to_bfloat16_weights() -> None:
    loss = precision_warning(3e-4 * 0.1, "bfloat16")
    assert loss is not None
    assert loss.effect is RoundingEffect.NONE_MOVE
    assert loss.text == (
        "a decay of 3e-05 per step is lost in bfloat16 rounding: no weight moves;"
        " it takes 0.003906 to move every weight"
    )


@pytest.mark.parametrize(("dtype", "bits"), [("float32", 24), ("half", 11), ("bf16", 8)])
def test_the_thresholds_are_half_a_unit_and_a_unit_in_the_last_place(dtype: str, bits: int) -> None:
    unit = 2.0**-bits
    some = precision_warning(unit * 0.99, dtype)
    assert some is not None
    assert some.effect is RoundingEffect.SOME_STAY
    none = precision_warning(unit * 0.49, dtype)
    assert none is not None
    assert none.effect is RoundingEffect.NONE_MOVE
    assert precision_warning(unit, dtype) is None
    assert precision_warning(0.0, dtype) is None


@pytest.mark.parametrize(("dtype", "numpy_type"), [("float16", np.float16), ("fp32", np.float32)])
def test_numpy_rounds_as_the_thresholds_say(dtype: str, numpy_type: type) -> None:
    weights = np.linspace(1, 2, 1000, endpoint=False)[1:].astype(numpy_type)
    bits = {"float16": 11, "fp32": 24}[dtype]

    def moved(shrink: float) -> float:
        exact = weights.astype(np.float64) * (1 - shrink)
        return float(np.mean(exact.astype(numpy_type) != weights))

    assert moved(2.0 ** -(bits + 1) * 0.99) == 0
    assert 0 < moved(2.0**-bits * 0.75) < 1
    assert moved(2.0**-bits * 1.01) == 1


def test_unknown_types_are_named_with_their_neighbours() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown dtype 'bfloat'; did you .*'bfloat16'"):
        find_dtype("bfloat")
