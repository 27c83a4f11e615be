"""What measure.py measures of training stacks: what their own builders make of one weight.

DECAYCALC_SOURCES is a folder of checkouts, as for measure_sources.py.
"""

import importlib.util
import os
import sys
import tempfile
from functools import cache
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import numpy as np
from measure_sources import loaded

LR, VALUE = 0.0173, 0.037
START = np.random.default_rng(7).normal(size=(4, 3)).astype("float32")
BETAS, EPS = (0.9, 0.999), 1e-8


class Absent(MetaPathFinder, Loader):
    """A finder of what a stack imports and its optimizers do not use: mocks of those names."""

    def __init__(self, *names):
        """Stand in for modules of these names and all under them."""
        self.names = names

    def find_spec(self, name, *_):
        """Return the specification of a mock, where the name is one of ours."""
        ours = any(name == each or name.startswith(f"{each}.") for each in self.names)
        return ModuleSpec(name, self, is_package=True) if ours else None

    def create_module(self, spec):
        """Return the mock."""
        module = MagicMock(name=spec.name)
        module.__path__, module.__spec__ = [], spec
        return module

    def exec_module(self, module):
        """Leave the mock as it is."""


def package(checkout, name, *absent):
    """Return a module of a checkout's own package, mocks standing in for what is absent."""
    sys.path.insert(0, str(Path(os.environ.get("DECAYCALC_SOURCES", ".")) / checkout))
    sys.meta_path.insert(0, Absent(*absent))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.pop(0)
        sys.meta_path.pop(0)


def built(build, shape=(4, 3), value=VALUE, **names):
    """Return the measurement of the optimizer that `build` makes of a model and a number."""

    def measure(gradients=None, value=value):
        import torch
        from measure import follow

        torch.manual_seed(0)
        model = torch.nn.Linear(shape[1], shape[0], bias=False)
        model.weight.data.copy_(torch.tensor(START.reshape(shape)))
        return follow(build(model, value), model.weight, gradients)

    measure.names, measure.value = names, value
    return measure


def nanogpt(checkout):
    """Return the builder that nanoGPT's model has."""

    def build(model, value):
        model.config = SimpleNamespace(mup_enabled=False)
        configure = loaded(checkout, "model.py").GPT.configure_optimizers
        return configure(model, value, LR, BETAS, "cpu")

    return build


def open_clip(model, value):
    """Return what open_clip's trainer builds."""
    module = package(
        "mlfoundations/open_clip/src",
        "open_clip_train.optim",
        "open_clip", "timm", "wandb", "webdataset", "braceexpand",
    )  # fmt: skip
    module.unwrap_model = lambda found: found
    settings = module.OptimizerCfg(lr=LR, weight_decay=value, beta1=0.9, beta2=0.999, eps=EPS)
    return module.create_optimizer(model, settings)


def torchtitan(model, value):
    """Return what torchtitan's container builds of its own default."""
    module = package(
        "pytorch/torchtitan", "torchtitan.components.optimizer.optimizer", "tyro", "spmd_types"
    )
    settings = module.default_adamw(LR, weight_decay=value, betas=BETAS, eps=EPS)
    settings.implementation = "for-loop"
    return settings.build(model_parts=[model])


def detectron2(model, value):
    """Return what detectron2's solver builds of its configuration."""
    module = package(
        "facebookresearch/detectron2",
        "detectron2.solver.build",
        "fvcore", "detectron2.config", "detectron2.utils", "detectron2.solver.lr_scheduler",
    )  # fmt: skip
    module.TORCH_VERSION = (2, 0)
    solver = SimpleNamespace(
        BASE_LR=LR, WEIGHT_DECAY=value, WEIGHT_DECAY_NORM=0.0, BIAS_LR_FACTOR=1.0,
        WEIGHT_DECAY_BIAS=None, MOMENTUM=0.9, NESTEROV=False,
        CLIP_GRADIENTS=SimpleNamespace(ENABLED=False),
    )  # fmt: skip
    return module.build_optimizer(SimpleNamespace(SOLVER=solver), model)


def mmengine(model, value):
    """Return what mmengine builds of a configuration."""
    from mmengine.optim import build_optim_wrapper

    settings = {"type": "SGD", "lr": LR, "momentum": 0.9, "weight_decay": value}
    return build_optim_wrapper(model, {"type": "OptimWrapper", "optimizer": settings}).optimizer


def scion(model, value):
    """Return Scion; its decay is lr itself, where the updates are constrained."""
    found = loaded("LIONS-EPFL/scion", "scion.py").Scion
    return found([model.weight], lr=LR, norm="Sign", unconstrained=value == 0.0)


def deepspeed_cpu_adam(model, value):
    """Return DeepSpeed's Adam, compiled for this machine."""
    from deepspeed.ops.adam import DeepSpeedCPUAdam

    return DeepSpeedCPUAdam(
        [model.weight], lr=LR, betas=BETAS, eps=EPS, weight_decay=value, adamw_mode=True
    )


def deepspeed_cpu_lion(model, value):
    """Return DeepSpeed's Lion, compiled for this machine."""
    from deepspeed.ops.lion import DeepSpeedCPULion

    return DeepSpeedCPULion([model.weight], lr=LR, betas=(0.9, 0.99), weight_decay=value)


def deepspeed_muadamw(model, value):
    """Return what DeepSpeed's engine makes of `"type": "MuAdamW"`, at the base width."""
    import mup
    from deepspeed.runtime.engine import DeepSpeedEngine

    mup.set_base_shapes(model, model, rescale_params=False)
    engine = MagicMock()
    engine.optimizer_params.return_value = {
        "lr": LR, "weight_decay": value, "betas": BETAS, "eps": EPS,
    }  # fmt: skip
    engine.optimizer_name.return_value = "muadamw"
    return DeepSpeedEngine._configure_basic_optimizer(engine, [model.weight])


@cache
def kernel_of_colossalai():
    """Let ColossalAI's own builder compile its kernel for this machine without CUDA's compiler.

    The kernel includes CUDA's headers, which NVIDIA's packages cuda-runtime, cuda-nvcc and
    cuda-cccl bring, and calls nothing of cuBLAS, for whose header an empty file stands in.
    """
    import nvidia

    root = "colossalai.kernel.extensions"
    kernel = importlib.import_module(f"{root}.pybind.cpu_adam").CpuAdamX86Extension
    builder = importlib.import_module(f"{root}.cpp_extension")._CppExtension
    empty = Path(tempfile.mkdtemp())
    (empty / "cublas_v2.h").touch()
    headers = [empty, *(each for part in nvidia.__path__ for each in Path(part).glob("*/include"))]
    folders = [*builder.include_dirs(kernel()), *map(str, headers)]
    kernel.is_available = lambda _: True
    kernel.assert_compatible = lambda _: None
    kernel.include_dirs = lambda _: folders
    kernel.build_jit = builder.build_jit


def colossalai(model, value):
    """Return ColossalAI's HybridAdam, on this machine its CPUAdam; FusedAdam needs a GPU."""
    found = package("", "colossalai.nn.optimizer", "peft", "transformers").HybridAdam
    kernel_of_colossalai()
    return found([model.weight], lr=LR, betas=BETAS, eps=EPS, weight_decay=value)


def flashoptim(name, **fixed):
    """Return the builder of one of flashoptim's optimizers, uncompressed."""

    def build(model, value):
        import flashoptim as package

        return getattr(package, name)(
            [model.weight],
            lr=LR,
            weight_decay=value,
            quantize=False,
            fused=False,
            master_weight_bits=None,
            **fixed,
        )

    return build


def kozistr(name, groups, **fixed):
    """Return the builder of one of pytorch_optimizer's."""

    def build(model, value):
        import pytorch_optimizer

        found = getattr(pytorch_optimizer, name)
        group = {"params": [model.weight], **groups}
        return found([group], lr=LR, weight_decay=value, **fixed)

    return build


def adalomo(model, value):
    """Return pytorch_optimizer's AdaLOMO, which steps within the backward pass of a model."""
    import pytorch_optimizer

    found = pytorch_optimizer.AdaLOMO(model, lr=LR, weight_decay=value)

    class Stepped:
        def step(self):
            loss = (model.weight * model.weight.grad.clone()).sum()
            model.weight.grad = None
            found.fused_backward(loss, LR)

    return Stepped()


def muon_of_olmo_core(name):
    """Return the builder of what a configuration of OLMo-core makes of Dion's package."""

    def build(model, value):
        import torch._dynamo  # noqa: F401 - it looks for triton, which is not called on the CPU

        package("microsoft/dion", "dion", "triton")
        module = package("allenai/OLMo-core/src", f"olmo_core.optim.{name.lower()}")
        settings = getattr(module, f"{name}Config")(lr=LR, weight_decay=value)
        type(settings).build_groups = lambda *_, **__: [model.weight]
        return settings.build(model)

    return build


MOMENTUM = {"momentum": 0.9}
STACKS = {
    "nanogpt": ("karpathy/nanoGPT", "3adf61e", built(nanogpt("karpathy/nanoGPT"))),
    "nanogpt-mup": ("EleutherAI/nanoGPT-mup", "b2a5e60", built(nanogpt("EleutherAI/nanoGPT-mup"))),
    "open-clip": ("mlfoundations/open_clip", "89fb801", built(open_clip)),
    "torchtitan": ("pytorch/torchtitan", "b5bcd76", built(torchtitan)),
    "detectron2": ("facebookresearch/detectron2", "02b5c4e", built(detectron2, **MOMENTUM)),
    "mmengine": ("mmengine", "0", built(mmengine, **MOMENTUM)),
    "olmo-core-muon": ("allenai/OLMo-core", "fa6c501", built(muon_of_olmo_core("Muon"))),
    "olmo-core-dion": ("allenai/OLMo-core", "fa6c501", built(muon_of_olmo_core("Dion"))),
    "pytorch-optimizer-adalomo": ("pytorch_optimizer", "4", built(adalomo)),
    "pytorch-optimizer-muonclip": (
        "pytorch_optimizer",
        "4",
        built(kozistr("MuonClip", {"use_muon": True})),
    ),
    "scion-lions": ("LIONS-EPFL/scion", "f58a393", built(scion, value=1.0)),
    "deepspeed-adam": ("deepspeed", "0", built(deepspeed_cpu_adam)),
    "deepspeed-lion": ("deepspeed", "0", built(deepspeed_cpu_lion)),
    "colossalai-hybrid-adam": ("colossalai", "0", built(colossalai)),
    "deepspeed-muadamw": ("deepspeed", "0", built(deepspeed_muadamw)),
    "flashoptim-adamw": ("flashoptim", "0", built(flashoptim("FlashAdamW"))),
    "flashoptim-adamw-decouple-lr": (
        "flashoptim",
        "0",
        built(flashoptim("FlashAdamW", decouple_lr=True)),
    ),
    "flashoptim-adam": ("flashoptim", "0", built(flashoptim("FlashAdam"))),
    "flashoptim-lion": ("flashoptim", "0", built(flashoptim("FlashLion"))),
    "flashoptim-sgd": (
        "flashoptim",
        "0",
        built(flashoptim("FlashSGD", momentum=0.9), **MOMENTUM),
    ),
    "flashoptim-sgdw": (
        "flashoptim",
        "0",
        built(flashoptim("FlashSGDW", momentum=0.9), **MOMENTUM),
    ),
}
"""Key to package or repository, what its release or commit begins with, and the measurement."""
