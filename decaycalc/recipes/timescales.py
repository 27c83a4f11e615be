"""The recipes' timescales in epochs, by name and title.

They follow from the recipes; a test compares them. Computing them takes the whole catalogue, which
the commonest command does not load.
"""

TIMESCALES: tuple[tuple[str, str, float], ...] = (
    ("resnet-50-he", "ResNet-50 of He et al.", 1.998178223447841),
)
