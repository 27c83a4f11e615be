"""Explanations: derived from the two records, right for every kind of pair."""

import json
from fractions import Fraction

import pytest

from decaycalc.algebra.formula import fill, names_in, number_text
from decaycalc.algebra.latex import to_latex
from decaycalc.cli.main import main
from decaycalc.conventions.catalogue import conventions, find
from decaycalc.conventions.record import ANY, FIT, MEASURE, SGD, Coupling, Equivalence
from decaycalc.conventions.run import Run
from decaycalc.conversion.convert import apply
from decaycalc.conversion.plan import Match, plan, target_side
from decaycalc.conversion.side import Side
from decaycalc.errors import DecaycalcError, TextSyntaxError
from decaycalc.explanation.conversion import explain, rule_of
from decaycalc.explanation.step import Step
from decaycalc.report import explain as report

RUN = Run(
    lr="0.01", momentum="0.9", batch_size=100, dataset_size=60000, epochs=10, n_weights=1000,
    n_layers=3,
    extras=(
        ("target_std", 2), ("keep_probability", "0.9"), ("length_scale", "0.1"), ("n_leaf", 100),
        ("l1_ratio", "0.25"), ("gradient_rms", "0.1"), ("lr_initial", "0.01"), ("lr_max", "0.01"),
        ("decay_mult", 2), ("lr_mult", 3),
    ),
)  # fmt: skip
TYPICAL = ("sum-l2", "pytorch-sgd", "tfa-adamw", "half-life-epochs", "prior-std", "pytorch-adam")
LAYERS = (("fc1", 100), ("fc2", 10))


def way(source, target, *, run=None, target_run=None, match=Match.OPTIMUM):
    side = Side(convention=find(source), run=run or Run())
    return plan(side, target_side(side, find(target), target_run), match=match)


def explained(source, target, value="0.0001", **more):
    return explain(way(source, target, **more), None if value is None else Fraction(value))


def lines(explanation):
    return [step.line for step in explanation.steps]


def nature(record):
    """Return what an explanation may depend on: one convention of each kind stands for all."""
    optimizer = record.optimizer if record.optimizer in {ANY, SGD, FIT, MEASURE} else "adaptive"
    return (
        repr(record.monomial), record.invariant, record.form, record.coupling, optimizer,
        record.proximal, record.compounds, record.loss, record.loss_unit, record.has_momentum,
    )  # fmt: skip


def kinds():
    known = {}
    for record in conventions():
        if record.refusal is None:
            known.setdefault(nature(record), record)
    return list(known.values())


def ordinary_value(record):
    """Return a number that the convention can have and that decays moderately."""
    values = {"factor": "0.5", "half_life": "50", "timescale": "50", "C": "100", "sigma": "0.1"}
    return Fraction(values.get(record.parameter, "0.001"))


def balanced(latex):
    depth = 0
    for place, character in enumerate(latex):
        if character in "{}" and latex[place - 1] != "\\":
            depth += 1 if character == "{" else -1
            assert depth >= 0, latex
    return depth == 0 and latex.count(r"\left") == latex.count(r"\right")


@pytest.mark.parametrize("record", kinds(), ids=lambda record: record.key)
def test_the_last_step_of_a_derivation_gives_the_conversion_from_and_to_every_kind(record):
    made = 0
    for place, other in enumerate(map(find, TYPICAL)):
        match = Match.DECAY if place % 2 else Match.OPTIMUM
        made += check_pair(record, other, match) + check_pair(other, record, match)
    assert made


def check_pair(one, two, match):
    side = Side(convention=one, run=RUN)
    value = ordinary_value(one)
    try:
        found = plan(side, target_side(side, two), match=match)
        conversion = apply(found, value, layers=LAYERS)
    except DecaycalcError:
        return 0
    explanation = explain(found, value, layers=conversion.layers)
    last = explanation.steps[-1]
    assert last.result == conversion.value
    assert bool(last.filled) == (conversion.value is not None)
    assert all(balanced(step.latex) for step in explanation.steps)
    assert json.dumps(explanation.to_dict(), allow_nan=False)
    ends = explanation.claim.ends
    assert len(set(ends)) == len(ends)
    assert ends or one.key == two.key or found.equivalence == Equivalence.IDENTICAL
    return 1


def test_a_derivation_shows_formula_numbers_and_result():
    shown = lines(explained("keras-l2", "sklearn-logistic", run=Run(dataset_size=60000)))
    assert shown == [
        "strength = 2·l2 = 2·0.0001 = 0.0002",
        "strength(sklearn-logistic) = strength(keras-l2) = 0.0002",
        "strength = 1/(N·C)",
        "C = 1/(2·N·l2) = 1/(2·60000·0.0001) = 0.083333333",
    ]


def test_the_bridge_is_shown_where_it_is_crossed():
    run = Run(lr="0.1", momentum="0.9", dampening="0.5", batch_size=100, dataset_size=60000)
    shown = lines(explained("pytorch-sgd", "half-life-epochs", run=run))
    bridge = "lr·(1 - dampening)·strength/(1 - momentum)"
    assert shown[1] == f"shrink = {bridge} = 0.1·(1 - 0.5)·0.0001/(1 - 0.9) = 5e-05"
    assert shown[-1].startswith("half_life = -ln 2/ln(1 - shrink)·B/N = -ln 2/ln(1 - 5e-05)·100/")


def test_a_sum_and_the_lr_that_it_asks_for_are_explained():
    run = Run(lr="0.1", dataset_size=60000)
    explanation = explained("mean-half-l2", "sum-l2", run=run)
    assert "lr(sum-l2) = lr/N = 0.1/60000 = 1.6666667e-06" in lines(explanation)
    texts = [step.text for step in explanation.steps]
    assert any("summed over the data set, N times the mean loss" in text for text in texts)
    back = explained("batch-sum-l2", "per-step-shrink", run=Run(lr="0.1", batch_size=8))
    assert "summed over the minibatch, B times" in back.steps[0].text
    assert "as many times as the loss is the mean loss" in back.steps[1].text
    assert back.steps[-1].text == "B cancels"


def test_an_lr_of_the_targets_own_is_shown_as_given():
    explanation = explained(
        "pytorch-adamw", "pytorch-adamw", run=Run(lr="0.1"), target_run=Run.part(lr="0.2")
    )
    step = next(step for step in explanation.steps if step.title == "the target's lr")
    assert step.text == "given as the target's own"
    assert "to_lr" in explanation.steps[-1].formula
    assert r"\eta_{\mathrm{to}}" in explanation.steps[-1].latex


def test_quantities_that_cancel_are_named():
    run = Run(lr="0.1", momentum="0.9")
    assert explained("pytorch-adamw", "keras-adamw", run=run).steps[-1].text == "lr cancels"
    one = explained("keras-l2", "caffe").steps[-1]
    assert one.text == "no other quantity enters"
    assert explained("tfa-adamw", "pytorch-adamw", run=run).steps[-1].text == "nothing cancels"


def test_the_exact_decay_shows_its_equation_and_the_step_back():
    run = Run(lr="0.1", momentum="0.9")
    there = explained("pytorch-sgd", "pytorch-adamw", run=run, match=Match.DECAY)
    exact = next(step for step in there.steps if "exact" in step.title)
    assert exact.line.startswith("exact_shrink = 1 - z, z^2 - (1 + momentum - q)·z + momentum = 0")
    assert exact.line.endswith(", exact_shrink = 0.00010009017")
    back = explained("pytorch-adamw", "pytorch-sgd", run=run, match=Match.DECAY)
    assert "whose exact decay in pytorch-sgd is it" in back.steps[-1].text
    nesterov = Run(lr="0.1", momentum="0.9", nesterov=True)
    shown = lines(explained("pytorch-sgd", "pytorch-adamw", run=nesterov, match=Match.DECAY))
    assert any("z^2 - (1 + momentum)·(1 - q)·z + momentum·(1 - q) = 0" in line for line in shown)


def test_forms_that_divide_and_decays_that_compound_have_their_own_exact_formula():
    run = Run(lr="0.1", batch_size=10, grad_accum=4, dataset_size=60000)
    for record in conventions():
        if record.proximal or record.compounds:
            shown = explained(record.key, "per-step-shrink", run=run, match=Match.DECAY)
            text = next(step for step in shown.steps if "exact" in step.title).formula
            short = "shrink/(1 + shrink)" if record.proximal else "1 - (1 - shrink/K)^K"
            assert text == f"exact_shrink = {short}"


def test_without_a_value_the_formulas_stand_alone():
    explanation = explained("pytorch-sgd", "pytorch-adamw", None)
    assert all(step.result is None and not step.filled for step in explanation.steps)
    exact = explained("pytorch-sgd", "keras-sgd", None, run=Run(momentum="0.9"), match=Match.DECAY)
    assert exact.steps[-1].result is None
    by_layer = explained("mean-l2", "layer-mean-l2", None)
    assert by_layer.steps[-1].formula.endswith("·lam(mean-l2)")


def test_a_step_without_its_quantities_has_a_formula_but_no_numbers():
    explanation = explained("pytorch-adamw", "keras-adamw")
    assert explanation.steps[0].line == "shrink = lr·weight_decay(pytorch-adamw)"
    assert explanation.steps[0].numbers == (("weight_decay(pytorch-adamw)", 0.0001),)
    assert explanation.steps[-1].result == 0.0001


def test_one_number_a_layer_is_listed():
    found = way("mean-l2", "layer-mean-l2", run=Run(n_layers=2))
    conversion = apply(found, Fraction(1), layers=LAYERS)
    explanation = explain(found, Fraction(1), layers=conversion.layers)
    assert explanation.steps[-1].text.endswith("one number a layer: fc1 200, fc2 20")


def test_losses_in_other_units_are_said_and_counted():
    halves = [c for c in conventions() if c.loss_unit == "half-squared-error" and c.strength]
    wholes = [c for c in conventions() if c.loss_unit == "squared-error" and c.strength]
    for one in halves[:1]:
        for other in wholes[:1]:
            explanation = explained(one.key, other.key, run=RUN)
            step = next(step for step in explanation.steps if step.title == "what is held equal")
            assert f"= 2·strength({one.key})" in step.formula
            assert "the other's half of it" in step.text


def test_an_estimate_names_adams_division():
    explanation = explained("pytorch-adam", "pytorch-adamw", run=RUN)
    assert explanation.claim.name == "estimate"
    assert "Adam divides" in explanation.steps[1].text
    assert "G + eps" in explanation.steps[1].formula


def test_a_parameter_called_shrink_is_told_from_the_invariant():
    shown = lines(explained("per-step-shrink", "pytorch-adamw", run=Run(lr="0.01")))
    assert shown[0] == "shrink = shrink(per-step-shrink) = 0.0001"
    assert shown[-1] == "weight_decay = shrink/lr = 0.0001/0.01 = 0.01"


def test_claims_name_the_difference():
    run = Run(lr="0.1", momentum="0.9")
    ends = explained("pytorch-sgd", "keras-sgd", run=run).claim.ends
    assert any("passes through the momentum buffer" in text for text in ends)
    ends = explained("keras-adamw", "pytorch-sgd", run=Run(lr="0.1")).claim.ends
    assert any(text.startswith("the steps are adam's in keras-adamw and sgd's") for text in ends)
    assert any("passes through the gradient" in text for text in ends)
    ends = explained("tfa-adamw", "pytorch-adamw", run=run).claim.ends
    assert any(
        text == "over a schedule tfa-adamw follows no schedule, pytorch-adamw the current lr"
        for text in ends
    )
    ends = explained(
        "pytorch-sgd", "caffe", run=Run(batch_size=8), target_run=Run.part(batch_size=4)
    ).claim.ends
    assert any(text.startswith("the batch sizes differ") for text in ends)
    other = Run.part(momentum="0.5")
    ends = explained("pytorch-sgd", "caffe", run=run, target_run=other).claim.ends
    assert any(text.startswith("the momenta differ") for text in ends)


def test_a_late_decay_is_a_difference():
    late = [c for c in conventions() if c.decays_after_step and c.refusal is None]
    assert all(
        f"{c.key} decays after the gradient step"
        in explained(c.key, "per-step-shrink", run=RUN).claim.ends
        for c in late
        if c.coupling != Coupling.MEASURE
    )


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("C = 1/(2·N·lam(keras-l2))", r"C = \frac{1}{2\,N\,\lambda_{\mathrm{keras{-}l2}}}"),
        ("-ln 2/ln(1 - shrink)·B/N", r"-\frac{\ln 2 \cdot B}{\ln \left(1 - s\right) \cdot N}"),
        ("1 - 2^(-B/N)", r"1 - 2^{-\frac{B}{N}}"),
        ("(1 - shrink)^S", r"\left(1 - s\right)^{S}"),
        ("lam_norm·sqrt(B/E)", r"\lambda_{\mathrm{norm}}\,\sqrt{\frac{B}{E}}"),
        ("to_lam_norm", r"\lambda_{\mathrm{to},\,\mathrm{norm}}"),
        ("2·5e-05·3^2", r"2 \cdot 5 \times 10^{-5} \cdot 3^{2}"),
        ("strength^2", r"\left(\lambda^{*}\right)^{2}"),
        ("sd(y)·(-a)·(1·1)", r"\mathrm{sd}_{\mathrm{y}}\,\left(-a\right)"),
        ("1·1", "1"),
        ("x = 1, y = 2", r"x = 1,\quad y = 2"),
    ],
)
def test_a_formula_reads_as_latex(text, latex):
    assert to_latex(text) == latex
    assert balanced(latex)


@pytest.mark.parametrize(
    ("text", "position"),
    [("a +", 3), ("(a", 2), ("a b", 2), ("a·$", 2), ("1/", 2), ("a ) b", 2), ("sqrt", 4)],
)
def test_what_is_no_formula_is_refused_at_its_place(text, position):
    with pytest.raises(TextSyntaxError) as caught:
        to_latex(text)
    assert caught.value.position == position


def test_names_and_numbers_of_a_formula():
    assert names_in("a = ln(B)·lam(x-y)/sd(y)") == ("a", "B", "lam(x-y)", "sd(y)")
    assert fill("lr·(1 - momentum)^2", {"lr": "0.1", "momentum": "0.9"}) == "0.1·(1 - 0.9)^2"
    assert fill("1e-05·x(", {}) == "1e-05·x("
    assert number_text(Fraction(1, 3)) == "0.33333333"


def test_a_step_whose_filled_side_is_its_result_shows_it_once():
    step = Step(title="t", text="", formula="a = b", source="s", filled="2", result=2.0)
    assert step.line == "a = b = 2"
    assert step.latex == "a = b = 2"


def test_convert_explains_as_text_and_markdown(capsys):
    line = "convert 1e-4 --from keras-l2 --to sklearn-logistic -N 60000 --explain"
    assert main(line.split()) == 0
    printed = capsys.readouterr().out
    assert "Why: keras-l2 to sklearn-logistic" in printed
    assert "C = 1/(2·N·l2) = 1/(2·60000·0.0001)" in printed
    assert "how far: same minimum" in printed
    assert main([*line.split(), "--format", "md"]) == 0
    assert "**Why: keras-l2 to sklearn-logistic**" in capsys.readouterr().out


def test_convert_explains_in_json_beside_everything_else(capsys):
    line = "convert 1e-4 --from keras-l2 --to caffe --to pytorch-sgd --json --explain"
    assert main(line.split()) == 0
    document = json.loads(capsys.readouterr().out)
    assert [entry["to"] for entry in document["explanation"]] == ["caffe", "pytorch-sgd"]
    steps = document["explanation"][0]["steps"]
    assert steps[-1]["result"] == document["conversions"][0]["value"] == 0.0002
    assert set(steps[0]) == {
        "title", "text", "formula", "filled", "latex", "numbers", "result", "source",
    }  # fmt: skip
    assert document["explanation"][0]["equivalence"]["name"] == "identical"


def test_convert_explains_in_latex_alone(capsys):
    line = (
        "convert 1e-4 --from pytorch-sgd --to keras-sgd --lr 0.1 --momentum 0.9 --to-momentum 0.5"
    )
    assert main([*line.split(), "--explain", "latex"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("% pytorch-sgd to keras-sgd\n\\begin{align*}\n")
    assert printed.count(r"\\" + "\n") == printed.count("&") - 1
    assert r"Here $\lambda^{*}$ is the strength" in printed
    assert "marks the target's run" in printed or "to_" not in printed


def test_a_value_caught_by_the_option_is_named(capsys):
    assert main(["convert", "--explain", "5e-4", "--from", "caffe"]) == 2
    assert "put --explain last" in capsys.readouterr().err


def test_a_legend_speaks_of_the_targets_run_only_where_there_is_one():
    one = explained(
        "pytorch-adamw", "pytorch-adamw", run=Run(lr="0.1"), target_run=Run.part(lr="0.2")
    )
    assert r"the subscript $\mathrm{to}$ marks the target's run" in report.to_latex_text([one])
    assert "subscript" not in report.to_latex_text([explained("caffe", "keras-l2")])


@pytest.mark.parametrize(
    ("source", "target", "value", "last"),
    [
        ("pytorch-asgd", "keras-sgd", "1e-4", "0.0002/(1 - 0.9)"),
        ("keras-sgd", "pytorch-asgd", "2e-3", "2e-06/0.01 - 0.0001"),
    ],
)
def test_an_optimum_held_by_a_form_is_derived_through_its_strength(source, target, value, last):
    here = Side(convention=find(source), run=Run(lr="0.01", momentum="0.9"))
    steps = explain(plan(here, target_side(here, find(target))), Fraction(value)).steps
    assert steps[-1].filled == last


def test_a_loss_that_is_a_number_of_the_mean_loss_stands_in_the_rule():
    side = Side(convention=find("pytorch-sgd"), run=Run(loss=8))
    assert rule_of(side).endswith("(the loss is 8 times the mean loss)")
