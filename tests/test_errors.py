import inspect

import pytest

from decaycalc import errors
from decaycalc.errors import (
    ContradictionError,
    DecaycalcError,
    InvalidValueError,
    MissingExtraError,
    MissingQuantityError,
    NoEquivalentError,
    TextSyntaxError,
    UnknownNameError,
    UnreadableFileError,
    UsageError,
    nearest_names,
)

EXAMPLES = {
    InvalidValueError("lr", -1, "must be positive"): "lr -1 must be positive",
    UnknownNameError("mask", "al", ["all", "none"]): "unknown mask 'al'; did you mean 'all'?",
    UnknownNameError("mask", "zzz", ["all"]): "unknown mask 'zzz'",
    UnknownNameError("mask", "zzz", ["all"], hint="(all)"): "unknown mask 'zzz' (all)",
    MissingQuantityError("x to y", ("lr", "epochs")): "x to y needs lr, epochs",
    ContradictionError("steps contradict epochs"): "steps contradict epochs",
    UsageError("give --from"): "give --from",
    TextSyntaxError("widths", "7-x", 2, "a digit"): "widths '7-x', character 3: expected a digit",
    UnreadableFileError("a.pt", "is empty"): "cannot read 'a.pt': is empty",
    UnreadableFileError("a.pt", "is full", doing="write"): "cannot write 'a.pt': is full",
    MissingExtraError("plotting", "plot"): "plotting needs an optional package; "
    "pip install 'decaycalc[plot]'",
    NoEquivalentError("a", "b", "they differ"): "a has no equivalent in b: they differ",
}


@pytest.mark.parametrize(("error", "text"), EXAMPLES.items(), ids=lambda part: str(part)[:30])
def test_the_text_is_made_from_the_fields_in_one_line_without_full_stop(error, text):
    assert str(error) == text
    assert "\n" not in text
    assert not text.endswith(".")


def test_the_fields_are_those_of_the_json_object():
    error = InvalidValueError("lr", -1, "must be positive")
    assert error.fields() == {"name": "lr", "value": -1, "requirement": "must be positive"}
    assert MissingQuantityError("x", ("lr",)).fields() == {"what": "x", "missing": ("lr",)}


def test_what_has_no_equivalent_or_lies_outside_a_fit_is_sound_input():
    kinds = [
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, DecaycalcError)
    ]
    assert {kind.kind for kind in kinds if kind.exit_status == 1} == {
        "no-equivalent",
        "outside-fit",
        "undecidable",
    }
    assert len({kind.kind for kind in kinds}) == len(kinds)


def test_a_syntax_error_points_at_the_offending_character():
    assert TextSyntaxError("widths", "7-x", 2, "a digit").caret() == "7-x\n  ^"


def test_near_names_come_nearest_first_and_far_ones_not_at_all():
    known = ["pytorch-sgd", "pytorch-asgd", "keras-l2"]
    assert nearest_names("PyTorch-SGD", known)[0] == "pytorch-sgd"
    assert nearest_names("pytorch-sdg", known)[0] == "pytorch-sgd"
    assert nearest_names("sklearn", known) == ()
