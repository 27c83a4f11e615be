"""The words that the screen has for what JSON names: classes, conditions, groups of conventions."""

from decaycalc.conventions.record import Convention, Coupling, Equivalence
from decaycalc.conversion.equivalence import UNCLIPPED
from decaycalc.report.table import Marked, Tone

_TONES = {Equivalence.IDENTICAL: Tone.EXACT, Equivalence.NONE: Tone.REFUSED}
# Notes whose head is not the condition; an empty one says what the class or the heading says.
_CONDITIONS = {
    "the momentum buffers differ": "exact at a constant lr",
    "momentum was not given and counts as 0": "",
    "an estimate": "",
    UNCLIPPED: "",
    "the solver takes no such steps": "plain SGD's on its objective",
    "agrees at peak lr only": "at peak lr",
    "the batch sizes differ, so the gradients do": "other gradients, as B differs",
}


def conditions_of(note: str) -> tuple[str, ...]:
    """Return the conditions that a conversion's notes state, without their reasons.

    >>> conditions_of("agrees at peak lr only: the two differ; to first order, --match decay holds")
    ('at peak lr', 'to first order')
    """
    heads = (_head(text) for text in note.split("; ") if text)
    return tuple(dict.fromkeys(filter(None, heads)))


def _head(text: str) -> str:
    head = text.partition(": ")[0].partition(", --")[0]
    return _CONDITIONS.get(head, head)


def class_cell(equivalence: Equivalence, condition: str = "") -> Marked:
    """Return the class with its condition, green where it is exact without one."""
    joint = " " if condition.startswith("at ") else "; "
    text = joint.join(filter(None, (equivalence.words, condition)))
    tone = _TONES.get(equivalence, Tone.PARTIAL)
    return Marked(content=text, tone=Tone.PARTIAL if condition and tone == Tone.EXACT else tone)


def names_of(conventions: tuple[Convention, ...]) -> str:
    """Return what to call conventions that share a row, `any AdamW: pytorch, optax, hf`."""
    keys = [convention.key for convention in conventions]
    if len(keys) > 1 and all(map(_is_adamw, conventions)):
        return f"any AdamW: {', '.join(key.partition('-')[0] for key in keys)}"
    return ", ".join(keys)


def _is_adamw(convention: Convention) -> bool:
    return convention.optimizer == "adam" and convention.coupling == Coupling.DECOUPLED
