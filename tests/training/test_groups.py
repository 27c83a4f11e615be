"""Groups of a training: rules laid over a live optimizer's, each group as a run of its own."""

from fractions import Fraction

import pytest

from decaycalc.conventions.catalogue import find
from decaycalc.conventions.run import Run
from decaycalc.errors import InvalidValueError
from decaycalc.inspection import group_decays
from decaycalc.training.chosen import typed
from decaycalc.training.groups import by_pattern, grouped, other_run, own_run
from decaycalc.training.record import Group, GroupedTensor, Towards, Training


def live():
    tensors = (
        GroupedTensor(name="a.weight", shape=(4, 2), groups=("first",), decays=True),
        GroupedTensor(name="b.weight", shape=(3, 2), groups=("first",), decays=True),
        GroupedTensor(name="b.bias", shape=(3,), groups=("second",), decays=False),
    )
    groups = (
        Group(name="first", lr="0.01", weight_decay="0.1"),
        Group(name="second", lr="0.02", weight_decay="0"),
    )
    return Training(
        source="AdamW", kind="live", title="AdamW", convention="pytorch-adamw", value="0.1",
        run=Run(lr="0.01"), groups=groups, tensors=tensors,
    )  # fmt: skip


def rows(training):
    return {each.group.name: each for each in group_decays(training)}


def test_a_rule_takes_its_tensors_out_of_a_live_optimizers_groups():
    found = rows(grouped(live(), ("^a:lr*10,wd=0.3",)))
    assert list(found) == ["first", "second", "^a"]
    assert (found["first"].n_tensors, found["first"].n_weights) == (1, 6)
    assert (found["^a"].lr, found["^a"].weight_decay) == (0.1, 0.3)
    assert (found["^a"].lr_mult, found["^a"].decay_mult) == (10, pytest.approx(3))
    assert (found["^a"].n_tensors, found["^a"].n_weights) == (1, 8)
    assert found["^a"].figures.shrink == pytest.approx(0.03)


def test_tensors_of_several_groups_keep_what_a_rule_does_not_set():
    found = rows(grouped(live(), ("^b:lr*2,wd=0.5,towards=initial",)))
    assert list(found) == ["first", "^b of first", "^b of second"]
    one, other = found["^b of first"], found["^b of second"]
    assert (one.lr, one.weight_decay, one.group.towards) == (0.02, 0.5, Towards.INITIAL)
    # The second group does not decay, and stays so.
    assert (other.lr, other.weight_decay, other.figures.shrink) == (0.04, 0, 0)


def test_a_rule_that_stops_the_decay_says_so_of_the_tensors():
    made = grouped(live(), ("^a:wd=0",))
    assert [tensor.decays for tensor in made.tensors] == [False, True, False]


def test_a_rule_that_fits_no_tensor_is_refused():
    with pytest.raises(InvalidValueError, match="fits no tensor's name"):
        grouped(live(), ("conv:lr*2",))


def test_without_rules_a_training_stays_as_it_is():
    assert grouped(live(), ()) == live()


def test_a_factor_of_what_is_not_known_is_not_known():
    training = typed(source=find("pytorch-adamw"), value="0.1")
    (pair,) = by_pattern(training, ("x:lr*2,wd*2",))
    assert (pair[1].run.lr, pair[1].value) == (None, "0.2")
    assert own_run(typed(), Group(name="x", decay_mult="2")).value is None
    known = own_run(typed(), Group(name="x", lr="0.1"))
    (decay,) = group_decays(
        Training(source="", kind="", title="", groups=(Group(name="x", lr="1"),))
    )
    assert (known.run.lr, decay.lr_mult) == (Fraction(1, 10), None)


def test_the_other_runs_lr_is_multiplied_where_both_are_known():
    base, own = typed(run=Run(lr="0.1")), typed(run=Run(lr="0.4"))
    assert other_run(base, own, Run(lr="0.01")).lr == Fraction(1, 25)
    assert other_run(base, own, None) is None
    assert other_run(base, own, Run(momentum="0.9")) == Run(momentum="0.9")
    assert other_run(typed(), own, Run(lr=1)) == Run(lr=1)


def test_a_share_of_the_run_gives_way_to_the_groups():
    run = Run(lr="0.1", extras=(("update_share", "0.5"), ("eta", "1")))
    part = own_run(typed(value="0.1", run=run), Group(name="x", update_share="0.25"))
    assert dict(part.run.extras) == {"update_share": Fraction(1, 4), "eta": Fraction(1)}


def test_rules_of_a_run_without_tensors_stand_beside_the_rest():
    found = grouped(typed(run=Run(lr="0.01"), value="0.1"), ("^a:lr*10", "b:wd=0"))
    assert [group.name for group in found.groups] == ["others", "^a", "b"]


def test_lengths_in_epochs_of_unknown_steps_leave_the_sum_open():
    own = typed(
        value="0.1",
        source=find("pytorch-adamw"),
        run=Run(lr="0.01", steps=100),
        schedule="cosine:warmup=2epochs",
    )
    found = rows(grouped(own, ("^a:lr*10",)))["^a"]
    assert (found.figures.shrink, found.figures.sum_shrink) == (pytest.approx(0.01), None)


@pytest.mark.parametrize(
    ("key", "extras", "shrink"),
    [
        ("timm-corrected", (), "0.0000125"), ("optimi-decoupled", (), "0.025"),
        ("optimi-decoupled", (("lr_max", "0.002"),), "0.0125"), ("composer-adamw", (), "0.05"),
        ("llm-foundry-lion", (("lr_initial", "0.002"),), "0.025"),
    ],
)  # fmt: skip
def test_a_groups_decay_counts_from_the_lr_of_the_constructor(key, extras, shrink):
    run = Run(lr="0.001", extras=extras)
    training = typed(value="0.05", source=find(key), run=run)
    assert rows(grouped(training, ("head:lr*0.5",)))["head"].figures.shrink == float(shrink)


def test_a_group_that_stands_still_decays_only_where_the_lr_does_not_count():
    for key, shrink in (("optimi-decoupled", 0), ("composer-adamw", 0.05), ("tfa-adamw", 0.05)):
        training = typed(value="0.05", source=find(key), run=Run(lr="0.001"))
        assert rows(grouped(training, ("head:lr=0",)))["head"].figures.shrink == shrink
