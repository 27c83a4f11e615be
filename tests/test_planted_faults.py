import pytest

from tests.planted_faults import NAMED, Named, drawn


def test_every_named_fault_still_has_its_place():
    for fault in NAMED:
        planted = fault.planted()
        assert planted.tests
        compile(planted.text, planted.path, "exec")


def test_a_place_that_is_gone_is_said():
    gone = Named(path="checks.py", place="_close", old="no such text", new="")
    with pytest.raises(LookupError, match="_close holds not once 'no such text'"):
        gone.planted()


def test_small_changes_are_drawn_of_every_comparison_number_and_factor():
    changes = {fault.change.partition(": ")[2] for fault in drawn("checks.py")}
    assert {
        "abs(one - other) <= rtol * abs(other) -> abs(one - other) < rtol * abs(other)",
        "one - other -> one + other",
        "rtol * abs(other) -> rtol",
        "status == 0 -> status != 0",
        "not isinstance(tables, dict) or not tables -> not tables",
    } <= changes
    assert not any(change.startswith("raise") for change in changes)
