"""What measure.py measures of Megatron-LM: the optimizer that its own builder makes.

DECAYCALC_SOURCES is a folder of checkouts, as for measure_sources.py. Without Transformer Engine
and Apex, Megatron-LM falls back on torch's optimizers, as it does here.
"""

from types import SimpleNamespace

from measure_scripts import parts
from measure_stacks import built

LR, BETAS, EPS = 0.0173, (0.9, 0.999), 1e-8


def megatron(name, **fixed):
    """Return the builder of what Megatron-LM makes of a configuration, without its wrapping."""

    def build(model, value):
        import torch

        make = parts(
            "NVIDIA/Megatron-LM", "megatron/core/optimizer/__init__.py",
            "_get_megatron_optimizer_based_on_param_groups",
            torch=torch, USING_PYTORCH_OPTIMIZER=True, SGD=torch.optim.SGD, Adam=torch.optim.AdamW,
        )._get_megatron_optimizer_based_on_param_groups  # fmt: skip
        config = SimpleNamespace(
            optimizer=name, lr=LR, weight_decay=value, adam_beta1=BETAS[0], adam_beta2=BETAS[1],
            adam_eps=EPS, sgd_momentum=0.9,
            decoupled_weight_decay=True, optimizer_cpu_offload=False, optimizer_cuda_graph=False,
            use_precision_aware_optimizer=False,
        )  # fmt: skip
        vars(config).update(fixed)
        groups = [{"params": [model.weight]}]
        return make(config, [model], groups, skip_megatron_wrapping=True)[0]

    return build


def case(build, **names):
    """Return the case of a builder at the commit that is read."""
    return ("NVIDIA/Megatron-LM", "d98e8a6", built(build, **names))


MEGATRON = {
    "megatron-adam": case(megatron("adam")),
    "megatron-adam-coupled": case(megatron("adam", decoupled_weight_decay=False)),
    "megatron-sgd": case(megatron("sgd"), momentum=0.9),
}
"""Key to repository, the commit that it holds for, and the measurement."""
