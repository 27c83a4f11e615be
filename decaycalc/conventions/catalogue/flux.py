"""Flux (Julia)."""

from decaycalc.conventions.catalogue.groups import OTHERS
from decaycalc.conventions.catalogue.shapes import decoupled, objective, package
from decaycalc.conventions.record import Buffer, Convention, Follows

_flux = package(
    group=OTHERS,
    key="flux-{key}",
    optimizer="adam",
    parameter="lam",
    default="0",
    verification="literal step: Julia's packages are not on PyPI, Debian or npm",
)

CONVENTIONS: tuple[Convention, ...] = (
    _flux(
        objective,
        "weight-decay",
        title="Optimisers.jl, Flux: OptimiserChain(WeightDecay(λ), rule)",
        aliases=("optimisers-weight-decay",),
        buffer=Buffer.INSIDE,
        default="0.0005",
        trap="first in the chain it is L2; after Adam it is a decay that is not times lr",
        source="FluxML/Optimisers.jl, src/rules.jl, WeightDecay: dx + λ·x; Momentum (0.4.8, b3595f5)",
    ),
    _flux(
        decoupled,
        "adamw-coupled",
        title="Optimisers.jl AdamW(λ; couple=true), since 0.4: times lr",
        update="w = w - lr*(adam(g) + lam*w)",
        aliases=("flux-adamw", "optimisers-adamw"),
        trap="the default λ is 0; before 0.4 the same name was not times lr",
        source="FluxML/Optimisers.jl, src/rules.jl, AdamW, couple=true (0.4.8, b3595f5)",
    ),
    _flux(
        decoupled,
        "adamw-uncoupled",
        title="Optimisers.jl AdamW before 0.4 or couple=false, Flux before 0.15: not times lr",
        update="w = w - lr*adam(g) - lam*w",
        aliases=("flux-adamw-old",),
        follows=Follows.CONSTANT,
        trap="neither lr nor its schedule multiplies the decay: PyTorch's λ must be multiplied by lr here",
        source="FluxML/Optimisers.jl, src/rules.jl, AdamW, couple=false; Flux.jl 0.14, src/optimise/optimisers.jl, Optimiser(ADAM, WeightDecay)",
    ),
)
