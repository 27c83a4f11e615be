"""Muon, Dion and Scion, in packages of their own."""

from fractions import Fraction

from decaycalc.algebra.quantity import Monomial
from decaycalc.conventions.catalogue.groups import TORCH_ECOSYSTEM
from decaycalc.conventions.catalogue.packages import ecosystem_record, stack_record
from decaycalc.conventions.catalogue.shapes import decoupled, package, penalty
from decaycalc.conventions.catalogue.traps import BEFORE_ADJUSTMENT, CAUTIOUS_MUON
from decaycalc.conventions.record import Convention, Follows

_emerging = package(
    group=TORCH_ECOSYSTEM,
    key="emerging-optimizers-{key}",
    title="NVIDIA Emerging-Optimizers (weight_decay_method='{name}')",
    source="NVIDIA-NeMo/Emerging-Optimizers, emerging_optimizers/mixin.py, WeightDecayMixin (fd77292)",
    optimizer="emerging-optimizers",
    parameter="weight_decay",
    default="0.01",
)
_dion = package(
    group=TORCH_ECOSYSTEM,
    key="dion-{key}",
    title="microsoft/dion {name}({parameter})",
    source="microsoft/dion, dion/{key}.py (0a059a4)",
    optimizer="{key}-microsoft",
    parameter="weight_decay",
    default="0.01",
    exempt="what the caller puts into other groups",
)

CONVENTIONS: tuple[Convention, ...] = (
    ecosystem_record(
        decoupled,
        "Muon",
        key="muon-keller",
        title="Keller Jordan's Muon(weight_decay)",
        aliases=("muon",),
        exempt="what the caller puts into other groups",
        trap="0 by default, torch's is 0.1; a tensor without gradient decays too: its None becomes zeros, torch skips it",
        source="KellerJordan/Muon, muon.py, Muon.step (857d1ad)",
    ),
    ecosystem_record(
        decoupled,
        "Dion",
        key="dion",
        title="Dion(weight_decay)",
        default="0.01",
        exempt="what the caller puts into other groups",
        trap="times the base lr, not the one adjusted to the matrix' shape",
        source="microsoft/dion, dion/dion.py (0a059a4)",
    ),
    _emerging(
        decoupled, "decoupled", trap="the default of Muon, SOAP, Lion and the others of the package"
    ),
    _emerging(
        decoupled,
        "independent",
        follows=Follows.CONSTANT,
        trap="neither lr nor its schedule multiplies the decay",
    ),
    _emerging(
        penalty,
        "l2",
        trap="joins the gradient before momentum and orthogonalisation, which throw its size away",
    ),
    _emerging(
        decoupled,
        "palm",
        shrink=Monomial.of(1, value=1, lr=2),
        follows=Follows.LR_SQUARED,
        update="w = w*(1 - lr*lr*weight_decay); w = w - lr*unmodelled(g)",
        trap="times lr²: a tenth of the lr is a hundredth of the decay",
    ),
    stack_record(
        decoupled,
        key="scion-lions",
        title="LIONS scion Scion(lr): lr a step, as if a weight_decay were 1",
        aliases=("emerging-optimizers-scion",),
        optimizer="scion-lions",
        default="1",
        exempt="groups with unconstrained=True, which do not decay",
        trap="it has no number: the decay is lr itself, 1 here; the momentum is the share of the new gradient",
        source="LIONS-EPFL/scion, scion.py, Scion.step (f58a393)",
    ),
    _dion(decoupled, "Muon", trap=BEFORE_ADJUSTMENT),
    _dion(decoupled, "NorMuon", trap=BEFORE_ADJUSTMENT),
    _dion(decoupled, "Dion2", optimizer="dion-two-microsoft", trap=BEFORE_ADJUSTMENT),
    _dion(decoupled, "NorDion2", optimizer="dion-nor-two-microsoft", trap=BEFORE_ADJUSTMENT),
    _dion(
        decoupled,
        "Muon",
        key="dion-muon-cautious",
        title="microsoft/dion Muon, NorMuon(weight_decay, cautious_wd=True)",
        aliases=("dion-normuon-cautious",),
        shrink=Monomial.of(Fraction(37, 100), value=1, lr=1),
        optimizer="muon-cautious-microsoft",
        update="u = unmodelled(g); w = w - (lr*weight_decay*w if u*w >= 0 else 0) - lr*u",
        trap="without a gradient the whole λ acts, in training about 0.37 of it",
        estimate=CAUTIOUS_MUON,
    ),
)
