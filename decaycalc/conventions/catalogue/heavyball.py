"""heavyball, a collection of optimizers for PyTorch."""

from decaycalc.algebra.quantity import Monomial
from decaycalc.conventions.catalogue.groups import TORCH_ECOSYSTEM
from decaycalc.conventions.catalogue.shapes import decoupled, package
from decaycalc.conventions.catalogue.traps import FIRST_STEP_FREE, NO_FIRST_DECAY
from decaycalc.conventions.record import Convention, Follows

_heavyball = package(
    group=TORCH_ECOSYSTEM,
    release="heavyball 3.2.1",
    title="heavyball.{name}({parameter})",
    key="heavyball-{key}",
    where="heavyball/utils.py, update_param_; class {name}",
    optimizer="{key}-heavyball",
    parameter="weight_decay",
    default="0",
)

CONVENTIONS: tuple[Convention, ...] = (
    _heavyball(decoupled, "AdamW", optimizer="adam-heavyball", trap=None),
    _heavyball(decoupled, "SGD", trap="decoupled; PyTorch's SGD is coupled"),
    _heavyball(decoupled, "LaProp", trap=None),
    _heavyball(decoupled, "AdEMAMix", trap=None),
    _heavyball(decoupled, "RMSprop", trap="decoupled; PyTorch's RMSprop is coupled"),
    _heavyball(decoupled, "Muon", trap="0 by default, torch.optim.Muon is 0.1"),
    _heavyball(
        decoupled,
        "UnscaledAdamW",
        key="heavyball-unscaled-adamw",
        optimizer="unscaled-adam-heavyball",
        trap=None,
    ),
    _heavyball(
        decoupled,
        "MuonAdamW",
        key="heavyball-muon-adamw",
        optimizer="muon-adamw-heavyball",
        trap=None,
    ),
    _heavyball(decoupled, "SignLaProp", trap=None),
    _heavyball(
        decoupled,
        "ADOPT",
        update="w = w*(1 - (lr*weight_decay if t > 1 else 0)); w = w - lr*unmodelled(g)",
        trap=FIRST_STEP_FREE,
    ),
    _heavyball(
        decoupled,
        "AdamC",
        title="heavyball.AdamC(weight_decay): times lr²/max_lr",
        follows=Follows.LR_SQUARED,
        refinements=(("lr_max", Monomial.of(lr=1, lr_max=-1)),),
        trap="max_lr is the first lr unless given: a warm-up from a small one multiplies the decay",
    ),
    _heavyball(
        Convention,
        "NAdam",
        refusal="a bug: λ·w joins the gradient and is then subtracted from Adam's step, so that lr·λ·w is ADDED to the weight",
        optimizer="nadam",
        update="u = nadam(g + weight_decay*w); w = w - lr*(u - weight_decay*w)",
        trap="without a gradient the weights can grow; decoupled_weight_decay=True is right",
        where="heavyball/utils.py, _nadam_finish_weight_decay",
    ),
    _heavyball(
        decoupled,
        "NAdam",
        key="heavyball-nadam-decoupled",
        title="heavyball.NAdam(weight_decay, decoupled_weight_decay=True)",
        trap="the flag is False by default, and the default is broken",
    ),
    _heavyball(
        decoupled,
        "LaPropOrtho",
        key="heavyball-laprop-ortho",
        optimizer="laprop-ortho-heavyball",
        trap=None,
    ),
    _heavyball(
        decoupled,
        "OrthoLaProp",
        key="heavyball-ortho-laprop",
        optimizer="ortho-laprop-heavyball",
        trap=None,
    ),
    _heavyball(
        decoupled,
        "MuonLaProp",
        key="heavyball-muon-laprop",
        optimizer="muon-laprop-heavyball",
        trap=None,
    ),
    _heavyball(
        decoupled,
        "MSAMLaProp",
        key="heavyball-msam-laprop",
        optimizer="msam-laprop-heavyball",
        trap=None,
    ),
    _heavyball(
        decoupled,
        "SUDSAdamW",
        key="heavyball-suds-adamw",
        optimizer="suds-adamw-heavyball",
        update="w = w*(1 - (lr*weight_decay if t > 1 else 0)); w = w - lr*unmodelled(g)",
        trap=FIRST_STEP_FREE,
    ),
    _heavyball(
        decoupled,
        "SOAP",
        update="w = w*(1 - (lr*weight_decay if t > 1 else 0)); w = w - lr*unmodelled(g)",
        default="0.01",
        trap=NO_FIRST_DECAY,
    ),
    _heavyball(
        decoupled,
        "SOAPNAdam",
        key="heavyball-soap-nadam",
        optimizer="soap-nadam-heavyball",
        update="w = w*(1 - (lr*weight_decay if t > 1 else 0)); w = w - lr*unmodelled(g)",
        default="0.01",
        trap=NO_FIRST_DECAY,
    ),
    _heavyball(
        decoupled,
        "SOAPAdEMAMix",
        key="heavyball-soap-ademamix",
        optimizer="soap-ademamix-heavyball",
        update="w = w*(1 - (lr*weight_decay if t > 1 else 0)); w = w - lr*unmodelled(g)",
        default="0.01",
        trap=NO_FIRST_DECAY,
    ),
    _heavyball(
        decoupled,
        "SOLP",
        update="w = w*(1 - (lr*weight_decay if t > 1 else 0)); w = w - lr*unmodelled(g)",
        default="0.01",
        trap=NO_FIRST_DECAY,
    ),
    _heavyball(
        decoupled,
        "KLSOAP",
        key="heavyball-kl-soap",
        optimizer="kl-soap-heavyball",
        update="w = w*(1 - (lr*weight_decay if t > 1 else 0)); w = w - lr*unmodelled(g)",
        default="0.01",
        trap=NO_FIRST_DECAY,
    ),
    _heavyball(
        decoupled,
        "KLShampoo",
        key="heavyball-kl-shampoo",
        optimizer="kl-shampoo-heavyball",
        update="w = w*(1 - (lr*weight_decay if t > 1 else 0)); w = w - lr*unmodelled(g)",
        default="0.01",
        trap=NO_FIRST_DECAY,
    ),
    _heavyball(
        decoupled, "PSGDKron", key="heavyball-psgd-kron", optimizer="psgd-kron-heavyball", trap=None
    ),
    _heavyball(
        decoupled, "PSGDLRA", key="heavyball-psgd-lra", optimizer="psgd-lra-heavyball", trap=None
    ),
    _heavyball(
        decoupled, "PSGDPRO", key="heavyball-psgd-pro", optimizer="psgd-pro-heavyball", trap=None
    ),
    _heavyball(decoupled, "QSGD", trap=None),
    _heavyball(
        decoupled,
        "LATHER",
        update="w = w*(1 - (lr*weight_decay if t > 1 else 0)); w = w - lr*unmodelled(g)",
        trap="no decay on the first step, which only fills the preconditioner",
    ),
    _heavyball(
        Convention,
        "SFAdamW",
        key="heavyball-schedule-free-adamw",
        refusal="the decay of y acts on z, and y is their average: no constant share decays",
        optimizer="schedule-free-adam",
        update="z = (w if t == 1 else z); x = (w if t == 1 else x); z = z - lr*(adam(g, beta1=0) + weight_decay*w); x = x + (z - x)/t; w = 0.1*z + 0.9*x",
        trap=None,
        where="heavyball/utils.py, schedule_free_",
    ),
    _heavyball(
        Convention,
        "HyperBallAdamW",
        key="heavyball-hyperball-adamw",
        refusal="every tensor is scaled back to the norm it began with: decay changes the step's direction only",
        optimizer="hyperball-adam",
        update="n = (norm(w) if t == 1 else n); u = unmodelled(g) + weight_decay*w; w = w - lr*n*(u/norm(u) if norm(u) > 0 else 0); w = w*(n/norm(w) if norm(w) > 0 else 1)",
        trap="without a gradient the number does nothing at all",
        where="heavyball/utils.py, hyperball_step_",
    ),
)
