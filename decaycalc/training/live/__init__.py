"""Optimizers that live in a user's process: read as a Training, and probed. Nothing is imported."""
