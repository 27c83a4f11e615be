"""Variables of a shell script: what is assigned, and the words that an expansion yields."""

import re
import shlex

from decaycalc.record import Record
from decaycalc.training.reading.numbers import decimal_text
from decaycalc.training.trainers.syntax.arithmetic import calculate
from decaycalc.training.trainers.syntax.shell_parts import Part, PartKind, Word
from decaycalc.training.trainers.syntax.shell_words import read_parts

ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(\+?)=(.*)", re.DOTALL)
ELEMENT = re.compile(r"([A-Za-z_]\w*)\[([^\]]*)\]=(.*)", re.DOTALL)
_REFERENCE = re.compile(
    r"(#?)([A-Za-z_]\w*|[0-9]+|[@*#?])(\[[^\]]*\])?(?:(:?[-=])(.*))?", re.DOTALL
)
_FROM = re.compile(r"@:([0-9]{1,4})")  # ${@:2}
_KEYED = re.compile(r"\[(.*?)\]=(.*)", re.DOTALL)
_DEEPEST = 3  # defaults within defaults
_ALL = ("@", "*")
_LONGEST = 100_000  # characters that a variable may grow to


class Typed(Record):
    """One expanded word; `open` names what in it cannot be known without running the script."""

    text: str
    line: int
    open: str = ""


class ShellVariables:
    """The variables that a script has set so far; a variable is a list of words."""

    def __init__(self, known: dict[str, list[str]]) -> None:
        self.known = known
        self.arrays: dict[str, list[Typed]] = {}  # the words of an array, with their own lines
        # The arrays of `declare -A`, whose words are known as NAME[KEY].
        self.keyed: set[str] = set()

    def bind(self, words: list[Typed]) -> None:
        """Set what `$1`, `$@` and `$#` are; those behind words of an unknown number are open."""
        self.unbind()
        texts = [word.text for word in words]
        known = next((at for at, word in enumerate(words) if _is_several(word)), len(words))
        self.known |= {str(at + 1): [text] for at, text in enumerate(texts[:known])}
        if known == len(words):
            self.known |= {"@": texts, "*": texts, "#": [str(len(texts))]}

    def unbind(self) -> dict[str, list[str]]:
        """Forget what `$1` and its like are, and return it."""
        names = [name for name in self.known if not name[0].isalpha() and name[0] != "_"]
        return {name: self.known.pop(name) for name in names}

    def forget(self) -> None:
        """Leave open what `$1` and its like are, be they known or not."""
        self.known |= {name: [f"${name}"] for name in ("#", "@", "*", *self.unbind())}

    def shift(self, count: str) -> None:
        """Drop the first of the words of `$@`; where it is not known how many, all are open."""
        words = self.known.get("@")
        is_known = count.isdecimal() and words is not None and not any("$@" in w for w in words)
        self.unbind()
        if is_known and words is not None:
            self.bind([Typed(text=text, line=0) for text in words[int(count) :]])

    def is_past_the_last(self, name: str) -> bool:
        """Return whether `$3` has nothing in it, since fewer words were given."""
        count = "".join(self.known.get("#", []))
        return name.isdecimal() and count.isdecimal() and int(name) > int(count)

    def assign(self, statement: tuple[Word, ...], at: int, match: re.Match[str]) -> int:
        """Set a variable or array; return where the statement goes on."""
        word, name = statement[at], match[1]
        is_array = not match[3] and len(word.parts) == 1 and _is_open(statement, at + 1)
        own: list[Typed] = []
        if is_array:
            at += 2
            while at < len(statement) and statement[at].plain != ")":
                own += self.expand(statement[at])
                at += 1
            values = [typed.text for typed in own]
        else:
            first = Part(kind=PartKind.TEXT, text=match[3], quoted=True)
            values = [self.joined((first, *word.parts[1:]))]
        if match[2]:
            old = self.known.get(name, [])
            values = [*old, *values] if is_array else ["".join([*old, *values])]
        if name in self.keyed:
            self.assign_keys(name, own)
        elif sum(map(len, values)) <= _LONGEST:
            self.arrays[name] = [*self.arrays.get(name, []), *own] if match[2] else own
            self.known[name] = values
        return at + 1

    def assign_keys(self, name: str, words: list[Typed]) -> None:
        """Set the words of an array with keys, `([mrpc]=1e-4 [cola]=2e-5)`."""
        for typed in words:
            found = _KEYED.fullmatch(typed.text)
            if found is not None and "$" not in found[1]:
                self.known[f"{name}[{found[1]}]"] = [found[2]]

    def keyed_name(self, match: re.Match[str]) -> str:
        """Return the name that a word of an array with keys is known by, its key expanded."""
        key = match[3][1:-1].strip("\"'")
        return f"{match[2]}[{self.joined(read_parts(key))}]"

    def array(self, word: Word) -> list[Typed]:
        """Return an array's words where a word is one and no more, `"${NAME[@]}"`."""
        parts = [part for part in word.parts if part.kind is not PartKind.TEXT or part.text]
        if len(parts) != 1 or parts[0].kind is not PartKind.VARIABLE:
            return []
        name, mark, _ = parts[0].text.partition("[@]")
        words = self.arrays.get(name, []) if mark else []
        whole = [typed.text for typed in words] == self.known.get(name)
        plain = parts[0].quoted or not any(len(_split(typed.text)) != 1 for typed in words)
        return words if whole and plain else []

    def joined(self, parts: tuple[Part, ...]) -> str:
        """Return parts as one text; what is open stays as typed."""
        return "".join(" ".join(self.values(part)) for part in parts)

    def expand(self, word: Word) -> list[Typed]:
        """Return the words that a word expands to."""
        if words := self.array(word):
            return words
        texts: list[str] = [""]
        several = False  # an array that is not empty: each of its words is one
        for part in word.parts:
            values = self.values(part)
            several = several or (part.quoted and "@" in part.text and bool(values))
            if part.kind is PartKind.VARIABLE and values != [f"${part.text}"]:
                if not part.quoted:
                    values = [piece for value in values for piece in _split(value)]
                elif "@" not in part.text:
                    values = [" ".join(values)]
            texts[-1] += values[0] if values else ""
            texts += values[1:]
        quoted = any(part.quoted for part in word.parts)
        is_kept = quoted and (several or not _has_array(word))
        return [
            Typed(text=text, line=word.line, open=open_reason(text))
            for text in texts
            if text or is_kept
        ]

    def values(self, part: Part) -> list[str]:
        """Return what a part stands for, as words; an unknown one keeps its dollar."""
        if part.kind is PartKind.TEXT:
            return [part.text]
        if part.kind is PartKind.COMMAND:
            return [self.printed(part.text.strip())]
        if part.kind is PartKind.ARITHMETIC:
            number = calculate(part.text, self.number)
            return [f"$(({part.text}))" if number is None else decimal_text(number)]
        return self.variable(part.text)

    def printed(self, text: str) -> str:
        """Return what `$(expr 16 / $GPUS)` prints; any other command stays as typed."""
        name, _, rest = text.partition(" ")
        number = calculate(rest.replace("\\*", "*"), self.number) if name == "expr" else None
        return f"$({text})" if number is None else decimal_text(number)

    def variable(self, text: str) -> list[str]:
        """Return a variable's words: `NAME`, `NAME[@]`, `#NAME[@]`, `NAME:-default`.

        `NAME:=default` sets the variable too, as `: ${NAME:=default}` does at a script's top.
        """
        match = _REFERENCE.fullmatch(text)
        if match is None and (after := _FROM.fullmatch(text)) and "@" in self.known:
            return self.known["@"][max(int(after[1]) - 1, 0) :]
        if match is None or (match[1] and not match[3]):
            return [f"${{{text}}}"]
        if match[2] in self.keyed and match[3] and not match[1]:
            return self.keyed_word(match, text)
        return self.named(match, text)

    def named(self, match: re.Match[str], text: str) -> list[str]:
        """Return the words of a variable or array by its name."""
        known = self.known.get(match[2], [] if self.is_past_the_last(match[2]) else None)
        is_empty = known == [""] and (match[4] or "")[:1] == ":"
        if (not known or is_empty) and match[5] is not None:
            return self.default(match[2], match[5], keeps=match[4][-1:] == "=")
        if known is None:
            return [
                f"${match[2]}" if len(match[2]) == 1 or not match[2].isdecimal() else f"${{{text}}}"
            ]
        if match[1]:
            return [str(len(known))]
        index = (match[3] or ("[@]" if match[2] in _ALL else "[0]"))[1:-1]
        return known if index in {"@", "*"} else self.element(known, index) or [f"${{{text}}}"]

    def keyed_word(self, match: re.Match[str], text: str) -> list[str]:
        """Return a word of an array with keys, else its default; `[@]` has no order."""
        known = self.known.get(self.keyed_name(match))
        if known is None and match[5] is not None and match[4][-1:] == "-":
            return self.default(match[2], match[5], keeps=False)
        return [f"${{{text}}}"] if known is None else known

    def element(self, words: list[str], index: str) -> list[str]:
        """Return one word of an array, none where it is not known which one."""
        place = self.place(words, index)
        if place is None:
            return []
        return [words[place]] if 0 <= place < len(words) else [""]

    def place(self, words: list[str], index: str) -> int | None:
        """Return which word of an array an index names, None where that is not known.

        Words with places of their own, `([3]=1e-4)`, are not followed.
        """
        place = calculate(index, self.number)
        if place is None or any(word.startswith("[") for word in words):
            return None
        return int(place) + (len(words) if place < 0 else 0)

    def assign_element(self, match: re.Match[str]) -> None:
        """Set one word of an array, `NAME[1]=x`; where it is not known which, none is known."""
        if match[1] in self.keyed:
            self.known[f"{match[1]}[{match[2]}]"] = [match[3]]
            return
        words = self.known.get(match[1], [])
        place = self.place(words, match[2])
        self.arrays.pop(match[1], None)
        if place is None or not 0 <= place < len(words):
            self.known.pop(match[1], None)
        else:
            self.known[match[1]] = [*words[:place], match[3], *words[place + 1 :]]

    def default(self, name: str, text: str, *, keeps: bool) -> list[str]:
        """Return the default of a variable that is not set, itself expanded."""
        bare = text.strip("\"'")
        parts = read_parts(bare) if bare.count("${") <= _DEEPEST else ()
        value = self.joined(parts) if parts else bare
        if keeps and len(value) <= _LONGEST:
            self.known[name] = [value]
        return [value]

    def number(self, name: str) -> str | None:
        """Return a variable's text for arithmetic, None where it is unknown."""
        known = self.known.get(name)
        return known[0] if known else None


def _is_several(word: Typed) -> bool:
    """Return whether a word may be any number of words, `$@` or `${NAME[@]}`."""
    return bool(word.open) and any(sign in word.text for sign in ("@", "$*"))


def _is_open(statement: tuple[Word, ...], at: int) -> bool:
    return at < len(statement) and statement[at].plain == "("


def open_reason(text: str) -> str:
    """Return what a word waits for, empty where it is known."""
    return f"{text[:60]} is only known when the script runs" if "$" in text else ""


def _has_array(word: Word) -> bool:
    return any(part.kind is PartKind.VARIABLE and "@" in part.text for part in word.parts)


def _split(value: str) -> list[str]:
    """Return an unquoted variable's words; what only a run would tell stays in one piece."""
    if "$(" in value:
        return _pieces(value)
    try:
        return shlex.split(value)
    except ValueError:
        return value.split()


def _pieces(value: str) -> list[str]:
    """Return the words of a text between blanks that stand in no `$(...)`."""
    pieces, depth = [""], 0
    for at, character in enumerate(value):
        if character == "(" and (depth or value[at - 1 : at] == "$"):
            depth += 1
        elif character == ")" and depth:
            depth -= 1
        if character.isspace() and not depth:
            pieces.append("")
        else:
            pieces[-1] += character
    return [piece for piece in pieces if piece]
