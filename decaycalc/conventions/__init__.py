"""Conventions: a run's quantities, the records, and the catalogue of what each framework means."""
