"""Trainers: one module each, with its table `TRAINER`; being here is what makes it known."""
