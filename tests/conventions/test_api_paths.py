"""Names as they stand in code, and a framework's bare name."""

import pytest

from decaycalc.conventions.api_paths import _SEVERAL, _SPELT_OTHERWISE, key_of_path
from decaycalc.conventions.catalogue import conventions, find
from decaycalc.conventions.selection import select
from decaycalc.errors import UnknownNameError

KEYS = {convention.key for convention in conventions()}


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("torch.optim.SGD", "pytorch-sgd"),
        ("torch.optim.AdamW", "pytorch-adamw"),
        ("bitsandbytes-adamw8bit", "bitsandbytes-adamw"),
        ("bnb-paged-lion32bit", "bitsandbytes-lion"),
        ("came_pytorch.CAME", "came-pytorch"),
        ("muon.SingleDeviceMuon", "muon-keller"),
        ("schedulefree.RAdamScheduleFree", "schedule-free"),
        ("heavyball.HeavySOAP", "heavyball-soap"),
        ("torch.optim.adamw.AdamW(weight_decay=0.1)", "pytorch-adamw"),
        ("torch.optim.RMSprop", "pytorch-rmsprop"),
        ("keras.regularizers.L2", "keras-l2"),
        ("tf.keras.regularizers.l2(1e-4)", "keras-l2"),
        ("tensorflow.keras.optimizers.AdamW", "keras-adamw"),
        ("tfa.optimizers.SGDW", "tfa-sgdw"),
        ("tf.nn.l2_loss", "tf-l2-loss"),
        ("optax.adamw", "optax-adamw"),
        ("optax.lion", "optax-lion"),
        ("timm.optim.Lamb", "timm-lamb"),
        ("bitsandbytes.optim.AdamW8bit", "bitsandbytes-adamw"),
        ("apex.optimizers.FusedAdam", "apex-fused-adam"),
        ("lion_pytorch.Lion", "lion-pytorch"),
        ("transformers.Trainer", "hf-trainer"),
        ("transformers.Adafactor", "hf-adafactor"),
        ("sklearn.linear_model.LogisticRegression", "sklearn-logistic"),
        ("sklearn.linear_model.ElasticNet", "sklearn-elastic-net"),
        ("sklearn.svm.LinearSVC", "sklearn-linear-svc"),
        ("paddle.optimizer.Momentum", "paddle-momentum"),
        ("mlx.optimizers.Lion", "mlx-lion"),
        ("torch_optimizer.Yogi", "torch-optimizer-yogi"),
        ("bitsandbytes.optim.PagedAdamW32bit", "bitsandbytes-adamw"),
        ("torchao.optim.AdamW4bit", "torchao-adamw4bit"),
        ("tf.contrib.layers.l2_regularizer", "tf-slim-l2"),
        ("lasagne.regularization.l2", "lasagne-l2"),
        ("composer.optim.DecoupledAdamW", "composer-adamw"),
        ("Flux.WeightDecay", "flux-weight-decay"),
        ("sklearn.linear_model.RidgeCV", "sklearn-ridge"),
        ("sklearn.kernel_ridge.KernelRidge", "sklearn-ridge"),
        ("pyspark.ml.classification.LogisticRegression", "spark-logistic"),
    ],
)
def test_a_path_out_of_code_is_a_name(path, key):
    assert find(path).key == key


@pytest.mark.parametrize("path", ["torch.optim.Nothing", "numpy.sum", "a.b", "1e.5", "."])
def test_a_path_to_something_else_is_unknown(path):
    with pytest.raises(UnknownNameError, match="unknown convention"):
        find(path)


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("sklearn.neural_network.MLPClassifier", "sklearn-mlp-adam sklearn-mlp-sgd"),
        ("optax.add_decayed_weights", "optax-sgd optax-decay-after-lr"),
        ("keras.regularizers.L1L2(l2=1e-4)", "keras-l2"),
    ],
)
def test_a_path_to_what_several_keys_are_of_lists_them(path, keys):
    with pytest.raises(UnknownNameError, match="shows one whole") as caught:
        find(path)
    assert list(caught.value.suggestions)[: len(keys.split())] == keys.split()


def test_every_class_that_several_keys_are_of_has_keys_of_the_catalogue():
    assert {key for keys in _SEVERAL.values() for key in keys} <= KEYS


def test_every_class_that_is_spelt_otherwise_has_a_key_of_the_catalogue():
    for (package, name), key in _SPELT_OTHERWISE.items():
        assert key in KEYS
        assert key_of_path(f"{package}.x.{name}", KEYS) == key


@pytest.mark.parametrize("name", ["pytorch", "Keras", "optax", "sklearn", "timm"])
def test_a_frameworks_bare_name_lists_its_common_keys(name):
    with pytest.raises(UnknownNameError) as caught:
        find(name)
    own = [c for c in conventions() if c.key.startswith(f"{name.lower()}-")]
    common = {c.key for c in own if c.common}
    assert set(caught.value.suggestions) >= common or common > set(caught.value.suggestions)
    assert str(caught.value).endswith(
        f"('decaycalc conventions --framework {name.lower()}' lists all {len(own)})"
    )


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("torch", "pytorch-sgd"),
        ("JAX", "optax-adamw"),
        ("scikit_learn", "sklearn-logistic"),
        ("tensorflow", "keras-l2"),
        ("Hugging_Face", "hf-trainer"),
    ],
)
def test_a_frameworks_other_name_is_answered_as_its_own(name, key):
    with pytest.raises(UnknownNameError) as caught:
        find(name)
    assert caught.value.suggestions[0] == key
    assert key in {convention.key for convention in select(framework=name)}
