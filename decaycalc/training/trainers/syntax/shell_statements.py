"""What a shell's statements tell by themselves: loops, cases, braces, where output goes."""

import re
from collections.abc import Iterator

from decaycalc.training.trainers.syntax.shell_parts import PartKind, Word
from decaycalc.training.trainers.syntax.shell_variables import ASSIGNMENT

_LEADS = frozenset({"then", "else", "do", "{"})
_LOOPS = frozenset({"for", "while", "until"})
_NAME = re.compile(r"[A-Za-z_]\w*")
_REDIRECTS = re.compile(r"(?:[0-9]*|&)(?:>>?|<)[&|]?")


def unredirected(command: tuple[Word, ...]) -> Iterator[Word]:
    """Yield a command's words without what says where its output goes, `> log 2>&1`."""
    is_target = False
    for word in command:
        bare = [part.text for part in word.parts if part.kind is PartKind.TEXT and not part.quoted]
        text = "".join(bare) if len(bare) == len(word.parts) else "".join(bare[:1])
        sign = _REDIRECTS.match(text) if word.plain == "".join(bare[:1]) else None
        if is_target or sign is not None:
            is_target = (
                sign is not None and sign.end() == len(text) and len(bare) == len(word.parts)
            )
        else:
            yield word


def braced(text: str) -> list[str]:
    """Return the words that braces make, `{5,10}` or `{1..3}`; an empty one of a list drops out."""
    inner = text[1:-1]
    if text[:1] != "{" or text[-1:] != "}" or "{" in inner:
        return [text]
    return [part for part in re.split(r",|\.\.", inner) if part]


def carried(ahead: Iterator[tuple[Word, ...]]) -> tuple[set[str], bool]:
    """Return the variables that a loop's body both reads and sets, and whether it moves `$1`."""
    depth, sets, reads, moves = 1, set[str](), set[str](), False
    for statement in ahead:
        plain = [word.plain for word in statement]
        heads = [
            at
            for at, word in enumerate(plain)
            if word in _LOOPS and (not at or plain[at - 1] in _LEADS | {")"})
        ]
        depth += len(heads) - (plain[0] == "done")
        sets |= {name for at in heads if plain[at] == "for" for name in plain[at + 1 : at + 2]}
        if not depth:
            break
        moves = moves or not {"shift", "set"}.isdisjoint(plain)
        for word in statement:
            match = ASSIGNMENT.match(word.plain)
            if match:
                sets.add(match[1])
                reads |= {match[1]} if match[2] else set()
            texts = (part.text for part in word.parts if part.kind is not PartKind.TEXT)
            reads |= {name for text in texts for name in _NAME.findall(text)}
    return sets & reads, moves


def is_case(statement: tuple[Word, ...]) -> bool:
    """Return whether a statement begins a `case`, whose `in` may stand on the next line."""
    plain = [word.plain for word in statement[:3]]
    return len(statement) > 1 and plain[0] == "case" and plain[2:] in (["in"], [])
