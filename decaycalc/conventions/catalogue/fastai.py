"""fastai."""

from decaycalc.conventions.catalogue.groups import TORCH_ECOSYSTEM
from decaycalc.conventions.catalogue.shapes import decoupled, package, penalty
from decaycalc.conventions.catalogue.traps import PRECONDITIONED
from decaycalc.conventions.record import HEAVY_BALL_ALONE, Convention

_fastai = package(
    group=TORCH_ECOSYSTEM,
    release="fastai 2.8.12",
    title="fastai {name}({parameter})",
    key="fastai-{key}",
    where="fastai/optimizer.py, weight_decay; learner.py",
    optimizer="{key}-fastai",
    parameter="wd",
    default="0",
    exempt="biases and BatchNorm, LayerNorm gains (Learner wd_bn_bias=False)",
)

CONVENTIONS: tuple[Convention, ...] = (
    _fastai(
        decoupled,
        key="fastai",
        title="fastai Learner(wd), Adam(wd)",
        optimizer="adam",
        step="adam(g, beta2=0.99, eps=1e-5)",
        aliases=("fastai-adam",),
        default="0.01",
        trap="true decay by default; Learner(wd=) is applied inside fit only: create_opt() alone ignores it",
    ),
    _fastai(
        decoupled,
        "SGD",
        optimizer="sgd",
        lacks=HEAVY_BALL_ALONE,
        trap="decoupled from the momentum; PyTorch's SGD is coupled",
    ),
    _fastai(
        penalty,
        "sgd-l2",
        title="fastai SGD(decouple_wd=False)(wd)",
        optimizer="sgd",
        lacks=HEAVY_BALL_ALONE,
        trap="decouple_wd was called true_wd",
        where="fastai/optimizer.py, l2_reg; learner.py",
    ),
    _fastai(
        penalty,
        "adam-l2",
        title="fastai Adam(decouple_wd=False)(wd)",
        optimizer="adam",
        step="adam(g, beta2=0.99, eps=1e-5)",
        default="0.01",
        trap=PRECONDITIONED,
        where="fastai/optimizer.py, l2_reg; learner.py",
    ),
    _fastai(decoupled, "RMSProp", step="rmsprop(g)", trap=None),
    _fastai(decoupled, "RAdam", trap=None),
    _fastai(decoupled, "QHAdam", trap=None),
    _fastai(
        decoupled,
        "Larc",
        optimizer="larc",
        trap="the decay is times lr, not times the layer's lr; it enters the trust ratio too",
    ),
    _fastai(decoupled, "Lamb", trap="outside the trust ratio, unlike every other LAMB but Keras'"),
)
