"""Literal conversions between frameworks, each known from a paper, an issue thread or by hand."""

import pytest

from decaycalc import convert
from decaycalc.conventions.run import Run
from decaycalc.conversion.plan import Match
from decaycalc.errors import MissingQuantityError, NoEquivalentError

CASES = [
    ("5e-4", "caffe", "keras-l2", {}, 0.00025),
    ("0.001", "mean-l2", "sum-l2", {"dataset_size": 60000}, 60.0),
    ("1e-4", "keras-l2", "sklearn-logistic", {"dataset_size": 200}, 25.0),
    ("0.01", "pytorch-adamw", "tfa-adamw", {"lr": "1e-3"}, 1e-05),
    ("5e-4", "pytorch-sgd", "keras-sgd", {"lr": "0.1", "momentum": "0.9"}, 0.005),
    # A sum over the data set, its mean, and Bengio's rule for the sum over a minibatch.
    ("1", "sum-half-l2", "pytorch-sgd", {"dataset_size": 50000}, 2e-05),
    ("5", "nielsen", "pytorch-sgd", {"dataset_size": 50000}, 1e-4),
    ("5", "ng", "per-step-factor", {"dataset_size": 50000, "lr": "0.5"}, 0.99995),
    ("1", "sum-l2", "batch-sum-l2", {"dataset_size": 50000, "batch_size": 128}, 0.00256),
    ("1e-4", "sklearn-mlp-sgd", "pytorch-sgd", {"batch_size": 200}, 5e-07),
    ("1e-4", "sklearn-mlp-lbfgs", "pytorch-sgd", {"dataset_size": 1000}, 1e-07),
    ("1e-4", "keras-l2", "pytorch-sgd", {}, 2e-4),
    ("1e-4", "tf-contrib-l2", "keras-l2", {}, 5e-05),
    ("1e-4", "tf-contrib-l2", "pytorch-sgd", {}, 1e-4),
    ("1", "prior-std", "pytorch-sgd", {"dataset_size": 50000}, 2e-05),
    ("5e-4", "pytorch-sgd", "prior-std", {"dataset_size": 50000}, 0.2),
    ("1e-4", "pytorch-sgd", "prior-std", {"dataset_size": 1281167}, 0.0883480825),
    ("5e-4", "mxnet-sgd", "tfa-sgdw", {"lr": "0.1"}, 5e-05),
    ("0.01", "pytorch-adamw", "composer-adamw", {"lr": "1e-3"}, 1e-05),
    ("0.01", "pytorch-adamw", "optimi-decoupled", {"lr": "1e-3"}, 1e-05),
    ("0.1", "pytorch-adamw", "composer-adamw", {"lr": "6e-4"}, 6e-05),
    ("1e-4", "big-vision", "optax-adamw", {"lr": "1e-3"}, 0.1),
    ("0.0005", "darknet", "pytorch-sgd", {}, 0.0005),
    ("0.3", "sklearn-logistic", "pytorch-sgd", {"dataset_size": 200}, 0.016666666666666666),
    ("0.3", "sklearn-logistic", "sklearn-sgd", {"dataset_size": 200}, 0.016666666666666666),
    ("1000", "nielsen", "pytorch-sgd", {"dataset_size": 50000}, 0.02),
    ("1e-4", "paddle-l2decay", "keras-l2", {}, 5e-05),
    ("5e-4", "yolov5", "pytorch-sgd", {"batch_size": 16}, 5e-4),
    ("5e-4", "yolov5", "pytorch-sgd", {"batch_size": 48}, 0.000375),
    ("5e-4", "yolov5", "pytorch-sgd", {"batch_size": 256}, 2e-3),
    ("1e-4", "pytorch-sgd", "theano-l2", {}, 5e-05),
    ("5e-4", "matconvnet", "cuda-convnet", {}, 5e-4),
    # Ridge sums unhalved errors, ElasticNet averages halved ones: Ridge(a) = ElasticNet(a/N).
    ("2", "sklearn-ridge", "statsmodels", {"dataset_size": 50}, 0.04),
    ("0.04", "statsmodels", "sklearn-ridge", {"dataset_size": 50}, 2.0),
    ("2", "sklearn-ridge", "pytorch-sgd", {"dataset_size": 50}, 0.08),
    ("9", "vw-bfgs", "vw-sgd", {"dataset_size": 24}, 0.375),
    ("7.3", "xgboost-gbtree", "mean-half-l2", {"extras": (("n_leaf", "12"),)}, 7.3 / 12),
    ("0.7", "glmnet-gaussian", "statsmodels", {"extras": (("target_std", "2"),)}, 0.35),
    ("1", "sklearn-elastic-net", "statsmodels", {}, 0.5),
    ("1", "sklearn-elastic-net", "statsmodels", {"extras": (("l1_ratio", "0"),)}, 1.0),
    # The same Lion decay as CLIP's AdamW: lr·λ is what counts.
    ("0.2", "pytorch-adamw", "per-step-shrink", {"lr": "2e-3"}, 4e-4),
    ("4e-4", "per-step-shrink", "lion-pytorch", {"lr": "2e-4"}, 2.0),
    # Multipliers of single tensors.
    ("0.004", "caffe", "pytorch-sgd", {"extras": (("decay_mult", "250"),)}, 1.0),
    ("0.07", "timm-adamp", "pytorch-adamw", {"lr": "1e-3"}, 7e-4),
    (
        "0.05",
        "timm-sgdp",
        "per-step-shrink",
        {"lr": "0.1", "extras": (("wd_ratio", "0.1"),)},
        0.005,
    ),
    ("0.01", "chainer-adamw", "tfa-adamw", {}, 0.01),
    ("0.01", "chainer-adamw", "tfa-adamw", {"extras": (("eta", "0.5"),)}, 0.005),
    ("1e-4", "modded-nanogpt-muon", "per-step-shrink", {"lr": "0.1"}, 3.7e-7),
]


@pytest.mark.parametrize(("number", "source", "target", "run", "expected"), CASES)
def test_a_known_conversion(number, source, target, run, expected):
    result = convert(number, source=source, target=target, run=Run(**run))
    assert result.value == pytest.approx(expected, rel=1e-7)


def test_sums_of_decimals_are_exact():
    assert convert("1e-4", source="sum-l2", target="keras-l2", run=Run(dataset_size=3)).value == (
        1e-4 / 3
    )
    assert convert("0.1", source="mean-l2", target="sum-l2", run=Run(dataset_size=3)).value == 0.3


def test_gals_dropout_number_is_the_code_s_keras_l2():
    extras = (("length_scale", "1e-2"), ("keep_probability", "0.95"))
    run = Run(dataset_size=455, extras=extras)
    result = convert("1", source="gal-dropout", target="keras-l2", run=run)
    assert result.value == pytest.approx(1e-4 * 0.95 / (2 * 455), rel=1e-12)


def test_the_adamw_papers_normalised_decay_is_that_of_its_code():
    run = Run(lr="1e-3", batch_size=128, dataset_size=50000, epochs=1500)
    result = convert("0.025", source="adamw-normalized", target="adamw-paper", run=run)
    assert result.value == pytest.approx(3.2660e-5, rel=1e-4)
    torch = convert("0.025", source="adamw-normalized", target="pytorch-adamw", run=run)
    assert torch.value == pytest.approx(0.03266, rel=1e-4)


def test_held_decay_differs_from_held_optimum_under_momentum():
    run = Run(lr="0.1", momentum="0.9")
    result = convert("5e-4", source="pytorch-sgd", target="keras-sgd", run=run, match=Match.DECAY)
    assert result.value == pytest.approx(0.0050227163210, rel=1e-9)


def test_keras_micro_steps_compound():
    run = Run(lr="0.1", grad_accum=3)
    first_order = convert("0.01", source="keras-sgd", target="keras-sgd-micro-step", run=run)
    assert first_order.value == pytest.approx(0.01 / 3, rel=1e-12)
    exact = convert(
        "0.01", source="keras-sgd", target="keras-sgd-micro-step", run=run, match=Match.DECAY
    )
    assert exact.value == pytest.approx(0.003334445062139757, rel=1e-12)


def test_torch7_dampens_by_the_momentum_unless_told_otherwise():
    run = Run(lr="0.1", momentum="0.9")
    shrink = convert("5e-4", source="torch7-sgd", target="per-step-shrink", run=run)
    assert shrink.value == pytest.approx(5e-5, rel=1e-12)
    assert dict(shrink.assumed) == {"dampening": 0.9}
    undampened = Run(lr="0.1", momentum="0.9", dampening=0)
    shrink = convert("5e-4", source="torch7-sgd", target="per-step-shrink", run=undampened)
    assert shrink.value == pytest.approx(5e-4, rel=1e-12)


def test_asgd_decays_by_its_lambd_too():
    run = Run(lr="0.1")
    assert convert("0", source="pytorch-asgd", target="pytorch-sgd", run=run).value == 1e-4
    with pytest.raises(NoEquivalentError, match="at 0 it decays more"):
        convert("0.00001", source="pytorch-sgd", target="pytorch-asgd", run=run)


def test_a_low_constructor_lr_breaks_composer():
    run = Run(lr="1e-3", extras=(("lr_initial", "1e-4"),))
    result = convert("1e-5", source="composer-adamw", target="pytorch-adamw", run=run)
    assert result.value == pytest.approx(0.1)
    assert result.formula == "weight_decay = weight_decay(composer-adamw)/lr_initial"


def test_optimi_counts_from_its_max_lr():
    run = Run(lr="1e-3", extras=(("lr_max", "2e-3"),))
    result = convert("1e-5", source="optimi-decoupled", target="per-step-shrink", run=run)
    assert result.value == pytest.approx(5e-6)


def test_a_tensors_lr_multiplier_becomes_its_lr():
    run = Run(lr="0.1", extras=(("lr_mult", "2"),))
    result = convert("5e-4", source="caffe", target="pytorch-sgd", run=run)
    assert (result.value, result.lr, result.equivalence) == (5e-4, 0.2, "same-optimum")
    assert result.condition == "exact at momentum 0"
    shrink = convert("5e-4", source="caffe", target="per-step-shrink", run=run)
    assert shrink.value == pytest.approx(1e-4)


FORMULAS = [
    ("keras-l2", "sklearn-logistic", "C = 1/(2·N·l2)"),
    ("caffe", "keras-l2", "l2 = weight_decay/2"),
    ("pytorch-adamw", "tfa-adamw", "weight_decay = lr·weight_decay(pytorch-adamw)"),
    ("keras-l2", "pytorch-sgd", "weight_decay = 2·l2"),
    ("mean-l2", "sum-l2", "lam = N·lam(mean-l2)"),
    ("sklearn-mlp-sgd", "pytorch-sgd", "weight_decay = alpha/B"),
    ("yolov5", "darknet", "decay = B_accumulated·weight_decay/nbs"),
    ("sklearn-ridge", "sklearn-elastic-net", "alpha = alpha(sklearn-ridge)/(N·(1 - l1_ratio))"),
]


@pytest.mark.parametrize(("source", "target", "formula"), FORMULAS)
def test_a_formula_needs_no_number(source, target, formula):
    result = convert(None, source=source, target=target)
    assert (result.value, result.formula) == (None, formula)


EQUIVALENCES = [
    ("caffe", "keras-l2", {}, "identical"),
    ("pytorch-sgd", "paddle-momentum", {"momentum": "0.9"}, "identical"),
    ("mxnet-sgd", "caffe", {"momentum": "0.9"}, "identical"),
    ("pytorch-sgd", "caffe", {"momentum": "0.9"}, "same-optimum"),
    ("pytorch-sgd", "keras-sgd", {"momentum": "0.9", "lr": "0.1"}, "same-optimum"),
    ("pytorch-sgd", "keras-sgd", {"lr": "0.1"}, "same-optimum"),
    ("pytorch-sgd", "keras-sgd", {"lr": "0.1", "momentum": 0}, "identical"),
    ("pytorch-adamw", "optax-adamw", {}, "identical"),
    ("pytorch-adamw", "keras-adam", {}, "identical"),
    ("pytorch-adamw", "composer-adamw", {"lr": "0.1"}, "identical"),
    ("pytorch-adamw", "tfa-adamw", {"lr": "0.1"}, "same-decay"),
    ("pytorch-adamw", "timm-corrected", {"lr": "0.1"}, "same-decay"),
    ("pytorch-adamw", "keras-lion", {"lr": "0.1"}, "same-decay"),
    ("pytorch-adamw", "mlx-adamw", {}, "same-decay"),
    ("pytorch-adamw", "hf-adamw-legacy", {}, "same-decay"),
    ("pytorch-adamw", "bitsandbytes-adamw", {}, "same-decay"),
    ("bitsandbytes-adam", "bitsandbytes-adamw", {}, "identical"),
    ("timm-adan", "timm-adanw", {"lr": "0.1"}, "same-decay"),
    ("pytorch-adam", "keras-l2", {}, "identical"),
    ("pytorch-adam", "paddle-adam", {}, "identical"),
    ("pytorch-adam", "pytorch-sgd", {}, "same-optimum"),
    ("sklearn-logistic", "liblinear", {}, "same-optimum"),
    ("sklearn-sgd", "pytorch-sgd", {}, "same-optimum"),
    ("pytorch-asgd", "pytorch-sgd", {"lr": "0.1"}, "same-optimum"),
]


@pytest.mark.parametrize(("source", "target", "run", "expected"), EQUIVALENCES)
def test_how_far_a_conversion_goes(source, target, run, expected):
    assert convert(None, source=source, target=target, run=Run(**run)).equivalence == expected


REFUSALS = [
    ("pytorch-adam", "pytorch-adamw", "adds the penalty to the gradient"),
    ("keras-lion", "optax-adam-l2", "shrinks the weight itself"),
    ("pytorch-adamw", "optax-lamb", "trust ratio"),
    ("torch-optimizer-sgdw", "pytorch-sgd", "a bug"),
    ("mlx-muon", "pytorch-muon", "throws its size away"),
    ("l2-norm", "mean-l2", "the norm's gradient"),
    ("schedule-free", "pytorch-adamw", "average"),
    ("prodigy", "pytorch-adamw", "step size d"),
    ("optax-decay-after-sgd", "optax-sgd", "grow"),
    ("keras-ftrl", "keras-sgd", "rebuilds"),
]


@pytest.mark.parametrize(("source", "target", "why"), REFUSALS)
def test_what_has_no_equivalent_is_refused_with_the_reason(source, target, why):
    with pytest.raises(NoEquivalentError, match=why):
        convert("0.01", source=source, target=target, run=Run(lr="1e-3"))


def test_asgd_takes_the_lr_that_a_summed_loss_asks_for():
    run = Run(lr="0.01", dataset_size=1000)
    result = convert("0.2", source="sum-half-l2", target="pytorch-asgd", run=run)
    assert result.lr == 10.0
    assert result.value == pytest.approx(0.2 / 1000 - 1e-4)
    there = convert(None, source="sum-half-l2", target="pytorch-asgd", run=Run(dataset_size=1000))
    assert there.value is None
    with pytest.raises(MissingQuantityError, match="lr"):
        convert("0.2", source="sum-half-l2", target="pytorch-asgd", run=Run(dataset_size=1000))
