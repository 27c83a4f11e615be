"""PaddlePaddle."""

from decaycalc.conventions.catalogue.groups import OTHERS
from decaycalc.conventions.catalogue.shapes import decoupled, objective, package, penalty
from decaycalc.conventions.catalogue.traps import PRECONDITIONED
from decaycalc.conventions.record import NO_DAMPENING, Convention

_paddle = package(
    group=OTHERS,
    release="paddlepaddle 3.3.1",
    title="paddle.optimizer.{name}({parameter})",
    key="paddle-{key}",
    where="paddle/optimizer/{key}.py",
    optimizer="{key}",
    parameter="weight_decay",
    default="none",
)

CONVENTIONS: tuple[Convention, ...] = (
    _paddle(
        penalty,
        "SGD",
        step="g",
        has_momentum=False,
        trap="a ParamAttr(regularizer=) REPLACES the optimizer's; momentum is another class",
        where="paddle/optimizer/sgd.py; a float is L2Decay",
    ),
    _paddle(
        penalty,
        "Momentum",
        optimizer="sgd",
        lacks=NO_DAMPENING,
        defaults=(("momentum", "0.9"),),
        trap="a ParamAttr(regularizer=) REPLACES the optimizer's weight_decay",
    ),
    _paddle(
        objective,
        "L2Decay",
        title="paddle.regularizer.L2Decay(coeff): (coeff/2)·Σw²",
        parameter="coeff",
        default="0",
        exempt="all but what it is given to",
        trap="in a ParamAttr it replaces the optimizer's weight_decay; with AdamW both act",
        where="paddle/regularizer.py, L2Decay",
    ),
    _paddle(
        penalty,
        "Adam",
        trap="coupled, and biases too: the penalty passes through the preconditioner: λ then moves weights by about lr whatever its size",
    ),
    _paddle(penalty, "Adamax", trap=PRECONDITIONED),
    _paddle(penalty, "Adagrad", step="adagrad(g, eps=1e-6)", trap=PRECONDITIONED),
    _paddle(penalty, "Adadelta", step="adadelta(g, rho=0.95)", trap=PRECONDITIONED),
    _paddle(
        penalty,
        "RMSProp",
        optimizer="rmsprop-inside",
        step="rmsprop(g, rho=0.95, eps=0, eps_root=1e-6)",
        trap=PRECONDITIONED,
    ),
    _paddle(penalty, "NAdam", trap=PRECONDITIONED),
    _paddle(penalty, "RAdam", trap=PRECONDITIONED),
    _paddle(
        decoupled,
        "AdamW",
        optimizer="adam",
        default="0.01",
        trap="biases decay too; exempt with apply_decay_param_fun; an L2Decay in ParamAttr acts beside it",
    ),
    _paddle(
        Convention,
        "Lamb",
        parameter="lamb_weight_decay",
        refusal="the trust ratio rescales the decay together with the update: without a gradient a step removes lr of the weight whatever λ is",
        update="w = w - lr*lamb(g, lamb_weight_decay*w)",
        default="0.01",
        trap=None,
    ),
    _paddle(
        decoupled,
        "Muon",
        optimizer="muon-paddle",
        default="0.01",
        trap="not in release 3.3.1; what is no matrix goes to AdamW with the same λ, norms and biases too",
        source="PaddlePaddle/Paddle, python/paddle/optimizer/muon.py, Muon._muon_update (0678a56)",
        verification="literal step: in no release of Paddle yet, read in its source",
        since="paddlepaddle after 3.3.1",
    ),
    _paddle(
        penalty,
        "ASGD",
        title="paddle.optimizer.ASGD(weight_decay, batch_num=1)",
        optimizer="sgd",
        step="g",
        has_momentum=False,
        trap="above batch_num=1 the penalty's gradient is averaged over the last batch_num steps with the data's",
    ),
    _paddle(
        Convention,
        "lars-momentum",
        title="paddle.incubate LarsMomentumOptimizer(lars_weight_decay)",
        parameter="lars_weight_decay",
        refusal="the trust ratio rescales gradient and decay by layer: no constant share of the weight decays",
        optimizer="lars",
        update="r = (0.001*norm(w)/(norm(g) + lars_weight_decay*norm(w)) if norm(w)*norm(g) > 0 else 1); w = w - velocity(lr*r*(g + lars_weight_decay*w), momentum=0.9)",
        default="0.0005",
        exempt="names in exclude_from_weight_decay",
        trap="0.0005 by default; without a gradient the trust ratio is 1",
        where="paddle/incubate/optimizer/lars_momentum.py",
    ),
)
