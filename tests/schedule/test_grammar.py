"""The text form of a schedule: what it accepts, and where its carets point."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decaycalc.errors import DecaycalcError, InvalidValueError, TextSyntaxError, UnknownNameError
from decaycalc.schedule.grammar import parse_segments
from decaycalc.schedule.kinds import KINDS
from decaycalc.schedule.length import Length, Unit


def arguments(text: str) -> dict[str, object]:
    (segment,) = parse_segments(text)
    return dict(segment.arguments)


def steps(amount: object) -> Length:
    return Length(amount=Fraction(str(amount)))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_names_and_aliases_are_read_in_any_case(kind) -> None:
    for name in (kind.name, kind.name.upper(), *kind.aliases):
        assert parse_segments(f" {name} ")[0].kind is kind or kind.name == "file"


def test_values_are_read_as_their_parameters_take_them() -> None:
    assert arguments("cosine:warmup=2000,final=0.1") == {"warmup": steps(2000), "final": 0.1}
    assert arguments("cosine: warmup = 5epochs , final=1/3") == {
        "warmup": Length(amount=Fraction(5), unit=Unit.EPOCHS),
        "final": 1 / 3,
    }
    assert arguments("step:at=30/60.5/80%,gamma=0.1/0.5") == {
        "at": tuple(
            Length(amount=Fraction(each), unit=Unit.PERCENT) for each in ("30", "60.5", "80")
        ),
        "gamma": (0.1, 0.5),
    }
    assert arguments("constant:warmup=1e3,warmup-power=4") == {
        "warmup": steps(1000),
        "warmup_power": 4.0,
    }
    assert arguments("constant:warmup=1.5E+3steps") == {"warmup": steps(1500)}
    assert arguments("constant:warmup=25e-1epoch")["warmup"] == Length(
        amount=Fraction(5, 2), unit=Unit.EPOCHS
    )
    assert arguments("constant:value=.5") == {"value": 0.5}
    assert arguments("wsd:shape=1-sqrt,decay=1epochs")["shape"] == "1-sqrt"
    assert arguments("cosine-restarts:cycles=3")["cycles"] == 3


def test_paths_run_to_a_comma_or_blank_or_stand_in_quotes() -> None:
    assert arguments("file:a/b+c.csv,interpolate=hold") == {
        "path": "a/b+c.csv",
        "interpolate": "hold",
    }
    assert arguments("file:path=x.json") == {"path": "x.json"}
    assert arguments('file:"a, b.csv",warmup=3') == {"path": "a, b.csv", "warmup": steps(3)}
    assert [segment.kind.name for segment in parse_segments("file:a.csv + constant")] == [
        "file",
        "constant",
    ]


@pytest.mark.parametrize(
    ("text", "position", "expected"),
    [
        ("", 0, "the name of a schedule"),
        ("cosine:", 7, "the name of a parameter"),
        ("cosine:final", 12, "'='"),
        ("cosine:final=", 13, "a number of at least 0"),
        ("cosine:final=-1", 13, "a number of at least 0"),
        ("cosine:final=0.1x", 16, "',', '+' or the end"),
        ("cosine:final=.", 13, "a number of at least 0"),
        ("cosine:final=1/0", 15, "a divisor other than 0"),
        ("cosine:warmup=5weeks", 15, "steps, epochs or %"),
        ("cosine:warmup=1,warmup=2", 16, "each parameter once, but warmup comes twice"),
        ("cosine:final=1e999", 14, "an exponent of at most 400"),
        ("cosine:final=1e400", 13, "a number of at most 1e+300"),
        ("cosine:final=" + "1" * 500, 13, "a number of at least 0"),
        ("cosine +", 8, "the name of a schedule"),
        ("file:", 5, "a path"),
        ('file:"a.csv', 11, "a closing '\"'"),
        ("file:a.csv,final", 16, "'='"),
        ("cosine,warmup=500", 6, "':', '+' or the end"),
        ("cosine:final=0 warmup=500", 15, "',', '+' or the end"),
    ],
)
def test_errors_point_at_the_offending_character(text: str, position: int, expected: str) -> None:
    with pytest.raises((TextSyntaxError, UnknownNameError)) as caught:
        parse_segments(text.replace("final", "floor") if text.startswith("file") else text)
    assert isinstance(caught.value, TextSyntaxError)
    assert (caught.value.position, caught.value.expected) == (position, expected)


def test_unknown_names_come_with_their_neighbours() -> None:
    with pytest.raises(UnknownNameError, match="unknown schedule 'cosin'; did you mean 'cosine'"):
        parse_segments("cosin")
    with pytest.raises(UnknownNameError, match=r"parameter of cosine 'warmpu'; did you .*'warmup'"):
        parse_segments("cosine:warmpu=3")
    with pytest.raises(UnknownNameError, match=r"unknown shape 'cosin'.*one of linear, cosine"):
        parse_segments("wsd:shape=cosin")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("one-cycle:rise=2", "rise 2.0 must be from 0 to 1"),
        ("one-cycle:phases=2.5", "phases 2.5 must be a whole number"),
        ("step:every=3,gamma=5000", "gamma 5000.0 must be from 0 to 1000"),
        (
            "cosine:warmup=0.1",
            "warmup 0.1 is less than a step: write 10% for a share of the run",
        ),
        ("step:at=0.3/0.6", "at 0.3 is less than a step: write 30% for a share of the run"),
        (
            "reduce_lr_on_plateau",
            (
                "schedule 'reduce-lr-on-plateau' follows the losses of the run; give the lr that it"
                " took as file:PATH"
            ),
        ),
    ],
)
def test_numbers_out_of_range_are_refused_by_name(text: str, message: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        parse_segments(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "taken", "refused"),
    [
        ("cosine:warmup=3,warmup_power={}", ("0.001", "1e9"), ("0.0009", "1000000001")),
        ("cosine:exponent={}", ("0.001",), ("0.0009",)),
        ("polynomial:power={}", ("0.001",), ("0.0009",)),
        ("cosine-restarts:cycles=2,growth={}", ("1", "1000"), ("0", "1001")),
        ("step:every=3,gamma={}", ("0", "1000"), ("1000.5",)),
        ("exponential:gamma={}", ("1e-300", "1"), ("9e-301", "1.1")),
        ("inverse:gamma={}", ("0", "1e6"), ("1000000.5",)),
        ("one-cycle:rise={}", ("0", "1"), ("1.1",)),
        ("one-cycle:fall={}", ("0", "1"), ("1.1",)),
        ("one-cycle:div={}", ("1e-6", "1e9"), ("9e-7",)),
        ("one-cycle:final_div={}", ("1e-6", "1e9"), ("9e-7",)),
        ("one-cycle:phases={}", ("2", "3"), ("1", "4")),
    ],
)
def test_numbers_are_taken_up_to_their_bounds(text, taken, refused) -> None:
    for number in taken:
        parse_segments(text.format(number))
    for number in refused:
        with pytest.raises(InvalidValueError, match="must be from"):
            parse_segments(text.format(number))


@given(st.text(alphabet='cosinestep:wdarmup=,+/%.0123456789e- "_', max_size=40))
def test_no_text_raises_anything_but_our_errors(text: str) -> None:
    position = 0
    try:
        parse_segments(text)
    except TextSyntaxError as error:
        position = error.position
    except DecaycalcError:
        pass
    assert 0 <= position <= len(text)


@pytest.mark.parametrize(
    ("text", "steps"),
    [("2k", 2000), ("60_000", 60_000), ("1.5M", 1_500_000), ("1_5e1", 150), ("2ksteps", None),
     ("6_", None), ("_6", None), ("2x", None)],
)  # fmt: skip
def test_lengths_are_read_as_people_type_them(text: str, steps: int | None) -> None:
    if steps is None:
        with pytest.raises(TextSyntaxError):
            parse_segments(f"cosine:warmup={text}")
        return
    (found,) = parse_segments(f"cosine:warmup={text}")
    assert found.arguments["warmup"] == Length(amount=Fraction(steps))
