"""probe and inspect on optax-like optimizers: what their closures hold, and what steps measure."""

import sys
import types

import numpy as np
import pytest

import decaycalc
from decaycalc.cli.main import main
from decaycalc.errors import InvalidValueError
from decaycalc.training.live import optax_like
from decaycalc.training.live.probe import probe
from tests.training.live import frameworks
from tests.training.live import optax_framework as o

optax, module = o.optax, frameworks.module
pytestmark = pytest.mark.usefixtures("optax")
LR, DECAY = 1e-2, 0.1


def mask(tree):
    return o.tree_map(lambda leaf: np.ndim(leaf) > 1, tree)


def adamw(**more):
    return o.adamw(**{"learning_rate": LR, "weight_decay": DECAY, **more})


def matrices(optimizer, params=o.PARAMS):
    (found,) = [each for each in probe(optimizer, params).groups if each.n_dims == 2]
    return found


def test_lr_lambda_and_record_are_read_and_the_steps_agree():
    assert probe(adamw()).optimizer == "optax: scale_by_adam, add_decayed_weights, scale"
    found = matrices(adamw())
    assert (found.lr, found.own_weight_decay) == (LR, DECAY)
    assert found.decay_per_step == pytest.approx(1e-3)
    assert (found.measured.acts, found.measured.follows) == ("decoupled", "lr")
    assert (found.measured.no_gradient, found.measured.zero_gradient) == (None, pytest.approx(1e-3))
    assert (found.agreement.convention, found.agreement.agrees) == ("optax-adamw", True)
    told = decaycalc.inspect(adamw(), o.PARAMS)
    assert told.training.convention == "optax-adamw"
    assert told.training.title == "optax: scale_by_adam, add_decayed_weights, scale"
    assert told.figures.shrink == pytest.approx(1e-3)
    assert told.groups[0].n_tensors == 2
    assert decaycalc.inspect(adamw()).training.tensors == ()


LABELS = {"dense": {"bias": "b", "kernel": "a"}}
OPTIMIZERS = {
    "mask": lambda: adamw(mask=mask),
    "mask as a tree": lambda: adamw(mask=mask(o.PARAMS)),
    "clip": lambda: o.chain(o.clip(1.0), adamw(mask=mask)),
    "named": lambda: o.named_chain(("a", adamw(mask=mask)), ("b", o.identity())),
    "labels": lambda: o.partition({"a": adamw(), "b": o.sgd(LR)}, LABELS),
    "injected": lambda: o.inject_hyperparams(o.adamw)(
        learning_rate=LR, weight_decay=DECAY, mask=mask
    ),
    "injected within": lambda: o.chain(
        o.clip(1.0),
        o.inject_hyperparams(o.adamw)(learning_rate=LR, weight_decay=DECAY, mask=mask),
    ),
    "micro-steps": lambda: o.MultiSteps(adamw(mask=mask)),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_masks_labels_and_wrappers_are_looked_through(name):
    optimizer = OPTIMIZERS[name]()
    shares = {each.n_dims: each.decay_per_step for each in probe(optimizer, o.PARAMS).groups}
    assert shares == {1: 0, 2: pytest.approx(1e-3)}
    told = decaycalc.inspect(optimizer, o.PARAMS).training
    assert {each.name: each.decays for each in told.tensors} == {
        "dense/bias": False, "dense/kernel": True,
    }  # fmt: skip
    assert [group.lr for group in told.groups] == [str(LR)] * 2
    assert told.convention == "optax-adamw"


@pytest.mark.parametrize(("links", "key", "factor", "agrees"), [
    (lambda: (o.add_decayed_weights(DECAY), o.sgd(LR)), "optax-sgd", 1, True),
    (lambda: (o.add_decayed_weights(1e-3), o.sgd(LR, 0.9)), "optax-sgd", 10.009, True),
    (lambda: (o.trace(0.9), o.add_decayed_weights(DECAY), o.scale(-LR)), "optax-sgdw", 1, True),
    (lambda: (o.add_decayed_weights(DECAY), o.scale_by_adam(), o.scale(-LR)), "optax-adam-l2",
     None, True),
    (lambda: (o.sgd(LR, 0.9), o.add_decayed_weights(-DECAY)), "optax-decay-after-lr", 1, True),
    (lambda: (o.sgd(LR), o.add_decayed_weights(DECAY)), "optax-decay-after-sgd", -1, None),
    (lambda: (o.scale_by_adam(nesterov=True), o.add_decayed_weights(DECAY), o.scale(-LR)),
     "optax-nadamw", 1, True),
])  # fmt: skip
def test_the_place_of_the_decay_decides(links, key, factor, agrees):
    found = matrices(o.chain(*links()))
    assert (found.agreement.convention, found.agreement.agrees) == (key, agrees)
    assert found.factor == (None if factor is None else pytest.approx(factor, rel=1e-3))
    assert decaycalc.inspect(o.chain(*links()), o.PARAMS).training.convention == key


def test_a_decay_after_the_lr_is_read_with_its_sign():
    told = decaycalc.inspect(o.chain(o.sgd(LR), o.add_decayed_weights(-DECAY)), o.PARAMS)
    assert (told.training.value, told.figures.shrink) == ("0.1", pytest.approx(0.1))


def test_a_schedule_is_asked_for_each_step():
    def schedule(count):
        return LR * count / 10

    optimizer = adamw(learning_rate=schedule, mask=mask)
    found = decaycalc.inspect(optimizer, o.PARAMS, steps=10)
    (decayed,) = [group for group in found.groups if group.weight_decay]
    assert decayed.lrs == pytest.approx([LR * t / 10 for t in range(10)])
    assert found.figures.sum_shrink == pytest.approx(DECAY * LR * 4.5)
    assert decaycalc.inspect(optimizer, o.PARAMS).training.missing == ("steps",)
    assert matrices(optimizer).agreement.agrees is True
    injected = o.inject_hyperparams(o.adamw)(learning_rate=schedule, weight_decay=DECAY)
    assert matrices(injected).agreement.agrees is True
    with pytest.raises(InvalidValueError, match="lr 0 must be positive"):
        decaycalc.inspect(adamw(learning_rate=lambda _: 0.0), o.PARAMS, steps=3)


def test_a_lambda_with_a_schedule_of_its_own():
    falling = adamw(weight_decay=lambda count: DECAY * (1 - count / 10))
    found = decaycalc.inspect(falling, o.PARAMS, steps=10)
    assert found.groups[0].weight_decay == pytest.approx(DECAY)
    assert found.figures.sum_shrink == pytest.approx(LR * DECAY * 5.5)
    assert matrices(falling).own_weight_decay == pytest.approx(DECAY)


def twice(module=__name__):
    def update(updates, state, params=None):
        return o.tree_map(lambda u, w: u + DECAY * w, updates, params), state

    update.__module__ = module
    return o.GradientTransformation(lambda _: (), update)


def test_a_planted_factor_of_two_is_found():
    links = (o.scale_by_adam(), o.add_decayed_weights(DECAY), twice(), o.scale(-LR))
    assert matrices(o.chain(*links)).factor == pytest.approx(2)
    told = decaycalc.inspect(o.chain(*links), o.PARAMS)
    assert told.figures.shrink == pytest.approx(2e-3)
    assert "cannot be read" in told.training.notes[0]


def opaque(factor):
    def update(updates, state, params=None):
        return o.tree_map(lambda u, w: -LR * (np.sign(u) + factor(w)), updates, params), state

    return o.GradientTransformation(lambda _: (), update)


def test_what_cannot_be_read_is_measured():
    found = matrices(opaque(lambda w: DECAY * w))
    assert (found.decay_per_step, found.own_weight_decay) == (pytest.approx(1e-3), None)
    assert (found.agreement.agrees, found.to_dict()["weight_decay"]) == (None, None)
    told = decaycalc.inspect(opaque(lambda w: DECAY * w), o.PARAMS)
    assert told.training.convention == "per-step-shrink"
    assert told.figures.shrink == pytest.approx(1e-3)


@pytest.mark.parametrize("optimizer", [
    lambda: opaque(lambda w: DECAY * w**3),
    lambda: o.chain(twice(), o.trace(0.9), o.scale(-LR)),
])  # fmt: skip
def test_where_there_is_no_share_none_is_claimed(optimizer):
    found = matrices(optimizer())
    assert found.decay_per_step is None
    told = decaycalc.inspect(optimizer(), o.PARAMS).training
    assert told.convention is None
    assert "decaycalc probe" in told.refusal


def test_a_decay_that_changes_with_the_count_has_no_one_share():
    def update(updates, state, params=None):
        return o.tree_map(lambda u, w: u - 1e-3 * (1 + state) * w, updates, params), state + 1

    assert matrices(o.GradientTransformation(lambda _: 0, update)).decay_per_step is None


def test_a_decay_of_zero_is_told_where_optaxs_links_have_none():
    told = decaycalc.inspect(o.sgd(LR), o.PARAMS)
    assert (told.training.value, told.figures.shrink, told.training.notes) == ("0", 0, ())
    hidden = o.chain(o.scale_by_novograd(DECAY), o.scale(-LR))
    found = decaycalc.inspect(hidden, o.PARAMS)
    assert found.figures.shrink == pytest.approx(1e-3)
    assert "cannot be read" in found.training.notes[0]
    probed = probe(o.sgd(LR), o.PARAMS)
    assert (probed.agrees, probed.groups[0].decay_per_step) == (True, 0)


def test_a_number_inside_one_function_is_read_and_a_refusal_is_told():
    found = matrices(o.prodigy(LR, DECAY))
    assert (found.own_weight_decay, found.lr) == (DECAY, LR)
    assert "step size" in found.agreement.reason
    needs = matrices(o.momo(LR, DECAY))
    assert "'value'" in needs.agreement.reason
    without = matrices(o.chain(o.momo(LR, DECAY), twice()))
    assert "'value'" in without.agreement.reason


class Signs:
    """A transformation whose update is a method."""

    def init(self, _):
        return ()

    def update(self, updates, state, _=None):
        return o.tree_map(np.sign, updates), state


def averaged(base):
    def update_fn(updates, state, params=None):
        return base.update(updates, state, params)

    return o.made(base.init, update_fn)


def test_methods_and_optimizers_within_others_are_stepped():
    signs = Signs()
    inner = o.with_extra_args_support(o.GradientTransformation(signs.init, signs.update))
    chain = o.chain(inner, o.add_decayed_weights(DECAY), o.scale(-LR))
    assert (matrices(chain).factor, matrices(chain).agreement.agrees) == (pytest.approx(1), None)
    held = matrices(averaged(adamw()))
    assert (held.own_weight_decay, held.decay_per_step) == (None, pytest.approx(1e-3))
    assert decaycalc.inspect(averaged(adamw()), o.PARAMS).figures.shrink == pytest.approx(1e-3)


def test_two_decays_in_a_chain_are_measured_as_one():
    links = (o.add_decayed_weights(DECAY), o.add_decayed_weights(DECAY), o.scale(-LR))
    found = matrices(o.chain(*links))
    assert (found.own_weight_decay, found.decay_per_step) == (None, pytest.approx(2e-3))


def test_bare_signs_hold_an_lr_of_one():
    found = matrices(o.chain(o.add_decayed_weights(DECAY), o.scale(-1)))
    assert (found.lr, found.factor) == (1, pytest.approx(1))
    assert matrices(o.chain(o.add_decayed_weights(DECAY))).own_weight_decay is None


def test_a_state_of_training_holds_its_optimizer_and_parameters():
    state = types.SimpleNamespace(tx=adamw(), params=o.PARAMS)
    assert probe(state).agrees is True
    assert len(decaycalc.inspect(state).training.tensors) == 2
    bare = types.SimpleNamespace(tx=adamw())
    assert decaycalc.inspect(bare).training.tensors == ()


def test_the_functions_of_the_users_optimizer_stay():
    optimizer = adamw()
    cells = [cell.cell_contents for cell in optimizer.update.__closure__]
    probe(optimizer, o.PARAMS)
    assert [cell.cell_contents for cell in optimizer.update.__closure__] == cells
    assert probe(optimizer, o.PARAMS).groups[0].lr == LR


def stateful(_):
    """Stand for a schedule with a state of its own."""


stateful.stateful = True


@pytest.mark.parametrize(
    ("optimizer", "params", "words"),
    [
        (adamw, {"a": object()}, "not an array"),
        (adamw, {}, "has no parameters"),
        (lambda: adamw(mask=lambda _: 1 / 0), o.PARAMS, "its mask fails: ZeroDivisionError"),
        (lambda: o.GradientTransformation(lambda _: 1 / 0, lambda *_: None), o.PARAMS,
         "cannot be stepped on a small copy: ZeroDivisionError"),
        (lambda: o.inject_hyperparams(o.adamw)(learning_rate=stateful), o.PARAMS,
         "cannot be stepped"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_in_one_line(optimizer, params, words):
    with pytest.raises(InvalidValueError, match=words):
        decaycalc.inspect(optimizer(), params)


def test_without_jax_or_optax_in_the_process(monkeypatch):
    monkeypatch.delitem(sys.modules, "optax")
    assert matrices(adamw()).agreement.reason == "the class is not in the catalogue"
    monkeypatch.delitem(sys.modules, "jax")
    with pytest.raises(InvalidValueError, match="no JAX is in the process"):
        probe(adamw(), o.PARAMS)


def test_the_command_says_what_is_exempt(module, capsys):
    name = module(make=lambda: (adamw(mask=mask), o.PARAMS))
    assert main(["probe", f"{name}:make"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("optax: scale_by_adam, add_decayed_weights, scale")
    assert "exempt" in out
    assert "optax-adamw agrees" in out


def test_a_bare_leaf_is_called_params():
    assert optax_like.read(adamw(), np.ones((2, 2))).leaves[0].name == "params"


def test_micro_steps_within_another_wrapper_are_seen_through():
    within = o.with_extra_args_support(o.MultiSteps(adamw()))
    told = decaycalc.inspect(within, o.PARAMS)
    assert told.training.convention == "optax-adamw"
    assert told.figures.shrink == pytest.approx(LR * DECAY)


def every_other_step(inner):
    """Return an optimizer that moves the weights in every other step, as MultiSteps does."""

    def update_fn(updates, state, params=None):
        count, held = state
        moved, held = inner.update(updates, held, params)
        still = count % 2 == 0
        return o.tree_map(lambda leaf: leaf * 0 if still else leaf, moved), (count + 1, held)

    return o.made(lambda params: (0, inner.init(params)), update_fn)


def test_a_step_that_goes_nowhere_says_nothing_of_the_decay():
    told = decaycalc.inspect(every_other_step(adamw()), o.PARAMS)
    assert told.figures.shrink is None
    frozen = o.made(
        lambda _: (), lambda updates, _, __=None: (o.tree_map(lambda g: g * 0, updates), ())
    )
    assert [group.weight_decay for group in decaycalc.inspect(frozen, o.PARAMS).groups] == [0]
