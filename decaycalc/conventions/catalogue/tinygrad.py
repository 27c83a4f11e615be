"""tinygrad."""

from decaycalc.conventions.catalogue.groups import OTHERS
from decaycalc.conventions.catalogue.shapes import decoupled, package, penalty
from decaycalc.conventions.record import NO_DAMPENING, Convention

_tinygrad = package(
    group=OTHERS,
    release="tinygrad 0.14.0",
    title="tinygrad.nn.optim.{name}({parameter})",
    key="tinygrad-{key}",
    where="tinygrad/nn/optim.py, {name}",
    optimizer="{key}",
    parameter="weight_decay",
)

CONVENTIONS: tuple[Convention, ...] = (
    _tinygrad(
        penalty,
        "SGD",
        default="0",
        lacks=NO_DAMPENING,
        trap="classic=True puts the lr inside the momentum",
        where="tinygrad/nn/optim.py, LARS with tcoef 0",
    ),
    _tinygrad(
        decoupled,
        "AdamW",
        optimizer="adam",
        update="w = w - lr*(adam(g) + weight_decay*w)",
        default="0.01",
        trap="Adam has no weight_decay argument",
        where="tinygrad/nn/optim.py, LAMB with adam=True",
    ),
    _tinygrad(
        decoupled,
        "Muon",
        optimizer="muon-tinygrad",
        update="w = w - lr*(unmodelled(g) + weight_decay*w)",
        default="0.1",
        trap="0.1 by default; releases 0.12.0 and 0.14.0 decay, 0.13.0 drops the decay; its momentum is a sum",
        where="tinygrad/nn/optim.py, LARS with ns_steps",
        since="tinygrad 0.14.0",
    ),
    _tinygrad(
        Convention,
        "Muon",
        key="tinygrad-muon-0-13",
        title="tinygrad.nn.optim.Muon(weight_decay) of release 0.13.0: nothing decays",
        refusal="tinygrad 0.13.0 drops the number: nothing decays whatever it is; 0.12.0 and 0.14.0 take lr·λ a step",
        optimizer="muon-tinygrad",
        update="w = w - lr*(unmodelled(g) + 0*weight_decay*w)",
        default="0.1",
        trap="the argument is taken and dropped without a word",
        release="tinygrad 0.13.0",
        since="tinygrad 0.13.0",
        until="tinygrad 0.13.0",
    ),
    _tinygrad(
        Convention,
        "LAMB",
        refusal="the trust ratio rescales the decay together with the update: without a gradient a step removes lr of the weight whatever λ is",
        update="w = w - lr*lamb(g, weight_decay*w)",
        default="0",
        trap=None,
    ),
    _tinygrad(
        Convention,
        "LARS",
        refusal="the trust ratio rescales gradient and decay by layer: no constant share of the weight decays",
        update="r = (0.001*norm(w)/(norm(g) + weight_decay*norm(w)) if norm(g)*norm(w) > 0 else 1); w = w - velocity(lr*r*(g + weight_decay*w))",
        default="0.0001",
        trap=None,
    ),
)
