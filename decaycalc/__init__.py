"""Weight decay, converted between frameworks, losses and batch sizes."""

__version__ = "0.1.0"
