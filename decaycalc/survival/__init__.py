"""Survival: what a decay under a schedule leaves of the initial weights, and of each update."""
