"""The published runs nearest to a timescale, in words and as rows."""

from typing import Annotated, Any

from decaycalc.record import asdict
from decaycalc.report.digits import show
from decaycalc.training.published.nearest import Neighbour, nearest

NeighbourJson = Annotated[dict[str, Any], Neighbour]
_NEAR = 2.0  # a run of another timescale is no model for this one


def rows(timescale_epochs: float) -> list[NeighbourJson]:
    """Return the nearest recipes as JSON holds them."""
    return [asdict(neighbour) for neighbour in nearest(timescale_epochs)]


def note(timescale_epochs: float | None) -> str:
    """Return the nearest recipe in words, empty where none is within a factor of 2.

    >>> note(2.0), note(2000.0)
    ('as ResNet-50 of He et al. (1.998 epochs)', '')
    """
    if timescale_epochs is None:
        return ""
    (near,) = nearest(timescale_epochs, most=1)
    if not 1 / _NEAR <= near.timescale_epochs / timescale_epochs <= _NEAR:
        return ""
    return f"as {near.title} ({show(near.timescale_epochs)} epochs)"
