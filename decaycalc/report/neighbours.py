"""The published runs nearest to a timescale, in words and as rows."""

from decaycalc.record import asdict
from decaycalc.training.published.nearest import nearest


def rows(timescale_epochs: float) -> list[dict[str, object]]:
    """Return the nearest recipes as JSON holds them."""
    return [asdict(neighbour) for neighbour in nearest(timescale_epochs)]


def note(timescale_epochs: float | None) -> str:
    """Return the nearest recipes in words, `τ = 2.00 epochs; ResNet-50 of He et al.: 1.998`."""
    if timescale_epochs is None:
        return ""
    known = (f"{near.title}: {near.timescale_epochs:.4g}" for near in nearest(timescale_epochs))
    return "; ".join([f"τ = {timescale_epochs:#.3g} epochs", *known])
