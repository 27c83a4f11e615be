"""The short screen of `decaycalc convert` when it is asked nothing at a terminal."""

import sys

import click

SCREEN = """\
decaycalc convert VALUE --from KEY [--to KEY]   what a weight decay is elsewhere

Ask for one number:
  decaycalc convert 5e-4 --from caffe --to keras-l2
for what it does to a weight, and the number in the common conventions:
  decaycalc convert 1e-4 --from pytorch-sgd --lr 0.1 --momentum 0.9 -B 256 -N 1281167
for the size of the penalty of a network, layer by layer:
  decaycalc convert 0.001 --from mean-l2 -a 784-300-100-10 -N 60000 -B 128 --lr 0.1

Add --explain for the derivation, --json for other programs.
'decaycalc conventions' lists what VALUE can be in, 'decaycalc guide' explains.
"""


def help_with_an_empty_call(context: click.Context) -> None:
    """Show the screen and end with status 2, if nothing was asked and a person is there to read.

    Raises:
        click.exceptions.Exit: the screen was shown.
    """
    default = click.core.ParameterSource.DEFAULT
    asked = any(context.get_parameter_source(name) is not default for name in context.params)
    if asked or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return
    click.echo(SCREEN, err=True, nl=False)
    context.exit(2)
