"""What a schedule leaves of a weight, against every record's own update rule taking the steps."""

import numpy as np
import pytest

from decaycalc.conventions.catalogue import conventions, find
from decaycalc.conventions.record import MEASURE
from decaycalc.conventions.run import Run
from decaycalc.conversion.convert import check_value
from decaycalc.conversion.plan import plan, target_side
from decaycalc.conversion.side import Side
from decaycalc.errors import MissingQuantityError, NoEquivalentError
from decaycalc.schedule import parse_schedule
from decaycalc.survival.scheduled import follow_decay
from decaycalc.verification.pairing import Pairing
from decaycalc.verification.trials import _decayed
from tests.every_record import of_each

N_STEPS, SCHEDULE = 25, "cosine:final=0.1,warmup=5"
SETTINGS = {
    "lr": "0.05", "momentum": "0.9", "batch_size": 8, "dataset_size": 36, "steps": N_STEPS,
    "n_weights": 6,
    "extras": (
        ("target_std", 2), ("n_leaf", 3), ("keep_probability", "0.8"), ("length_scale", 3),
    ),
}  # fmt: skip
# A prior's standard deviation, so small a weight that a step leaves something of it.
NUMBERS = {"prior-std": "20"}
# Their decays begin with the sixth step, and fall with the lr that ASGD lowers by itself.
OTHERWISE = {"pytorch-optimizer-radam": (1e-4, 1e-3), "pytorch-asgd": (1e-8, 1e-4)}


def left_by_the_rule(record, number, run):
    """Return what the record's update rule leaves of a weight without a data gradient."""
    side = Side(convention=record, run=run)
    way = plan(side, target_side(side, find("per-step-shrink"), None))
    pairing = Pairing(way=way, source=side, target=way.target, values=(float(number), 0.0))
    multipliers = parse_schedule(SCHEDULE, total_steps=N_STEPS).multiplier(np.arange(N_STEPS))
    return _decayed(pairing.learners()[0], side, multipliers)[-1, 0]


@of_each(
    record
    for record in conventions()
    if not (record.refusal or record.estimate or record.optimizer == MEASURE)
)
def test_a_schedule_leaves_what_the_update_rule_leaves(record):
    for momentum in ({}, {"nesterov": True, "dampening": 0}):
        run = Run(**SETTINGS, **momentum)
        number = check_value(NUMBERS.get(record.key, "0.002"), record)
        try:
            found = follow_decay(number, source=record, run=run, schedule=SCHEDULE, n_points=2)
        except NoEquivalentError:
            pytest.skip("a penalty under Adam")
        except MissingQuantityError as error:
            assert error.missing == ("n_weights", "n_layers")  # noqa: PT017
            pytest.skip("one number a layer")
        off = abs(left_by_the_rule(record, number, run) / found.decay.survival - 1)
        least, most = OTHERWISE.get(record.key, (0, 1e-12))
        assert least <= off <= most
        if Side(convention=record, run=run).is_linear:
            return  # no momentum passes through its decay


def test_a_schedule_says_where_an_optimizer_lowers_the_lr_by_itself():
    found = follow_decay("0.002", source=find("pytorch-asgd"), run=Run(**SETTINGS))
    assert "at first: the lr of pytorch-asgd falls with lambd and the steps" in found.warnings
