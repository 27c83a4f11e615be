"""What the records of one package share, where several families hold them."""

from decaycalc.conventions.catalogue.groups import TORCH_ECOSYSTEM
from decaycalc.conventions.catalogue.shapes import package
from decaycalc.conventions.catalogue.traps import MOSTLY_DECOUPLED

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
_KOZISTR = {
    "group": TORCH_ECOSYSTEM,
    "release": "pytorch_optimizer 4.1.0",
    "title": "pytorch_optimizer.{name}({parameter})",
    "key": "pytorch-optimizer-{key}",
    "where": "pytorch_optimizer/optimizer/{key}.py, {name}",
    "optimizer": "{key}-kozistr",
    "parameter": "weight_decay",
    "default": "0",
}
kozistr_class = package(**_KOZISTR)
"""A class of pytorch_optimizer that was read in a file of its name."""

coupled_kozistr_class = package(
    **_KOZISTR
    | {
        "title": "pytorch_optimizer.{name}({parameter}): coupled by default",
        "trap": MOSTLY_DECOUPLED,
    }
)
pytorch_optimizer_record = package(
    **_KOZISTR | {"where": "pytorch_optimizer/base/optimizer.py, apply_weight_decay; class {name}"}
)
ecosystem_record = package(
    group=TORCH_ECOSYSTEM, optimizer="{key}", parameter="weight_decay", default="0"
)
stack_record = package(group=TORCH_ECOSYSTEM, parameter="weight_decay")
