"""Survival: what a decay under a schedule leaves of the initial weights, and of each update."""

from decaycalc.survival.rule import DecayRule
from decaycalc.survival.summary import CurvePoint, ScheduledDecay, survive

__all__ = ["CurvePoint", "DecayRule", "ScheduledDecay", "survive"]
