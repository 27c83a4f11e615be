"""The text form of a schedule: a recursive-descent parser, one method a rule.

    schedule = segment { "+" segment }
    segment  = name [ ":" argument { "," argument } ]
    argument = parameter "=" value  |  path            (a bare path only first in `file:`)
    value    = number | length | numbers | lengths | choice | path
    length   = digits [ "steps" | "epochs" | "%" ]
    number   = digits [ "/" digits ]
    numbers  = digits { "/" digits }                   (step's gamma)
    lengths  = digits { "/" digits } [ unit ]          (step's at: 30/60/80epochs)

Blanks are allowed around `+` and `,`. A path runs to the next comma or blank, or stands in double
quotes. What a value is follows from its parameter.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from decaycalc.algebra.number import SCALES
from decaycalc.errors import InvalidValueError, TextSyntaxError, UnknownNameError
from decaycalc.schedule.kinds import COMMON, KINDS, Parameter, ScheduleKind, Type, Value, find_kind
from decaycalc.schedule.length import Length, Unit

_UNITS = {
    "": Unit.STEPS,
    "step": Unit.STEPS,
    "steps": Unit.STEPS,
    "epoch": Unit.EPOCHS,
    "epochs": Unit.EPOCHS,
    "%": Unit.PERCENT,
}
_DIGITS = tuple("0123456789")
_LARGEST_EXPONENT = 400
_MOST_DIGITS = 400
_LARGEST = Fraction(10) ** 300


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentText:
    """One segment as it was typed: its kind and the parameters that were given.

    `defaults` are those of the name that it was called by.
    """

    kind: ScheduleKind
    arguments: Mapping[str, Value]
    defaults: Mapping[str, Value]

    def get(self, parameter: Parameter) -> Value:
        """Return a parameter's value, given or by default."""
        value = self.arguments.get(parameter.name, self._default(parameter))
        if isinstance(value, str) and parameter.type is Type.NUMBER:
            return self.get(next(each for each in self.kind.parameters if each.name == value))
        return value

    def _default(self, parameter: Parameter) -> Value:
        return self.defaults.get(parameter.name, parameter.default)


def parse_segments(text: str) -> tuple[SegmentText, ...]:
    """Return the segments of a schedule's text.

    Raises:
        TextSyntaxError: The text does not follow the grammar.
        UnknownNameError: An unknown schedule, parameter or choice.
        InvalidValueError: A number that its parameter cannot have.
    """
    parser = _Parser(text)
    segments = [parser.parse_segment()]
    while parser.accept("+"):
        segments.append(parser.parse_segment())
    if parser.position < len(text):
        begins = "','" if segments[-1].arguments else "':'"
        raise parser.error(f"{begins}, '+' or the end")
    return tuple(segments)


@dataclass(slots=True)
class _Parser:
    text: str
    position: int = field(default=0)

    def error(self, expected: str) -> TextSyntaxError:
        """Return the complaint that something else stands here than what is expected."""
        return TextSyntaxError("schedule", self.text, self.position, expected)

    def skip_blanks(self) -> None:
        """Step over blanks."""
        while self.text[self.position : self.position + 1].isspace():
            self.position += 1

    def accept(self, symbol: str) -> bool:
        """Step over a symbol with the blanks around it, if it comes next."""
        self.skip_blanks()
        if not self.text.startswith(symbol, self.position):
            return False
        self.position += len(symbol)
        self.skip_blanks()
        return True

    def take(self, allowed: str) -> str:
        """Return the run of letters, digits and `allowed` characters that comes next."""
        start = self.position
        while self.position < len(self.text) and self._is_of_word(allowed):
            self.position += 1
        return self.text[start : self.position]

    def _is_of_word(self, allowed: str) -> bool:
        character = self.text[self.position]
        return (character.isascii() and character.isalnum()) or character in allowed

    def parse_segment(self) -> SegmentText:
        """Segment = name [ ":" argument { "," argument } ].

        Raises:
            UnknownNameError: no schedule, or no parameter of one, is called so.
            TextSyntaxError: it does not follow the grammar.
        """
        self.skip_blanks()
        name = self.take("-_")
        if not name:
            raise self.error("the name of a schedule")
        plain = name.lower().replace("_", "-")
        kind = find_kind(plain)
        if kind is None:
            names = [name for each in KINDS for name in (each.name, *each.aliases, *each.variants)]
            hint = "('decaycalc schedule --list' lists them)"
            raise UnknownNameError("schedule", name, names, hint=hint)
        arguments: dict[str, Value] = {}
        if self.accept(":"):
            self.parse_argument(kind, arguments)
            while self.accept(","):
                self.parse_argument(kind, arguments)
        defaults = kind.variants.get(plain, {})
        return SegmentText(kind=kind, arguments=arguments, defaults=defaults)

    def parse_argument(self, kind: ScheduleKind, earlier: dict[str, Value]) -> None:
        """Argument = parameter "=" value | path; it is added to the earlier ones."""
        start = self.position
        name = self.take("-_").lower().replace("-", "_")
        first = kind.parameters[0]
        if first.type is Type.PATH and not earlier and not self.accept("="):
            self.position = start
            earlier[first.name] = self.parse_path()
            return
        if not name:
            raise self.error("the name of a parameter")
        parameter = _find_parameter(kind, name)
        if parameter.name in earlier:
            self.position = start
            raise self.error(f"each parameter once, but {parameter.name} comes twice")
        if first.type is not Type.PATH or earlier:
            self.expect_equals()
        earlier[parameter.name] = self.parse_value(parameter)

    def expect_equals(self) -> None:
        """Step over an equals sign.

        Raises:
            TextSyntaxError: there is none.
        """
        if not self.accept("="):
            raise self.error("'='")

    def parse_value(self, parameter: Parameter) -> Value:
        """Value, read as its parameter takes it."""
        match parameter.type:
            case Type.PATH:
                return self.parse_path()
            case Type.CHOICE:
                return self.parse_choice(parameter)
            case Type.LENGTH:
                return _check_length(parameter, self.parse_length())
            case Type.LENGTHS:
                return tuple(_check_length(parameter, each) for each in self.parse_lengths())
            case Type.NUMBERS:
                return tuple(_check(parameter, number) for number in self.parse_digit_list())
            case _:
                return _check(parameter, self.parse_number())

    def parse_path(self) -> str:
        """Path = everything up to a comma or blank, or between double quotes."""
        if self.accept('"'):
            end = self.text.find('"', self.position)
            if end < 0:
                self.position = len(self.text)
                raise self.error("a closing '\"'")
            path, self.position = self.text[self.position : end], end + 1
            return path
        start = self.position
        while self.position < len(self.text) and not self._ends_path():
            self.position += 1
        if start == self.position:
            raise self.error("a path")
        return self.text[start : self.position]

    def _ends_path(self) -> bool:
        return self.text[self.position] == "," or self.text[self.position].isspace()

    def parse_choice(self, parameter: Parameter) -> str:
        """Choice = one of the parameter's words.

        Raises:
            UnknownNameError: it is another word.
        """
        name = self.take("-_").lower()
        if name not in parameter.choices:
            hint = f"(one of {', '.join(parameter.choices)})"
            raise UnknownNameError(parameter.name, name, parameter.choices, hint=hint)
        return name

    def parse_number(self) -> Fraction:
        """Number = digits [ "/" digits ]."""
        number = self.parse_digits()
        if not self.accept("/"):
            return number
        start = self.position
        divisor = self.parse_digits()
        if not divisor:
            self.position = start
            raise self.error("a divisor other than 0")
        return number / divisor

    def parse_digit_list(self) -> list[Fraction]:
        """Numbers = digits { "/" digits }."""
        numbers = [self.parse_digits()]
        while self.accept("/"):
            numbers.append(self.parse_digits())
        return numbers

    def parse_lengths(self) -> tuple[Length, ...]:
        """Lengths = digits { "/" digits } [ unit ]."""
        amounts = self.parse_digit_list()
        unit = self.parse_unit()
        return tuple(Length(amount=amount, unit=unit) for amount in amounts)

    def parse_length(self) -> Length:
        """Length = digits [ unit ]."""
        return Length(amount=self.parse_digits(), unit=self.parse_unit())

    def parse_unit(self) -> Unit:
        """Unit = "steps", "epochs" or "%", or one of their short forms."""
        start = self.position
        word = self.take("%").lower()
        if word not in _UNITS:
            self.position = start
            raise self.error("steps, epochs or %")
        return _UNITS[word]

    def parse_digits(self) -> Fraction:
        """Digits = a decimal without sign, with or without an exponent."""
        start = self.position
        whole = self._take_digits()
        broken = self._take_digits() if self._take_one(".") else ""
        if not 0 < len(whole + broken) <= _MOST_DIGITS:
            self.position = start
            raise self.error("a number of at least 0")
        number = Fraction(int(whole + broken)) * Fraction(10) ** (self._exponent() - len(broken))
        number *= self._scale()
        if number > _LARGEST:
            self.position = start
            raise self.error(f"a number of at most {float(_LARGEST):g}")
        return number

    def _scale(self) -> int:
        """Return what a letter behind a number multiplies it by, `2k`; 1 if none stands there."""
        letter, after = (self._character(self.position + ahead) for ahead in (0, 1))
        if letter not in SCALES or after.isalnum():
            return 1
        self.position += 1
        return SCALES[letter]

    def _exponent(self) -> int:
        """Return the exponent, 0 if none follows: `e` may also begin `epochs`."""
        start = self.position
        if not self._take_one("eE"):
            return 0
        sign = self._take_one("+-")
        digits = self._take_digits()
        if not digits:
            self.position = start
            return 0
        if len(digits) > len(str(_LARGEST_EXPONENT)) or int(digits) > _LARGEST_EXPONENT:
            self.position = start
            raise self.error(f"an exponent of at most {_LARGEST_EXPONENT}")
        return -int(digits) if sign == "-" else int(digits)

    def _take_one(self, characters: str) -> str:
        character = self.text[self.position : self.position + 1]
        if character and character in characters:
            self.position += 1
            return character
        return ""

    def _take_digits(self) -> str:
        start = self.position
        while self.text[self.position : self.position + 1] in _DIGITS or self._is_between_digits():
            self.position += 1
        return self.text[start : self.position].replace("_", "")

    def _is_between_digits(self) -> bool:
        """Return whether an underscore stands here that groups digits, `60_000`."""
        before, here, after = (self._character(self.position + ahead) for ahead in (-1, 0, 1))
        return here == "_" and before in _DIGITS and after in _DIGITS

    def _character(self, place: int) -> str:
        """Return the character at a place, empty beyond the text's ends."""
        return self.text[place : place + 1] if place >= 0 else ""


# What frameworks call the lr at a schedule's end, which here is a multiplier.
_LOWEST_LR = frozenset({"min_lr", "lr_min", "eta_min", "lr_end", "end_lr", "end_learning_rate"})


def _find_parameter(kind: ScheduleKind, name: str) -> Parameter:
    parameters = (*kind.parameters, *COMMON)
    for parameter in parameters:
        if name == parameter.name or name in parameter.aliases:
            return parameter
    names = [parameter.name for parameter in parameters]
    hint = f"(it takes {', '.join(names)})"
    if name in _LOWEST_LR and "final" in names:
        hint = f"(an lr: write what it is of the peak, final={name}/lr, as final=1e-5/1e-3)"
        names = []
    raise UnknownNameError(f"parameter of {kind.name}", name, names, hint=hint)


def _check_length(parameter: Parameter, length: Length) -> Length:
    """Return a length that is none or at least a step: 0.1 steps are meant as a share.

    Raises:
        InvalidValueError: It is a part of a step.
    """
    if length.unit is Unit.STEPS and 0 < length.amount < 1:
        text = f"is less than a step: write {float(length.amount * 100):g}% for a share of the run"
        raise InvalidValueError(parameter.name, float(length.amount), text)
    return length


def _check(parameter: Parameter, number: Fraction) -> float:
    """Return a number that its parameter can have, as a float."""
    low, high = Fraction(str(parameter.low)), Fraction(str(parameter.high))  # as they are shown
    if not low <= number <= high:
        text = f"must be from {parameter.low:g} to {parameter.high:g}"
        raise InvalidValueError(parameter.name, float(number), text)
    if parameter.type is Type.COUNT and number.denominator != 1:
        raise InvalidValueError(parameter.name, float(number), "must be a whole number")
    return float(number)
