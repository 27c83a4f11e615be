"""Convention: one framework's or paper's meaning of its weight-decay number, as a record."""

from enum import StrEnum
from typing import TypedDict

from decaycalc.algebra.quantity import QUANTITIES, Monomial
from decaycalc.conventions import families
from decaycalc.conventions.forms import PER_RUN_FACTOR, Form
from decaycalc.conventions.mixture import Mixture
from decaycalc.conventions.run import Loss
from decaycalc.errors import InvalidValueError
from decaycalc.record import Record


class Invariant(StrEnum):
    """What a convention's number fixes."""

    STRENGTH = "strength"
    SHRINK = "shrink"


class Coupling(StrEnum):
    """Where the decay acts: in the gradient, on the weight beside it, or nowhere (a measure)."""

    COUPLED = "coupled"
    DECOUPLED = "decoupled"
    MEASURE = "measure"


class Follows(StrEnum):
    """How the decay of one step follows the learning-rate schedule."""

    LR = "lr"
    MULTIPLIER = "multiplier"
    CONSTANT = "constant"
    LR_SQUARED = "lr-squared"


class Equivalence(StrEnum):
    """How far a conversion goes."""

    IDENTICAL = "identical"
    SAME_OPTIMUM = "same-optimum"
    SAME_DECAY = "same-decay"
    ESTIMATE = "estimate"
    NONE = "none"

    @property
    def words(self) -> str:
        """What a screen calls it."""
        return _IN_WORDS.get(self.value, self.value)


_IN_WORDS = {
    "identical": "exact",
    "same-optimum": "same minimum",
    "same-decay": "same decay rate",
    "none": "no equivalent",
}


class Buffer(StrEnum):
    """How an optimizer keeps its momentum; all agree in the long run at a constant lr.

    OUTSIDE: lr multiplies the buffer, whose first value is undampened (PyTorch).
    DAMPENED: the same, the first value dampened too (MLX).
    INSIDE: the buffer sums lr times gradient (Caffe, Keras).
    """

    OUTSIDE = "outside"
    DAMPENED = "dampened"
    INSIDE = "inside"


ANY, SGD, FIT, MEASURE = families.ANY, families.SGD, families.FIT, families.MEASURE
NESTEROV = "nesterov"  # a variant: Nesterov's step whatever the run says
NESTEROV_IN_PLACE = "nesterov-in-place"  # a variant: the buffer takes the moved weight's decay
NO_DAMPENING = ("dampening",)  # what most buffers lack beside PyTorch's
HEAVY_BALL_ALONE = ("dampening", "nesterov")
_PLAIN = frozenset({ANY, SGD, FIT, MEASURE})

# An lr that a decay may count from: s = value·lr/lr_initial.
_REFERENCE_LRS = frozenset({"lr_initial", "lr_max"})
_WHOLE = {"half-squared": "squared", "half-squared-error": "squared", "squared-error": "squared"}
_KINDS = {"half-squared-error": "half-squared", "squared-error": "squared"}


def is_adaptive(optimizer: str) -> bool:
    """Return whether an optimizer is an adaptive one, be it a record's or one that was said."""
    return optimizer not in _PLAIN


class NumberJson(TypedDict):
    """A number in a convention, null where none was given."""

    convention: str
    parameter: str
    value: float | None


class ConventionJson(TypedDict):
    """One convention: what its number means, how it acts, and what that rests on."""

    key: str
    aliases: list[str]
    title: str
    group: str
    parameter: str
    invariant: str | None
    formula: str
    refusal: str | None
    update: str
    default: float | None
    assumed: dict[str, str]
    exempt: str
    follows_schedule: str
    coupling: str
    optimizer: str
    lr_family: str | None
    loss: str | None
    loss_kind: str
    trap: str
    source: str
    verification: str
    since: str | None
    until: str | None
    estimate: str | None
    common: bool


class Convention(Record):
    """One meaning of a weight-decay number.

    Exactly one of `strength` (a monomial of `value`: the objective is the mean per-example loss
    plus half of it times the sum of squares), `shrink` (the share of a weight that a step at peak
    lr removes), `form` (a non-monomial shrink) and `refusal` (why there is no scalar) is set.

    `optimizer` names the algorithm that turns gradients into steps: `any` for an objective, `sgd`
    with or without momentum, `fit` for a solver, `measure`, or an adaptive one (`adam`, `lion`,
    ...), under which a coupled penalty has no shrink and a decoupled decay no strength.
    `variant` tells apart updates that the bridge holds for, yet that differ from plain SGD's.
    `loss_unit` says of a squared error whether it is halved; `loss_kinds` are the data losses that
    an estimator can have (a squared error's follows from its unit), none where it can have any.
    `refinements` are quantities that a run may give, and what the monomial is multiplied by when
    it does; `lr_mult` among them multiplies the lr of the tensor. Where an lr is among them that
    the decay counts from, it is the constructor's for all groups, or each group's own with
    `counts_from_group`.
    `lacks` names the settings of a momentum buffer that its framework does not have: a run's are
    then the other side's alone.
    `mixture` says how a step mixes gradient and buffer, where not as heavy ball or Nesterov.
    `update` is the rule in one line that the simulator executes; `source` says where it stands.
    `trap` is what users fall into, in one line, or None where nothing is known of one.
    `since` and `until` are the first and the last release that the record holds for, where others
    do otherwise. `estimate` says why the number is an estimate, and within which range.
    """

    key: str
    title: str
    group: str
    parameter: str
    source: str
    update: str
    trap: str | None
    aliases: tuple[str, ...] = ()
    strength: Monomial | None = None
    shrink: Monomial | None = None
    form: Form | None = None
    refusal: str | None = None
    coupling: Coupling = Coupling.COUPLED
    optimizer: str = SGD
    variant: str = ""
    buffer: Buffer = Buffer.OUTSIDE
    has_momentum: bool = True
    lacks: tuple[str, ...] = ()
    mixture: Mixture | None = None
    decays_after_step: bool = False
    proximal: bool = False
    compounds: str | None = None
    follows: Follows = Follows.LR
    loss: Loss | None = None
    loss_unit: str | None = None
    loss_kinds: tuple[str, ...] = ()
    defaults: tuple[tuple[str, str], ...] = ()
    refinements: tuple[tuple[str, Monomial], ...] = ()
    counts_from_group: bool = False
    default: str | None = None
    exempt: str = "nothing"
    verification: str = ""
    since: str | None = None
    until: str | None = None
    estimate: str | None = None
    common: bool = False

    def __post_init__(self) -> None:
        """Check the record against itself.

        Raises:
            InvalidValueError: a field that contradicts another or names an unknown quantity.
        """
        ways = [self.strength, self.shrink, self.form, self.refusal]
        if len([way for way in ways if way is not None]) != 1:
            raise InvalidValueError(
                "convention", self.key, "must have one of strength, shrink, form and refusal"
            )
        if not (self.title and self.source and self.update and self.parameter):
            empty = next(
                n for n in ("title", "source", "update", "parameter") if not getattr(self, n)
            )
            raise InvalidValueError(empty, "", f"must say something in convention {self.key!r}")
        monomial = self.monomial
        if monomial is None:
            return
        if "value" not in monomial.names:
            raise InvalidValueError("convention", self.key, "must depend on its own value")
        names = [*monomial.names, *(name for name, _ in self.defaults)]
        for name, factor in self.refinements:
            names += name, *factor.names
        for name in names:
            if name not in QUANTITIES and name != "value":
                raise InvalidValueError("quantity", name, f"is unknown, in convention {self.key!r}")

    @property
    def monomial(self) -> Monomial | None:
        """The invariant as a monomial of `value`, None for forms and refusals."""
        return self.strength or self.shrink

    @property
    def invariant(self) -> Invariant | None:
        """What the number fixes, None where it fixes nothing."""
        if self.refusal is not None:
            return None
        return Invariant.SHRINK if self.strength is None else Invariant.STRENGTH

    @property
    def is_adaptive(self) -> bool:
        """Whether a preconditioner stands between gradient and step: then no bridge holds."""
        return is_adaptive(self.optimizer)

    @property
    def is_projected(self) -> bool:
        """Whether a gradient at right angles to the weight, or none, lowers its decay (AdamP)."""
        return self.monomial is not None and "wd_ratio" in self.monomial.names

    @property
    def differs_by_layer(self) -> bool:
        """Whether the number means another decay in every layer of a network."""
        return self.monomial is not None and "layer_weights" in self.monomial.names

    @property
    def is_penalty(self) -> bool:
        """Whether the number is a penalty in an objective, which has no optimizer of its own."""
        return self.optimizer in {ANY, FIT} and self.refusal is None

    @property
    def reference_lr(self) -> str | None:
        """The quantity whose lr its decay counts from; None where it counts from none."""
        return next((name for name, _ in self.refinements if name in _REFERENCE_LRS), None)

    @property
    def is_proportional(self) -> bool:
        """Whether twice the number is twice the decay, so that a schedule may multiply it."""
        return self.monomial is not None and self.monomial.power_of("value") == 1

    @property
    def is_of_whole_run(self) -> bool:
        """Whether the number is a factor of the whole run."""
        return self.form is PER_RUN_FACTOR

    @property
    def has_lr(self) -> bool:
        """Whether there are steps of some lr; a measure and a solver have none."""
        return self.optimizer not in {FIT, MEASURE}

    @property
    def data_losses(self) -> frozenset[str]:
        """The data losses that it can have, halves of them aside; empty where it can have any."""
        kinds = self.loss_kinds or ((self.loss_unit,) if self.loss_unit else ())
        return frozenset(_WHOLE.get(kind, kind) for kind in kinds)

    @property
    def has_strength(self) -> bool:
        """Whether the number fixes an objective; a bare measure of decay does not."""
        has_objective = not self.is_adaptive and self.optimizer != MEASURE
        return self.refusal is None and (self.strength is not None or has_objective)

    @property
    def has_shrink(self) -> bool:
        """Whether the number fixes a decay per step."""
        return self.refusal is None and (self.strength is None or not self.is_adaptive)

    @property
    def releases(self) -> str | None:
        """In words, the releases that the record holds for; None where it holds for all known."""
        parts = (("since", self.since), ("until", self.until))
        return " ".join(f"{word} {release}" for word, release in parts if release) or None

    def formula(self) -> str:
        """Return the invariant as a formula of the parameter, `strength = 2·l2/loss_scale`."""
        if self.refusal is not None:
            return "none"
        if self.form is not None:
            return f"shrink = {self.form.text.replace('value', self.parameter)}"
        assert self.monomial is not None  # noqa: S101  (one of the four is set)
        return f"{self.invariant} = {self.monomial.format({'value': self.parameter})}"

    @property
    def lr_family(self) -> str | None:
        """The optimizers among which its lr means the same; None where it has no lr of its own."""
        return families.lr_family(self.optimizer)

    def with_number(self, value: float | None) -> NumberJson:
        """Return a number in this convention as JSON's `source`."""
        return {"convention": self.key, "parameter": self.parameter, "value": value}

    def to_dict(self) -> ConventionJson:
        """Return the record as JSON's `conventions` holds it."""
        return {
            "key": self.key,
            "aliases": list(self.aliases),
            "title": self.title,
            "group": self.group,
            "parameter": self.parameter,
            "invariant": None if self.invariant is None else self.invariant.value,
            "formula": self.formula(),
            "refusal": self.refusal,
            "update": self.update,
            "default": None if self.default in {None, "none"} else float(self.default or 0),
            "assumed": dict(self.defaults),
            "exempt": self.exempt,
            "follows_schedule": self.follows.value,
            "coupling": self.coupling.value,
            "optimizer": self.optimizer,
            "lr_family": self.lr_family,
            "loss": None if self.loss is None else self.loss.value,
            "loss_kind": " or ".join(self.loss_kinds) or _KINDS.get(self.loss_unit or "", "any"),
            "trap": self.trap or "",
            "source": self.source,
            "verification": self.verification,
            "since": self.since,
            "until": self.until,
            "estimate": self.estimate,
            "common": self.common,
        }
