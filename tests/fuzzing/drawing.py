"""What random cases are made of: numbers and texts as people, programs and attackers type them."""

import datetime as dt
import json
import math

from decaycalc.conventions.catalogue import conventions
from decaycalc.schedule import KINDS

KEYS = tuple(record.key for record in conventions())
COMMON = ("caffe", "keras-l2", "pytorch-adamw", "pytorch-sgd", "mean-l2", "sklearn-logistic",
          "tfa-adamw", "half-life-steps", "per-step-shrink", "sum-l2")  # fmt: skip
EDGES = (
    "1e-4", "0.1", "1/3", "1e400", "1e-400", "0x1p-3", "", " ", "-0", "1_0", "١", "nan", "inf",
    "-inf", "1e154", "1e308", "5e-324", "0.99999999999999999", "1.0000000000000000001", "1e-17",
    "60k", "1.28M", "3T", "1,5", "0", "1", "1/0", "1e999999999", "9" * 400, "9" * 5000, "1e9999999",
    "-1", "+1", "1e15", "2**3", "1e", ".5", "5.", "Infinity", "٣", "1/3/3", "1e-4.5", "½",
)  # fmt: skip
# A lone surrogate is valid JSON as an escape, and what Python makes of bytes that are no UTF-8.
ODD_TEXTS = (
    "", " ", "\ud800", "x\udfff", "\x00", "\x1b[31m", "\x1b]0;x\x07", "a\nb", "a\r", "é", "\u202e",
    "'", '"', "x" * 2000, "=cmd|' /C calc'!A0", "<script>", "|", "[", "(", "(a|a)*$", "\\", "$HOME",
    "${x}", "\N{LATIN SMALL LETTER DOTLESS I}", "\ufeff", "😀", "None", "null", "true", "-", "--",
    "..", "/", "%s", "{}", "[lr] :fire:",
)  # fmt: skip
SHAPES = tuple(kind.name for kind in KINDS)
SCHEDULES = (
    "step:at=30/60/80%,factor=0.1", "cosine-restarts:period=7,growth=2", "inverse:gamma=1e-4",
    "warmup-stable-decay:decay=10%", "one-cycle", "constant:10;linear", "@no-such.csv", ":",
    "file:table.csv", "file:/dev/zero", "file:.", "cosine:final=10", "linear:warmup=0.1",
)  # fmt: skip


def text(rng):
    """Return a text of few characters, or an odd one."""
    if rng.random() < 0.5:
        return rng.choice(ODD_TEXTS)
    planes = ((32, 127), (32, 127), (1, 0x250), (0x2000, 0xD800), (0x1F300, 0x1F700))
    low, high = rng.choice(planes)
    return "".join(chr(rng.randrange(low, high)) for _ in range(rng.randrange(6)))


def is_tame(rng):
    """Return whether a case is to be sound in most of its parts, so that it is answered."""
    return getattr(rng, "tame", False) and rng.random() < 0.97


def number(rng):
    """Return a number as a text, or what is none."""
    way = rng.random() * (0.36 if is_tame(rng) else 1)
    if way < 0.35:
        return f"{10 ** rng.uniform(-6, 1):.{rng.randrange(1, 5)}g}"
    if way < 0.5:
        return str(rng.randrange(-2, 10 ** rng.randrange(1, 8)))
    if way < 0.6:
        return repr(rng.choice((-1, 1, 1, 1)) * 10.0 ** rng.uniform(-323, 308))
    if way < 0.65:
        return f"{rng.randrange(-1, 10**6)}/{rng.randrange(10**6)}"
    if way < 0.7:
        return f"0.{rng.randrange(10 ** rng.randrange(1, 40))}"
    return rng.choice(EDGES) if way < 0.97 else text(rng)


def length(rng):
    """Return steps, epochs, batch or data set size as a text."""
    if is_tame(rng) or rng.random() < 0.85:
        return str(rng.choice((1, 2, 9, 10, 100, 256, 391, 1000, 50000, 1281167, 10**7)))
    return number(rng)


def schedule(rng):
    """Return a schedule's text."""
    way = rng.random() * (0.5 if is_tame(rng) else 1)
    if way < 0.5:
        tail = rng.choice(("", ":warmup=10", ":final=0.1", ":x=1", ":warmup=1e99", ":warmup=5%"))
        return rng.choice(SHAPES) + tail
    if way < 0.85:
        return rng.choice(SCHEDULES)
    letters = "cosinestp:=,;%/.0123456789e-"
    return "".join(rng.choice(letters) for _ in range(rng.randrange(20)))


def key(rng):
    """Return a convention's name."""
    way = rng.random() * (0.9 if is_tame(rng) else 1)
    return rng.choice(COMMON) if way < 0.55 else rng.choice(KEYS) if way < 0.95 else text(rng)


def anything(rng, leaf, depth=2):
    """Return a leaf, or a list or a mapping of them."""
    way = rng.random()
    if depth == 0 or way < 0.7:
        return leaf(rng)
    inner = [anything(rng, leaf, depth - 1) for _ in range(rng.randrange(3))]
    if way < 0.85:
        return inner
    return {rng.choice(("lr", "x", "", text(rng))): value for value in inner}


def json_leaf(rng):
    """Return a value of JSON that is neither list nor mapping."""
    return rng.choice(
        (None, True, False, 0, -1, 0.1, 1e308, 5e-324, math.nan, math.inf, -math.inf, 10**4000,
         rng.randrange(10**9), rng.random(), number(rng), text(rng), rng.choice(COMMON))
    )  # fmt: skip


# Integers of 5000 digits, which Python would not print.
_HUGE, _HUGE_HEX = ..., NotImplemented
WORDS = (
    "0.1", "caffe", "keras-l2", "file:/dev/zero", "/dev/zero", "cosine", "nbs=64", "(a|a)*$:wd=1",
    "constant:until=3 + File:a",
    "DC201", "x", "1e400", "5e-324", "\x1b]0;x\x07", "4-3-2", "mean", "all", "csv", "lr*wd",
)  # fmt: skip


def toml_leaf(rng):
    """Return a value of TOML that is neither array nor table."""
    moment = dt.datetime(rng.randrange(1, 9999), 1, 2, 3, 4, 5)  # noqa: DTZ001  (TOML's local time)
    return rng.choice(
        (rng.choice(WORDS), rng.choice(WORDS), _writable(text(rng)), True, False, 0, -1,
         rng.randrange(2**70), _HUGE, _HUGE_HEX, 0.1, rng.random(), math.nan, math.inf, moment,
         moment.date(), moment.time(), moment.replace(tzinfo=dt.UTC))
    )  # fmt: skip


def _writable(odd):
    """Return a text without what UTF-8 has no bytes for."""
    return odd.encode("utf-8", "replace").decode()


def as_toml(value):
    """Return a value as TOML writes it."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{quoted(k)} = {as_toml(part)}' for k, part in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(as_toml, value))}]"
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if value is _HUGE or value is _HUGE_HEX:
        return "9" * 5000 if value is _HUGE else f"0x{'f' * 5000}"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return quoted(value)


def quoted(value):
    """Return a text, number or truth as both JSON and TOML write it."""
    return json.dumps(value) if not isinstance(value, str) else _basic(_writable(value))


def _basic(plain):
    return json.dumps(plain, ensure_ascii=False).replace("\x7f", "\\u007f")


def as_lines(table):
    """Return a table of TOML."""
    return "".join(f"{quoted(name)} = {as_toml(value)}\n" for name, value in table.items())
