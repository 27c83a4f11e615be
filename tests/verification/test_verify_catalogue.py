"""verify over the whole catalogue: every record holds, and every wrong constant in one fails."""

import pytest

from decaycalc.algebra.number import exact
from decaycalc.algebra.quantity import Monomial
from decaycalc.conventions.catalogue import conventions, find
from decaycalc.conventions.forms import Form
from decaycalc.conventions.record import Convention, Invariant
from decaycalc.conventions.run import Loss, Run
from decaycalc.errors import ContradictionError, MissingQuantityError
from decaycalc.record import replace
from decaycalc.verification.verify import verify
from tests.every_record import of_each

RUN = {
    "lr": "0.05", "batch_size": 8, "dataset_size": 12, "epochs": 2, "n_weights": 12, "n_layers": 5,
    "loss": Loss.BATCH_SUM,
}  # fmt: skip
EXTRAS = {
    "lr_initial": "0.03", "lr_max": "0.013", "target_std": "1.7", "l1_ratio": "0.3", "n_leaf": 11,
    "nbs": 64, "keep_probability": "0.8", "length_scale": "0.7", "wd_ratio": "0.1", "eta": "0.9",
    "lambd": "1e-4",
}  # fmt: skip
RECORDS = {record.key: record for record in conventions()}
CONVERTIBLE = [key for key, record in RECORDS.items() if record.refusal is None]
# What a record says to people: two that differ in these alone have one proof.
WORDS = {"key", "title", "group", "source", "trap", "aliases", "default", "exempt", "verification",
         "since", "until", "common"}  # fmt: skip
WRONG = Monomial.of("1.01")
PARTNERS = {
    Invariant.STRENGTH: ("keras-l2", "pytorch-sgd"),
    Invariant.SHRINK: ("per-step-shrink", "pytorch-sgd"),
}
BESIDE_SGD = {
    "pytorch-asgd": "its own lambd lowers the lr over time, which only the optimum is blind to",
    "mxnet-dcasgd": "squares the data gradient alone, which a penalty in the loss is part of",
}
"""Records that claim nothing which verify could hold beside a bare penalty or decay, and why."""


def distinct(keys):
    """Return the first of each set of records that differ in words alone."""
    names = sorted(Convention.__annotations__.keys() - WORDS)
    found = {repr([getattr(RECORDS[key], name) for name in names]): key for key in reversed(keys)}
    return found.values()


def partner_of(record):
    """Return an independent record whose rule the record's is held against."""
    if record.key in BESIDE_SGD:
        return find("pytorch-sgd")
    keys = PARTNERS[record.invariant]
    return find(keys[record.key == keys[0]])


def proof(record, stated):
    """Return a verification of a record's rule, converted as `stated` says."""
    is_extra = {*(name for name, _ in record.defaults), *named(record)}
    extras = tuple((name, value) for name, value in EXTRAS.items() if name in is_extra)
    classifies = record.data_losses and "squared" not in record.data_losses
    models = ("softmax" if classifies else "least-squares",)
    return verify(
        value_of(record), source=stated, target=partner_of(record), models=models,
        run=Run(**{**RUN, **settings_of(record)}, extras=extras),
    )  # fmt: skip


def named(record):
    """Return the quantities in a record's formula."""
    return set(record.monomial.names) if record.monomial else set(record.form.needs)


def settings_of(record):
    """Return the micro-batches of a step and the momentum where a record's formula holds them."""
    given = {"grad_accum": 2, "batch_size": 4} if "grad_accum" in named(record) else {}
    return {**given, "momentum": "0.9"} if "one_minus_momentum" in named(record) else given


def value_of(record):
    """Return a number that decays a little in the record's own sense."""
    if record.parameter == "factor":
        return "0.97"
    power = record.monomial.power_of("value") if record.monomial else 1
    return "37" if power < 0 or record.parameter in {"half_life", "timescale"} else "0.0021"


def off(form, factor):
    """Return a form whose shrink is wrong by a factor."""
    return Form(
        needs=form.needs, text=form.text, inverse=form.inverse,
        to_shrink=lambda value, q: form.to_shrink(value, q) * factor,
        from_shrink=lambda shrink, q: form.from_shrink(shrink / factor, q),
    )  # fmt: skip


def mutants(record):
    """Yield the record with a constant wrong by a hundredth, and without each of its quantities."""
    if record.form is not None:
        yield replace(record, form=off(record.form, exact("1.01")))
        return
    field, right = record.invariant.value, record.monomial
    yield replace(record, **{field: right * WRONG})
    always_one = {"loss_scale"} if record.loss == Loss.MEAN else set()
    for name in sorted(named(record) - {"value"} - always_one):
        without = right / Monomial.of(**{name: 1}) ** right.power_of(name)
        yield replace(record, **{field: without})


def fails(record, wrong):
    """Return whether the claim fails, or a rule asks for what the formula forgot."""
    try:
        return not proof(record, wrong).holds
    except ContradictionError:  # a quantity that the wrong monomial no longer takes
        return True
    except MissingQuantityError as error:
        return set(error.missing) <= named(record) - named(wrong)


@of_each(distinct([key for key in CONVERTIBLE if not RECORDS[key].estimate]))
def test_a_wrong_constant_in_any_record_fails_the_verification(key):
    record = RECORDS[key]
    assert proof(record, record).holds
    for wrong in mutants(record):
        assert fails(record, wrong)


def test_refused_records_alone_have_no_constant_to_get_wrong():
    refused = [record for record in RECORDS.values() if record.key not in CONVERTIBLE]
    assert all(record.monomial is None and record.form is None for record in refused)
    assert refused


@pytest.mark.parametrize("key", BESIDE_SGD)
def test_what_is_held_against_plain_descent_alone_is_listed(key):
    wide = verify("0.01", source=find("keras-l2"), target=find(key), run=Run(**RUN))
    assert not (wide.claim == "identical" and wide.holds)
