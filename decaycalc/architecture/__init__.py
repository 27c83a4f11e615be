"""Architectures: from a typed text, a name or a file to the tensors that decay.

Importing this package costs nothing: most conversions name no network, so whatever reads one is
imported when one is named.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decaycalc.architecture.tensors import Architecture


def parse_architecture(text: str, *, bias: bool = True) -> "Architecture":
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
    from decaycalc.architecture.inline import NICKNAMES, parse_inline  # noqa: PLC0415

    bare = text.strip()
    if bare == "-":
        return _read_stdin()
    digits = bare[:1] in "0123456789" and bare.lower() not in NICKNAMES
    if (digits or bare[:1] == ".") and not _looks_like_file(bare):
        return parse_inline(text, bias=bias)
    return _read_name_or_file(text if _looks_like_file(text) else bare)


def _looks_like_file(text: str) -> bool:
    """Return whether a text has a folder in it, or a file's ending: `2x4.npz`, `./w`."""
    ending = text.rpartition(".")[2]
    return (
        "/" in text or "\\" in text or ("." in text and ending[:2].isalpha() and ending[1:] != "")
    )


def _read_stdin() -> "Architecture":
    from decaycalc.architecture.readers import read_stdin  # noqa: PLC0415
    from decaycalc.files.text import read_text  # noqa: PLC0415

    return read_stdin(read_text("-", stdin=True))


def _read_name_or_file(text: str) -> "Architecture":
    """Return the model of that name, or what the file of that name describes."""
    import os  # noqa: PLC0415

    from decaycalc.architecture.inline import parse_inline  # noqa: PLC0415
    from decaycalc.architecture.zoo import (  # noqa: PLC0415
        PUBLISHERS,
        find_model,
        known_names,
        likely_names,
    )

    model = find_model(text)
    if model is not None:
        return model
    hub = text.lower().startswith(PUBLISHERS)
    if "\0" not in text and (os.path.lexists(text) or (_looks_like_file(text) and not hub)):
        from decaycalc.architecture.readers import read_architecture  # noqa: PLC0415

        return read_architecture(text)
    if not hub and not text[:1].isalpha():
        return parse_inline(text)
    from decaycalc.errors import UnknownNameError  # noqa: PLC0415

    way = "give the hub's config.json" if hub else "layer widths look like 784-300-100-10"
    hint = f"(nor is it a file; {way})"
    likely = likely_names(text)
    raise UnknownNameError("architecture", text[:80], known_names(), hint=hint, likely=likely)
