"""Names that people copy out of code, `torch.optim.SGD`, and what they call a framework."""

from collections.abc import Iterable

# How keys begin, by the package that a path starts with.
_PACKAGES = {
    "apex": "apex", "bitsandbytes": "bitsandbytes", "bnb": "bitsandbytes", "catboost": "catboost",
    "chainer": "chainer", "composer": "composer", "deepspeed": "deepspeed", "fairseq": "fairseq",
    "fastai": "fastai", "flax": "flax", "haiku": "haiku", "heavyball": "heavyball", "hk": "haiku",
    "jittor": "jittor", "jt": "jittor", "keras": "keras", "lightgbm": "lightgbm",
    "mindspore": "mindspore", "mlx": "mlx", "mx": "mxnet", "mxnet": "mxnet", "oneflow": "oneflow",
    "optax": "optax", "optimi": "optimi", "paddle": "paddle",
    "pytorch-optimizer": "pytorch-optimizer", "sklearn": "sklearn", "tensorflow": "keras",
    "tensorflow-addons": "tfa", "tf": "keras", "tf-keras": "keras", "tfa": "tfa",
    "timm": "timm", "tinygrad": "tinygrad", "torch": "pytorch",
    "torch-optimizer": "torch-optimizer", "transformers": "hf", "xgboost": "xgboost",
}  # fmt: skip
# How keys begin, by a framework's other names, as people say them alone.
_FRAMEWORKS = {
    "hugging-face": "hf", "huggingface": "hf", "jax": "optax", "scikit": "sklearn",
    "scikit-learn": "sklearn", "tensorflow": "keras", "torch": "pytorch", "transformers": "hf",
}  # fmt: skip
# Classes whose keys are not spelt as they are, by package and class.
_SPELT_OTHERWISE = {
    ("adan-pytorch", "adan"): "adan-pytorch",
    ("deepspeed", "deepspeedcpuadam"): "deepspeed-adam",
    ("deepspeed", "fusedadam"): "deepspeed-adam",
    ("lion-pytorch", "lion"): "lion-pytorch",
    ("prodigyopt", "prodigy"): "prodigy",
    ("sklearn", "gammaregressor"): "sklearn-glm",
    ("sklearn", "huberregressor"): "sklearn-huber",
    ("sklearn", "linearsvr"): "sklearn-linear-svc",
    ("sklearn", "logisticregression"): "sklearn-logistic",
    ("sklearn", "logisticregressioncv"): "sklearn-logistic",
    ("sklearn", "poissonregressor"): "sklearn-glm",
    ("sklearn", "ridgeclassifier"): "sklearn-ridge",
    ("sklearn", "sgdclassifier"): "sklearn-sgd",
    ("sklearn", "sgdregressor"): "sklearn-sgd",
    ("sklearn", "svr"): "sklearn-svc",
    ("sklearn", "tweedieregressor"): "sklearn-glm",
    ("tensorflow", "l2-loss"): "tf-l2-loss",
    ("tf", "l2-loss"): "tf-l2-loss",
    ("transformers", "seq2seqtrainer"): "hf-trainer",
    ("transformers", "trainer"): "hf-trainer",
    ("transformers", "trainingarguments"): "hf-trainer",
}


def first_word(framework: str) -> str:
    """Return how a framework's keys begin, by any name that people give it.

    >>> first_word("scikit-learn"), first_word("Keras")
    ('sklearn', 'keras')
    """
    name = framework.strip().lower().replace("_", "-")
    return _FRAMEWORKS.get(name, name)


def is_path(name: str) -> bool:
    """Return whether a name, in lower case with hyphens, is a dotted path."""
    return "." in name.partition("(")[0]


def key_of_path(name: str, keys: Iterable[str]) -> str | None:
    """Return the key that a dotted path names, None where it names none.

    `name` is in lower case, its underscores are hyphens; what stands in parentheses is left out.

    >>> key_of_path("torch.optim.adamw", ["keras-adamw", "pytorch-adamw"])
    'pytorch-adamw'
    >>> key_of_path("tf.keras.regularizers.l2(1e-4)", ["keras-l2"])
    'keras-l2'
    """
    package, *_, last = name.partition("(")[0].split(".")
    known = set(keys)
    spelt = _SPELT_OTHERWISE.get((package, last))
    if spelt in known:
        return spelt
    start = _PACKAGES.get(package)
    if start is None:
        return None
    wanted = _squeezed(f"{start}-{last}")
    return next((key for key in sorted(known) if _squeezed(key) == wanted), None)


def _squeezed(name: str) -> str:
    return name.replace("-", "").removesuffix("8bit")
