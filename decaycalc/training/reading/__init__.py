"""How a training file is read: its tree, its trainer, and each quantity with its origin."""
