"""select: the conventions that a search, an invariant or a framework leaves."""

from decaycalc.conventions.api_paths import first_word
from decaycalc.conventions.catalogue import conventions
from decaycalc.conventions.record import Convention
from decaycalc.errors import UnknownNameError

_LISTED = "('decaycalc conventions' shows the groups)"


def select(
    *,
    search: str | None = None,
    invariant: str | None = None,
    framework: str | None = None,
    extra: tuple[Convention, ...] = (),
) -> tuple[Convention, ...]:
    """Return the conventions that meet every condition given, in the catalogue's order.

    `search` is a text that a record's names, title, group, rule, trap, exemption, source or
    parameter contain; `invariant` is `strength`, `shrink` or `none`; `framework` is the first
    word of a key, or another name of that framework. `extra` conventions stand before the
    catalogue's.

    Raises:
        UnknownNameError: no convention's key begins with that framework, or none is left.
    """
    chosen = (*extra, *conventions())
    if framework is not None:
        name = first_word(framework)
        chosen = tuple(c for c in chosen if c.key.startswith(f"{name}-") or c.key == name)
        if not chosen:
            known = {_framework(c) for c in conventions()}
            raise UnknownNameError("framework", framework, known, hint=_LISTED)
    if invariant is not None:
        chosen = tuple(c for c in chosen if (c.invariant or "none") == invariant)
    if search is not None:
        chosen = tuple(c for c in chosen if search.lower() in _text(c))
    if not chosen:
        words = {word for c in conventions() for word in c.key.split("-")}
        raise UnknownNameError("convention with", search or framework or "", words, hint=_LISTED)
    return chosen


def _framework(convention: Convention) -> str:
    return convention.key.partition("-")[0]


def _text(convention: Convention) -> str:
    parts = (
        convention.key, *convention.aliases, convention.title, convention.parameter,
        convention.group, convention.update, convention.trap or "", convention.refusal or "",
        convention.exempt, convention.source, convention.verification,
    )  # fmt: skip
    return " ".join(parts).lower()


def releases_checked(conventions: tuple[Convention, ...]) -> tuple[str, ...]:
    """Return the newest release of each package that a record of these was executed in, by name.

    >>> from decaycalc.conventions.catalogue import find
    >>> releases_checked((find("pytorch-sgd"), find("keras-sgd-micro-step"), find("keras-sgd")))
    ('keras 3.15.1', 'torch 2.13.0')
    """
    newest: dict[str, str] = {}
    for record in conventions:
        kind, _, release = record.verification.partition(": ")
        package, _, version = release.partition(" ")
        if kind == "executed" and _numbers(version) >= _numbers(newest.get(package, "")):
            newest[package] = version
    return tuple(f"{package} {newest[package]}" for package in sorted(newest))


def _numbers(version: str) -> tuple[int, ...]:
    """Return a release's numbers, so that 3.15 comes after 3.4."""
    return tuple(int(part) for part in version.split(".") if part.isdigit())
