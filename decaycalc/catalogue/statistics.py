"""Conventions of the family statistics."""

from decaycalc.convention import Convention

CONVENTIONS: tuple[Convention, ...] = ()
