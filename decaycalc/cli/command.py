"""Command: a click command whose help opens with examples, and that starts without the locale."""

from typing import Any

import click


def _show_help(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    """Print the help page and leave, where it is wanted."""
    if wanted and not ctx.resilient_parsing:
        click.echo(ctx.get_help(), color=ctx.color)
        ctx.exit()


class Helpful(click.Command):
    """A command with a help option of our own.

    Click looks up its option's text in the translations of the user's locale at every start, which
    is a fortieth of one; there are none to find.
    """

    _own_help: click.Option | None = None

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Return the option `--help`, always the same one."""
        if self._own_help is None:
            self._own_help = click.Option(
                [*self.get_help_option_names(ctx), "help_wanted"],
                is_flag=True,
                is_eager=True,
                expose_value=False,
                callback=_show_help,
                help="Show this message and exit.",
            )
        return self._own_help


class Command(Helpful):
    """A command with `examples`, command lines that its help shows first."""

    def __init__(self, *args: Any, examples: tuple[str, ...] = (), **settings: Any) -> None:
        settings.setdefault("context_settings", {"max_content_width": 100})
        super().__init__(*args, **settings)
        self.examples = examples

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Return the command's context, with the user's configuration behind the command line."""
        from decaycalc.cli.defaults import apply, warn

        warnings = apply(self, extra)
        context = super().make_context(info_name, args, parent, **extra)
        warn(context, warnings)
        return context

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples between usage and description."""
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write(f"  {example}\n")
        super().format_help_text(ctx, formatter)
