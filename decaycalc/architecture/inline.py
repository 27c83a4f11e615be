"""Architectures typed in place: `784-300-100-10`, or a bare number of weights."""

import re
from itertools import pairwise

from decaycalc.architecture.tensors import MOST_WEIGHTS, Architecture, Role, Tensor
from decaycalc.errors import InvalidValueError, TextSyntaxError

SEPARATORS = "-,x×"
UNITS = ("weights", "weight", "parameters", "params")
SUFFIXES = {"": 0, "k": 3, "m": 6, "b": 9, "g": 9, "t": 12}
# What OpenAI called GPT-2's first releases: names, though they look like counts.
NICKNAMES = {"117m": "gpt2", "345m": "gpt2-medium"}
MOST_LAYERS = 10_000  # typed by hand, so more is a slip
# A width of eighteen digits is already refused for its size.
MOST_DIGITS = 18
WHAT = "architecture"


def parse_inline(text: str, *, bias: bool = True) -> Architecture:
    """Return the dense layers of `width {separator width}`, or the bare count that the text is.

    >>> parse_inline("784-300-100-10").n_parameters
    266610
    >>> parse_inline("25.6e6").n_parameters
    25600000

    Raises:
        TextSyntaxError: the text is neither; its position is that of the offending character.
        InvalidValueError: a number that no network has.
    """
    count = read_count(text)
    if count is not None:
        return Architecture(name=text.strip(), count=count)
    return dense_layers(read_widths(text), bias=bias, name=text.strip())


def dense_layers(widths: tuple[int, ...], *, bias: bool, name: str) -> Architecture:
    """Return fully connected layers `fc1`, `fc2`, ... between the widths; the last gives classes.

    Weights have the shape `(fan_out, fan_in)`, biases `(fan_out,)`.

    Raises:
        InvalidValueError: more weights or layers than any network has.
    """
    if len(widths) > MOST_LAYERS:
        raise InvalidValueError("number of layers", len(widths), f"must be at most {MOST_LAYERS}")
    tensors: list[Tensor] = []
    for index, (fan_in, fan_out) in enumerate(pairwise(widths), start=1):
        tensors += dense(f"fc{index}", fan_in=fan_in, fan_out=fan_out, bias=bias)
    return Architecture(name=name, tensors=tuple(tensors), n_classes=widths[-1])


def dense(name: str, *, fan_in: int, fan_out: int, bias: bool) -> list[Tensor]:
    """Return weight and bias of one fully connected layer, initialised by He's rule.

    Source: He et al. 2015, arXiv 1502.01852, eq. 10: variance 2/fan_in, bias 0.
    """
    weight = Tensor(
        name=f"{name}.weight",
        shape=(fan_out, fan_in),
        fan_in=fan_in,
        fan_out=fan_out,
        init_variance=2 / fan_in,
    )
    if not bias:
        return [weight]
    shift = Tensor(
        name=f"{name}.bias",
        shape=(fan_out,),
        role=Role.BIAS,
        fan_in=fan_in,
        fan_out=fan_out,
        init_variance=0.0,
    )
    return [weight, shift]


def read_widths(text: str) -> tuple[int, ...]:
    """Return the widths of `width {separator width}`, two or more.

    Raises:
        TextSyntaxError: an empty, zero or malformed width.
        InvalidValueError: a width that no network has.
    """
    widths: list[int] = []
    position, allowed = 0, SEPARATORS
    while True:
        width, position = _read_width(text, position)
        widths.append(width)
        if position == len(text):
            break
        if text[position] not in allowed:
            wanted = "one of - , x" if allowed == SEPARATORS else f"{allowed!r}, as before"
            raise TextSyntaxError(WHAT, text, position, f"a digit or {wanted}")
        allowed = text[position]  # 3x32x32-10 is an image's sides before it is layers
        position += 1
    bare = text.strip()
    if _THOUSANDS.fullmatch(bare):
        count, layers = bare.replace(",", ""), bare.replace(",", "-")
        raise InvalidValueError(WHAT, bare[:80], f"must be {count} or {layers}, whichever is meant")
    return tuple(widths)


# Layers of 784, 300 and 100, or 784 million.
_THOUSANDS = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+")


def _read_width(text: str, start: int) -> tuple[int, int]:
    """Return the width that begins at `start`, blanks around it allowed, and where it ends."""
    start = _skip_blanks(text, start)
    stop = _skip_digits(text, start)
    if stop == start:
        raise TextSyntaxError(WHAT, text, start, "a layer width")
    if stop - start > MOST_DIGITS or int(text[start:stop]) > MOST_WEIGHTS:
        shown = text[start:stop][: MOST_DIGITS + 1]
        raise InvalidValueError("layer width", shown, f"must be at most {MOST_WEIGHTS:.0e}")
    if int(text[start:stop]) == 0:
        raise TextSyntaxError(WHAT, text, start, "a layer width of 1 or more")
    return int(text[start:stop]), _skip_blanks(text, stop)


def _skip_blanks(text: str, start: int) -> int:
    while start < len(text) and text[start] == " ":
        start += 1
    return start


def _skip_digits(text: str, start: int) -> int:
    # str.isdigit would accept superscripts and other scripts' digits.
    while start < len(text) and text[start] in "0123456789":
        start += 1
    return start


def read_count(text: str) -> int | None:
    """Return the number of weights in `number [k|M|B] [weights]`; None for any other text.

    Raises:
        InvalidValueError: a number that is no whole number of weights, or absurdly large.
    """
    number, exponent = _split_count(text.strip().lower())
    mantissa, mark, power = number.partition("e")
    whole, _, fraction = mantissa.partition(".")
    if not _are_digits(whole + fraction) or (mark and not _is_whole(power)):
        return None
    # 10**99 is out of every bound already, and longer powers cost time.
    shift = max(-99, min(99, int(power or 0))) + exponent - len(fraction)
    scale: int = 10 ** abs(shift)
    digits = int((whole + fraction)[:200])
    value, rest = (digits * scale, 0) if shift >= 0 else divmod(digits, scale)
    if rest or not 1 <= value <= MOST_WEIGHTS:
        bounds = f"must be a whole number from 1 to {MOST_WEIGHTS:.0e}"
        raise InvalidValueError("number of weights", text.strip()[:80], bounds)
    return value


def _split_count(text: str) -> tuple[str, int]:
    """Return the number's own text and the decimal exponent of its suffix."""
    for unit in UNITS:
        if text.endswith(unit):
            text = text[: -len(unit)].strip()
            break
    suffix = text[-1:] if text[-1:] in SUFFIXES else ""
    return text[: len(text) - len(suffix)], SUFFIXES[suffix]


def _are_digits(text: str) -> bool:
    return bool(text) and _skip_digits(text, 0) == len(text)


def _is_whole(text: str) -> bool:
    """Return whether the text is a signed whole number of a length that `int` reads quickly."""
    unsigned = text[1:] if text[:1] in {"+", "-"} else text
    return _are_digits(unsigned) and len(unsigned) <= MOST_DIGITS
