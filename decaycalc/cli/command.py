"""Command: a click command whose help opens with examples."""

from typing import Any

import click


class Command(click.Command):
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
        from decaycalc.cli.config import apply, warn

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
