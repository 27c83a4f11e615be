"""The lines that give each tensor what the groups say whose patterns its name fits."""

from decaycalc.emit.settings import OwnGroup, SnippetSettings


def own_lines(settings: SnippetSettings) -> list[str]:
    """Return the table `own` of the patterns and of what their tensors have of their own."""
    rows = [f"    ({group.pattern!r}, {{{_own(group)}}})," for group in settings.groups]
    return [
        "own = [  # the last pattern that fits a name counts; what is exempt stays so",
        *rows,
        "]",
    ]


def _own(group: OwnGroup) -> str:
    """Return the entries of what a group has of its own."""
    pairs = (("lr", group.lr), ("weight_decay", group.value))
    return ", ".join(f'"{name}": {number!r}' for name, number in pairs if number is not None)


def sorting_lines(settings: SnippetSettings, condition: str) -> list[str]:
    """Return lines that make a `group` of a tensor's `name`; `condition` says whether it decays."""
    return [
        f"decays = {condition}",
        f'group = {{"lr": {settings.lr!r}, "weight_decay": {settings.value!r} * decays}}',
        "for pattern, changes in own:",
        "    if re.search(pattern, name):",
        '        decays = decays and group["weight_decay"] > 0',
        '        group |= changes if decays else {**changes, "weight_decay": 0.0}',
    ]


def indented(lines: list[str]) -> list[str]:
    """Return lines one level deeper."""
    return [f"    {line}" if line else line for line in lines]
