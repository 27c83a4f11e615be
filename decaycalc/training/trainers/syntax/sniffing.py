"""Which syntaxes a training file may have, by its ending and its first lines."""

import re
from enum import StrEnum

_SHELL_LINE = re.compile(
    r"(?m)^[ \t]*(?:[A-Z_]+=\S*[ \t]+)*(?:sudo |nohup |exec |srun .*?|uv run |poetry run )?"
    r"(?:python[\d.]*|torchrun|accelerate|deepspeed|srun|llamafactory-cli|fairseq-\w+|tune|litgpt|"
    r"axolotl|trl|composer|mpirun|swift|yolo)[ \t]+\S"
)
_SECTION = re.compile(r"\[\[?\s*[\w.\-\"' ]+\s*\]\]?\s*(?:#.*)?$")
_YAML_KEY = re.compile(r"(?:[\w.\-/+<\"']+\s*:(?:\s|$)|---|- |%)")
_PYTHON_LINE = re.compile(
    r"(?:import |from \S+ import |def |class |@|\"\"\"|\'\'\'|[\w.\[\]\"']+(?:\s*:\s*\w+)?\s*=)"
)
_MESSAGE = re.compile(
    r"(?m)^[ \t]*\w+[ \t]*:?[ \t]*\{[ \t]*$|^[ \t]*\w+[ \t]*:[ \t]*\S+[ \t]+\w+[ \t]*:"
)


class Syntax(StrEnum):
    """What a training file is written in."""

    JSON = "JSON"
    TOML = "TOML"
    YAML = "YAML"
    PYTHON = "Python"
    SHELL = "shell"
    PROTOTEXT = "prototxt"
    SECTIONS = "cfg"
    INI = "ini"


OF_ENDINGS = {
    ".json": Syntax.JSON,
    ".ipynb": Syntax.JSON,
    ".toml": Syntax.TOML,
    ".yaml": Syntax.YAML,
    ".yml": Syntax.YAML,
    ".py": Syntax.PYTHON,
    ".sh": Syntax.SHELL,
    ".bash": Syntax.SHELL,
    ".env": Syntax.SHELL,
    ".slurm": Syntax.SHELL,
    ".sbatch": Syntax.SHELL,
    ".prototxt": Syntax.PROTOTEXT,
    ".cfg": Syntax.SECTIONS,
}


def sniff(text: str, ending: str) -> tuple[Syntax, ...]:
    """Return the syntaxes that a text may have, likeliest first; its ending decides what is left.

    >>> sniff('{"a": 1}', ".json"), sniff("a: 1", ""), sniff("[net]", "")
    ((<Syntax.JSON: 'JSON'>,), (<Syntax.YAML: 'YAML'>,), (<Syntax.SECTIONS: 'cfg'>,))
    """
    first = _first_line(text)
    if not first:
        return ()
    if first[0] == "{":  # a mapping of YAML in braces, with comments, begins so too
        return (Syntax.JSON, Syntax.YAML) if ending in {".yaml", ".yml"} else (Syntax.JSON,)
    found: list[Syntax] = []
    hint = OF_ENDINGS.get(ending)
    if text.lstrip().startswith("#!"):
        is_python = "python" in text.lstrip().partition("\n")[0]
        return (Syntax.PYTHON if is_python else Syntax.SHELL,)
    if _SECTION.match(first):
        if first.strip("[] ") in {"net", "network"}:
            return (Syntax.SECTIONS,)
        return (Syntax.TOML, Syntax.INI) if ending == ".cfg" else (Syntax.TOML,)
    found += [] if hint is None else [hint]
    if _SHELL_LINE.search(text) and not _YAML_KEY.match(first):
        found.append(Syntax.SHELL)
    if _MESSAGE.search(text):
        found.append(Syntax.PROTOTEXT)
    if _YAML_KEY.match(first):
        found += [Syntax.YAML]
    if _PYTHON_LINE.match(first):
        found += [Syntax.TOML, Syntax.PYTHON]
    return tuple(dict.fromkeys(found)) or (Syntax.YAML,)


def _first_line(text: str) -> str:
    """Return the first line that is neither blank nor a comment."""
    for line in text.splitlines():
        bare = line.strip()
        if bare and bare[0] not in "#;":
            return bare
    return ""
