"""Stacks that train large models on JAX: AXLearn, Levanter."""

from fractions import Fraction

from decaycalc.algebra.quantity import Monomial
from decaycalc.conventions.catalogue.shapes import PLAIN, decoupled, package
from decaycalc.conventions.catalogue.traps import HYPERBALL, RULE_OF_THUMB
from decaycalc.conventions.record import Convention, Coupling, Follows

_GROUP = "JAX"

_axlearn = package(
    group=_GROUP,
    key="axlearn-{key}",
    title="AXLearn {name}_optimizer({parameter})",
    source="apple/axlearn, axlearn/common/optimizers.py, {name}_optimizer (34aed43)",
    parameter="weight_decay",
    default="0",
    exempt="what weight_decay_per_param_scale or the parameter's weight_decay_scale say",
    verification="executed: apple/axlearn 34aed43",
)
_levanter = package(
    group=_GROUP,
    key="levanter-{key}",
    title="Levanter {name}Config({parameter})",
    parameter="weight_decay",
    default="0.1",
    release="marin-levanter 0.2.20.dev202606180959",
)

CONVENTIONS: tuple[Convention, ...] = (
    _axlearn(
        decoupled,
        "adamw",
        optimizer="adam",
        update="w = w - lr*(adam(g) + weight_decay*w)",
        trap="adamw_decoupled_optimizer of the same file is not times lr",
    ),
    _axlearn(
        Convention,
        "adamw_decoupled",
        shrink=PLAIN,
        coupling=Coupling.DECOUPLED,
        follows=Follows.MULTIPLIER,
        optimizer="adam",
        update="u = adam(g); w = w - multiplier*(lr_peak*u + weight_decay*w)",
        trap="the AdamW paper's λ: times update_schedule, not times the fixed learning_rate",
    ),
    _axlearn(
        decoupled,
        "lion",
        optimizer="lion-axlearn",
        update="w = w - lr*(unmodelled(g) + weight_decay*w)",
        trap="multiply_by_parameter_scale scales the update by the block's RMS, the decay not",
    ),
    _axlearn(
        decoupled,
        "sgd",
        key="axlearn-sgd-decoupled",
        title="AXLearn sgd_optimizer(weight_decay, decouple_weight_decay=True)",
        optimizer="sgd",
        update="w = w - lr*(heavy_ball(g) + weight_decay*w)",
        trap="decouple_weight_decay=False is PyTorch's coupled SGD",
    ),
    _axlearn(
        decoupled,
        "adafactor",
        aliases=("axlearn-add-decayed-weights",),
        title="AXLearn adafactor_optimizer(weight_decay, weight_decay_scale_by_learning_rate_exponent=1)",
        optimizer="adafactor-axlearn",
        update="w = w - lr*unmodelled(g) - lr*weight_decay*w",
        default="none",
        trap="λ·lr^exponent after lr; the exponent must be said: 0 is λ a step, 1 is lr·λ",
        source="apple/axlearn, axlearn/common/optimizers.py, add_decayed_weights and adafactor_optimizer (34aed43)",
    ),
    _levanter(
        decoupled,
        "Adam",
        key="levanter-adamc",
        title="Levanter AdamConfig(weight_decay, adamc_weight_decay=True)",
        optimizer="adam",
        update="w = w - lr*(adam(g) + multiplier*weight_decay*w)",
        follows=Follows.LR_SQUARED,
        exempt="LayerNorm, RMSNorm, embeddings and biases by name, unless weight_decay_modules says otherwise",
        trap="λ is times lr/peak before lr multiplies it again: at half of lr a quarter of the decay",
        where="levanter/optim/config.py, AdamConfig.adamc_weight_decay",
    ),
    _levanter(
        decoupled,
        "Adam",
        optimizer="adam",
        update="w = w - lr*(adam(g) + weight_decay*w)",
        exempt="LayerNorm, RMSNorm, embeddings and biases by name, unless weight_decay_modules says otherwise",
        trap="0.1 by default; embeddings are exempt too, which nanoGPT decays",
        where="levanter/optim/config.py, AdamConfig",
    ),
    _levanter(
        Convention,
        "AdamH",
        title="Levanter AdamHConfig(learning_rate): weights of constant norm",
        parameter="learning_rate",
        shrink=Monomial.of(Fraction(19, 2), value=2),
        coupling=Coupling.MEASURE,
        optimizer="measure",
        update="w = w*(1 - 19/2*learning_rate**2)",
        default="6e-4",
        exempt="embeddings, norms and biases, which Adam updates without decay",
        trap=RULE_OF_THUMB,
        where="levanter/optim/adamh.py, scale_by_adamh",
        estimate=HYPERBALL,
    ),
    _levanter(
        Convention,
        "MuonH",
        title="Levanter MuonHConfig(learning_rate): weights of constant norm",
        parameter="learning_rate",
        refusal="it has no decay: the norm is kept by projection; to a Muon with decay only its rule of thumb leads, sqrt(lr·λ)",
        optimizer="muonh",
        update="n = norm(w); u = muon(g, sum_momentum=1); w = w - learning_rate*n*(u/norm(u) if norm(u) > 0 else 0); w = w*(n/norm(w) if norm(w) > 0 else 1)",
        default="6e-4",
        exempt="everything",
        trap="AdamH updates the output head, Adam the embeddings",
        where="levanter/optim/muonh.py, scale_with_muonh",
    ),
)
