"""What measure.py measures of code on no registry: files of a repository, executed as they are.

DECAYCALC_SOURCES is a folder of checkouts, owner/name each; a measurement names their commit.
"""

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from unittest.mock import MagicMock

import numpy as np

os.environ.setdefault("TORCHDYNAMO_DISABLE", "1")  # what compiles itself for a GPU runs as written

LR, VALUE = 0.0173, 0.037
START = np.random.default_rng(7).normal(size=(4, 3)).astype("float32")


def loaded(package, path, **stand_ins):
    """Return a file of a checkout as a module; `stand_ins` replace what it would import."""
    for name, attributes in stand_ins.items():
        stand_in = ModuleType(name.replace("__", "."))
        stand_in.__dict__.update(attributes)
        sys.modules.setdefault(stand_in.__name__, stand_in)
    file = Path(os.environ["DECAYCALC_SOURCES"]) / package / path
    spec = importlib.util.spec_from_file_location(f"source_{file.stem}", file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def followed(build, shape=(4, 3)):
    """Return the measurement of what `build` makes of a list of weights and a number."""

    def measure(gradients=None, value=VALUE):
        import torch
        from measure import follow

        torch.manual_seed(0)
        weight = torch.nn.Parameter(torch.tensor(START.reshape(shape)))
        return follow(build([weight], value), weight, gradients)

    return measure


def of_file(package, path, name, **fixed):
    """Return the measurement of a class with torch's interface in a file of a checkout."""

    def build(weights, value):
        found = getattr(loaded(package, path), name)
        return found(weights, lr=LR, weight_decay=value, **fixed)

    return followed(build)


def nanochat(kind, **fixed):
    """Return the measurement of one kind of group of nanochat's optimizer."""

    def build(weights, value):
        import torch

        stand_in = {"COMPUTE_DTYPE": torch.float32}
        module = loaded(
            "karpathy/nanochat", "nanochat/optim.py", nanochat={}, nanochat__common=stand_in
        )
        group = {"params": weights, "kind": kind, "lr": LR, "weight_decay": value, **fixed}
        return module.MuonAdamW([group])

    return followed(build, shape=(3, 4))  # a tall matrix has a larger lr, its decay too


def verl(weights, value):
    """Return what verl builds of its own configuration."""
    stand_ins = {
        "omegaconf": {"MISSING": "???"},
        "verl": {},
        "verl__base_config": {"BaseConfig": object},
    }
    module = loaded("volcengine/verl", "verl/workers/config/optimizer.py", **stand_ins)
    return module.build_optimizer(weights, module.FSDPOptimizerConfig(lr=LR, weight_decay=value))


def llama_factory_muon(weights, value):
    """Return LLaMA-Factory's Muon."""
    path = "src/llamafactory/third_party/muon/muon.py"
    return loaded("hiyouga/LLaMA-Factory", path).Muon(lr=LR, wd=value, muon_params=weights)


def llm_foundry_lion(weights, value):
    """Return llm-foundry's DecoupledLionW."""
    path = "llmfoundry/optim/lion.py"
    module = loaded("mosaicml/llm-foundry", path, composer={}, composer__utils={"dist": None})
    return module.DecoupledLionW(weights, lr=LR, weight_decay=value, betas=(0.9, 0.99))


def olmo_core(name, path):
    """Return the builder of one of OLMo-core's optimizers, its own package around it."""

    def build(weights, value):
        sys.path.insert(0, str(Path(os.environ["DECAYCALC_SOURCES"]) / "allenai/OLMo-core/src"))
        module = importlib.import_module(f"olmo_core.optim.{path}")
        return getattr(module, name)(weights, lr=LR, weight_decay=value)

    return build


def emerging(method):
    """Return the builder of a plain step with Emerging-Optimizers' mixin before it."""

    def build(weights, value):
        import torch

        path = "emerging_optimizers/mixin.py"
        mixin = loaded("NVIDIA-NeMo/Emerging-Optimizers", path).WeightDecayMixin

        class Plain(mixin, torch.optim.SGD):
            weight_decay_method = method

            @torch.no_grad()
            def step(self):
                for w in weights:
                    self._apply_weight_decay_inplace(w, w.grad, LR, value)
                super().step()

        return Plain(weights, lr=LR)

    return build


def deepspeed_muon(weights, value):
    """Return DeepSpeed's Muon for one device."""

    class Accelerator:
        def __getattr__(self, _):
            return lambda *_: False

    module = loaded(
        "deepspeedai/DeepSpeed",
        "deepspeed/runtime/zero/muon/original_muon.py",
        deepspeed={},
        deepspeed__comm={},
        deepspeed__runtime={"compiler": SimpleNamespace(compile=lambda *_, **__: lambda f: f)},
        deepspeed__accelerator={"get_accelerator": Accelerator},
    )
    return module.SingleDeviceMuon(weights, lr=LR, weight_decay=value, ns_method="standard")


def dion(path, name, **fixed):
    """Return the builder of one of microsoft/dion's optimizers, without a mesh of devices."""

    def build(weights, value):
        for part in ("triton", "triton.language"):  # its kernels are not called on the CPU
            sys.modules.setdefault(part, MagicMock())
        sys.path.insert(0, str(Path(os.environ["DECAYCALC_SOURCES"]) / "microsoft/dion"))
        module = importlib.import_module(f"dion.{path}")
        return getattr(module, name)(weights, lr=LR, weight_decay=value, **fixed)

    return build


def bert_adamw(gradients=None, value=VALUE):
    """Return the weights after each step of BERT's own optimizer, in a graph of TensorFlow 1."""
    import tensorflow.compat.v1 as tf
    from measure_frameworks import walked

    tf.disable_eager_execution()
    tf.reset_default_graph()
    sys.modules["tensorflow"] = tf
    module = loaded("google-research/bert", "optimization.py")
    weight = tf.get_variable("w", initializer=START)
    gradient = tf.placeholder(tf.float32, START.shape)
    optimizer = module.AdamWeightDecayOptimizer(LR, weight_decay_rate=value)
    step = optimizer.apply_gradients([(gradient, weight)])
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return walked(
            lambda found: session.run(step, {gradient: found}),
            lambda: session.run(weight).astype(float),
        )(gradients)


MUON = {"momentum": 0.95, "ns_steps": 5, "beta2": 0.9}
SOURCES = {
    "muon-keller": (
        "KellerJordan/Muon",
        "857d1ad",
        of_file("KellerJordan/Muon", "muon.py", "SingleDeviceMuon"),
    ),
    "bert-adamw": ("google-research/bert", "eedf571", bert_adamw),
    "nanochat-muon": ("karpathy/nanochat", "92d63d4", nanochat("muon", **MUON)),
    "nanochat-adamw": (
        "karpathy/nanochat",
        "92d63d4",
        nanochat("adamw", betas=(0.9, 0.999), eps=1e-8),
    ),
    "verl": ("volcengine/verl", "b178a3c", followed(verl)),
    "llamafactory-muon": ("hiyouga/LLaMA-Factory", "ff6d4d1", followed(llama_factory_muon)),
    "llm-foundry-lion": ("mosaicml/llm-foundry", "8c8dd48", followed(llm_foundry_lion)),
    "deepspeed-muon": ("deepspeedai/DeepSpeed", "edaa722", followed(deepspeed_muon)),
    "olmo-core-skipstep-adamw": (
        "allenai/OLMo-core",
        "fa6c501",
        followed(olmo_core("SkipStepAdamW", "adamw")),
    ),
    "olmo-core-lion": ("allenai/OLMo-core", "fa6c501", followed(olmo_core("Lion", "lion"))),
    **{
        f"emerging-optimizers-{name}": (
            "NVIDIA-NeMo/Emerging-Optimizers",
            "fd77292",
            followed(emerging(name)),
        )
        for name in ("decoupled", "independent", "l2", "palm")
    },
    **{
        f"dion-{key}": ("microsoft/dion", "0a059a4", followed(dion(path, name, **fixed)))
        for key, path, name, fixed in (
            ("muon", "muon", "Muon", {}),
            ("muon-cautious", "muon", "Muon", {"cautious_wd": True}),
            ("normuon", "normuon", "NorMuon", {}),
            ("dion2", "dion2", "Dion2", {}),
            ("nordion2", "nordion2", "NorDion2", {}),
        )
    },
    "dion": ("microsoft/dion", "0a059a4", followed(dion("dion", "Dion"))),
}
"""Key to repository, the commit that it holds for, and the measurement."""
