"""suggest: which weight decay for a run, from fits and from published runs, each with its limits.

Every rule fixes the shrink of one step; the number then follows from the convention's monomial. A
rule outside its conditions gives no number: it says which condition fails.
"""

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from math import expm1, isfinite, log1p
from statistics import quantiles
from typing import NoReturn

from decaycalc.algebra.number import Number, about, brief, exact
from decaycalc.conventions.catalogue import convention_of, find
from decaycalc.conventions.families import lr_family
from decaycalc.conventions.record import FIT, MEASURE, SGD, Convention, Coupling
from decaycalc.conventions.run import Run
from decaycalc.conversion.assumptions import (
    Assumption,
    assumed_by_buffer,
    assumed_by_decay,
    assumed_by_step,
    once,
)
from decaycalc.conversion.entering import require_taken
from decaycalc.errors import (
    DecaycalcError,
    InvalidValueError,
    MissingQuantityError,
    NoEquivalentError,
    OutsideFitError,
    UnknownNameError,
)
from decaycalc.training.published.index import RECIPES
from decaycalc.training.published.measured import MeasuredRecipe, recall
from decaycalc.transfers.aimed import exact_value, made, needed, outside, require_decay, solved
from decaycalc.transfers.laws import TIMESCALE
from decaycalc.transfers.suggested import Aim, NotSuggested, Suggested, Suggestion

# The constant of the token law by a public run (P 163,009,536, D 3,260,190,720, B 98,304 tokens, lr
# 4e-4, weight decay 0.33724), and as the fit's authors round it: timescale 0.21 at 20 tokens.
_CONSTANT = 1.084
_ROUNDED = 0.21 * 20**-TIMESCALE.exponent
_TOKEN_CONDITIONS = (
    "AdamW, a dense GPT, one epoch, 20 to 1280 tokens a parameter",
    "lr tuned (muP), linear to zero after a warm-up of 10 %",
    "B below the critical batch size",
)
# The AdamW paper's best normalised decays, its figure on CIFAR-10 and ImageNet32x32.
_NORMALIZED = (0.025, 0.05)
_SHORT = {"low": 0.001, "value": 0.01, "high": 0.1}
_USUAL = 0.1
_FEWEST = 3


def suggest(
    target: Convention | str = "pytorch-adamw",
    *,
    run: Run,
    n_parameters: Number | None = None,
    rules: Iterable[str] = (),
) -> Suggested:
    """Return weight decays for a run by every rule, or by those named, each in `target`.

    B and N count tokens where `n_parameters` is given.

    >>> run = Run(lr="4e-4", batch_size=98304, dataset_size=3260190720)
    >>> first = suggest(run=run, n_parameters=163009536).suggestions[0]
    >>> first.rule, round(first.value, 3)
    ('token-law', 0.337)

    Raises:
        UnknownNameError: no convention or no rule of that name.
        MissingQuantityError: no rule can be computed for lack of quantities.
        OutsideFitError: no rule applies, with the condition that fails.
        InvalidValueError: a number of parameters that is not positive.
        ContradictionError: a quantity that the suggested number's optimizer does not take.
    """
    record = convention_of(target)
    _require_one_number(record)
    aim = Aim(convention=record, run=run, n_parameters=_parameters(n_parameters))
    require_decay(aim)
    if record.optimizer != MEASURE:
        require_taken(aim.side, ())
    found, lacking = _suggestions(aim, dict.fromkeys(rules) or RULES)
    if not found:
        _refuse(lacking)
    return Suggested(
        aim=aim,
        suggestions=tuple(found),
        unavailable=tuple(lacking),
        warnings=tuple(_warnings(aim)),
        assumptions=once(_assumptions(aim, {entry.rule for entry in found})),
    )


def _require_one_number(record: Convention) -> None:
    """Refuse a convention of which no number can be suggested.

    Raises:
        OutsideFitError: it has none, takes no steps, or has one a layer.
    """
    if record.refusal is not None:
        raise OutsideFitError("a suggestion", f"{record.key} has no number: {record.refusal}")
    if record.optimizer == FIT:
        raise OutsideFitError("a suggestion", f"{record.key} is a solver's and takes no steps")
    if record.differs_by_layer:
        raise OutsideFitError("a suggestion", f"{record.key} has one number a layer")


def _suggestions(aim: Aim, names: Iterable[str]) -> tuple[list[Suggestion], list[NotSuggested]]:
    """Return what the rules of these names suggest, and which of them suggest nothing, and why."""
    found: list[Suggestion] = []
    lacking: list[NotSuggested] = []
    for name in names:
        try:
            found.append(_rule(name)(aim))
        except (MissingQuantityError, NoEquivalentError, OutsideFitError) as error:
            missing = error.missing if isinstance(error, MissingQuantityError) else ()
            lacking.append(NotSuggested(rule=name, missing=missing, message=_reason(error)))
    return found, lacking


def _parameters(number: Number | None) -> float | None:
    if number is None:
        return None
    value = exact(number, name="parameters")
    if value <= 0:
        raise InvalidValueError("parameters", str(number), "must be positive")
    return float(value)


def _rule(name: str) -> Callable[[Aim], Suggestion]:
    if name not in RULES:
        raise UnknownNameError("rule", name, RULES, hint=f"(one of {', '.join(RULES)})")
    return RULES[name]


def _reason(error: DecaycalcError) -> str:
    return error.reason if isinstance(error, OutsideFitError | NoEquivalentError) else str(error)


def _refuse(lacking: list[NotSuggested]) -> NoReturn:
    """Raise for a run that no rule reaches: what it lacks, where that would help a rule."""
    waiting = [entry for entry in lacking if entry.missing]
    if not waiting:
        reasons = "; ".join(f"{entry.rule}: {entry.message}" for entry in lacking)
        raise OutsideFitError("a suggestion", reasons)
    if waiting == lacking:
        missing = dict.fromkeys(name for entry in lacking for name in entry.missing)
        raise MissingQuantityError("a suggestion", tuple(missing))
    nearest = min(waiting, key=lambda entry: len(entry.missing))
    raise MissingQuantityError(f"a suggestion by {nearest.rule}", nearest.missing)


def _token_law(aim: Aim) -> Suggestion:
    """Return the decay of the timescale that was fitted over tokens per parameter.

    Source: Bergsma et al., arXiv 2505.13738, timescale = B/(lr·λ·D) = c·(D/P)^-0.527.
    """
    _require_adamw(aim)
    if aim.n_parameters is None:
        raise MissingQuantityError("the rule", ("parameters",))
    batch, size = needed(aim, "batch_size", "dataset_size")
    epochs = aim.run.total_epochs or Fraction(1)
    if epochs > 1:
        raise outside(f"{float(epochs):g} epochs: the fit is of one pass over the tokens")
    tokens = float(size * epochs)
    per = tokens / aim.n_parameters
    if not (TIMESCALE.low or 0) <= per <= (TIMESCALE.high or 0):
        whole = about(Fraction(tokens) / Fraction(aim.n_parameters))
        count = f"{per:.4g}" if isfinite(per) else whole
        raise outside(f"{count} tokens a parameter are outside the fitted 20 to 1280")
    share = per**TIMESCALE.exponent
    steps = tokens / float(batch)
    shrinks = [1 / (constant * share * steps) for constant in (_CONSTANT, _CONSTANT, _ROUNDED)]
    return made(
        aim, "token-law", shrinks,
        conditions=_TOKEN_CONDITIONS, source=TIMESCALE.source,
        steps=(
            f"D/P = {tokens:.6g}/{aim.n_parameters:.6g} = {per:.4g} tokens a parameter",
            f"timescale = {_CONSTANT}·{per:.4g}^{TIMESCALE.exponent} = {_CONSTANT * share:.4g}",
            f"as the authors round it: {_ROUNDED:.4g} for {_CONSTANT}, {_ROUNDED * share:.4g}",
            f"decay per step = 1/(timescale·D/B) = {shrinks[0]:.4g}",
            *solved(aim, shrinks[0]),
        ),
    )  # fmt: skip


def _require_adamw(aim: Aim) -> None:
    record = aim.convention
    if record.optimizer not in {"adam", MEASURE} or record.coupling is Coupling.COUPLED:
        raise outside(f"the fit is AdamW's, not {record.key}'s")


def _published(aim: Aim) -> Suggestion:
    """Return the decay of the median timescale of published runs of the same kind."""
    kind = "the run's tokens" if aim.tokens else "epochs"
    name = "timescale_run_fraction" if aim.tokens else "timescale_epochs"
    runs = sorted(
        (scale, entry.recipe.name)
        for entry in map(recall, RECIPES)
        if _is_of_kind(aim, entry) and (scale := getattr(entry, name)) is not None
    )
    if len(runs) < _FEWEST:
        raise outside(f"no {_FEWEST} published runs of this kind state a timescale")
    steps = _steps_of_unit(aim)
    low, middle, high = quantiles([scale for scale, _ in runs], n=4, method="inclusive")
    shrinks = (1 / (middle * steps), 1 / (low * steps), 1 / (high * steps))
    return made(
        aim, "published-timescale", shrinks,
        conditions=(
            f"the median of {len(runs)} published runs, {middle:.3g} {_unit(aim)}",
            f"half of them lie between {low:.3g} and {high:.3g} {_unit(aim)}",
            f"{_whose(aim)}, counted in {'tokens' if aim.tokens else 'examples'}",
        ),
        source=f"the recipes {', '.join(name for _, name in runs)} ('decaycalc recipes')",
        steps=(
            f"timescale = {middle:.4g} {_unit(aim)}, counted in {kind}",
            f"decay per step = 1/({middle:.4g}·{steps:.6g} steps) = {shrinks[0]:.4g}",
            *solved(aim, shrinks[0]),
        ),
    )  # fmt: skip


def _unit(aim: Aim) -> str:
    return "of the run" if aim.tokens else "epochs"


def _is_of_kind(aim: Aim, entry: MeasuredRecipe) -> bool:
    """Return whether a recipe counts in the same unit and trains by the same sort of optimizer."""
    recipe = entry.recipe
    if recipe.convention is None or (recipe.unit == "tokens") != aim.tokens:
        return False
    one, other = find(recipe.read_as or recipe.convention), aim.convention
    if other.optimizer == MEASURE:
        return True
    # A penalty of which nobody said what trains it is taken for SGD's.
    family = aim.side.lr_family or SGD
    return (lr_family(one.optimizer), one.coupling) == (family, other.coupling)


def _whose(aim: Aim) -> str:
    """Return whose runs count as of the same kind; a measure is any optimizer's."""
    every = aim.convention.optimizer == MEASURE
    return "every optimizer" if every else "the same family of optimizers"


def _steps_of_unit(aim: Aim) -> float:
    """Return the steps of what the timescale is counted in: the run, or an epoch."""
    if not aim.tokens:
        batch, size = needed(aim, "batch_size", "dataset_size")
        return float(size / batch)
    if aim.run.total_steps is not None:
        return float(aim.run.total_steps)
    batch, size = needed(aim, "batch_size", "dataset_size")
    return float(size / batch)


def _normalized(aim: Aim) -> Suggestion:
    """Return the decay of the AdamW paper's normalised λ.

    Source: Loshchilov & Hutter, arXiv 1711.05101, appendix B.1: λ = λ_norm·√(B/(N·E)).
    """
    _require_adamw(aim)
    if aim.tokens:
        raise outside("it was found on images, not on language models")
    (steps,) = needed(aim, "steps")
    low, high = _NORMALIZED
    middle = (low * high) ** 0.5
    root = float(steps) ** -0.5
    shrinks = (middle * root, low * root, high * root)
    return made(
        aim, "normalized", shrinks,
        conditions=(
            f"λ_norm between {low} and {high}, the middle by ratio",
            "ResNets on CIFAR-10 and ImageNet32x32 with cosine annealing",
        ),
        source="Loshchilov & Hutter, arXiv 1711.05101, appendix B.1",
        steps=(
            f"decay per step = λ_norm·sqrt(B/(N·E)) = λ_norm/sqrt({float(steps):.6g} steps)",
            f"{middle:.4g}·{root:.4g} = {shrinks[0]:.4g}",
            *solved(aim, shrinks[0]),
        ),
    )  # fmt: skip


def _short_run(aim: Aim) -> Suggestion:
    """Return the decay that takes one per cent off a weight over the whole run.

    A fine-tune is so short that a usual λ does next to nothing in it; this says from where on it
    does anything.
    """
    (steps,) = needed(aim, "steps")
    count = float(steps)
    shrinks = {name: share / count for name, share in _SHORT.items()}
    most = -100 * expm1(count * log1p(-shrinks["high"]))
    return made(
        aim, "short-run", (shrinks["value"], shrinks["low"], shrinks["high"]),
        conditions=(
            f"takes 1 % off a weight over the run at a constant lr; from 0.1 to {most:.2g} %",
            *_usual(aim, count),
            "LoRA: λ decays A and B, their product by (1 - lr·λ)² a step towards the base weights",
        ),
        source="algebra: steps × decay per step",
        steps=(
            f"decay per step = 0.01/{count:.6g} steps = {shrinks['value']:.4g}",
            *solved(aim, shrinks["value"]),
        ),
    )  # fmt: skip


def _usual(aim: Aim, steps: float) -> tuple[str, ...]:
    """Return what a usual number sums up to over the run, where the number is a weight decay."""
    monomial = aim.convention.monomial
    if monomial is None or monomial.power_of("value") != 1:
        return ()
    total = Fraction(_USUAL) / exact_value(aim, 1.0) * Fraction(steps)
    usual = f"{aim.convention.parameter} {_USUAL:g}"
    return (f"{usual} sums up to {brief(total)} over the run; below 0.01 it cannot be told from 0",)


RULES: dict[str, Callable[[Aim], Suggestion]] = {
    "token-law": _token_law,
    "published-timescale": _published,
    "normalized": _normalized,
    "short-run": _short_run,
}
"""The rules by name, the best founded first."""


def _warnings(aim: Aim) -> Iterable[str]:
    """Yield what no rule accounts for."""
    epochs = aim.run.total_epochs
    if aim.tokens and epochs is not None and epochs > 1:
        yield (
            f"{float(epochs):g} epochs over the same tokens: the best weight decay grows far "
            "beyond the usual, up to 30 times 0.1 at 200M tokens (arXiv 2509.14786, an excerpt); "
            "no fit is known"
        )


def _assumptions(aim: Aim, rules: set[str]) -> Iterator[Assumption]:
    """Yield what was not given and entered a number of one of the rules."""
    run = aim.run
    by_run = {"published-timescale"} if aim.tokens and run.total_steps is None else set()
    if run.total_epochs is None and rules & {"token-law", *by_run}:
        why = "not given, so one pass over the data set"
        yield Assumption(name="epochs", value=1.0, why=why)
    by_steps = {"normalized", "short-run"} | ({"published-timescale"} if aim.tokens else set())
    # A number of steps that is given needs no batch.
    if rules - (by_steps if run.steps is not None else set()):
        yield from assumed_by_step(run)
    yield from assumed_by_decay(aim.side)
    yield from assumed_by_buffer(aim.side)
