"""Chainer."""

from decaycalc.algebra.quantity import Monomial
from decaycalc.conventions.catalogue.groups import OTHERS
from decaycalc.conventions.catalogue.shapes import decoupled, objective, package
from decaycalc.conventions.record import Buffer, Convention, Follows

_chainer = package(
    group=OTHERS,
    release="chainer 7.8.1",
    key="chainer-{key}",
    optimizer="{key}-chainer",
    parameter="weight_decay_rate",
    default="0",
    shrink=Monomial.of(1, value=1, eta=1),
    follows=Follows.CONSTANT,
    defaults=(("eta", "1"),),
)
_hook = package(group=OTHERS, release="chainer 7.8.1", key="chainer-{key}")

CONVENTIONS: tuple[Convention, ...] = (
    _hook(
        objective,
        "weight-decay",
        title="chainer.optimizer_hooks.WeightDecay(rate), under any optimizer",
        parameter="rate",
        buffer=Buffer.INSIDE,
        exempt="nothing (a timing or a link of its own can narrow it)",
        trap="under Adam it is an L2 penalty, no decay; chainer's MomentumSGD has lr inside the buffer",
        where="chainer/optimizer_hooks/weight_decay.py: grad += rate·w",
    ),
    _chainer(
        decoupled,
        "AdamW",
        title="chainer.optimizers.Adam, AdamW(weight_decay_rate, eta): times eta, not times alpha",
        optimizer="adam",
        update="w = w - eta*(lr*adam(g, epsilon_hat=1) + weight_decay_rate*w)",
        aliases=("chainer-adam",),
        trap="AdamW() decays nothing by default (0); alpha, its lr, does not multiply the decay, eta does",
        where="chainer/optimizers/adam.py, AdamRule.update_core",
    ),
    _chainer(
        decoupled,
        "adabound",
        title="chainer.optimizers.AdaBound, AMSBound with the attribute weight_decay_rate, and eta",
        update="w = w - eta*(lr*unmodelled(g) + weight_decay_rate*w)",
        trap="no constructor argument: set optimizer.weight_decay_rate; alpha, its lr, does not multiply the decay",
        where="chainer/optimizers/adam.py, AdaBound is Adam(adabound=True)",
    ),
    _chainer(
        decoupled,
        "amsgrad",
        title="chainer.optimizers.AMSGrad with the attribute weight_decay_rate, and eta",
        optimizer="amsgrad",
        update="m = 0.9*m + 0.1*g; v = 0.999*v + 0.001*g*g; u = max(u, v); w = w - eta*(lr*sqrt(1 - 0.999**t)/(1 - 0.9**t)*m/(sqrt(u) + 1e-8) + weight_decay_rate*w)",
        trap="no constructor argument: set optimizer.weight_decay_rate; alpha, its lr, does not multiply the decay",
        where="chainer/optimizers/adam.py, AMSGrad is Adam(amsgrad=True)",
    ),
    _chainer(
        decoupled,
        "MSVAG",
        title="chainer.optimizers.MSVAG(weight_decay_rate, eta)",
        update="w = w - eta*(lr*unmodelled(g) + weight_decay_rate*w)",
        trap="lr does not multiply the decay, eta does",
        where="chainer/optimizers/msvag.py, MSVAGRule.update_core_cpu",
    ),
)
