"""What a Python script was found to say or do beside its optimizer, as notes with their lines."""

from collections.abc import Iterable, Iterator

from decaycalc.training.reading.settings import Settings

NOTES = {
    "penalty": "the script adds a penalty of its own, which is not read: {}",
    "others": "the script also makes an optimizer that is not known here: {}",
    "wrapped": "what the optimizer is wrapped in is not read: {}",
    "sets_anew": "the script sets it anew while it trains, which is not read: {}",
    "handed": "what a function of another file does with the optimizer is not read: {}",
}
OF_WHOLE = ("penalty", "others")  # what is of a script, whichever optimizer it makes


def said(settings: Settings, path: str) -> str:
    """Return the text of what a script was found to hold, and its line; empty without it."""
    text, node = settings.told(path), settings.node(path)
    return f"{text} (line {None if node is None else node.line})" if text else ""


def notes_of(settings: Settings, keys: Iterable[str] = tuple(NOTES)) -> Iterator[str]:
    """Yield what is to be said of a script, of the `keys` that were found in it."""
    for key in keys:
        if text := said(settings, key):
            yield NOTES[key].format(text)
