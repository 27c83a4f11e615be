"""Arguments within one setting: `key=value,key=value` as a text, a list of such, or a mapping."""

import re
from fractions import Fraction

from decaycalc.errors import UnreadableFileError
from decaycalc.training.reading.numbers import typed_number
from decaycalc.training.reading.settings import Settings, left_open, of_file, open_part, texts_of
from decaycalc.training.reading.trainer import Field
from decaycalc.training.record import Sourced
from decaycalc.training.trainers.syntax.tree import Entries, Items, Node, Scalar, find

_BETWEEN = re.compile(r"""[,\s]+(?=["']?\w+\s*=)""")
_AROUND = " \t\n\"'"  # kohya_ss' window keeps the quotes that were typed around an argument
ANY = "*"  # stands for whichever arguments an open text holds
_NUMBER = re.compile(r"[-+]?(?:\d+(?:_\d+)*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


def arguments_of(settings: Settings, path: str) -> dict[str, Node]:
    """Return the arguments at a path of the file, by key.

    `a=1,b=2`, `"a=1" "b=2"`, `["a=1", "b=(0.9, 0.99)"]`, `{"a": 1}` as a JSON text and a mapping
    are all read.
    """
    node = find(settings.document.root, path)
    if isinstance(node, Entries):
        return dict(node.entries)
    if isinstance(node, Items):
        return _pairs(texts_of(node), node.line) | _open_of(*node.items)
    if isinstance(node, Scalar) and node.open:
        return _open_of(node)
    text = "" if node is None else (node.text or "").strip()
    line = None if node is None else node.line
    if text.startswith("{"):
        # Imported here: few settings are a JSON text.
        from decaycalc.training.trainers.syntax.data import parse_json  # noqa: PLC0415

        try:
            return dict(parse_json(text, settings.document.name).entries)
        except UnreadableFileError:
            return {}
    # A part without `=` goes on with the one before.
    return _pairs(tuple(_BETWEEN.split(text)), line)


def _pairs(texts: tuple[str, ...], line: int | None) -> dict[str, Node]:
    parts = (text.partition("=") for text in texts if "=" in text)
    return {
        key.strip(_AROUND): Scalar(text=value.strip(_AROUND), line=line) for key, _, value in parts
    }


def _open_of(*nodes: Node) -> dict[str, Node]:
    """Return the arguments that only a run would tell; a part that holds several is any of them."""
    parts = [node for node in nodes if isinstance(node, Scalar) and node.open]
    heads = ((node.open.partition("=")[0], node) for node in parts)
    return {
        head if head.isidentifier() and node.open.count("=") == 1 else ANY: node
        for head, node in heads
    }


def find_argument(settings: Settings, path: str, key: str) -> Node | None:
    """Return one argument at a path of the file; an open scalar where it may be among open ones."""
    found = arguments_of(settings, path)
    return found.get(key, found.get(ANY))


def argument_of(settings: Settings, name: str, within: str, key: str) -> Sourced | None:
    """Return one argument within a setting, None where the file does not have it."""
    node, where = find_argument(settings, within, key), f"{within}.{key}"
    text, line = ",".join(texts_of(node)), None if node is None else node.line
    if waiting := open_part(where, node):
        return left_open(name, waiting, where=where, line=line)
    if not text:
        return None
    return of_file(name, text, where, line)


def argument(
    name: str, within: str, *, key: str | None = None, default: str | None = None, source: str = ""
) -> Field:
    """Return the field of one argument within a setting, such as momentum within optim_args."""
    own = key or name

    def derive(settings: Settings) -> Sourced | None:
        return argument_of(settings, name, within, own)

    return Field(name=name, covers=(within,), default=default, source=source, derive=derive)


def element(
    name: str, path: str, at: int, *, older: str = "", default: str | None = None, source: str = ""
) -> Field:
    """Return the field of one number of a list, be it a list or a text such as `(0.9, 0.98)`.

    `older` is a path of earlier versions, taken where the file lacks the first.
    """
    paths = tuple(filter(None, (path, older)))

    def derive(settings: Settings) -> Sourced | None:
        for each in paths:
            node = find(settings.document.root, each)
            texts, line = texts_of(node), None if node is None else node.line
            numbers, waiting = _NUMBER.findall(" ".join(texts)), open_part(each, node)
            if at < len(numbers) and not waiting:
                value = numbers[at]
                return of_file(name, value, each, line)
            if waiting or texts:
                note = waiting or f"{each} has no number {at + 1}"
                return left_open(name, note, where=each, line=line)
        return None

    return Field(name=name, covers=paths, default=default, source=source, derive=derive)


def betas(
    path: str, beta1: str, beta2: str, *, older: str = "", source: str = ""
) -> tuple[Field, Field]:
    """Return the fields of Adam's two betas, a list in the file, with their defaults."""
    one, two = (
        element(name, path, at, older=older, default=default, source=source)
        for at, (name, default) in enumerate((("beta1", beta1), ("beta2", beta2)))
    )
    return one, two


def numbers_of(text: str) -> tuple[Fraction, ...]:
    """Return every number that a text such as `(30000, 40000)` holds, in its order.

    >>> numbers_of("(30_000, 4e4)")
    (Fraction(30000, 1), Fraction(40000, 1))
    """
    found = (typed_number(number) for number in _NUMBER.findall(text))
    return tuple(number for number in found if number is not None)
