"""Architectures: from a typed text, a name or a file to the tensors that decay.

Importing this package costs next to nothing; the zoo and the file readers load when asked for.
"""

from decaycalc.architecture.inline import parse_inline
from decaycalc.architecture.tensors import Architecture, Role, Tensor

__all__ = ["Architecture", "Role", "Tensor", "parse_architecture"]


def parse_architecture(text: str, *, bias: bool = True) -> Architecture:
    """Return the architecture that `text` names.

    It is layer widths (`784-300-100-10`), a number of weights (`25.6e6`), a model's name
    (`resnet50`), a file, or `-` for JSON from standard input. `bias` applies to layer widths.

    >>> parse_architecture("784-300-100-10").n_classes
    10

    Raises:
        TextSyntaxError: malformed layer widths; carries the offending character's position.
        InvalidValueError: a size that no network has.
        UnknownNameError: neither a known model nor a file.
        UnreadableFileError: a file that cannot be read as an architecture.
        MissingExtraError: a file format whose optional package is not installed.
    """
    return parse_inline(text, bias=bias)
