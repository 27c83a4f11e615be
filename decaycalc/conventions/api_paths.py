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
    "hugging-face": "hf", "huggingface": "hf", "jax": "optax", "lightning": "pytorch",
    "pt": "pytorch", "pytorch-lightning": "pytorch", "scikit": "sklearn",
    "scikit-learn": "sklearn", "tensorflow": "keras", "torch": "pytorch", "transformers": "hf",
}  # fmt: skip
# Classes whose keys are not spelt as they are, by package and class.
_SPELT_OTHERWISE = {
    ("adabelief-pytorch", "adabelief"): "adabelief-pytorch",
    ("adam-mini", "adam-mini"): "adam-mini",
    ("adan-pytorch", "adan"): "adan-pytorch",
    ("came-pytorch", "came"): "came-pytorch",
    ("dadaptation", "dadaptadam"): "dadaptation",
    ("deepspeed", "deepspeedcpuadam"): "deepspeed-adam",
    ("deepspeed", "fusedadam"): "deepspeed-adam",
    ("fairseq", "fairseqadam"): "fairseq-adam",
    ("fastai", "adam"): "fastai",
    ("glmnet", "elasticnet"): "glmnet-gaussian",
    ("glmnet", "logitnet"): "glmnet-binomial",
    ("lightgbm", "lgbmclassifier"): "lightgbm",
    ("lightgbm", "lgbmregressor"): "lightgbm",
    ("dion", "dion"): "dion",
    ("lion-pytorch", "lion"): "lion-pytorch",
    ("muon", "muon"): "muon-keller",
    ("muon", "muonwithauxadam"): "muon-keller",
    ("muon", "singledevicemuon"): "muon-keller",
    ("muon", "singledevicemuonwithauxadam"): "muon-keller",
    ("prodigyopt", "prodigy"): "prodigy",
    ("pyspark", "linearregression"): "spark-linear",
    ("pyspark", "linearsvc"): "spark-linear-svc",
    ("pyspark", "logisticregression"): "spark-logistic",
    ("schedulefree", "adamwschedulefree"): "schedule-free",
    ("schedulefree", "radamschedulefree"): "schedule-free",
    ("schedulefree", "sgdschedulefree"): "schedule-free",
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
    ("slim", "l2-regularizer"): "tf-slim-l2",
    ("tensorflow", "l2-loss"): "tf-l2-loss",
    ("tf", "l2-loss"): "tf-l2-loss",
    ("tf", "l2-regularizer"): "tf-slim-l2",
    ("tf-slim", "l2-regularizer"): "tf-slim-l2",
    ("transformers", "adamweightdecay"): "hf-tf-adamw",
    ("transformers", "seq2seqtrainer"): "hf-trainer",
    ("transformers", "trainer"): "hf-trainer",
    ("transformers", "trainingarguments"): "hf-trainer",
}
# Classes that several keys are of, by what they are given; the usual one first.
_MLP = ("sklearn-mlp-adam", "sklearn-mlp-sgd", "sklearn-mlp-lbfgs")
_SEVERAL = {
    ("keras", "l1l2"): ("keras-l2",),
    ("optax", "add-decayed-weights"): ("optax-sgd", "optax-decay-after-lr"),
    ("sklearn", "mlpclassifier"): _MLP,
    ("sklearn", "mlpregressor"): _MLP,
    ("timm", "create-optimizer-v2"): ("timm-adamw", "timm-sgd", "timm-lamb"),
    ("xgboost", "xgbclassifier"): ("xgboost-gbtree", "xgboost-gblinear"),
    ("xgboost", "xgbregressor"): ("xgboost-gbtree", "xgboost-gblinear"),
}


def first_word(framework: str) -> str:
    """Return how a framework's keys begin, by any name that people give it.

    >>> first_word("scikit-learn"), first_word("Keras")
    ('sklearn', 'keras')
    """
    name = framework.strip().lower().replace("_", "-")
    return _FRAMEWORKS.get(name, name)


def framework_word(word: str) -> str:
    """Return a word of a name as keys have it, where it is another name of a framework's.

    >>> framework_word("torch"), framework_word("bnb"), framework_word("adamw")
    ('pytorch', 'bitsandbytes', 'adamw')
    """
    return {**_PACKAGES, **_FRAMEWORKS}.get(word, word)


def is_path(name: str) -> bool:
    """Return whether a name, in lower case with hyphens, is a dotted path."""
    return "." in name.partition("(")[0]


def _package_and_class(name: str) -> tuple[str, str]:
    package, *_, last = name.partition("(")[0].split(".")
    return package, last


def is_stored_otherwise(name: str) -> bool:
    """Return whether a key is a bitsandbytes class's, which may say how its states are stored.

    >>> is_stored_otherwise("bitsandbytes-adamw8bit")
    True
    """
    return name.startswith(("bitsandbytes-", "bnb-"))


def keys_of_path(name: str) -> tuple[str, ...]:
    """Return the keys that a dotted path may mean where it means several, the usual one first.

    >>> keys_of_path("optax.add-decayed-weights")
    ('optax-sgd', 'optax-decay-after-lr')
    """
    return _SEVERAL.get(_package_and_class(name), ()) if is_path(name) else ()


def key_of_path(name: str, names: Iterable[str]) -> str | None:
    """Return the key or alias that a dotted path names, None where it names none.

    `name` is in lower case, its underscores are hyphens; what stands in parentheses is left out.

    >>> key_of_path("torch.optim.adamw", ["keras-adamw", "pytorch-adamw"])
    'pytorch-adamw'
    >>> key_of_path("tf.keras.regularizers.l2(1e-4)", ["keras-l2"])
    'keras-l2'
    """
    package, last = _package_and_class(name)
    known = set(names)
    spelt = _SPELT_OTHERWISE.get((package, last))
    if spelt in known:
        return spelt
    wanted = f"{_PACKAGES.get(package, package)}-{last}"
    alike = [each for each in sorted(known) if _without_bits(each) == _without_bits(wanted)]
    exact = (each for each in alike if _squeezed(each) == _squeezed(wanted))
    return next(exact, alike[0] if alike else None)


def _squeezed(name: str) -> str:
    return name.replace("-", "")


def _without_bits(name: str) -> str:
    """Return a name without what bitsandbytes' classes say of their states' storage."""
    return _squeezed(name).removesuffix("8bit").removesuffix("32bit").replace("paged", "")
