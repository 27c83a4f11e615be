"""Conventions of the family ecosystem."""

from decaycalc.convention import Convention

CONVENTIONS: tuple[Convention, ...] = ()
