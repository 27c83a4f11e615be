"""What the records of one package share, where several families hold them."""

from decaycalc.conventions.catalogue.groups import TORCH_ECOSYSTEM
from decaycalc.conventions.catalogue.shapes import package

timm_record = package(
    group=TORCH_ECOSYSTEM,
    release="timm 1.0.31",
    title="timm create_optimizer_v2(opt='{name}', weight_decay)",
    key="timm-{key}",
    where="timm/optim/{name}.py",
    optimizer="{key}-timm",
    parameter="weight_decay",
    default="0",
    exempt="biases and tensors of one dimension or none, and what the model's no_weight_decay() names",
)
pytorch_optimizer_record = package(
    group=TORCH_ECOSYSTEM,
    release="pytorch_optimizer 4.1.0",
    title="pytorch_optimizer.{name}({parameter})",
    key="pytorch-optimizer-{key}",
    where="pytorch_optimizer/base/optimizer.py, apply_weight_decay; class {name}",
    optimizer="{key}-kozistr",
    parameter="weight_decay",
    default="0",
)
ecosystem_record = package(
    group=TORCH_ECOSYSTEM, optimizer="{key}", parameter="weight_decay", default="0"
)
stack_record = package(group=TORCH_ECOSYSTEM, parameter="weight_decay")
