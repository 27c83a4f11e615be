"""Side: one convention in one run, its two invariants as monomials, tied by the bridge.

The bridge of SGD-like dynamics is `shrink = lr·loss_scale·(1 - dampening)/(1 - momentum)·strength`;
under an adaptive preconditioner there is none.
"""

from fractions import Fraction
from functools import cached_property
from math import expm1, log, log1p
from typing import Any

from decaycalc.algebra.number import ZERO, exact, finite
from decaycalc.algebra.quantity import QUANTITIES, Monomial
from decaycalc.conventions.families import BY_RMS, lr_family
from decaycalc.conventions.record import (
    ANY,
    MEASURE,
    NESTEROV,
    NESTEROV_IN_PLACE,
    SGD,
    Convention,
    Coupling,
    Invariant,
    is_adaptive,
)
from decaycalc.conventions.run import Loss, Run
from decaycalc.conversion.momentum import (
    IN_PLACE,
    long_run_shrink,
    proximal_shrink,
    shrink_over,
    step_for_proximal_shrink,
    step_for_shrink,
)
from decaycalc.errors import InvalidValueError
from decaycalc.record import Record, replace

_UNIT = Monomial.of(1)
_LR = Monomial.of(lr=1)
_BUFFER = ("momentum", "dampening")


class Side(Record):
    """One convention in one run.

    `own` names the quantities whose symbols carry the prefix `to_` because this is the target's
    run and it differs there from the source's; `lr` is a monomial because a target's lr follows
    from the source's when it is not given. `layer` is the number of weights of the one layer that
    is meant, for conventions with one number a layer. `is_target` says that the number is the
    group's own: a source's is multiplied by the group's multipliers, a target's only where its
    framework does that itself.
    """

    convention: Convention
    run: Run
    own: frozenset[str] = frozenset()
    lr: Monomial = _LR
    layer: Fraction | None = None
    is_target: bool = False

    @property
    def loss(self) -> Loss | Fraction:
        """The loss in force over the mean loss: the convention's own, else the run's, else 1."""
        loss = self.convention.loss or self.run.loss or Loss.MEAN
        return loss if isinstance(loss, Loss) else exact(loss)

    @property
    def optimizer(self) -> str:
        """What takes the steps: the record's optimizer, a penalty's as it was said, else `any`."""
        record = self.convention
        return (self.run.optimizer or ANY) if record.is_penalty else record.optimizer

    @property
    def is_undecided(self) -> bool:
        """Whether it is a penalty of which nobody said what trains it."""
        return self.optimizer == ANY

    @property
    def is_adaptive(self) -> bool:
        """Whether a preconditioner stands between gradient and step: then no bridge holds."""
        return is_adaptive(self.optimizer)

    @property
    def lr_family(self) -> str | None:
        """The optimizers among which the lr means the same, None where there is none to mean."""
        return lr_family(self.optimizer)

    def get(self, name: str) -> Fraction | None:
        """Return a quantity of the run (its `to_` dropped), or the convention's default for it."""
        name = name.removeprefix("to_")
        if name == "layer_weights":
            return self.layer
        if name in self.convention.lacks:
            return ZERO
        if name.startswith("one_minus_"):
            complement = self.get(name.removeprefix("one_minus_"))
            return None if complement is None else 1 - complement
        fallback = dict(self.convention.defaults).get(name)
        if fallback is None or self.run.given(name) is not None:
            return self.run.get(name)
        return self.get(fallback) if fallback in QUANTITIES else exact(fallback)

    def assumed(self) -> tuple[tuple[str, Fraction], ...]:
        """Return the quantities that hold by the framework's default, not by the user's word."""
        pairs = ((name, self.get(name)) for name, _ in self.convention.defaults)
        return tuple(
            (name, value)
            for name, value in pairs
            if value is not None and self.run.given(name) is None
        )

    def symbol(self, name: str) -> Monomial:
        """Return the quantity's symbol on this side as a monomial."""
        if name == "lr":
            return self.lr * self.lr_factor
        if name == "loss_scale":
            return self.loss_scale
        if name == "one_minus_dampening" and "dampening" in dict(self.convention.defaults):
            return Monomial.of(exact(1) - (self.get("dampening") or 0))
        return Monomial.of(**{f"to_{name}" if name in self.own else name: 1})

    @property
    def loss_scale(self) -> Monomial:
        """What the loss is of the mean loss: 1, B, N, or the number that was said."""
        if not isinstance(self.loss, Loss):
            return Monomial.of(self.loss)
        scale = self.loss.scale
        return _UNIT if scale is None else self.symbol(scale)

    @property
    def refined(self) -> tuple[tuple[str, Monomial], ...]:
        """What the run's quantities multiply the number by: refinements, and multipliers."""
        names = dict(self.convention.refinements)
        if not self.is_target and self.optimizer != MEASURE:
            names = {"decay_mult": Monomial.of(decay_mult=1), **names}
        found = ((name, by) for name, by in names.items() if self.run.given(name) is not None)
        return (*found, *self._counted_from())

    def _counted_from(self) -> tuple[tuple[str, Monomial], ...]:
        """What a group's lr multiplier makes of a decay that counts from an lr.

        The constructor's lr, unsaid, is the run's and stands still; one of each group is
        multiplied as the group's lr is.
        """
        record = self.convention
        name = record.reference_lr
        if name is None or self.is_target or self.run.given("lr_mult") is None:
            return ()
        if record.counts_from_group == (self.run.given(name) is None):
            return ()
        return (("lr_mult", Monomial.of(lr_mult=-1 if record.counts_from_group else 1)),)

    @property
    def lr_factor(self) -> Monomial:
        """What the group's lr is of the run's: a target has it only where the framework has."""
        multiplied = not self.is_target or "lr_mult" in dict(self.convention.refinements)
        given = self.run.given("lr_mult") is not None
        return self.symbol("lr_mult") if multiplied and given else _UNIT

    @property
    def share(self) -> Monomial:
        """The share of the steps in which the group is updated at all; a measure counts them."""
        counts = self.convention.has_lr and self.run.given("update_share") is not None
        return Monomial.of(update_share=1) if counts else _UNIT

    @property
    def takes_momentum(self) -> bool:
        """Whether a momentum above zero would be at work if there were one."""
        of_adaptive = self.convention.is_penalty and self.is_adaptive
        return self.convention.has_momentum and not of_adaptive

    @property
    def has_momentum(self) -> bool:
        """Whether a momentum above zero is at work."""
        return self.takes_momentum and bool(self.get("momentum"))

    @cached_property
    def bridge(self) -> Monomial:
        """Return shrink over strength, by SGD-like dynamics or by Adam's estimate."""
        ratio = self.symbol("lr") * self.loss_scale
        if self.is_estimate:
            return ratio / self.symbol("gradient_scale")
        if not self.has_momentum:
            return ratio
        if self.convention.mixture is not None:
            return ratio * Monomial.of(self.convention.mixture.gain(*self._buffered))
        if self.get("dampening"):
            ratio *= self.symbol("one_minus_dampening")
        return ratio / self.symbol("one_minus_momentum")

    @property
    def can_be_estimated(self) -> bool:
        """Whether a coupled penalty's shrink follows from the gradients' RMS, as under Adam."""
        return self.lr_family in BY_RMS and self.convention.strength is not None

    @property
    def is_estimate(self) -> bool:
        """Whether the shrink of a coupled penalty under Adam is estimated from the gradients."""
        return self.can_be_estimated and self.run.get("gradient_rms") is not None

    @property
    def has_shrink(self) -> bool:
        """Whether the number has a decay per step here, were it an estimate."""
        if self.convention.is_penalty and self.is_adaptive:
            return self.is_estimate
        if self.why_beyond:
            return False
        return self.convention.has_shrink or self.is_estimate

    def invariant(self, which: Invariant) -> Monomial | None:
        """Return strength or shrink as a monomial of `value`, None where the record has none."""
        here, own = self._monomial, self.convention.invariant
        if here is None:
            return None
        if which == Invariant.SHRINK:
            return self.share * (here if own == which else here * self.bridge)
        return here if own == which else here / self.bridge

    @cached_property
    def quantities(self) -> frozenset[str]:
        """The names of the quantities that its formulas hold."""
        form = self.convention.form
        monomials = (self.invariant(Invariant.STRENGTH), self.invariant(Invariant.SHRINK))
        names = {name for monomial in monomials if monomial for name in monomial.names}
        return frozenset(names if form is None else form.needs)

    @cached_property
    def _monomial(self) -> Monomial | None:
        """The record's own invariant in this run."""
        record = self.convention.monomial
        if record is None:
            return None
        for _, factor in self.refined:
            record *= factor
        return record.substitute(
            {name: self.symbol(name) for name in record.names if name != "value"}
        )

    @property
    def is_linear(self) -> bool:
        """Whether the shrink is exactly, not only to first order, what the monomial says."""
        record = self.convention
        passes_buffer = record.coupling == Coupling.COUPLED and self.has_momentum
        return not (passes_buffer or record.proximal or record.compounds)

    @property
    def n_compounds(self) -> float:
        """How often a step's decay acts: once, but for what compounds."""
        name = self.convention.compounds
        return 1.0 if name is None else float(self.get(name) or 1)

    @property
    def nesterov(self) -> bool:
        """Whether the run asks for Nesterov's step and the framework has it."""
        return bool(self.run.nesterov) and "nesterov" not in self.convention.lacks

    @property
    def preset_buffer(self) -> tuple[tuple[str, Fraction], ...]:
        """The momentum and the dampening that plain SGD's framework presets."""
        if self.convention.optimizer != SGD or not self.has_momentum:
            return ()
        return tuple(pair for pair in self.assumed() if pair[0] in _BUFFER)

    @property
    def settled_run(self) -> Run:
        """The run with plain SGD's momentum and step said, as its framework presets them."""
        said: dict[str, Any] = dict(self.preset_buffer)
        if self.convention.optimizer == SGD and self.has_momentum and self.run.nesterov is None:
            said["nesterov"] = self.lookahead == 1
        return replace(self.run, **said)

    @property
    def _buffered(self) -> tuple[Fraction, Fraction]:
        """Momentum and dampening."""
        return self.get("momentum") or ZERO, self.get("dampening") or ZERO

    @property
    def why_beyond(self) -> str:
        """Why its recursion is not known where a step takes too much from the gradient, else ""."""
        mixture = self.convention.mixture
        if mixture is None or not self.has_momentum or mixture.kept(*self._buffered) > 0:
            return ""
        momentum = float(self._buffered[0])
        return f"at momentum {momentum:g} the gradient's change outweighs its sum in a step"

    @property
    def lookahead(self) -> float:
        """How often a step looks ahead along the momentum: 0 heavy ball, 1 Nesterov.

        A fraction where it mixes gradient and buffer otherwise.
        """
        mixture = self.convention.mixture
        if mixture is not None and self.has_momentum and not self.why_beyond:
            kept = float(mixture.kept(*self._buffered))
            return log(kept) / log(float(self._buffered[0])) if kept < 1 else 0
        if self.convention.variant == NESTEROV_IN_PLACE:
            return IN_PLACE
        return int(self.convention.variant == NESTEROV or self.nesterov)

    @property
    def recursion(self) -> dict[str, Any]:
        """What the decay's recursion depends on beside the step, under momentum."""
        return {
            "momentum": float(self.get("momentum") or 0),
            # A mixture's is in its gain.
            "dampening": 0.0 if self.convention.mixture else float(self.get("dampening") or 0),
            "lookahead": self.lookahead,
        }

    def step_of(self, first_order: float) -> float:
        """Return the step before momentum that has a first-order shrink (1/step)."""
        return first_order / self._gain()

    def _gain(self) -> float:
        """Return the first-order shrink over the step before momentum."""
        settings = self.recursion
        gain: float = (1 - settings["dampening"]) / (1 - settings["momentum"])
        return gain

    def exact_shrink(self, first_order: Fraction) -> Fraction:
        """Return the exact long-run shrink for a first-order one (1/step).

        Above 1 the weight changes sign in every step; negative, or above 2, it grows.
        """
        if self.is_linear:
            return first_order
        value = finite(first_order, "shrink")
        if self.convention.proximal:
            return Fraction(proximal_shrink(value))
        if self.convention.compounds:
            count = self.n_compounds
            return Fraction(shrink_over(value / count, count))
        return Fraction(long_run_shrink(self.step_of(value), **self.recursion))

    def first_order_shrink(self, shrink: Fraction) -> Fraction:
        """Return the first-order shrink whose exact long-run shrink is the given one.

        Raises:
            InvalidValueError: no step gives it, but in the oscillating regime.
        """
        if self.is_linear:
            return shrink
        value = float(shrink)
        if self.convention.proximal:
            return Fraction(step_for_proximal_shrink(value))
        if self.convention.compounds:
            if value >= 1:
                raise InvalidValueError("shrink", value, "leaves nothing of a weight")
            count = self.n_compounds
            return Fraction(-count * expm1(log1p(-value) / count))
        return Fraction(step_for_shrink(value, **self.recursion) * self._gain())
