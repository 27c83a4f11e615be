from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from decaycalc.conventions.run import Loss, Run
from decaycalc.conventions.runs import runs_with
from decaycalc.errors import ContradictionError, InvalidValueError

sizes = st.integers(1, 10**7)


@given(sizes, st.integers(1, 512), st.integers(1, 8), st.integers(1, 8))
def test_b_is_batch_size_times_accumulation_times_workers(size, batch, accum, world):
    assume(size >= batch * accum * world)
    run = Run(dataset_size=size, batch_size=batch, grad_accum=accum, world_size=world)
    assert run.examples_per_step == run.get("batch_size") == batch * accum * world
    assert run.epoch_ratio == Fraction(size, batch * accum * world)


@given(sizes, st.integers(1, 5000), st.booleans())
def test_an_epoch_has_whole_steps_rounded_up_or_down(size, batch, drop_last):
    assume(size >= batch)
    run = Run(dataset_size=size, batch_size=batch, drop_last=drop_last)
    whole = floor(Fraction(size, batch)) if drop_last else ceil(Fraction(size, batch))
    assert run.steps_per_epoch == run.get("steps_per_epoch") == whole


@given(sizes, st.integers(1, 5000), st.booleans(), st.fractions(Fraction(1, 10), 300))
def test_steps_from_epochs_and_back_agree(size, batch, drop_last, epochs):
    assume(size >= batch)
    known = {"dataset_size": size, "batch_size": batch, "drop_last": drop_last}
    run = Run(**known, epochs=epochs)
    steps = run.total_steps
    assert steps == ceil(epochs * run.steps_per_epoch)
    back = Run(**known, steps=steps)
    assert epochs <= back.total_epochs < epochs + Fraction(1, run.steps_per_epoch)
    assert Run(**known, steps=steps, epochs=epochs).get("steps") == steps


def test_imagenet_for_ninety_epochs():
    run = Run(dataset_size=1281167, batch_size=256, epochs=90)
    assert (run.steps_per_epoch, run.total_steps) == (5005, 450450)
    dropped = Run(dataset_size=1281167, batch_size=256, epochs=90, drop_last=True)
    assert (dropped.steps_per_epoch, dropped.total_steps) == (5004, 450360)


@pytest.mark.parametrize("steps", [450410, 450411, 450450])
def test_any_rounding_of_an_epoch_is_no_contradiction(steps):
    # 90 epochs of 5004.56 steps: rounded up, not at all, or cut at the end of the run.
    assert Run(dataset_size=1281167, batch_size=256, epochs=90, steps=steps).get("steps") == steps


@pytest.mark.parametrize(("steps", "drop_last"), [(450409, False), (450451, False), (450359, True)])
def test_steps_that_contradict_the_epochs_are_refused(steps, drop_last):
    with pytest.raises(ContradictionError, match=f"steps {steps:g} contradict epochs 90: at 500"):
        Run(dataset_size=1281167, batch_size=256, epochs=90, steps=steps, drop_last=drop_last)


def test_with_too_little_known_nothing_contradicts():
    assert Run(epochs=3, steps=7).get("steps") == 7
    assert Run(epochs=3).get("steps") is None
    assert Run(steps=3).get("epochs") is None
    assert Run(dataset_size=10, epochs=3).epoch_ratio is None
    assert Run(batch_size=10).steps_per_epoch is None
    assert Run().examples_per_step is None


def test_a_step_of_more_examples_than_there_are_is_refused():
    assert Run(dataset_size=64, batch_size=64).steps_per_epoch == 1
    with pytest.raises(ContradictionError) as caught:
        Run(dataset_size=100, batch_size=64, world_size=2)
    assert str(caught.value) == "dataset_size 100 is below the 128 examples of one step"


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"nesterov": True}, "nesterov needs a momentum above 0"),
        ({"nesterov": True, "momentum": 0}, "nesterov needs a momentum above 0"),
        ({"nesterov": True, "momentum": "0.9", "dampening": "0.1"},
         "nesterov needs a dampening of 0"),
    ],
)  # fmt: skip
def test_nesterov_without_momentum_or_with_dampening_is_refused(given, text):
    with pytest.raises(ContradictionError, match=text):
        Run(**given)


@pytest.mark.parametrize(
    "name", ["lr", "batch_size", "dataset_size", "epochs", "steps", "n_weights"]
)
@pytest.mark.parametrize("value", [0, -1, "nan", "inf", "1e400", "1e-400", "", "x"])
def test_what_no_run_has_is_refused_by_name(name, value):
    with pytest.raises(InvalidValueError) as caught:
        Run(**{name: value})
    assert str(caught.value).startswith(f"{name} {value!r} ")


def test_defaults_hold_where_nothing_was_said():
    run = Run()
    known = {name: run.get(name) for name in ("momentum", "dampening", "grad_accum", "world_size")}
    assert known == {"momentum": 0, "dampening": 0, "grad_accum": 1, "world_size": 1}
    assert run.given("momentum") is None
    assert run.get("lr") is None
    assert run.get("no such quantity") is None


def test_derived_quantities_follow():
    run = Run(
        momentum="0.9", dampening="0.5", extras=(("gradient_rms", "1e-3"), ("l1_ratio", ".2"))
    )
    assert run.get("one_minus_momentum") == Fraction(1, 10)
    assert run.get("one_minus_dampening") == Fraction(1, 2)
    assert run.get("one_minus_l1_ratio") == Fraction(4, 5)
    assert run.get("gradient_scale") == Fraction(1, 1000) + Fraction(1, 10**8)
    assert Run().get("gradient_scale") is None


@pytest.mark.parametrize(
    ("given", "nominal"),
    [
        ({"batch_size": 16}, 64), ({"batch_size": 48}, 48), ({"batch_size": 256}, 256),
        ({"batch_size": 96}, 96), ({"batch_size": 16, "extras": (("nbs", 128),)}, 128),
        ({"batch_size": 16, "grad_accum": 2}, 32), ({}, None),
    ],
)  # fmt: skip
def test_yolov5_accumulates_to_its_nominal_batch(given, nominal):
    assert Run(**given).get("nominal_batch") == nominal


def test_an_unknown_loss_is_refused_and_a_name_is_read():
    assert Run(loss="batch-sum").loss is Loss.BATCH_SUM
    assert [loss.scale for loss in Loss] == [None, "batch_size", "dataset_size"]
    with pytest.raises(InvalidValueError, match="loss 'sum' must be one of mean, batch-sum"):
        Run(loss="sum")


def test_a_part_takes_what_it_leaves_open_from_the_other():
    source = Run(lr=1, momentum="0.9", nesterov=True, batch_size=8, extras=(("eps", 1),))
    there = Run.part(lr=2, extras=(("lambd", 1),)).over(source)
    assert (there.lr, there.momentum, there.nesterov, there.batch_size) == (
        2,
        Fraction(9, 10),
        True,
        8,
    )
    assert dict(there.extras) == {"eps": 1, "lambd": 1}


def test_a_part_may_switch_nesterov_on_where_the_other_has_the_momentum():
    there = Run.part(nesterov=True).over(Run(momentum="0.9"))
    assert there.nesterov
    with pytest.raises(ContradictionError, match="nesterov needs"):
        Run.part(nesterov=True).over(Run())


def test_without_momentum_an_inherited_nesterov_is_dropped():
    there = Run.part(momentum=0).over(Run(momentum="0.9", nesterov=True))
    assert there.nesterov is None
    assert Run.part(momentum="0.5").over(Run(momentum="0.9", nesterov=True)).nesterov


def test_another_batch_size_keeps_the_epochs_not_the_steps():
    source = Run(dataset_size=1000, batch_size=10, epochs=5, steps=500)
    assert Run.part(batch_size=20).over(source).total_steps == 250
    assert Run.part(lr=1).over(source).total_steps == 500
    only_steps = Run(dataset_size=1000, batch_size=10, steps=500)
    assert Run.part(batch_size=20).over(only_steps).total_steps == 500


def test_dropping_the_last_batch_is_inherited():
    assert Run.part(lr=1).over(Run(drop_last=True)).drop_last


def test_json_holds_every_known_quantity_given_or_derived():
    run = Run(
        lr="0.1", momentum="0.9", batch_size=128, world_size=2, dataset_size=60000, epochs=10,
        extras=(("eps", "1e-7"),),
    )  # fmt: skip
    assert run.to_dict() == {
        "lr": 0.1, "momentum": 0.9, "dampening": 0, "batch_size": 128, "grad_accum": 1,
        "world_size": 2, "dataset_size": 60000, "epochs": 10, "steps": 2350, "eps": 1e-7,
        "nesterov": False, "drop_last": False, "loss": "mean", "examples_per_step": 256,
        "steps_per_epoch": 235,
    }  # fmt: skip
    assert Run().to_dict()["loss"] == "mean"
    assert "examples_per_step" not in Run().to_dict()


def test_a_step_is_whole():
    with pytest.raises(InvalidValueError, match="must be a whole number"):
        Run(steps="2.5")
    assert Run(steps="1e12").steps == 10**12


def test_full_dampening_is_refused():
    with pytest.raises(InvalidValueError, match="dampening 1 must be at least 0 and below 1"):
        Run(dampening=1)


def test_a_targets_zeros_are_kept_beside_what_is_given_by_name():
    run = Run(lr="0.1", momentum="0.9", batch_size=32)
    told = Run.part(momentum=0, nesterov=False)
    _, target = runs_with(run, told, {"to_batch_size": 64})
    assert target == Run.part(momentum=0, nesterov=False, batch_size=64)


def test_a_loss_may_be_called_in_capitals():
    assert Run(loss=" Batch-Sum ").loss is Loss.BATCH_SUM
