import pytest

from decaycalc.record import Record, asdict, replace


class Point(Record):
    x: int
    y: int = 0


class Cloud(Record):
    points: tuple[Point, ...]
    centre: Point | None = None


class Named(Point):
    name: str = "origin"

    def __post_init__(self) -> None:
        if self.x < 0:
            raise ValueError("x")


def test_fields_are_given_by_keyword_or_have_defaults():
    assert repr(Point(x=1)) == "Point(x=1, y=0)"
    assert Named(x=1, y=2) == Named(x=1, y=2, name="origin")


@pytest.mark.parametrize("fields", [{}, {"y": 1}, {"x": 1, "z": 2}, {"x": 1, "y": 2, "z": 3}])
def test_missing_and_unknown_fields_are_refused(fields):
    with pytest.raises(TypeError, match=r"missing|unknown"):
        Point(**fields)


def test_a_record_does_not_change():
    point = Point(x=1)
    with pytest.raises(AttributeError, match="immutable"):
        point.x = 2
    with pytest.raises(AttributeError, match="immutable"):
        del point.x


def test_equality_and_hash_go_by_type_and_fields():
    assert Point(x=1) == Point(x=1)
    assert Point(x=1) != Point(x=2)
    assert Point(x=1) != Named(x=1)
    assert Point(x=1) != (1, 0)
    assert len({Point(x=1), Point(x=1), Point(x=2)}) == 2


def test_a_changed_copy_is_checked_again():
    assert replace(Point(x=1), y=3) == Point(x=1, y=3)
    with pytest.raises(ValueError, match="x"):
        replace(Named(x=1), x=-1)


def test_records_become_plain_mappings():
    cloud = Cloud(points=(Point(x=1), Point(x=2)), centre=Point(x=3))
    assert asdict(cloud) == {
        "points": [{"x": 1, "y": 0}, {"x": 2, "y": 0}],
        "centre": {"x": 3, "y": 0},
    }
