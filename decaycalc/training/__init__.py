"""Training runs: published ones as data, and readers of trainers' own files."""
