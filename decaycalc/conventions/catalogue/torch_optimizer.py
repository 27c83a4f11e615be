"""torch_optimizer (jettify), a collection of optimizers for PyTorch."""

from fractions import Fraction

from decaycalc.algebra.quantity import Monomial
from decaycalc.conventions.catalogue.groups import TORCH_ECOSYSTEM
from decaycalc.conventions.catalogue.shapes import SGDP_SHARE, decoupled, package, penalty
from decaycalc.conventions.catalogue.traps import PRECONDITIONED, RELATIVE_STEP
from decaycalc.conventions.mixture import proportional_integral, quasi_hyperbolic
from decaycalc.conventions.record import HEAVY_BALL_ALONE, SGD, Convention

_torch_optimizer = package(
    group=TORCH_ECOSYSTEM,
    release="torch-optimizer 0.3.0",
    title="torch_optimizer.{name}({parameter})",
    key="torch-optimizer-{key}",
    where="torch_optimizer/{key}.py",
    optimizer="{key}",
    parameter="weight_decay",
    default="0",
)

CONVENTIONS: tuple[Convention, ...] = (
    _torch_optimizer(
        Convention,
        "SGDW",
        refusal="a bug: lr·λ itself is subtracted from every coordinate, not times w: negative weights grow",
        optimizer="sgd",
        update="w = w - lr*heavy_ball(g) - lr*weight_decay",
        trap="issues 433 and 454, never released: use torch.optim.SGD or pytorch_optimizer's SGDW",
    ),
    _torch_optimizer(
        decoupled,
        "AdaMod",
        optimizer="adamod-torch-optimizer",
        trap="the W in a name is no guide in this package: this one is decoupled, SGDW is broken",
    ),
    _torch_optimizer(
        decoupled,
        "RAdam",
        optimizer="radam-torch-optimizer",
        trap="the W in a name is no guide in this package: this one is decoupled, SGDW is broken",
    ),
    _torch_optimizer(
        decoupled,
        "AdamP",
        shrink=Monomial.of(1, value=1, lr=1, wd_ratio=1),
        optimizer="adamp-torch-optimizer",
        update="w = w*(1 - lr*wd_ratio*weight_decay); w = w - lr*unmodelled(g)",
        defaults=(("wd_ratio", "0.1"),),
        trap="times wd_ratio 0.1 where the gradient is at right angles to w, as in layers before a norm; elsewhere the whole λ acts",
    ),
    _torch_optimizer(
        decoupled,
        "SGDP",
        shrink=SGDP_SHARE,
        optimizer="sgdp-torch-optimizer",
        update="w = w*(1 - lr*wd_ratio/(1 - momentum)*weight_decay); w = w - lr*unmodelled(g)",
        defaults=(("wd_ratio", "0.1"), ("momentum", "0")),
        trap="divided by 1 - momentum; times wd_ratio 0.1 where the gradient is at right angles to w, elsewhere the whole λ acts",
    ),
    _torch_optimizer(
        decoupled,
        "Adafactor",
        title="torch_optimizer.Adafactor(weight_decay, scale_parameter=False, relative_step=False)",
        optimizer="adafactor-hf",
        step="adafactor(g, scale_parameter=0, relative_step=0)",
        trap=RELATIVE_STEP,
    ),
    _torch_optimizer(
        penalty,
        "Yogi",
        update="g = g + weight_decay*w; m = (0.000001 if t == 1 else m); v = (0.000001 if t == 1 else v); m = 0.9*m + 0.1*g; v = v - 0.001*sign(v - g*g)*g*g; w = w - lr*(m/(1 - 0.9**t))/(sqrt(v)/sqrt(1 - 0.999**t) + 0.001)",
        trap=PRECONDITIONED,
    ),
    _torch_optimizer(
        penalty,
        "QHM",
        title="torch_optimizer.QHM(weight_decay), nu 0.7",
        optimizer=SGD,
        variant="qhm",
        mixture=quasi_hyperbolic(Fraction(7, 10)),
        lacks=HEAVY_BALL_ALONE,
        update="g = g + weight_decay*w; b = momentum*b + (1 - momentum)*g; w = w - lr*(0.7*b + 0.3*g)",
        trap="its buffer is dampened: the long-run decay is lr·λ, with any momentum",
    ),
    _torch_optimizer(penalty, "QHAdam", step="adam(g)", trap=PRECONDITIONED),
    _torch_optimizer(
        penalty,
        "AdaBelief",
        optimizer="adabelief-torch-optimizer",
        update="g = g + weight_decay*w; m = 0.9*m + 0.1*g; s = 0.999*s + 0.001*(g - m)**2 + 1e-8; w = w - lr*m/(1 - 0.9**t)/(sqrt(s)/sqrt(1 - 0.999**t) + 1e-8)",
        trap="coupled by default here, decoupled in timm and in pytorch_optimizer",
    ),
    _torch_optimizer(
        penalty,
        "DiffGrad",
        update="g = g + weight_decay*w; m = 0.9*m + 0.1*g; v = 0.999*v + 0.001*g*g; f = 1/(1 + 2.718281828459045**(-abs(p - g))); p = g; w = w - lr*sqrt(1 - 0.999**t)/(1 - 0.9**t)*m*f/(sqrt(v) + 1e-8)",
        trap="coupled here, decoupled in pytorch_optimizer",
    ),
    _torch_optimizer(
        penalty,
        "AdaBound",
        update="g = g + weight_decay*w; m = 0.9*m + 0.1*g; v = 0.999*v + 0.001*g*g; a = lr*sqrt(1 - 0.999**t)/(1 - 0.9**t)/(sqrt(v) + 1e-8); w = w - m*min(max(a, 0.1*multiplier*(1 - 1/(0.001*t + 1))), 0.1*multiplier*(1 + 1/(0.001*t)))",
        trap="coupled here, decoupled in pytorch_optimizer",
    ),
    _torch_optimizer(
        penalty,
        "AggMo",
        update="g = g + weight_decay*w; a = g; b = 0.9*b + g; c = 0.99*c + g; w = w - lr*(a + b + c)/3",
        trap="three momenta at once: the long-run decay is lr·λ times the mean of 1/(1 - beta), not lr·λ",
    ),
    _torch_optimizer(
        Convention,
        "Lamb",
        refusal="the trust ratio rescales the decay together with the update: without a gradient a step removes lr of the weight whatever λ is",
        optimizer="lamb-uncorrected",
        update="u = adam_uncorrected(g, eps=1e-6) + weight_decay*w; w = w - lr*u*(min(norm(w), 10)/norm(u) if norm(u)*norm(w) > 0 else 1)",
        trap="no bias correction, and the weights' norm counts up to 10 only",
    ),
    _torch_optimizer(
        Convention,
        "LARS",
        refusal="the trust ratio rescales gradient and decay by layer: no constant share of the weight decays",
        update="r = (0.01*norm(w)/(norm(g) + weight_decay*norm(w) + 1e-8) if norm(g)*norm(w) > 0 else 0); w = w - lr*heavy_ball(r*(g + weight_decay*w))",
        trap="it does not move at all without a gradient",
    ),
    _torch_optimizer(
        Convention,
        "NovoGrad",
        refusal="the decay joins the momentum of gradients normed by layer: no objective and no constant share",
        update="v = sum(g*g); d = g/(sqrt(v) + 1e-8) + weight_decay*w; m = 0.95*m + d; w = w - lr*m",
        trap=None,
    ),
    _torch_optimizer(
        penalty,
        "AccSGD",
        update="g = g + weight_decay*w; b = (0 if t == 1 else b); b = (w if t == 1 else b); q = 0.0049; b = q*((1/q - 1)*b - lr*1000/0.7*g + w); w = (0.7*(w - lr*g) + q*b)/(0.7 + q)",
        trap="linear, but no heavy ball: the long-run decay is far from lr·λ",
    ),
    _torch_optimizer(
        penalty,
        "Apollo",
        optimizer="apollo-torch-optimizer",
        trap="lr warms up over 500 steps by itself; the quasi-Newton matrix starts at 1, so that it begins like SGD",
    ),
    _torch_optimizer(
        penalty,
        "MADGRAD",
        update="g = g + weight_decay*w; x = (w if t == 1 else x); l = (lr + 1e-6)*sqrt(t); s = s + l*g; v = v + l*g*g; z = x - s/(v**(1/3) + 1e-6); w = 0.1*z + 0.9*w",
        trap="dual averaging starts each step from the initial weights: λ·w is no decay",
    ),
    _torch_optimizer(
        penalty,
        "PID",
        title="torch_optimizer.PID(weight_decay), integral 5, derivative 10",
        optimizer=SGD,
        variant="pid",
        mixture=proportional_integral(Fraction(5), Fraction(10)),
        lacks=("nesterov",),
        update="g = g + weight_decay*w; i = momentum*i + (g if t == 1 else (1 - dampening)*g); d = (0*g if t == 1 else momentum*d + (1 - momentum)*(g - p)); p = (0*g if t == 1 else g); w = w - lr*(g + (5*i + 10*d if momentum > 0 else 0))",
        trap="the integral term alone multiplies the long-run decay by 1 + 5/(1 - momentum)",
    ),
    _torch_optimizer(
        penalty,
        "RangerQH",
        optimizer="rangerqh-torch-optimizer",
        trap="QHAdam in Lookahead: coupled, while Ranger and RangerVA decay by lr·λ; decouple_weight_decay=True decouples it",
    ),
    _torch_optimizer(
        penalty,
        "SWATS",
        optimizer="swats-torch-optimizer",
        trap="Adam first, then SGD at a learning rate of its own: λ·w is no decay before the switch and lr_sgd·λ after it",
    ),
    _torch_optimizer(
        penalty,
        "Shampoo",
        optimizer="shampoo-torch-optimizer",
        trap="the penalty enters the Kronecker factors; with momentum it joins after the momentum",
    ),
    _torch_optimizer(
        decoupled,
        "Adahessian",
        optimizer="adahessian-torch-optimizer",
        update="w = w - lr*(unmodelled(g) + weight_decay*w)",
        trap="decoupled, while most of this package is coupled",
    ),
)
