"""probe and inspect on Keras-like optimizers: exclusions, Muon's two decays, nothing changed."""

import random
import sys
import types

import pytest

import decaycalc
from decaycalc.errors import InvalidValueError
from decaycalc.training.live.apart import in_doubles
from decaycalc.training.live.probe import probe
from tests.training.live.keras_framework import AdamW, Muon, Optimizer, framework, network


@pytest.fixture(autouse=True)
def keras(monkeypatch):
    framework(monkeypatch)


def excluding(*names, **more):
    optimizer = AdamW(**{"learning_rate": 0.01, "weight_decay": 0.1, **more})
    optimizer.exclude_from_weight_decay(var_names=list(names))
    return optimizer


def test_what_decays_and_what_is_exempt_are_measured_apart():
    found = probe(excluding("bias"), network())
    assert [(each.name, each.n_dims) for each in found.groups] == [
        ("weight_decay", 2), ("exempt", 1),
    ]  # fmt: skip
    matrices, exempt = found.groups
    assert matrices.decay_per_step == pytest.approx(1e-3)
    assert matrices.measured.no_gradient == 0
    assert (matrices.agreement.convention, found.agrees) == ("keras-adamw", True)
    assert (exempt.decay_per_step, exempt.agreement.agrees) == (0, True)


def test_an_exemption_that_does_not_hold_is_a_disagreement():
    class Deaf(AdamW):
        __module__ = "keras.src.optimizers.adamw"

        def decay_of(self, _):
            return self.learning_rate * self.weight_decay

    optimizer = Deaf(learning_rate=0.01, weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    exempt = probe(optimizer, network()).groups[1]
    assert exempt.agreement.agrees is False
    assert exempt.agreement.reason == "what the optimizer exempts decays"
    assert exempt.agreement.convention == "keras-adamw"


def test_a_planted_factor_of_two_is_found():
    class Twice(AdamW):
        def decay_of(self, variable):
            return 2 * super().decay_of(variable)

        update_step = Optimizer.apply

    Twice.__module__ = "train"
    found = probe(Twice(learning_rate=0.01, weight_decay=0.1), network())
    assert [each.factor for each in found.groups] == [pytest.approx(2)] * 2
    assert found.agrees is None
    Twice.__module__, Twice.__name__ = "keras.src.optimizers.adamw", "AdamW"
    assert probe(Twice(learning_rate=0.01, weight_decay=0.1), network()).agrees is False


def test_an_exempt_variable_of_an_unknown_class_has_no_record():
    class Own(AdamW):
        update_step = Optimizer.apply

    Own.__module__ = "train"
    optimizer = Own(learning_rate=0.01, weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    assert probe(optimizer, network()).groups[1].agreement.convention is None


def test_muon_has_two_decays():
    muon = Muon(learning_rate=0.01, weight_decay=0.1, adam_weight_decay=0.02)
    first, second = probe(muon, network()).groups
    assert (first.name, first.n_dims, first.decay_per_step) == (
        "adam_weight_decay", 1, pytest.approx(2e-4),
    )  # fmt: skip
    assert (second.n_dims, second.decay_per_step) == (2, pytest.approx(1e-3))
    found = decaycalc.inspect(muon, network())
    assert [(each.group.name, each.weight_decay, each.n_tensors) for each in found.groups] == [
        ("group 0", 0.1, 1), ("adam_weight_decay", 0.02, 1),
    ]  # fmt: skip


def test_without_a_model_the_built_variables_count_and_else_a_usual_pair():
    optimizer = excluding("bias")
    assert [each.name for each in probe(optimizer).groups] == ["weight_decay", "exempt"]
    optimizer.build(network().trainable_variables[:1])
    assert [each.name for each in probe(optimizer).groups] == ["weight_decay"]
    assert [each.name for each in decaycalc.inspect(optimizer).training.tensors] == ["dense/kernel"]
    with pytest.raises(InvalidValueError, match="must have trainable_variables"):
        probe(optimizer, object())


def test_a_schedule_or_no_decay_is_probed_with_numbers_of_its_own():
    for lr in ({"class_name": "CosineDecay"}, "a function's name"):
        found = probe(excluding(learning_rate=lr), network())
        assert found.groups[0].lr == 1e-3
        assert found.agrees is True
    none = probe(excluding(weight_decay=None), network())
    assert (none.groups[0].decay_per_step, none.agrees) == (0, True)


@pytest.mark.parametrize(("every", "said"), [(3, True), (None, False)])
def test_an_average_that_is_written_over_the_weights_is_told(every, said):
    found = decaycalc.inspect(excluding(use_ema=True, ema_overwrite_frequency=every), network())
    assert any("average over the weights every 3" in note for note in found.training.notes) is said


def test_a_schedulers_place_is_beside_a_torch_like_optimizer():
    with pytest.raises(InvalidValueError, match="beside a torch-like optimizer only"):
        decaycalc.inspect(excluding(), network(), object(), steps=3)


def test_a_scaler_of_losses_is_seen_through():
    kind = type("LossScaleOptimizer", (), {"__module__": "keras.src.optimizers.loss_scale"})
    outer = kind()
    outer.inner_optimizer = excluding()
    assert probe(outer).optimizer == "keras.src.optimizers.adamw.AdamW"
    other = types.SimpleNamespace(inner_optimizer=excluding())
    with pytest.raises(InvalidValueError, match="cannot be probed"):
        probe(other)


def test_nothing_of_the_users_changes(monkeypatch):
    counts = {"dense": 2}
    framework(monkeypatch, counts=counts)
    made = excluding("bias")
    make = Optimizer.__init__
    monkeypatch.setattr(
        Optimizer, "__init__", lambda self, **more: (counts.update(own=9), make(self, **more))[1]
    )
    before, drawn = dict(vars(made)), random.getstate()
    probe(made, network())
    decaycalc.inspect(made, network())
    assert vars(made) == before
    assert random.getstate() == drawn
    assert counts == {"dense": 2}


def test_a_process_without_keras_says_so(monkeypatch):
    monkeypatch.delitem(sys.modules, "keras")
    with pytest.raises(InvalidValueError, match="its Keras has no Variable"):
        probe(excluding(), network())


def test_jax_has_float64_for_a_trial(monkeypatch):
    asked = []
    old = types.SimpleNamespace(experimental=types.SimpleNamespace(enable_x64=asked.append))
    for jax in (types.SimpleNamespace(enable_x64=asked.append), old):
        monkeypatch.setitem(sys.modules, "jax", jax)
        in_doubles()
    assert asked == [True, True]
    monkeypatch.delitem(sys.modules, "jax")
    with in_doubles() as nothing:
        assert nothing is None
