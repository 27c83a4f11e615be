"""keys_alike: what a name that no convention has may mean, by its words and its letters."""

import re
from collections.abc import Iterable

from decaycalc.conventions.api_paths import framework_word
from decaycalc.conventions.record import Convention

_ENOUGH = 2  # words of several that a key must share with a name
_CUTOFF, _MOST = 0.6, 12  # how alike letters must be, as difflib counts, and names looked at


def keys_alike(wanted: str, conventions: Iterable[Convention]) -> list[str]:
    """Return the keys that a name in lower case may mean, the likeliest first.

    Where it is a list of names those; else those that share most words with it, in whatever order,
    a framework by any of its names, then those spelt nearly so. An alias stands for its key.

    >>> from decaycalc.conventions.catalogue import conventions
    >>> keys_alike("adamw torch", conventions())[0], keys_alike("[caffe, keras-l2]", conventions())
    ('pytorch-adamw', ['caffe', 'keras-l2'])
    """
    key_of = {name: c.key for c in conventions for name in (*c.aliases, c.key)}
    listed = [part for part in re.split(r"[\s,;\[\]'\"]+", wanted) if part]
    if not set(listed) <= key_of.keys():
        bare = wanted.partition("(")[0]
        listed = [*_worded(bare, key_of), *_near(bare, key_of)]
    return list(dict.fromkeys(key_of[name] for name in listed))


def _worded(wanted: str, names: Iterable[str]) -> list[str]:
    """Return the names that share enough words with a name, those that share most first."""
    words = _words(wanted)
    enough = max(min(_ENOUGH, len(words)), 1)
    shared = {name: len(words & _words(name)) for name in names}
    found = [name for name in shared if shared[name] >= enough]
    return sorted(found, key=lambda name: (-shared[name], len(_words(name)), len(name)))


def _near(wanted: str, names: Iterable[str]) -> list[str]:
    """Return the names that have a name's letters, or most of them."""
    # Imported here: difflib is slow to import and only needed when something went wrong.
    from difflib import get_close_matches  # noqa: PLC0415

    squeezed = {re.sub(r"[^a-z0-9]", "", name): name for name in names}
    whole = squeezed.get(re.sub(r"[^a-z0-9]", "", wanted))
    near = get_close_matches(wanted, list(names), n=_MOST, cutoff=_CUTOFF)
    return near if whole is None else [whole, *near]


def _words(name: str) -> set[str]:
    """Return a name's words, those of frameworks as keys have them."""
    return {framework_word(word) for word in re.findall(r"[a-z0-9]+", name)}
