"""Exact numbers, the quantities of a run, monomials of them, and formulas as text and LaTeX."""
