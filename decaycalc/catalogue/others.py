"""Conventions of the family others."""

from decaycalc.convention import Convention

CONVENTIONS: tuple[Convention, ...] = ()
