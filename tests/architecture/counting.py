"""Counts that several tests of networks take."""

from decaycalc.architecture.groups import Choice
from decaycalc.architecture.inventory import take_inventory


def count_decayed(net, *, mask="no-1d"):
    """Return the number of weights that decay."""
    return take_inventory(net, choice=Choice(mask=mask)).n_decayed
