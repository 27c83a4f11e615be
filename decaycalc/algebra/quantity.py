"""The quantities that a conversion may need, and Monomial: exact products of their powers."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import gcd, lcm
from typing import Any

from decaycalc.algebra.number import ONE, ZERO, Number, exact, exact_root, finite, plain, root_of
from decaycalc.errors import InvalidValueError, MissingQuantityError
from decaycalc.record import Record

__all__ = [
    "EXTRAS",
    "GIVEN",
    "NUMBERS",
    "OF_GROUPS",
    "ONE",
    "QUANTITIES",
    "TARGETS",
    "ZERO",
    "Monomial",
    "Number",
    "Quantity",
    "exact",
    "finite",
    "flag_named",
    "root_of",
    "symbol_of",
]


class Quantity(Record):
    """One named quantity of a training run: its symbol in formulas, its unit and its domain.

    `low` and `high` bound it (a bound is excluded where its `open_` flag says so); `integer`
    quantities are counts. `default` is what holds when a run does not say, None when unknown.
    An `extra` is needed by few conventions; a run holds it among its `extras`.

    This is its one declaration: options, rows, configuration, API keywords and schemas are made
    from it. What is `given` is said by a user (the others follow), by `flags` on a command line,
    or by `--set name=NUMBER` where it has none; `target` says that it may differ in the run that
    is converted to, `network` that an architecture says it.
    """

    name: str
    symbol: str
    unit: str
    help: str
    low: float = 0.0
    high: float | None = None
    open_low: bool = True
    open_high: bool = True
    integer: bool = False
    default: Fraction | None = None
    extra: bool = False
    given: bool = False
    flags: tuple[str, ...] = ()
    target: bool = False
    network: bool = False

    def check(self, value: Fraction) -> Fraction:
        """Return `value` if this quantity can have it.

        Raises:
            InvalidValueError: the value lies outside the quantity's domain.
        """
        # One float decides nearly all cases, and a tenth as dear as comparing fractions.
        number = float(value)
        if not (self.low < number and (self.high is None or number < self.high)):
            self._check_ends(value, number)
        if self.integer and value.denominator != 1:
            raise InvalidValueError(self.name, plain(value), "must be a whole number")
        return value

    def _check_ends(self, value: Fraction, number: float) -> None:
        """Refuse what is below or above the domain, or rounds to an end that is not of it."""
        is_below = value < self.low or (self.open_low and number == self.low)
        is_above = self.high is not None and (
            value > self.high or (self.open_high and number == self.high)
        )
        if is_below or is_above:
            raise InvalidValueError(self.name, plain(value), f"must be {self._domain()}")

    def _domain(self) -> str:
        """Return the domain in words, `positive` or `at least 0 and below 1`."""
        low = f"above {self.low:g}" if self.open_low else f"at least {self.low:g}"
        if self.open_low and self.low == 0:
            low = "positive"
        if self.high is None:
            return low
        return f"{low} and {'below' if self.open_high else 'at most'} {self.high:g}"


def _base(name: str, symbol: str, unit: str, text: str, **domain: Any) -> Quantity:
    return Quantity(name=name, symbol=symbol, unit=unit, help=text, **domain)


def _given(
    name: str, symbol: str, unit: str, text: str, *, short: str = "", **more: Any
) -> Quantity:
    """Return a quantity that users give by a flag of its name, and by a short one."""
    flags = (short, flag_named(name)) if short else (flag_named(name),)
    return _base(name, symbol, unit, text, given=True, flags=flags, **more)


def _extra(name: str, text: str, *, symbol: str = "", unit: str = "", **domain: Any) -> Quantity:
    return _base(name, symbol or name, unit, text, extra=True, given=True, **domain)


def flag_named(name: str) -> str:
    """Return the flag that a name is on a command line.

    >>> flag_named("batch_size")
    '--batch-size'
    """
    return f"--{name.replace('_', '-')}"


_SHARE: dict[str, Any] = {"high": 1.0, "open_low": False}

QUANTITIES: dict[str, Quantity] = {
    quantity.name: quantity
    for quantity in (
        _given("lr", "lr", "", "peak learning rate", target=True),
        _given("momentum", "momentum", "", "momentum coefficient", default=ZERO, target=True,
               **_SHARE),
        # At 1 only the first gradient ever enters the buffer: there is no decay to speak of.
        _given("dampening", "dampening", "", "dampening of the buffer", default=ZERO, target=True,
               **_SHARE),
        _given("batch_size", "B", "examples/step",
               "examples per device and micro-batch", short="-B", target=True),
        _given("grad_accum", "K", "micro-batches/step", "micro-batches per optimizer step",
               integer=True, default=ONE),
        _given("world_size", "W", "workers", "data-parallel workers", integer=True, default=ONE),
        _given("dataset_size", "N", "examples", "training examples (or tokens, then -B too)",
               short="-N"),
        _given("epochs", "E", "epochs", "passes over the data set"),
        _given("steps", "S", "steps", "optimizer steps of the run", integer=True),
        _base("steps_per_epoch", "steps_per_epoch", "steps/epoch", "optimizer steps in an epoch"),
        _base("loss_scale", "loss_scale", "", "the loss over the mean loss: 1, B or N"),
        _base("one_minus_momentum", "(1 - momentum)", "", "1 - momentum"),
        _base("one_minus_dampening", "(1 - dampening)", "", "1 - dampening"),
        _base("gradient_scale", "(G + eps)", "", "gradient_rms + eps"),
        _base("n_weights", "P", "weights", "decayed weights", integer=True, network=True),
        _base("n_layers", "L", "layers", "decayed layers", integer=True, network=True),
        _base("layer_weights", "P_layer", "weights", "decayed weights of one layer"),
        _base("one_minus_l1_ratio", "(1 - l1_ratio)", "", "1 - l1_ratio"),
        _base("nominal_batch", "B_accumulated", "examples/step",
              "YOLOv5's batch size times its own accumulation, max(round(nbs/B), 1)"),
        _extra("gradient_rms", "root mean square of a weight's gradient", symbol="G",
               flags=("--gradient-rms",)),
        _extra("eps", "Adam's epsilon", flags=("--eps",), open_low=False,
               default=Fraction(1, 10**8)),
        _extra("lr_initial", "learning rate given to the optimizer's constructor"),
        _extra("lr_max", "largest learning rate, given to the optimizer"),
        _extra("lambd", "ASGD's own decay beside weight_decay", open_low=False),
        _extra("lr_mult", "the group's lr multiplier", open_low=False, flags=("--lr-mult",)),
        _extra("decay_mult", "the group's decay multiplier", open_low=False,
               flags=("--decay-mult",)),
        _extra("update_share", "share of the steps that update the group", high=1.0,
               open_high=False),
        _extra("wd_ratio", "AdamP's decay reduction"),
        _extra("eta", "schedule multiplier handed to the optimizer"),
        _extra("nbs", "YOLOv5's nominal batch size", unit="examples", integer=True),
        _extra("l1_ratio", "share of the L1 part of an elastic net", default=ZERO, **_SHARE),
        _extra("target_std", "standard deviation of the regression target", symbol="sd(y)"),
        _extra("n_leaf", "examples in a tree's leaf", unit="examples"),
        _extra("keep_probability", "probability that dropout keeps a unit", high=1.0,
               open_high=False),
        _extra("length_scale", "prior length scale"),
    )
}  # fmt: skip

NUMBERS = tuple(q for q in QUANTITIES.values() if (q.given and not q.extra) or q.network)
"""What a run holds as fields of its own."""
GIVEN = tuple(q for q in QUANTITIES.values() if q.given and not q.extra)
EXTRAS = tuple(q for q in QUANTITIES.values() if q.extra)
"""What a user may give of a run, and what few conventions need."""
TARGETS = tuple(q for q in QUANTITIES.values() if q.target)
"""What may differ in the run that is converted to."""
OF_GROUPS = ("lr_mult", "decay_mult", "update_share")
"""What says that a group of tensors is meant: it enters every convention."""

_PLACES = {name: place for place, name in enumerate(QUANTITIES)}


class Monomial:
    """The product `(coefficient * q1**e1 * q2**e2 ...) ** (1/root)` of quantities, exact.

    `exponents` are whole numbers by quantity name, sorted, none zero; `root` is 1 but where a
    square root is meant. A name that is no quantity stands for a convention's own parameter.
    """

    __slots__ = ("coefficient", "exponents", "root")

    def __init__(
        self, coefficient: Fraction, exponents: tuple[tuple[str, int], ...] = (), root: int = 1
    ) -> None:
        self.coefficient, self.exponents, self.root = coefficient, exponents, root

    def _key(self) -> tuple[Fraction, tuple[tuple[str, int], ...], int]:
        return (self.coefficient, self.exponents, self.root)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Monomial) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return f"Monomial({self.format()!r})"

    @classmethod
    def of(cls, coefficient: Number = 1, *, root: int = 1, **exponents: int) -> "Monomial":
        """Return a monomial from its coefficient and exponents by name.

        >>> Monomial.of(2, value=1, loss_scale=-1).format()
        '2·value/loss_scale'
        """
        return _reduced(exact(coefficient), exponents, root)

    def __mul__(self, other: "Monomial") -> "Monomial":
        root = lcm(self.root, other.root)
        left, right = root // self.root, root // other.root
        coefficient = _power(self.coefficient, left) * _power(other.coefficient, right)
        powers = {name: power * left for name, power in self.exponents}
        for name, power in other.exponents:
            powers[name] = powers.get(name, 0) + power * right
        return _reduced(coefficient, powers, root)

    def __truediv__(self, other: "Monomial") -> "Monomial":
        return self * other**-1

    def __pow__(self, power: Fraction | int) -> "Monomial":
        top = power.numerator
        powers = {name: exponent * top for name, exponent in self.exponents}
        return _reduced(_power(self.coefficient, top), powers, self.root * power.denominator)

    def substitute(self, replacements: "Mapping[str, Monomial]") -> "Monomial":
        """Return the monomial with quantities replaced by monomials."""
        result = Monomial(self.coefficient, (), self.root)
        for name, power in self.exponents:
            factor = replacements.get(name) or Monomial.of(**{name: 1})
            result *= factor if power == self.root else factor ** Fraction(power, self.root)
        return result

    def power_of(self, name: str) -> Fraction:
        """Return the exponent of a quantity, 0 when it does not occur."""
        return Fraction(dict(self.exponents).get(name, 0), self.root)

    @property
    def names(self) -> tuple[str, ...]:
        """The quantities that occur: exactly those that the value depends on."""
        return tuple(name for name, _ in self.exponents)

    def evaluate(self, quantities: Mapping[str, Fraction | None]) -> Fraction:
        """Return the value: exact, or to 200 bits where a root is irrational.

        Raises:
            MissingQuantityError: a quantity that occurs is not given.
            InvalidValueError: a quantity that divides is zero.
        """
        top, bottom = self.coefficient.numerator, self.coefficient.denominator
        for name, power in self.exponents:
            base = quantities.get(name)
            if base is None:
                missing = tuple(name for name in self.names if quantities.get(name) is None)
                raise MissingQuantityError("this formula", missing)
            above, below = base.numerator, base.denominator
            if power < 0:
                above, below = below, above
                if not below:
                    raise InvalidValueError(name, 0, "divides here and must not be zero")
            # Whole numbers throughout: one reduction at the end, not one a factor.
            top *= above ** abs(power)
            bottom *= below ** abs(power)
        result = Fraction(top, bottom)
        return result if self.root == 1 else root_of(result, self.root)

    def format(self, names: Mapping[str, str] | None = None) -> str:
        """Return the formula as text, `1/(2·N·l2)`; `names` renames quantities.

        >>> Monomial.of(1, value=2, batch_size=1, epochs=-1, root=2).format()
        'value·sqrt(B/E)'
        """
        powers = dict(self.exponents)
        outside = {n: power // self.root for n, power in powers.items() if power % self.root == 0}
        inside = {name: power for name, power in powers.items() if name not in outside}
        number = exact_root(self.coefficient, self.root)
        radical = _product(ONE if number else self.coefficient, inside, names or {})
        if self.root == 1 or radical == "1":
            return _product(number or self.coefficient, outside, names or {})
        plain = _product(number or ONE, outside, names or {})
        rooted = _rooted(radical, self.root)
        if plain == "1":
            return rooted
        return f"{plain}·{rooted}" if "/" not in plain else f"{rooted}·{plain}"


def _power(coefficient: Fraction, power: int) -> Fraction:
    """Return a power; the first, which nearly all are, costs nothing."""
    return coefficient if power == 1 else coefficient**power


def _reduced(coefficient: Fraction, powers: Mapping[str, int], root: int) -> Monomial:
    """Return the monomial in lowest terms: no zero power, the smallest root."""
    kept = {name: power for name, power in sorted(powers.items()) if power}
    for divisor in range(root, 1, -1):
        if root % divisor == 0 and gcd(divisor, *kept.values()) == divisor:
            simpler = exact_root(coefficient, divisor)
            if simpler is not None:
                lower = {name: power // divisor for name, power in kept.items()}
                return Monomial(simpler, tuple(lower.items()), root // divisor)
    return Monomial(coefficient, tuple(kept.items()), root)


def _product(coefficient: Fraction, powers: Mapping[str, int], names: Mapping[str, str]) -> str:
    """Return a product of powers as a text, `2·l2/N`: quantities first, parameters last."""
    shown = sorted(powers.items(), key=lambda item: _PLACES.get(item[0], len(_PLACES)))
    top = _factors(coefficient.numerator, shown, 1, names)
    bottom = _factors(coefficient.denominator, shown, -1, names)
    above, below = "·".join(top) or "1", "·".join(bottom)
    if not bottom:
        return above
    return f"{above}/({below})" if len(bottom) > 1 else f"{above}/{below}"


def _factors(
    number: int, powers: Iterable[tuple[str, int]], sign: int, names: Mapping[str, str]
) -> list[str]:
    """Return the factors of the numerator (sign 1) or the denominator (sign -1) as texts."""
    texts = [] if number == 1 else [str(number)]
    for name, power in powers:
        if power * sign > 0:
            base = names.get(name) or symbol_of(name)
            texts.append(base if abs(power) == 1 else f"{base}^{abs(power)}")
    return texts


def symbol_of(name: str) -> str:
    """Return the symbol that formulas show for a quantity; a `to_` quantity is the target run's.

    >>> symbol_of("dataset_size"), symbol_of("to_one_minus_momentum")
    ('N', '(1 - to_momentum)')
    """
    own = name.removeprefix("to_")
    symbol = QUANTITIES[own].symbol if own in QUANTITIES else own
    if own == name:
        return symbol
    return symbol.replace("- ", "- to_") if symbol.startswith("(") else f"to_{symbol}"


def base_name(name: str) -> str:
    """Return the quantity to give for one that is derived from it.

    >>> base_name("to_one_minus_momentum")
    'momentum'
    """
    if name == "to_lr":
        return name
    plain = name.removeprefix("to_").removeprefix("one_minus_")
    return {"nominal_batch": "batch_size", "layer_weights": "n_weights"}.get(plain, plain)


def _rooted(text: str, root: int) -> str:
    """Return the text under its root sign."""
    return f"sqrt({text})" if root == 2 else f"({text})^(1/{root})"  # noqa: PLR2004
