"""The guide's page of rules, made from their records.

`python -m tests.rules_page` renews it.
"""

from itertools import groupby
from pathlib import Path

from decaycalc import guide
from decaycalc.findings.rules import RULES

PAGE = Path(guide.__file__).parent / "rules.md"
HEADINGS = {
    "DC1": "The number is not what it says",
    "DC2": "Which tensors decay (a live optimizer, or --arch)",
    "DC3": "What it amounts to over the run",
    "DC4": "Arithmetic",
    "DC5": "What the file leaves open",
}
HEAD = """\
# Rules

`decaycalc inspect SOURCE` and `decaycalc check SOURCE` tell where a run's weight decay is not what
its number seems to say. Each rule has a stable code; `decaycalc check --explain CODE` shows one,
`--select` and `--ignore` take codes or beginnings of them (DC2), `--fail-on` the level from which
on a check fails (warning by default). A comment `# decaycalc: ignore DC104` in the file ignores a
rule, on its line or, alone on a line, in the whole file; `select`, `ignore` and `fail-on` under
`[tool.decaycalc.check]` of a pyproject.toml hold for a project.
"""


def page():
    """Return the page's text."""
    parts = [HEAD]
    for begin, rules in groupby(RULES, key=lambda rule: rule.code[:3]):
        parts.append(f"## {begin}xx: {HEADINGS[begin]}\n")
        parts += [
            f"**{rule.code} {rule.name}** ({rule.level.value}). {rule.summary} "
            f"What to do: {rule.fix}. Source: {rule.source}.\n"
            for rule in rules
        ]
    return "\n".join(parts)


def renew():
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    renew()
