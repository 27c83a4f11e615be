"""Conventions of the family pytorch."""

from decaycalc.convention import Convention

CONVENTIONS: tuple[Convention, ...] = ()
