"""What is said of a configuration's settings that no option takes, or that an error comes from."""

import re
from difflib import get_close_matches
from typing import Any

from decaycalc.algebra.quantity import EXTRAS, QUANTITIES
from decaycalc.cli.configuration import PREFIX, Setting
from decaycalc.cli.foreign_flags import ours
from decaycalc.errors import UnknownNameError, shown

_NEAR = 0.7  # how alike a variable's name is to an option's that was meant, as difflib counts
_SET = frozenset(quantity.name for quantity in EXTRAS if not quantity.flags)
# What 0.1.0 had as options, beside the quantities that --set gives now.
_FORMER = {"group_mult": ("group", "REGEX:wd*FACTOR")}


def warnings_of(strays: list[Setting], known: tuple[str, ...]) -> tuple[str, ...]:
    """Return a warning for each variable that was an option once, or looks like a misspelt one.

    `known` are the options of all commands; what is near to none is taken for somebody else's.

    Raises:
        UnknownNameError: a file has a key that no command's option is called.
    """
    unknown = [setting for setting in strays if setting.name not in known]
    for setting in unknown:
        if not setting.source.startswith(PREFIX):
            raise _unknown_key(setting, known)
    return tuple(text for setting in unknown if (text := _warning(setting, known)))


def _unknown_key(setting: Setting, known: tuple[str, ...]) -> UnknownNameError:
    """Return the error of a file's key, with what to write where it was an option once."""
    what, instead = f"key in {setting.source}:", _instead(setting)
    if instead is None:
        meant = _meant(setting, known)
        return UnknownNameError(what, setting.name, known, likely=(meant,) if meant else ())
    option, text = instead
    return UnknownNameError(what, setting.name, (), hint=f'(write {option} = ["{text}"])')


def _warning(setting: Setting, known: tuple[str, ...]) -> str:
    """Return what is said of a variable that is no option's, empty where it is near to none."""
    no_option, instead = f"{setting.source} is no option", _instead(setting)
    if instead is not None:
        return f"{no_option}; write {PREFIX}{instead[0].upper()}={shown(instead[1])}"
    foreign, near = ours(setting.name), get_close_matches(setting.name, known, n=1, cutoff=_NEAR)
    meant = _meant(setting, known) or ("" if foreign or not near else near[0])
    if meant:
        return f"{no_option}; did you mean {PREFIX}{meant.upper()}?"
    return f"{no_option}; give {foreign}" if foreign else ""


def _meant(setting: Setting, known: tuple[str, ...]) -> str:
    """Return our option for a trainer's name, empty where there is none."""
    flag = ours(setting.name).partition(" ")[0].strip(",-").replace("-", "_")
    return flag if flag in known else ""


def _instead(setting: Setting) -> tuple[str, str] | None:
    """Return the option that took the place of one of 0.1.0, and its text; None for others."""
    if setting.name in _SET:
        return "set", f"{setting.name}={setting.value}"
    return _FORMER.get(setting.name)


def set_elsewhere(text: str, settings: tuple[Setting, ...]) -> str:
    """Return where the settings that an error speaks of stand, empty where it speaks of none.

    It speaks of a quantity by its name, of other options by repeating what they were given.
    """
    words = {word.strip("_") for word in re.findall(r"\w+", text.replace("-", "_"))}
    told = dict.fromkeys(
        setting.source
        for setting in settings
        if _names(setting) & words or any(shown(item) in text for item in _texts(setting))
    )
    return f" (set by {', '.join(told)})" if told else ""


def _texts(setting: Setting) -> list[Any]:
    """Return the texts that an option was given: of one that may be repeated, each."""
    value = setting.value
    return value if isinstance(value, list) else [value, *str(value).split()]


def _names(setting: Setting) -> set[str]:
    """Return the quantities that a setting is of: its own, or those that --set gives."""
    if setting.name == "set":
        return {str(item).partition("=")[0] for item in _texts(setting)}
    return {setting.name} if setting.name.removeprefix("to_") in QUANTITIES else set()
