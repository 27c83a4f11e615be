"""Conventions of the family keras."""

from decaycalc.convention import Convention

CONVENTIONS: tuple[Convention, ...] = ()
