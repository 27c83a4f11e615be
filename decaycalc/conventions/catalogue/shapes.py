"""What most records share: the monomials, the shapes that nearly all have, a package's fields.

`decoupled`, `penalty`, `objective` and `estimator` are those shapes; `package` makes the constructor
of one package's records, so that a record says what is its own and what is odd in it.
"""

from collections.abc import Callable
from typing import Any

from decaycalc.algebra.quantity import Monomial
from decaycalc.conventions.record import ANY, FIT, SGD, Buffer, Convention, Coupling, Follows
from decaycalc.conventions.run import Loss

HALF_PENALTY = Monomial.of(1, value=1, loss_scale=-1)
"""λ·w joins the gradient of the user's own loss: the penalty is (λ/2)·Σw²."""

FULL_PENALTY = Monomial.of(2, value=1, loss_scale=-1)
"""λ·Σw² without the half joins the user's own loss, whose gradient is 2λ·w."""

TIMES_LR = Monomial.of(1, value=1, lr=1)
"""A step removes lr·λ of the weight."""

SGDP_SHARE = Monomial.of(1, value=1, lr=1, wd_ratio=1, one_minus_momentum=-1)
"""SGDP's: what its projected steps leave of λ, as large as under a coupled momentum."""

PLAIN = Monomial.of(1, value=1)
"""A step (at peak lr) removes λ of the weight; or λ is the strength itself."""

INVERSE_C = Monomial.of(1, value=-1, dataset_size=-1)
"""C times the loss summed over the data set, plus half of Σw²: the strength is 1/(C·N)."""

SUMMED = Monomial.of(2, value=1, dataset_size=-1)
"""λ·Σw² without the half joins the loss summed over the data set."""

PER_LEAF = Monomial.of(1, value=1, n_leaf=-1)
"""(λ/2)·w² joins the loss summed over the examples of a tree's leaf."""

TENSOR_MULTIPLIERS = (("lr_mult", Monomial.of(1)), ("decay_mult", Monomial.of(decay_mult=1)))
"""A tensor may have multipliers of its own; lr_mult multiplies data and decay alike."""

CONSTRUCTOR_LR = (("lr_initial", Monomial.of(lr=1, lr_initial=-1)),)
"""The schedule's multiplier counts from the constructor's lr, be it the peak or not."""

_MODELLED = frozenset(
    {
        "adam", "adam_uncorrected", "nadam", "radam", "adamax", "rmsprop", "adagrad", "adadelta",
        "lion", "adan", "adafactor", "muon",
    }
)  # fmt: skip
"""Optimizers that the simulator knows by their own names; of others it knows the decay alone."""

_UNMODELLED = "unmodelled(g)"

_SHARES = {
    Follows.LR: (TIMES_LR, "lr*"),
    Follows.LR_SQUARED: (TIMES_LR, "lr*multiplier*"),
    Follows.MULTIPLIER: (PLAIN, "multiplier*"),
    Follows.CONSTANT: (PLAIN, ""),
}
"""What a decay beside the step takes, and what stands before the number in its rule."""

_LOSSES = {
    None: "loss",
    Loss.MEAN: "mean(loss)",
    Loss.DATASET_SUM: "sum(loss)",
    Loss.BATCH_SUM: "batch_sum(loss)",
}
_MINIMISED = {
    HALF_PENALTY: "{loss} + {value}/2*sum(w**2)",
    FULL_PENALTY: "{loss} + {value}*sum(w**2)",
    PLAIN: "mean(loss) + {value}/2*sum(w**2)",
    SUMMED: "sum(loss) + {value}*sum(w**2)",
    PER_LEAF: "mean(loss) + {value}/(2*n_leaf)*sum(w**2)",
    INVERSE_C: "{value}*sum(loss) + sum(w**2)/2",
}
"""What is minimised, by the strength that it gives."""

Constructor = Callable[..., Convention]
"""A constructor of records: `decoupled` and those below, or `Convention` for the odd ones."""


def decoupled(*, parameter: str, optimizer: str = SGD, step: str = "", **fields: Any) -> Convention:
    """Return a record of a decay beside the step, before it unless it says so.

    A step takes `lr·value` of the weight, or `value` itself where the decay does not follow lr.
    `step` is what lr multiplies, `adam(g)` under adam; an `update` of its own replaces the rule.
    """
    shrink, share = _SHARES[fields.get("follows", Follows.LR)]
    rules = [f"w = w*(1 - {share}{parameter})", f"w = w - lr*{step or _step_of(optimizer)}"]
    if fields.get("decays_after_step"):
        rules.reverse()
    shared = {"shrink": shrink, "coupling": Coupling.DECOUPLED, "update": "; ".join(rules)}
    return Convention(**{**shared, **fields}, parameter=parameter, optimizer=optimizer)


def corrected(**fields: Any) -> Convention:
    """Return a record of a decay that counts from the constructor's lr: times lr² over it, as usual."""
    return decoupled(**{"follows": Follows.LR_SQUARED, "refinements": CONSTRUCTOR_LR, **fields})


def penalty(*, parameter: str, optimizer: str = SGD, step: str = "", **fields: Any) -> Convention:
    """Return a record whose number times the weight joins the gradient, `λ* = value/loss_scale`.

    `step` is what lr multiplies, `adam(g)` under adam; an `update` of its own replaces the rule,
    which of an optimizer that is not simulated is the objective alone.
    """
    step = step or _step_of(optimizer)
    way = "velocity(lr*g)" if fields.get("buffer") == Buffer.INSIDE else f"lr*{step}"
    rule = f"g = g + {parameter}*w; w = w - {way}"
    if step == _UNMODELLED:
        rule = f"minimise loss + {parameter}/2*sum(w**2)"
    shared = {"strength": HALF_PENALTY, "update": rule}
    return Convention(**{**shared, **fields}, parameter=parameter, optimizer=optimizer)


def objective(*, parameter: str, **fields: Any) -> Convention:
    """Return a record of a penalty in the loss, whatever optimizer trains it.

    It is (value/2)·Σw² in the user's own loss, unless `strength` and `loss` say otherwise; one
    that `_MINIMISED` does not hold needs an `update` of its own.
    """
    return _minimised(parameter, {"strength": HALF_PENALTY, **fields, "optimizer": ANY})


def estimator(*, parameter: str, **fields: Any) -> Convention:
    """Return a record of what a solver minimises, mean loss + (value/2)·Σw² as `objective` does."""
    usual = {"strength": PLAIN, "loss": Loss.MEAN}
    return _minimised(parameter, {**usual, **fields, "optimizer": FIT})


def _minimised(parameter: str, fields: dict[str, Any]) -> Convention:
    loss = _LOSSES[fields.get("loss")]
    rule = _MINIMISED.get(fields["strength"], "").format(loss=loss, value=parameter)
    return Convention(**{"update": f"minimise {rule}", **fields}, parameter=parameter)


def _step_of(optimizer: str) -> str:
    if optimizer == SGD:
        return "heavy_ball(g)"
    return f"{optimizer}(g)" if optimizer in _MODELLED else _UNMODELLED


def package(**shared: Any) -> Callable[..., Convention]:
    """Return the constructor of one package's records: a shape, a name and what is not shared.

    A shared text may hold `{name}` (what the package calls the optimizer), `{key}` (the same in the
    letters of keys) and `{parameter}`. The source is `where` and `release` unless it is said whole;
    the release, or what the source's brackets name, was executed unless a `verification` says
    otherwise.

    >>> torch = package(
    ...     group="PyTorch", key="pytorch-{key}", title="torch.optim.{name}({parameter})",
    ...     where="torch/optim/{key}.py", parameter="weight_decay", optimizer="{key}",
    ...     release="torch 2.13.0",
    ... )
    >>> record = torch(penalty, "NAdam", trap=None)
    >>> record.key, record.update, record.source
    ('pytorch-nadam', 'g = g + weight_decay*w; w = w - lr*nadam(g)', 'torch/optim/nadam.py (torch 2.13.0)')
    >>> record.verification
    'executed: torch 2.13.0'
    """

    def make(shape: Constructor, name: str = "", **own: Any) -> Convention:
        parameter = own.get("parameter", shared.get("parameter", ""))
        words = {"name": name, "key": name.lower().replace("_", "-"), "parameter": parameter}
        fields = {field: _filled(text, words) for field, text in shared.items()} | own
        where, release = fields.pop("where", ""), fields.pop("release", "")
        source = fields.setdefault("source", f"{where} ({release})")
        return shape(**{"verification": f"executed: {release or _release(source)}", **fields})

    return make


def _release(source: str) -> str:
    """Return the release in a source's brackets, or the repository and the commit there."""
    named = source.rpartition("(")[2].removesuffix(")")
    return named if " " in named else f"{source.partition(',')[0]} {named}"


def _filled(shared: Any, words: dict[str, str]) -> Any:
    """Return a shared field with the record's words in its places."""
    if isinstance(shared, tuple):
        return tuple(_filled(part, words) for part in shared)
    return shared.format_map(words) if isinstance(shared, str) else shared
