"""The name of a convention on the command line: of the catalogue, a file or the project."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from decaycalc.cli.names import FILE, completed

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from decaycalc.conventions.record import Convention

_CONVENTIONS = "decaycalc.conventions"


class ConventionName(click.ParamType[Any]):
    """A convention's key or alias; the command receives the record."""

    name = "convention"

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,  # noqa: ARG002  (click's signature)
        ctx: click.Context | None,
    ) -> "Convention":
        """Return the convention of that name."""
        return value if not isinstance(value, str) else find_convention(value, ctx)

    def shell_complete(
        self,
        ctx: click.Context,
        param: click.Parameter,  # noqa: ARG002  (click's signature)
        incomplete: str,
    ) -> "list[CompletionItem[str]]":
        """Return the keys that begin so, the user's own among them."""
        from decaycalc.conventions.catalogue import conventions

        known = (*given_conventions(ctx), *_project_conventions(), *conventions())
        return completed((convention.key for convention in known), incomplete)


def find_convention(name: str, ctx: click.Context | None) -> "Convention":
    """Return a convention of the user's files or of the catalogue.

    The project's own, in pyproject.toml, are read when the name is found nowhere else.

    Raises:
        UnknownNameError: no convention of that name.
    """
    from decaycalc.conventions.catalogue import find
    from decaycalc.errors import UnknownNameError

    try:
        return find(name, extra=given_conventions(ctx))
    except UnknownNameError:
        extra = _project_conventions()
        if not extra:
            raise
        return find(name, extra=extra)


def given_conventions(ctx: click.Context | None) -> "tuple[Convention, ...]":
    """Return the conventions of the files that `--conventions` names."""
    return () if ctx is None else ctx.meta.get(_CONVENTIONS, ())


def _project_conventions() -> "tuple[Convention, ...]":
    """Return the conventions of the nearest pyproject.toml, none where it has none."""
    import os
    from pathlib import Path

    from decaycalc.cli.configuration import project_file

    path = project_file(os.getcwd())  # noqa: PTH109  (as project_file takes it)
    if path is None or b"decaycalc.convention]]" not in Path(path).read_bytes():
        return ()
    from decaycalc.user_conventions import load_conventions

    return load_conventions(path)


FROM = click.option(
    "--from", "source", type=ConventionName(), metavar="KEY", help="What VALUE is in."
)


def conventions_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--conventions FILE`, whose records stand before the catalogue's."""
    option = click.option(
        "--conventions",
        type=FILE,
        metavar="FILE",
        multiple=True,
        is_eager=True,
        expose_value=False,
        callback=_load_conventions,
        help="A TOML file of your own conventions.",
    )
    return option(command)


def _load_conventions(
    ctx: click.Context,
    param: click.Parameter,  # noqa: ARG001  (click's signature)
    paths: tuple[str, ...],
) -> None:
    if paths:
        from decaycalc.user_conventions import load_conventions

        ctx.meta[_CONVENTIONS] = tuple(
            convention for path in paths for convention in load_conventions(path)
        )
