"""The same training file written anew: other order, layout, quotes and forms of its numbers."""

import ast
import json
import re
import shlex

from decaycalc.training.trainers.syntax.tree import Entries, Items, Scalar

_DECIMAL = re.compile(r"\d+\.\d*(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+")
_WHOLE = re.compile(r"[1-9]\d{3,}")
_PLAIN = re.compile(r"[A-Za-z][\w./]*")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "none", "y", "n"})
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?")
STRANGER = "zz_written_by"  # a key that no trainer knows


def number(rng, text, *, underscores=False):
    """Return another way to write a number; what is not one stays."""
    if _DECIMAL.fullmatch(text):
        mantissa, _, power = f"{float(text):.17e}".partition("e")
        digits = (repr(float(text)).partition("e")[0].rstrip("0") or "0").rstrip(".")
        forms = [text, f"{digits if 'e' not in repr(float(text)) else text}"]
        short = f"{float(text):.12e}".partition("e")[0].rstrip("0")
        short += "0" if short.endswith(".") else ""
        forms.append(f"{short}e{int(power):+03d}")
        if "e" not in text.lower() and mantissa:
            forms.append(f"{text}0" if "." in text else text)
        return rng.choice([form for form in forms if float(form) == float(text)])
    if underscores and _WHOLE.fullmatch(text):
        return rng.choice((text, f"{int(text):_}"))
    return text


def shuffled(rng, pairs):
    """Return pairs in another order, sometimes."""
    pairs = list(pairs)
    if rng.random() < 0.8:
        rng.shuffle(pairs)
    return pairs


# YAML and JSON, from the tree that the program itself has read


def as_json(rng, node):
    """Return a tree as JSON."""
    if isinstance(node, Entries):
        gap = rng.choice((", ", ",\n  ", ","))
        inner = gap.join(
            f"{json.dumps(key)}{rng.choice((': ', ':', ' : '))}{as_json(rng, part)}"
            for key, part in shuffled(rng, node.entries.items())
        )
        return f"{{{inner}}}"
    if isinstance(node, Items):
        return f"[{', '.join(as_json(rng, part) for part in node.items)}]"
    text = node.text
    if text is None:
        return "null"
    if text.lower() in {"true", "false"}:
        return text.lower()
    rewritten = number(rng, text)
    if _JSON_NUMBER.fullmatch(rewritten) and rng.random() < 0.8:
        return rewritten
    return json.dumps(text)


def as_yaml(rng, node, depth=0):
    """Return a tree as YAML, in blocks or in braces."""
    step = "  " * depth
    if isinstance(node, Entries) and node.entries and rng.random() < 0.85:
        lines = [
            f"{step}{_yaml_key(rng, key)}:{_yaml_value(rng, part, depth)}"
            for key, part in shuffled(rng, node.entries.items())
        ]
        if rng.random() < 0.3:
            lines.insert(rng.randrange(len(lines) + 1), f"{step}# weight_decay: 99")
        return "\n".join(lines)
    return step + _flow(rng, node)


def _yaml_value(rng, part, depth):
    tail = rng.choice(("", "", "", "  # lr: 99", " "))
    if isinstance(part, Entries) and part.entries and rng.random() < 0.9:
        block = as_yaml(rng, part, depth + 1)
        return f"{tail}\n{block}"
    if isinstance(part, Items) and part.items and rng.random() < 0.4:
        step = "  " * (depth + rng.randrange(2))
        if all(isinstance(each, Scalar) for each in part.items):
            return tail + "".join(f"\n{step}- {_yaml_scalar(rng, each)}" for each in part.items)
    return f" {_flow(rng, part)}{tail}"


def _flow(rng, node):
    if isinstance(node, Entries):
        pairs = shuffled(rng, node.entries.items())
        return f"{{{', '.join(f'{_yaml_key(rng, k)}: {_flow(rng, v)}' for k, v in pairs)}}}"
    if isinstance(node, Items):
        return f"[{', '.join(_flow(rng, part) for part in node.items)}]"
    return _yaml_scalar(rng, node)


def _yaml_key(rng, key):
    return key if _PLAIN.fullmatch(key) and rng.random() < 0.9 else json.dumps(key)


def _yaml_scalar(rng, node):
    if node.text is None:
        return rng.choice(("null", "~"))
    text = node.text
    if text.lower() in _WORDS:
        return text
    text = number(rng, text, underscores=True)
    is_plain = _PLAIN.fullmatch(text) or re.fullmatch(r"[\d._]+(?:e[-+]?\d+)?", text)
    way = rng.random()
    if is_plain and way < 0.7:
        return text
    return json.dumps(text) if way < 0.85 or "'" in text or "\n" in text else f"'{text}'"


def with_stranger(rng, node):
    """Return a tree with a key that says nothing."""
    value = Scalar(text=rng.choice(("me", "0.5", "12")))
    return Entries(entries={**node.entries, STRANGER: value})


# Python


def as_python(rng, text):
    """Return a Python configuration of assignments without order among them."""
    tree = ast.parse(text)
    lines = []
    for each in shuffled(rng, tree.body):
        (target,) = each.targets
        value = _python(rng, each.value)
        lines.append(f"{target.id}{rng.choice((' = ', '=', '  =  '))}{value}{_comment(rng)}")
    return "\n".join(lines) + "\n"


def _comment(rng):
    return rng.choice(("", "", "  # lr = 99"))


def _python(rng, node):
    if isinstance(node, ast.Call):
        gap = rng.choice((", ", ",\n    ", ","))
        pairs = shuffled(rng, [(each.arg, each.value) for each in node.keywords])
        if rng.random() < 0.5:
            return f"{{{gap.join(f'{k!r}: {_python(rng, v)}' for k, v in pairs)}}}"
        return f"dict({gap.join(f'{k}={_python(rng, v)}' for k, v in pairs)})"
    if isinstance(node, ast.List):
        end = rng.choice(("", ",")) if node.elts else ""
        return f"[{', '.join(_python(rng, part) for part in node.elts)}{end}]"
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return json.dumps(node.value) if rng.random() < 0.5 else repr(node.value)
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return number(rng, ast.unparse(node), underscores=True)
    return ast.unparse(node)


# Lines of keys: prototxt, sections, TOML


def in_lines(rng, text, mark, *, spaced):
    """Return a text of `key<mark>value` lines, the keys of each section in another order."""
    sections, current = [], []
    for line in text.splitlines():
        if line.startswith("["):
            sections.append(current)
            current = [line]
        else:
            current.append(line)
    sections.append(current)
    return "".join(_section(rng, section, mark, spaced=spaced) for section in sections)


def _section(rng, lines, mark, *, spaced):
    head = [line for line in lines if line.startswith("[")]
    body = []
    for line in shuffled(rng, (line for line in lines if line and not line.startswith("["))):
        key, _, value = line.partition(mark)
        gap = rng.choice(("", " ", "  ")) if spaced else " "
        value = number(rng, value.strip())
        before = gap if mark == "=" else ""
        body.append(f"{key.strip()}{before}{mark}{gap or ' '}{value}")
        if rng.random() < 0.2:
            body.append(rng.choice(("", "# lr = 99")))
    return "".join(f"{line}\n" for line in [*head, *body])


# Command lines


def as_shell(rng, launcher, flags):
    """Return a script that calls a program with flags, pairs of a name and a value or None."""
    words, head = [], ["#!/bin/bash"] if rng.random() < 0.5 else []
    for at, (flag, value) in enumerate(shuffled(rng, flags)):
        if value is None:
            words.append(flag)
            continue
        text = number(rng, value)
        way = rng.random()
        if way < 0.2:
            name = rng.choice((f"V{at}", f"MY_{at}"))
            head.append(f"{rng.choice(('', 'export '))}{name}={shlex.quote(text)}")
            text = rng.choice((f"${name}", f"${{{name}}}", f'"${name}"'))
        elif way < 0.4 or not re.fullmatch(r"[\w.\-]+", text):
            text = f"'{text}'" if rng.random() < 0.5 else f'"{text}"'
        words.append(f"{flag}={text}" if rng.random() < 0.5 else f"{flag} {text}")
    if rng.random() < 0.3:
        words.append(f"--{STRANGER} me")
    if rng.random() < 0.2:
        head.append(f"ARGS=({' '.join(words)})")
        words = ['"${ARGS[@]}"']
    gap = rng.choice((" ", " \\\n  ", "  "))
    if rng.random() < 0.3:
        head.append("# --weight_decay 99 --lr 99")
    return "\n".join([*head, gap.join([launcher, *words])]) + "\n"
