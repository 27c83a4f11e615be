"""The language of update rules: what it says, what it refuses, and where."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decaycalc.errors import InvalidValueError, MissingQuantityError, TextSyntaxError
from decaycalc.verification.rules.grammar import MAX_LENGTH
from decaycalc.verification.rules.rule import State, parse_rule

W = np.array([1.0, -2.0])
ZERO = np.zeros(2)


def step(text, w=W, g=ZERO, **names):
    return parse_rule(text).step(State(), w, g, names={"lr": 0.1, **names})


def test_assignments_run_in_order_and_leave_the_weights():
    after = step("g = g + weight_decay*w; w = w - lr*g", g=np.ones(2), weight_decay=0.5)
    assert after == pytest.approx(W - 0.1 * (1 + 0.5 * W))


@pytest.mark.parametrize(
    ("text", "after"), [("w = lr", [0.1, 0.1]), ("w = w - lr*heavy_ball(2)", [0.8, -2.2])]
)
def test_a_number_is_taken_for_every_weight(text, after):
    assert step(text).tolist() == pytest.approx(after)


def test_an_objective_descends_on_its_gradient():
    after = step("minimise loss + l2*sum(w**2)", g=np.ones(2), l2=0.25)
    assert after == pytest.approx(W - 0.1 * (1 + 0.5 * W))


@pytest.mark.parametrize(
    ("objective", "gradient"),
    [
        ("loss", [3.0, 3.0]),
        ("mean(loss)", [0.75, 0.75]),
        ("batch_sum(loss)", [1.5, 1.5]),
        ("sum(loss)", [7.5, 7.5]),
        ("loss - mean(w**2)", [2.0, 5.0]),
        ("-loss + 5", [-3.0, -3.0]),
        ("2*(loss/4 + sum(w**2))*3**2", [13.5 + 36, 13.5 - 72]),
        ("loss + max(a, 2)*norm(w)", [3 + 5 / 5**0.5, 3 - 10 / 5**0.5]),
    ],
)
def test_each_term_of_an_objective_has_its_gradient(objective, gradient):
    names = {"loss_scale": 4.0, "batch_size": 2.0, "dataset_size": 10.0, "a": 5.0}
    rule = parse_rule(f"minimise {objective}")
    assert rule.descent(W, np.full(2, 3.0), names={"lr": 0.1, **names}) == pytest.approx(gradient)


def test_the_norm_has_no_direction_at_zero():
    assert step("minimise loss + lam*norm(w)", w=ZERO, lam=1.0) == pytest.approx([0, 0])


def test_a_name_that_a_rule_assigns_is_kept_between_steps():
    rule, state = parse_rule("v = 0.5*v + g; w = w - lr*v"), State()
    names = {"lr": 1.0}
    first = rule.step(state, W, np.ones(2), names=names)
    second = rule.step(state, first, np.ones(2), names=names)
    assert (first - second).tolist() == [1.5, 1.5]


def test_momentum_comes_from_the_names_unless_a_keyword_says_otherwise():
    for text, moved in (("heavy_ball(g)", 2.9), ("heavy_ball(g, momentum=0.5)", 2.5)):
        rule, state, w = parse_rule(f"w = w - lr*{text}"), State(), W
        for _ in range(2):
            w = rule.step(state, w, np.ones(2), names={"lr": 1.0, "momentum": 0.9})
        assert (W - w).tolist() == pytest.approx([moved, moved])


def test_settings_overrule_what_a_rule_says():
    rule = parse_rule("w = w - lr*adam(g, eps=1)")
    names = {"lr": 1.0}
    assert rule.step(State(), W, np.ones(2), names=names).tolist() == [0.5, -2.5]
    after = rule.step(State(), W, np.ones(2), names=names, settings={"eps": 0, "rho": 3})
    assert after.tolist() == [0.0, -3.0]


def test_two_calls_of_one_block_keep_two_buffers():
    rule = parse_rule("w = w - lr*(velocity(g) - velocity(2*g))")
    assert rule.step(State(), W, np.ones(2), names={"lr": 1.0}).tolist() == [2.0, -1.0]


def test_conditions_are_lazy_on_numbers_and_elementwise_on_weights():
    assert step("w = w*(1 - k) if t > 1 else w", k=0.5).tolist() == W.tolist()
    assert step("w = w*0 if w > 0 else w").tolist() == [0.0, -2.0]
    assert step("w = w*0 if w*0 == 0 else w").tolist() == [0.0, 0.0]


def test_functions_have_their_usual_meaning():
    after = step("w = sign(w)*max(abs(w), 1.5, 1) + 0*min(w, 1) + norm(w)**2 + sum(w)*mean(w)")
    assert after.tolist() == pytest.approx([1.5 + 5 + 0.5, -2 + 5 + 0.5])
    assert step("w = w*0 + sqrt(4) if -1 != 1 else w").tolist() == [2.0, 2.0]


def test_the_multiplier_is_lr_over_its_peak():
    assert step("w = w*(1 - multiplier*k)", lr_peak=0.4, k=0.4).tolist() == (0.9 * W).tolist()
    assert step("w = w*multiplier").tolist() == W.tolist()


def test_a_short_batch_is_seen_by_rules_that_ask_for_it():
    text = "w = w*(1 - alpha/batch_size_now)"
    assert step(text, alpha=0.4, batch_size=4).tolist() == pytest.approx((0.9 * W).tolist())
    short = step(text, alpha=0.4, batch_size=4, batch_size_now=2)
    assert short.tolist() == pytest.approx((0.8 * W).tolist())


@pytest.mark.parametrize(
    ("text", "quantities"),
    [
        ("w = w*2**(-1/half_life)", {"half_life"}),
        ("v = momentum*v + g; w = w - lr*multiplier*v*t", {"momentum"}),
        ("minimise C*sum(loss) + sum(w**2)/2", {"C", "dataset_size"}),
        ("minimise batch_sum(loss) + lam*sum(w**2)", {"lam", "batch_size"}),
        ("minimise mean(loss)", set()),
        ("g = g + alpha/batch_size_now*w; w = w - lr*g", {"alpha", "batch_size"}),
        ("w = w - lr*adam(g, eps=tiny)", {"tiny"}),
    ],
)
def test_a_rule_names_the_quantities_that_it_needs(text, quantities):
    assert parse_rule(text).quantities == quantities


def test_descent_is_the_penalised_gradient_whatever_the_optimizer():
    for direction in ("heavy_ball(g)", "adam(g)", "lion(g)"):
        rule = parse_rule(f"g = g + k*w; w = w - lr*{direction}")
        gain = 4.0 if "heavy" in direction else 1.0
        names = {"lr": 0.1, "k": 0.5, "momentum": 0.9, "dampening": 0.6}
        slope = rule.descent(W, np.ones(2), names=names)
        assert slope.tolist() == pytest.approx([1.5 * gain, 0.0])
    for direction in ("m = 0.9*m + 0.1*g; w = w - lr*m", "m = m + 1 + g*g; w = w - lr*g/m"):
        rule = parse_rule(f"g = g + k*w; {direction}")
        assert rule.descent(W, np.ones(2), names={"lr": 0.1, "k": 0.5}).tolist() == [1.5, 0.0]
    nesterov = parse_rule("v = 0.5*v + g; w = w*(1 - lr*k) - lr*(g + 0.5*v)")
    slope = nesterov.descent(W, np.array([1.0, 0.0]), names={"lr": 0.1, "k": 0.5})
    assert slope.tolist() == pytest.approx([2.5, -1.0])
    growing = parse_rule("v = 3*v + g; w = w - lr*v")  # settles nowhere: two steps' worth
    assert growing.descent(W, np.ones(2), names={"lr": 0.1}).tolist() == pytest.approx([13, 13])
    signs = parse_rule("m = 0.5*m + 0.5*(g + k*w); u = m; w = w - lr*sign(u)")
    slope = signs.descent(W, np.ones(2), names={"lr": 0.1, "k": 0.5})
    assert slope.tolist() == pytest.approx([1.5, 0.0])
    lamb = parse_rule("w = w - lr*lamb(g, k*w)")
    assert lamb.descent(W, ZERO, names={"lr": 0.1, "k": 0.5}).tolist() == pytest.approx([0.5, -1.0])


def test_a_name_without_value_is_missing():
    with pytest.raises(MissingQuantityError, match="update rule needs weight_decay"):
        step("w = w*(1 - weight_decay)")


@pytest.mark.parametrize(
    "text", ["w = w*1e300*1e300", "w = w/(t - 1)", "w = sqrt(w)", "w = 9**9**9*w"]
)
def test_a_diverging_rule_is_an_error_and_never_inf_or_nan(text):
    with pytest.raises(InvalidValueError, match="diverges"):
        step(text)


@pytest.mark.parametrize(
    ("text", "position", "expected"),
    [
        ("", 0, "'minimise EXPRESSION' or"),
        ("w", 0, "an assignment"),
        ("w += 1", 0, "an assignment"),
        ("x = 3", 5, "an assignment to w"),
        ("w = 1 +", 7, "an expression"),
        ("w = v = 1", 0, "one name"),
        ("w, v = 1", 0, "one name"),
        ("lr = 3; w = w", 0, "a name of your own"),
        ("adam = 3; w = w", 0, "a name of your own"),
        ("w = __import__('os')", 4, "one of the functions"),
        ("w = w.real", 4, "numbers, names"),
        ("w = [1]", 4, "numbers, names"),
        ("w = 1j", 4, "numbers, names"),
        ("w = True", 4, "numbers, names"),
        ("w = 'a'", 4, "numbers, names"),
        ("w = 1 < w < 2", 4, "numbers, names"),
        ("w = w @ w", 4, "numbers, names"),
        ("w = not w", 4, "numbers, names"),
        ("w = (lambda: 1)()", 5, "one of the functions"),
        ("w = sqrt", 8, "the arguments of sqrt"),
        ("w = sqrt(w, w)", 4, "sqrt with 1 argument"),
        ("w = max(w)", 4, "max with 2 arguments"),
        ("w = adam()", 4, "adam with 1 argument"),
        ("w = adam(g, foo=1)", 12, "a keyword of adam: beta1"),
        ("w = sqrt(w, foo=1)", 12, "a keyword of sqrt: none"),
        ("w = adam(g, **g)", 12, "a keyword of adam"),
        ("w = adam(*g)", 9, "numbers, names"),
        ("w = 1e999", 4, "within the range of float64"),
        (f"w = 1{'0' * 400}", 4, "within the range of float64"),
        ("w = loss", 4, "g (loss belongs"),
        ("w = batch_sum(g)", 4, "g (loss belongs"),
        ("w = w\nimport os", 5, "one line of printable ASCII"),
        ("w = λ", 4, "one line of printable ASCII"),
        ("w = 0or 1", 5, "an expression"),
        ("minimise 3", 9, "at least one of loss"),
        ("minimise loss*loss", 9, "terms times numbers"),
        ("minimise 1/loss", 9, "terms times numbers"),
        ("minimise loss**2", 9, "terms times numbers"),
        ("minimise w", 9, "numbers and loss"),
        ("minimise sqrt(loss)", 9, "numbers and loss"),
        ("minimise loss + sum(w)", 20, "numbers and loss"),
        ("minimise loss if 1 else 2", 9, "numbers and loss"),
        ("w = " + "-" * 900 + "1", 45, "nested expressions"),
        ("w = " + "(" * 300 + "1" + ")" * 300, 204, "an expression"),
        ("w = " + "1+" * MAX_LENGTH, MAX_LENGTH, f"at most {MAX_LENGTH}"),
    ],
)
def test_a_bad_rule_is_refused_at_its_place(text, position, expected):
    with pytest.raises(TextSyntaxError) as caught:
        parse_rule(text)
    assert expected in caught.value.expected
    assert caught.value.position == position


def test_the_parsers_own_limits_are_an_error_too(monkeypatch):
    def parse(*_, **__):
        raise RecursionError

    monkeypatch.setattr("decaycalc.verification.rules.grammar.ast.parse", parse)
    with pytest.raises(TextSyntaxError, match="a shorter expression"):
        parse_rule("w = w")


@given(st.text(max_size=60) | st.text(alphabet="wg lrt=*+-/()0123.;,<>ifels", max_size=60))
def test_any_text_is_a_rule_or_a_syntax_error(text):
    for prefix in ("", "w = ", "minimise loss + "):
        try:
            rule = parse_rule(prefix + text)
        except TextSyntaxError as error:
            assert 0 <= error.position <= len(prefix + text)  # noqa: PT017 - both ends are sound
        else:
            assert rule.text == prefix + text
