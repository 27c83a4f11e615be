"""PyTorch's own optimizers: torch.optim."""

from decaycalc.conventions.catalogue.shapes import decoupled, package, penalty
from decaycalc.conventions.catalogue.traps import PRECONDITIONED
from decaycalc.conventions.forms import BESIDE_LAMBD
from decaycalc.conventions.record import Convention

_GROUP = "PyTorch"

_pytorch = package(
    group=_GROUP,
    release="torch 2.13.0",
    title="torch.optim.{name}({parameter})",
    key="pytorch-{key}",
    where="torch/optim/{key}.py",
    optimizer="{key}",
    aliases=("torch-{key}",),
    parameter="weight_decay",
    default="0",
)

CONVENTIONS: tuple[Convention, ...] = (
    _pytorch(
        penalty,
        "SGD",
        trap="with momentum the decay passes through the buffer: about lr·λ/(1 - momentum) a step, not lr·λ",
        where="torch/optim/sgd.py, _single_tensor_sgd",
        common=True,
    ),
    _pytorch(
        penalty,
        "Adam",
        title="torch.optim.Adam(weight_decay): an L2 penalty under Adam, not AdamW",
        trap="Adam divides the penalty by the gradient's scale: λ·w is no decay; use AdamW or decoupled_weight_decay=True",
        where="torch/optim/adam.py, _single_tensor_adam",
    ),
    _pytorch(
        decoupled,
        "AdamW",
        optimizer="adam",
        aliases=("torch-adamw", "adamw"),
        default="0.01",
        trap="biases and norm gains decay too unless they get a group of their own; the AdamW paper's λ is not times lr",
        where="torch/optim/adamw.py; adam.py with decoupled_weight_decay=True",
        common=True,
    ),
    _pytorch(
        decoupled,
        "adam-decoupled",
        title="torch.optim.Adam(weight_decay, decoupled_weight_decay=True)",
        optimizer="adam",
        trap="the flag is False by default, and only Adam, NAdam and RAdam have it",
        where="torch/optim/adam.py, equal to AdamW bit for bit",
    ),
    _pytorch(
        penalty,
        "NAdam",
        trap="coupled by default: the penalty passes through the preconditioner: λ then moves weights by about lr whatever its size",
    ),
    _pytorch(
        decoupled,
        "NAdam",
        key="pytorch-nadam-decoupled",
        title="torch.optim.NAdam(weight_decay, decoupled_weight_decay=True)",
        aliases=("torch-nadam-decoupled",),
        trap="the flag is False by default: without it the penalty is coupled",
    ),
    _pytorch(
        penalty,
        "RAdam",
        trap="the first five or so steps are plain momentum, where λ does decay; then Adam's scaling swallows it",
    ),
    _pytorch(
        decoupled,
        "RAdam",
        key="pytorch-radam-decoupled",
        title="torch.optim.RAdam(weight_decay, decoupled_weight_decay=True)",
        aliases=("torch-radam-decoupled",),
        trap="the flag is False by default: without it the penalty is coupled",
    ),
    _pytorch(penalty, "Adamax", trap=PRECONDITIONED),
    _pytorch(penalty, "RMSprop", trap=PRECONDITIONED),
    _pytorch(penalty, "Adagrad", trap=PRECONDITIONED),
    _pytorch(
        penalty,
        "Adadelta",
        trap="lr is 1.0 by default; the penalty passes through the preconditioner: λ then moves weights by about lr whatever its size",
    ),
    _pytorch(
        decoupled,
        "Adafactor",
        update="u = adafactor(g); w = w*(1 - lr*weight_decay) - lr*u",
        trap="the decay is times the raw lr, the update times the relative step min(lr, 1/√t)·max(eps2, RMS(w))",
        where="torch/optim/_adafactor.py",
    ),
    _pytorch(
        Convention,
        "ASGD",
        title="torch.optim.ASGD(weight_decay), beside its own lambd",
        form=BESIDE_LAMBD,
        optimizer="sgd",
        variant="asgd",
        update="rate = (lr if t == 1 else rate); w = w*(1 - lambd*rate) - rate*(g + weight_decay*w); rate = lr/(1 + lambd*lr*t)**0.75",
        has_momentum=False,
        defaults=(("lambd", "1e-4"),),
        trap="lambd=1e-4 decays the weights even at weight_decay=0, and it also lowers the lr over time",
    ),
    _pytorch(
        decoupled,
        "Muon",
        default="0.1",
        exempt="all but matrices, which is all it takes",
        trap="the default is 0.1, not 0; the decay is times the lr before adjust_lr_fn, with either adjustment",
        where="torch/optim/_muon.py",
    ),
)
