"""Proof by training: update rules executed side by side, and the frameworks themselves."""
