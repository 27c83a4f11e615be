"""Conventions of the family classics."""

from decaycalc.convention import Convention

CONVENTIONS: tuple[Convention, ...] = ()
