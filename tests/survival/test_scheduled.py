"""A convention's number over a scheduled run: rules, warnings, the JSON document."""

from fractions import Fraction

import pytest

from decaycalc.conventions.catalogue import find
from decaycalc.conventions.record import Buffer, Follows
from decaycalc.conventions.run import Run
from decaycalc.errors import DecaycalcError, MissingQuantityError, NoEquivalentError
from decaycalc.report import schedule as report
from decaycalc.report.table import Table
from decaycalc.survival.scheduled import ScheduleAnswer, follow_decay, lay_schedule

SGD = Run(lr="0.1", momentum="0.9", batch_size=128, dataset_size=50_000, epochs=200)


def over(
    key: str, value: str, run: Run, schedule: str = "cosine", **settings: object
) -> ScheduleAnswer:
    return follow_decay(value, source=find(key), run=run, schedule=schedule, **settings)  # type: ignore[arg-type]


def test_a_recipe_from_its_convention_is_the_recipe_of_the_table() -> None:
    found = over("pytorch-sgd", "5e-4", SGD, "step:at=60/120/160epochs,gamma=0.2")
    assert found.decay.total_steps == 200 * 391
    assert found.decay.sum_shrink == pytest.approx(14.4514, abs=5e-5)
    assert found.rule.buffer is Buffer.OUTSIDE
    assert found.timescale_run_fraction == pytest.approx(0.02558, abs=5e-6)


def test_frameworks_that_keep_the_lr_in_the_buffer_differ_where_the_lr_changes() -> None:
    text = "step:every=20,gamma=0.1"
    run = Run(lr=1, momentum="0.9", steps=60)
    outside, inside = (over(key, "1e-3", run, text) for key in ("pytorch-sgd", "caffe"))
    assert inside.rule.buffer is Buffer.INSIDE
    assert inside.decay.sum_shrink == pytest.approx(outside.decay.sum_shrink)
    # The old, larger steps go on in Caffe's buffer.
    assert inside.decay.survival < outside.decay.survival


def test_decoupled_decays_follow_the_schedule_as_their_record_says() -> None:
    run = Run(lr="1e-3", steps=1000)
    adamw = over("pytorch-adamw", "0.1", run)
    tfa = over("tfa-adamw", "1e-4", run)
    assert adamw.rule.follows is Follows.LR
    assert tfa.rule.follows is Follows.CONSTANT
    assert tfa.decay.sum_shrink == pytest.approx(0.1)
    assert adamw.decay.sum_shrink == pytest.approx(0.05005)
    assert any("does not follow the schedule" in text for text in tfa.warnings)
    assert not any("does not follow" in text for text in adamw.warnings)
    assert not over("tfa-adamw", "1e-4", run, "constant").warnings


def test_squared_decays_say_so() -> None:
    from decaycalc.survival.rule import DecayRule
    from decaycalc.survival.scheduled import _course

    (text,) = _course(DecayRule(step=0.1, follows=Follows.LR_SQUARED))
    assert text == "this decay follows the square of the lr"


def test_no_decay_has_no_timescale() -> None:
    found = over("pytorch-sgd", "0", Run(lr="0.1", momentum="0.9", dampening="0.5", steps=10))
    assert found.rule.step == 0
    assert found.timescale_run_fraction is None


def test_a_proximal_decay_divides() -> None:
    record = next(
        convention
        for convention in __import__(
            "decaycalc.conventions.catalogue", fromlist=["x"]
        ).conventions()
        if convention.proximal
    )
    found = over(record.key, "0.1", Run(lr="0.1", steps=10), "constant")
    assert found.rule.proximal
    assert found.decay.survival == pytest.approx(1.01**-10)


def test_penalties_under_adam_and_refused_conventions_have_no_course() -> None:
    run = Run(lr="1e-3", steps=1000)
    with pytest.raises(NoEquivalentError, match="under Adam-like scaling has no decay per step"):
        over("pytorch-adam", "0.1", run)
    refused = find("l2-norm")
    with pytest.raises(DecaycalcError) as caught:
        follow_decay("0.1", source=refused, run=run)
    assert str(refused.refusal) in str(caught.value)


@pytest.mark.parametrize(
    ("key", "momentum", "schedule", "text"),
    [
        ("pytorch-sgd", 0.9, "one-cycle", "a momentum that stays 0.9"),
        ("timm-sgd", None, "one-cycle:rise=0.1", "a momentum that stays 0.9"),
        ("pytorch-sgd", None, "one-cycle", "a momentum that stays 0"),
        ("pytorch-sgd", 0.9, "one-cycle:follow=optax", None),
        ("pytorch-sgd", 0.9, "cosine", None), ("pytorch-adamw", None, "one-cycle", None),
        ("keras-sgd", 0.9, "one-cycle", None), ("caffe", 0.9, "one-cycle", None),
    ],
)  # fmt: skip
def test_torchs_one_cycle_moves_the_momentum_too(key, momentum, schedule, text) -> None:
    found = over(key, "1e-4", Run(lr="0.1", steps=100, momentum=momentum), schedule)
    said = [warning for warning in found.warnings if "OneCycleLR" in warning]
    assert len(said) == (text is not None)
    assert all(warning.endswith(text) for warning in said)


@pytest.mark.parametrize("key", ["composer-adamw", "composer-sgdw", "llm-foundry-lion"])
def test_torchs_one_cycle_sets_the_lr_that_composer_counts_from(key) -> None:
    run = Run(lr="0.1", steps=100)
    (said,) = [text for text in over(key, "1e-4", run, "one-cycle:div=50").warnings if key in text]
    assert "the peak over 50 (0.002 here)" in said
    assert "50 times as much" in said
    told = Run(lr="0.1", steps=100, extras=(("lr_initial", "0.002"),))
    found = over(key, "1e-4", told, "one-cycle:div=50")
    assert not [text for text in found.warnings if key in text]
    assert max(point.shrink for point in found.decay.curve) == pytest.approx(50e-4)
    assert not [text for text in over(key, "1e-4", run, "cosine").warnings if key in text]


def test_a_schedule_needs_the_length_of_the_run() -> None:
    with pytest.raises(MissingQuantityError) as caught:
        over("pytorch-adamw", "0.1", Run(lr="1e-3"))
    assert caught.value.missing == ("steps",)
    laid = lay_schedule("cosine:warmup=1epochs", Run(steps=100, epochs=10))
    assert laid.segments[0].settings.warmup == 10


def test_oscillation_misfits_and_rounding_are_said() -> None:
    run = Run(lr="0.1", momentum="0.99", steps=1000)
    found = over("pytorch-sgd", "5e-4", run, "cosine:length=2000")
    assert any("oscillates at the highest lr" in text for text in found.warnings)
    assert any("cut off at step 1000" in text for text in found.warnings)
    bf16 = over("pytorch-adamw", "0.1", Run(lr="3e-4", steps=1000), dtype="bfloat16")
    (text,) = bf16.warnings
    assert text.startswith("at 100 % of the curve's steps a decay of 3e-05 per step is lost in bf")
    float32 = Run(lr="1e-4", steps=1000)
    (text,) = over("pytorch-adamw", "1e-3", float32, dtype="float32").warnings
    assert text.startswith("at 56 % of the curve's steps")
    assert not over("pytorch-adamw", "0.1", float32, "constant", dtype="float32").warnings


def test_assumed_quantities_are_said() -> None:
    torch7 = over("torch7-sgd", "1e-4", Run(lr="0.1", momentum="0.9", steps=100))
    assert [(entry.name, entry.value) for entry in torch7.assumptions] == [("dampening", 0.9)]


def test_a_decay_that_even_float32_loses_is_said_unasked() -> None:
    for lr, lost in (("5e-7", True), ("5e-4", False)):
        run = Run(lr=lr, steps=100)
        found = over("pytorch-adamw", "0.01", run, schedule="linear")
        assert any("lost in float32 rounding" in text for text in found.warnings) == lost


def test_the_document_holds_the_run_the_sums_and_the_curve() -> None:
    found = over("pytorch-adamw", "0.1", Run(lr="6e-4", steps=600_000), n_points=50)
    document = found.to_dict()
    assert document["source"] == {
        "convention": "pytorch-adamw",
        "parameter": "weight_decay",
        "value": 0.1,
    }
    assert document["total_steps"] == 600_000
    assert document["shrink_at_peak"] == pytest.approx(6e-5)
    curve = document["curve"]
    assert isinstance(curve, list)
    assert len(curve) == 50
    assert set(curve[0]) == {
        "step", "multiplier", "decay_multiplier", "shrink", "survival", "update_weight"
    }  # fmt: skip
    assert "curve" not in found.summary()
    assert found.value == Fraction(1, 10)


def test_tables_name_the_figures_and_rows_hold_the_curve() -> None:
    found = over("pytorch-adamw", "0.1", Run(lr="6e-4", steps=600_000))
    _, _, summary, equilibrium, curve = report.tables(found)
    assert "RMS of the weights 0.05477" in equilibrium.text
    shown = dict(summary.rows)
    assert shown["timescale at peak lr"].content == pytest.approx(16666.67, abs=0.01)
    assert len(curve.rows) == report.TABLE_POINTS
    assert [curve.rows[0][0], curve.rows[-1][0]] == [0, 599_999]
    assert len(report.rows(found)) == 200
    *_, row = report.tables(over("pytorch-adamw", "0.1", Run(lr="1e-3", steps=1)))
    assert len(row.rows) == 1


def test_the_list_tells_every_schedule_and_parameter() -> None:
    schedules, common, own = report.listing()
    rows = report.listed_rows()
    assert [row[0] for row in schedules.rows] == [row["name"] for row in rows]
    assert ("all", "ramp", "zero|one|inner|log", "zero") in {row[:4] for row in common.rows}
    assert ("step", "gamma", "number/number...", "0.1") in {row[:4] for row in own.rows}
    assert ("wsd", "decay", "length", "20%") in {row[:4] for row in own.rows}


def test_no_equilibrium_is_told_where_none_is_predicted() -> None:
    found = over("ema-timescale-steps", "100", Run(steps=1000))
    titles = [block.title for block in report.tables(found) if isinstance(block, Table)]
    assert titles == ["Over the run", "Step"]
    assert found.to_dict()["equilibrium"] is None


def test_a_weight_that_grows_is_said_to_grow_and_settles_nowhere() -> None:
    found = over("pytorch-adamw", "3", Run(lr="1", steps=10))
    grows = "the weight grows at the highest lr: 2 times as large a step later"
    assert found.warnings == (grows,)
    assert found.equilibrium is None
    swinging = over("pytorch-adamw", "1.5", Run(lr="1", steps=10))
    assert any("changes sign on its way down" in text for text in swinging.warnings)
    assert swinging.equilibrium is None
    heavy = Run(lr="4.5", momentum="0.9", steps=10)
    (text,) = over("pytorch-sgd", "1", heavy).warnings
    assert text.startswith("the weight grows at the highest lr")
    assert over("pytorch-adamw", "0.1", Run(lr="1", steps=10)).equilibrium is not None
