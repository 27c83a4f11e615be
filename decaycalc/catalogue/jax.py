"""Conventions of the family jax."""

from decaycalc.convention import Convention

CONVENTIONS: tuple[Convention, ...] = ()
