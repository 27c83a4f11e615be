"""PyTorch's ecosystem: trainers and optimizer packages."""

from decaycalc.catalogue.shapes import CONSTRUCTOR_LR, PLAIN
from decaycalc.convention import Convention, Coupling, Follows

_GROUP = "PyTorch's ecosystem"

CONVENTIONS: tuple[Convention, ...] = (
    Convention(
        key="composer-adamw",
        aliases=("mosaic-adamw", "composer-decoupled-adamw"),
        title="Composer DecoupledAdamW(weight_decay): times lr/initial lr, not lr",
        group=_GROUP,
        parameter="weight_decay",
        shrink=PLAIN,
        coupling=Coupling.DECOUPLED,
        follows=Follows.MULTIPLIER,
        optimizer="adam",
        refinements=CONSTRUCTOR_LR,
        update="w = w*(1 - multiplier*weight_decay); w = w - lr*adam(g)",
        default="1e-5",
        trap="PyTorch's λ must be multiplied by lr here: 0.1 at lr 6e-4 is 6e-5; a low constructor lr for warm-up breaks it",
        source="composer/optim/decoupled_weight_decay.py, DecoupledAdamW.adamw (mosaicml 0.32.1)",
        verification="executed: mosaicml 0.32.1",
    ),
)
