"""MLX."""

from decaycalc.conventions.catalogue.groups import OTHERS
from decaycalc.conventions.catalogue.shapes import decoupled, package, penalty
from decaycalc.conventions.catalogue.traps import DAMPENED_FIRST, RELATIVE_STEP
from decaycalc.conventions.record import Buffer, Convention

_mlx = package(
    group=OTHERS,
    release="mlx 0.32.4",
    title="mlx.optimizers.{name}({parameter})",
    key="mlx-{key}",
    where="mlx/python/mlx/optimizers/optimizers.py, {name}.apply_single",
    optimizer="{key}",
    parameter="weight_decay",
    default="0",
)

CONVENTIONS: tuple[Convention, ...] = (
    _mlx(
        penalty,
        "SGD",
        update="g = g + weight_decay*w; w = w - lr*heavy_ball_dampened(g)",
        buffer=Buffer.DAMPENED,
        trap=DAMPENED_FIRST,
    ),
    _mlx(
        decoupled,
        "AdamW",
        optimizer="adam-uncorrected",
        step="adam_uncorrected(g)",
        default="0.01",
        trap="no bias correction by default (bias_correction=False), so the first steps are larger; plain Adam has no decay",
    ),
    _mlx(decoupled, "Lion", trap=None),
    _mlx(
        decoupled,
        "Adafactor",
        title="mlx.optimizers.Adafactor(weight_decay, scale_parameter=False, relative_step=False)",
        optimizer="adafactor-hf",
        step="adafactor(g, scale_parameter=0, relative_step=0)",
        trap=RELATIVE_STEP,
    ),
    _mlx(
        Convention,
        "Muon",
        refusal="λ·w joins the gradient before the orthogonalisation, which throws its size away",
        update="g = g + weight_decay*w; w = w - lr*muon(g)",
        default="0.01",
        trap="PyTorch's, Keras' and optax' Muon of the same name decay the weight itself",
    ),
)
