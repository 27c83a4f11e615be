"""Laws of conversion, held for records drawn from the whole catalogue."""

from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from decaycalc.algebra.quantity import QUANTITIES, Monomial, base_name
from decaycalc.conventions.catalogue import conventions, find
from decaycalc.conventions.run import Run
from decaycalc.conversion.inverse import value_for_shrink
from decaycalc.conversion.plan import plan, target_side
from decaycalc.conversion.side import Side
from decaycalc.errors import MissingQuantityError

LR = Fraction(1, 100)
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
MOMENTUM = {
    "lr": LR,
    "momentum": "0.5",
    "batch_size": 32,
    "dataset_size": 960,
    "steps": 90,
    "n_weights": 12,
    "n_layers": 3,
    "optimizer": "sgd",
}

LAWFUL = tuple(
    r
    for r in conventions()
    if not r.refusal and "layer_weights" not in (r.monomial or Monomial.of()).names
)


def run_at(lr=LR):
    return Run(**{**MOMENTUM, "lr": lr}, extras=EXTRAS)


def start_of(record, *, times=1):
    """Return a sane number of a record: a small decay, or a small penalty under Adam."""
    if record.has_shrink:
        return value_for_shrink(Side(convention=record, run=run_at()), times * Fraction(1, 1000))
    return exact_between(find("pytorch-adam"), record, times * Fraction(1, 50), run_at())


def exact_between(source, target, value, run):
    """Return the target's number before it is rounded to a float."""
    return way_between(source, target, run).value(value)


def way_between(source, target, run):
    here = Side(convention=source, run=run)
    there = target_side(here, target)
    if there.get("lr") is None and "lr" in there.own:
        # Between families of optimizers it does not carry over.
        there = target_side(here, target, Run(lr=LR))
    return plan(here, there)


def meets(one, other):
    """Return whether two records share an invariant, and a data loss where they have their own."""
    both = (one.has_strength and other.has_strength) or (one.has_shrink and other.has_shrink)
    units = {one.loss_unit, other.loss_unit} - {None}
    apart = one.data_losses and other.data_losses and not one.data_losses & other.data_losses
    return both and len(units) <= 1 and not apart


# Keys: hypothesis hashes all that it draws from, at every draw.
records = st.sampled_from([record.key for record in LAWFUL]).map(find)


@given(source=records, target=records)
@settings(max_examples=50, deadline=None)
def test_a_round_trip_gives_the_number_back(source, target):
    assume(meets(source, target))
    value, run = start_of(source), run_at()
    way = way_between(source, target, run)
    there = way.value(value)
    lr = way.target_lr() or LR
    back = exact_between(target, source, there, run_at(lr))
    assert float(back) == pytest.approx(float(value), rel=1e-9)


@given(record=records)
@settings(max_examples=40, deadline=None)
def test_a_conversion_to_itself_changes_nothing(record):
    value = start_of(record)
    assert exact_between(record, record, value, run_at()) == pytest.approx(value, rel=1e-12)


@given(one=records, two=records, three=records)
@settings(max_examples=50, deadline=None)
def test_a_conversion_by_way_of_a_third_is_the_direct_one(one, two, three):
    trio = (one, two, three)
    assume(all(meets(a, b) for a, b in combinations(trio, 2)))
    assume(len({r.loss_unit for r in trio} - {None}) <= 1)
    run, value = run_at(), start_of(one)
    # An optimum held on one leg and a decay on the other is no chain: momentum parts them.
    assume(len({way_between(a, b, run).held for a, b in combinations(trio, 2)}) == 1)
    way = way_between(one, two, run)
    middle, lr = way.value(value), way.target_lr() or LR
    by_way = exact_between(two, three, middle, run_at(lr))
    assert float(by_way) == pytest.approx(float(exact_between(one, three, value, run)), rel=1e-9)


@given(source=records, target=records, times=st.fractions(min_value=Fraction(11, 10), max_value=3))
@settings(max_examples=40, deadline=None)
def test_more_decay_stays_more_decay(source, target, times):
    assume(meets(source, target))
    less, more = (start_of(source, times=x) for x in (1, times))
    low, high = (exact_between(source, target, value, run_at()) for value in (less, more))
    rises = start_of(target, times=times) > start_of(target)
    assert (high > low) == rises
    assert high != low


def given_for(names):
    """Return the smallest run that holds these quantities."""
    wanted = set(names)
    if "steps_per_epoch" in wanted or "epochs" in wanted:
        wanted |= {"dataset_size", "batch_size", "steps"}
    fields = {
        name: MOMENTUM[name] for name in MOMENTUM if name in wanted | {"momentum", "optimizer"}
    }
    extras = tuple((name, value) for name, value in EXTRAS if name in wanted)
    return Run(**fields, extras=extras)


def needed(way):
    """Return the names to give for a plan, those that defaults cover left in."""
    derived = {"one_minus_l1_ratio": "l1_ratio"}
    return {base_name(derived.get(name, name)) for name in way.needs}


@given(source=records, target=records)
@settings(max_examples=50, deadline=None)
def test_a_conversion_needs_exactly_what_does_not_cancel(source, target):
    assume(meets(source, target))
    value = start_of(source)
    way = way_between(source, target, run_at())
    names = needed(way)
    smallest = given_for(names)
    assert exact_between(source, target, value, smallest) == way.value(value)
    for name in names - {"l1_ratio", "momentum", "to_lr"} - dict(source.defaults).keys():
        has_default = name in dict(target.defaults) or QUANTITIES[name].default is not None
        if has_default or "steps_per_epoch" in way.needs:
            continue
        lacking = Run(
            **{
                k: MOMENTUM[k]
                for k in MOMENTUM
                if k in (names | {"momentum", "optimizer"}) - {name}
            },
            extras=tuple(pair for pair in EXTRAS if pair[0] in names - {name}),
        )
        with pytest.raises(MissingQuantityError):
            exact_between(source, target, value, lacking)
