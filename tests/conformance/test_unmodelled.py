"""Decays that only gradients bring about, and what their optimizers take off beside them."""

import numpy as np
import pytest

from decaycalc.conventions.catalogue import find
from decaycalc.verification.rules.rule import State, parse_rule

LR, VALUE = 0.0173, 0.037
RANDOM = np.random.default_rng(11)
START, GRADIENT = RANDOM.normal(size=(2, 4, 3))


def test_pytorch_optimizers_ranger21_decays_by_the_variance_of_all_gradients():
    torch = pytest.importorskip("torch")
    package = pytest.importorskip("pytorch_optimizer")

    def stepped(value):
        weight = torch.nn.Parameter(torch.tensor(START))
        weight.grad = torch.tensor(GRADIENT)
        package.Ranger21(
            [weight], num_iterations=100, lr=LR, weight_decay=value, disable_lr_scheduler=True,
            centralize_gradients=False, normalize_gradients=False, agc_clipping_value=1e6,
            norm_loss_factor=0.0,
        ).step()  # fmt: skip
        return weight.detach().numpy()

    rule = find("pytorch-optimizer-ranger21").update.replace("unmodelled(g)", "0*g")
    names = {"lr": LR, "weight_decay": VALUE}
    decayed = parse_rule(rule).step(State(), START, GRADIENT, names=names)
    assert stepped(VALUE) - stepped(0.0) == pytest.approx(decayed - START, rel=1e-9)


@pytest.mark.parametrize("name", ["prodigy", "dadapt_adamw"])
@pytest.mark.parametrize("estimate", [0.1, 1.0])
def test_optax_prodigy_decays_by_lr_times_its_own_estimate_and_adams_correction(name, estimate):
    jax = pytest.importorskip("jax")
    optax = pytest.importorskip("optax")

    def stepped(value):
        settings = {"learning_rate": LR, "weight_decay": value, "estim_lr0": estimate}
        transform = getattr(optax.contrib, name)(**settings)
        weight = jax.numpy.asarray(START)
        updates, _ = transform.update(GRADIENT, transform.init(weight), weight)
        return np.asarray(updates)

    text = find("optax-prodigy").update.removeprefix("d = unmodelled(g); ")
    rule = parse_rule(text.replace("unmodelled(g)", "0*g"))
    names = {"lr": LR, "weight_decay": VALUE, "d": estimate}
    decayed = rule.step(State(), START, GRADIENT, names=names)
    assert stepped(VALUE) - stepped(0.0) == pytest.approx(decayed - START, rel=1e-3)
    assert find("optax-prodigy").monomial is None
