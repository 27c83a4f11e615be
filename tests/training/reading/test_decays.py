"""Weight decays that move over the run."""

from fractions import Fraction

import pytest

from decaycalc.training.reading.decays import from_to
from decaycalc.training.record import Training

MADE = Training(source="a", kind="b", title="c", value="0.04")


@pytest.mark.parametrize(
    ("start", "end", "value", "schedule"),
    [
        ("0.04", "0.4", "0.04", "cosine:final=10"),
        ("0.04", "0.04", "0.04", None),
        ("0.4", "0", "0.4", "cosine"),
        ("0", "0.1", "0.1", "cosine:initial=0,final=1"),
    ],
)
def test_what_moves_is_a_value_and_its_course(start, end, value, schedule):
    made = from_to(MADE, Fraction(start), Fraction(end))
    assert (made.value, made.decay_schedule) == (value, schedule)
    assert len(made.notes) == (schedule is not None)


def test_what_is_not_known_does_not_move():
    assert from_to(MADE, None, Fraction(1)) is MADE
