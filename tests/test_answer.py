from fractions import Fraction

import pytest

from decaycalc.answers import Question, answer_of
from decaycalc.architecture import parse_architecture
from decaycalc.conventions.catalogue import find
from decaycalc.conventions.run import Run
from decaycalc.conversion.decay import decay_of
from decaycalc.conversion.side import Side
from decaycalc.errors import NoEquivalentError, UnknownNameError
from decaycalc.record import replace

F = Fraction
RUN = Run(lr="0.1", momentum="0.9", batch_size=256, dataset_size=1281167, epochs=90)


def decay(key, value, run):
    return decay_of(Side(convention=find(key), run=run), F(value))


def ask(key, value, **more):
    return answer_of(Question(source=find(key), value=value, **more))


def test_the_decay_of_a_real_recipe():
    shown = decay("pytorch-sgd", "1e-4", RUN)
    assert shown.per_step_shrink == pytest.approx(1.00090171e-4, rel=1e-8)
    assert shown.per_step_factor == 1 - shown.per_step_shrink
    assert shown.per_epoch_factor == pytest.approx((1 - shown.per_step_shrink) ** 5005, rel=1e-10)
    assert shown.per_run_factor == pytest.approx(2.6217e-20, rel=1e-4)
    assert shown.half_life_epochs == pytest.approx(shown.half_life_steps * 256 / 1281167)


def test_a_tiny_shrink_over_a_long_run_keeps_its_digits():
    run = Run(lr=1, steps=10**12)
    shown = decay("pytorch-sgd", "1e-12", run)
    assert shown.per_run_factor == pytest.approx(0.36787944117125, rel=1e-13)
    assert shown.timescale_run_fraction == 1


def test_what_is_unknown_is_none():
    shown = decay("per-step-shrink", "0.1", Run())
    assert shown.per_epoch_factor is shown.per_run_factor is shown.half_life_epochs is None
    assert shown.timescale_epochs is shown.timescale_run_fraction is None
    assert shown.timescale_steps == 10
    assert shown.to_dict()["oscillating"] is False


@pytest.mark.parametrize("key", ["pytorch-adam", "l2-norm", "pytorch-adamw", "layer-mean-l2"])
def test_some_numbers_have_no_decay_in_reach(key):
    assert decay(key, "0.1", Run()) is None


def test_no_decay_halves_nothing():
    shown = decay("pytorch-sgd", 0, RUN)
    assert (shown.per_step_factor, shown.per_step_shrink) == (1, 0)
    assert shown.half_life_steps is shown.timescale_steps is shown.timescale_epochs is None
    assert shown.per_run_factor == 1


def test_an_oscillating_decay_goes_by_its_modulus():
    shown = decay("pytorch-sgd", "5e-4", Run(lr="0.1", momentum="0.99"))
    assert shown.oscillating
    assert shown.per_step_factor == pytest.approx(0.99**0.5, rel=1e-12)
    assert not decay("pytorch-sgd", "5e-4", Run(lr="0.1", momentum="0.9")).oscillating
    assert not decay("optax-momo", "5e-4", Run(lr="0.1", momentum="0.9")).oscillating


def test_the_whole_answer_of_a_real_recipe():
    shown = ask("pytorch-sgd", "1e-4", run=RUN)
    assert (shown.strength, shown.shrink) == (1e-4, 1e-4)
    assert shown.penalty.coefficient_dataset_sum == 64.05835
    assert {c.convention.key for c in shown.conversions} >= {"mean-l2", "keras-l2", "caffe"}
    assert shown.unavailable == ()


def test_an_adaptive_penalty_has_no_shrink():
    shown = ask("pytorch-adam", "1e-2", run=RUN)
    assert shown.shrink is shown.decay is None
    assert shown.strength == 0.01
    assert ask("pytorch-adamw", "1e-2").shrink is None
    assert ask("pytorch-adamw", "1e-2").penalty is None


def test_a_named_target_that_cannot_be_reached_is_an_error_a_listed_one_is_not():
    run = Run(lr="0.1")
    with pytest.raises(NoEquivalentError):
        ask("pytorch-adam", "1e-2", run=run, targets=(find("pytorch-adamw"),))
    reasons = {e.convention.key: e.reason for e in ask("pytorch-adam", "1e-2").unavailable}
    assert reasons["pytorch-adamw"] == "no-equivalent"
    assert reasons["sum-l2"] == "missing"


def test_a_number_that_overflows_in_one_target_spoils_no_other():
    shown = ask("mean-half-l2", "1e-310", run=Run(dataset_size=1))
    messages = {e.convention.key: e.message for e in shown.unavailable}
    assert messages["sklearn-logistic"] == "C '1.000e+310' is beyond float64's range"
    assert any(c.convention.key == "keras-l2" for c in shown.conversions)


def test_an_unknown_dtype_is_refused_even_where_nothing_decays():
    with pytest.raises(UnknownNameError, match="unknown dtype 'float31'"):
        ask("mean-l2", None, dtype="float31")


@pytest.mark.parametrize(
    ("key", "value", "way_out"),
    [
        ("ema-timescale-steps", "0.01", "raise timescale"),
        ("half-life-steps", "1e-5", "raise half_life"),
        ("per-step-shrink", 30, "lower shrink"),
        ("prior-std", "1e-3", "lower lr or raise sigma"),
        ("pytorch-asgd", 300, "lower lr or weight_decay"),
        ("sklearn-logistic", "1e-3", "lower lr or raise C"),
    ],
)
def test_what_makes_a_decay_smaller_is_told_and_does(key, value, way_out):
    def warned(value):
        run = Run(lr="0.1", dataset_size=3, optimizer=None)
        return " ".join(ask(key, value, run=run).warnings)

    assert warned(value).endswith(f"; {way_out}")
    followed = Fraction(value) * (10**6 if "raise" in way_out else Fraction(1, 10**6))
    assert "step takes" not in warned(followed)
    assert "grows" not in warned(followed)


@pytest.mark.parametrize(
    ("value", "factor", "text"),
    [
        (1, 0, "a step takes the whole weight off"),
        (15, -0.5, "a step takes 1.5 times the weight off, so it changes sign in every step"),
        (24, -1.4, "the weight grows: a step multiplies it by -1.4"),
        (25000, -2499, "the weight grows: a step multiplies it by -2499"),
    ],
)
def test_a_decay_above_1_is_answered_with_its_warning(value, factor, text):
    run = Run(lr="0.1" if value > 1 else 1, dataset_size=10**6, batch_size=1, epochs=1)
    shown = ask("pytorch-adamw", value, run=run, targets=(find("per-step-factor"),))
    assert shown.decay.per_step_factor == pytest.approx(factor)
    assert shown.conversions[0].value == pytest.approx(factor)
    assert text in " ".join(shown.warnings)
    assert shown.decay.oscillating == (value > 1)
    assert "; lower lr or weight_decay" in " ".join(shown.warnings)
    if abs(factor) > 1:  # beyond every float
        assert shown.decay.per_run_factor is shown.decay.half_life_steps is None


def test_a_momentum_that_makes_the_weight_grow_is_answered_with_its_warning():
    shown = ask("pytorch-sgd", 10, run=Run(lr=10, momentum="0.9"))
    assert shown.decay.per_step_factor > 90
    assert "the weight grows" in " ".join(shown.warnings)


def test_warnings_tell_rounded_epochs_defaults_oscillation_and_lost_digits():
    run = Run(lr="0.1", momentum="0.99", batch_size=256, dataset_size=1000)
    assert [text.partition(":")[0] for text in ask("pytorch-sgd", "5e-4", run=run).warnings] == [
        "an epoch is 4 steps, N/B is 3.90625", "the decay oscillates",
    ]  # fmt: skip
    (lost,) = ask("pytorch-adamw", "0.1", run=Run(lr="3e-4"), dtype="bfloat16").warnings
    assert "lost in bfloat16 rounding" in lost
    assert ask("pytorch-adamw", "0.1", run=Run(lr="3e-4"), dtype="float32").warnings == ()


def test_a_schedule_takes_the_place_of_a_constant_lr():
    run = Run(lr="0.1", batch_size=10, dataset_size=1000, epochs=10)
    plain = ask("pytorch-sgd", "0.01", run=run)
    halved = ask("pytorch-sgd", "0.01", run=run, schedule="linear")
    assert plain.schedule is None
    assert plain.decay.per_run_factor == pytest.approx(0.999**1000)
    assert halved.decay.per_run_factor == pytest.approx(0.999**500, rel=2e-3)
    assert ask("pytorch-sgd", None, run=run, schedule="linear").schedule is None


def test_a_penalty_by_layer_has_strengths_and_shrinks_by_layer():
    network = parse_architecture("784-300-100-10")
    shown = ask("layer-mean-l2", 1, run=Run(lr="0.1"), architecture=network)
    assert shown.strength is shown.shrink is shown.decay is None
    shrinks = [layer.per_step_shrink for layer in shown.penalty.layers]
    assert shrinks == pytest.approx([0.2 / (3 * n) for n in (235200, 30000, 1000)])
    assert shown.penalty.value == pytest.approx(
        sum(2 * n_out / (3 * n) for n_out, n in ((300, 235200), (100, 30000), (10, 1000)))
    )
    empty = ask("layer-mean-l2", None, architecture=network)
    assert empty.penalty.layers[0].per_step_shrink is None


def test_json_of_an_answer_holds_plain_values():
    shown = ask("mean-l2", "1/3", run=Run(lr="0.1"), target_run=Run(lr="0.2")).to_dict()
    assert shown["source"] == {"convention": "mean-l2", "parameter": "lam", "value": 1 / 3}
    assert shown["target_run"]["lr"] == 0.2
    assert ask("mean-l2", None).to_dict()["source"]["value"] is None


def test_what_a_network_s_file_leaves_open_is_a_warning():
    network = replace(parse_architecture("4-3-2"), notes=("two tensors are tied",))
    question = Question(source=find("mean-l2"), value="1e-3", run=Run(), architecture=network)
    assert "two tensors are tied" in answer_of(question).warnings


def departures(key, value, target, **run):
    question = Question(
        source=find(key), value=value, targets=(find(target),), run=Run(**run),
        target_run=Run(lr="0.001") if target == "pytorch-adamw" else None,
    )  # fmt: skip
    texts = [text for text in answer_of(question).warnings if "in the long run" in text]
    return texts[0] if texts else None


@pytest.mark.parametrize(
    ("key", "value", "target", "run", "shares"),
    [
        # s = 0.03 before momentum's recursion: z² - (1.9 - 0.003)z + 0.9 has the modulus sqrt(0.9).
        ("per-step-factor", "0.97", "pytorch-sgd", {"momentum": "0.9"}, ("3 %", "5.13 %")),
        ("pytorch-sgd", "0.01", "pytorch-adamw", {"momentum": "0.9"}, ("1.11 %", "1 %")),
        ("pytorch-sgd", "0.01", "half-life-steps", {"momentum": "0.9"}, ("1.11 %", "1 %")),
        ("pytorch-sgd", "1e-4", "pytorch-adamw", {"momentum": "0.9"}, None),
        ("pytorch-sgd", "0.01", "pytorch-adamw", {}, None),
        ("pytorch-sgd", "0.01", "keras-l2", {"momentum": "0.9"}, None),
    ],
)
def test_decays_that_are_equal_to_first_order_alone_are_told_where_they_part(
    key, value, target, run, shares
):
    text = departures(key, value, target, lr="0.1", **run)
    if shares is None:
        assert text is None
    else:
        one, other = shares
        assert text == (
            f"in the long run {key} takes {one} off a weight a step, {target} {other}: "
            "--match decay holds the two equal"
        )


def test_decays_that_are_held_equal_do_not_part():
    question = Question(
        source=find("per-step-factor"), value="0.98", targets=(find("pytorch-sgd"),),
        run=Run(lr="0.1", momentum="0.9"), match="decay",
    )  # fmt: skip
    assert answer_of(question).warnings == ()
