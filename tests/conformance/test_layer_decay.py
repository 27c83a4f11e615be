"""Layer decay against timm's own parameter groups, on models with random weights."""

import json

import pytest

from decaycalc.architecture.groups import Choice, treatments
from decaycalc.architecture.readers import read_architecture
from decaycalc.architecture.zoo import find_model
from decaycalc.errors import UndecidableError

torch = pytest.importorskip("torch")
timm = pytest.importorskip("timm")
timm_optim = pytest.importorskip("timm.optim")

BY_NAME = {
    "resnet50": "resnet50", "resnet18": "resnet18", "convnext_tiny": "convnext-tiny",
    "swin_tiny_patch4_window7_224": "swin-tiny", "vit_base_patch16_224": "vit-base",
    "deit_small_distilled_patch16_224": "deit-small-distilled",
}  # fmt: skip
BY_FILE = [
    *BY_NAME, "efficientnet_b0", "tf_efficientnetv2_s", "mobilenetv3_large_100", "regnety_004",
    "densenet121", "vgg11_bn", "beitv2_base_patch16_224", "eva02_tiny_patch14_224",
    "vit_small_patch14_reg4_dinov2", "swinv2_tiny_window8_256", "mixer_s16_224", "davit_tiny",
    "resnest50d", "resnetrs50", "mambaout_tiny", "hiera_tiny_224",
]  # fmt: skip


def theirs(name):
    """Return lr's share and whether it decays, of each tensor of an optimizer that timm makes."""
    with torch.device("meta"):
        model = timm.create_model(name)
    optimizer = timm_optim.create_optimizer_v2(
        model, opt="adamw", lr=1e-3, weight_decay=0.05, layer_decay=0.75
    )
    names = {id(weight): label for label, weight in model.named_parameters()}
    groups = {
        names[id(weight)]: (group["lr_scale"], group["weight_decay"] > 0)
        for group in optimizer.param_groups
        for weight in group["params"]
    }
    return model, groups


def ours(net, *, mask="timm"):
    made = treatments(net, Choice(mask=mask, layer_decay=0.75))
    return {
        tensor.name: (each.lr.ratio(None), not each.is_exempt)
        for tensor, each in zip(net.tensors, made, strict=True)
    }


def check(found, expected):
    assert found.keys() == expected.keys()
    different = [
        name
        for name, (scale, decays) in expected.items()
        if found[name] != (pytest.approx(scale, rel=1e-12), decays)
    ]
    assert different == []


@pytest.mark.parametrize("name", BY_NAME)
def test_a_named_model_has_timms_groups(name):
    check(ours(find_model(BY_NAME[name])), theirs(name)[1])


@pytest.mark.parametrize("name", BY_FILE)
def test_a_dump_of_names_and_shapes_has_timms_shares_of_lr(name, tmp_path):
    model, groups = theirs(name)
    path = tmp_path / "dump.json"
    path.write_text(json.dumps({k: list(v.shape) for k, v in model.named_parameters()}))
    found = ours(read_architecture(str(path)), mask="no-1d")
    assert {k: pytest.approx(v[0], rel=1e-12) for k, v in groups.items()} == {
        k: v[0] for k, v in found.items()
    }


TORCHVISION_AND_TIMM = {
    "resnet50": "resnet50", "torchvision/convnext_tiny": "convnext_tiny", "swin_t":
    "swin_tiny_patch4_window7_224", "vit_b_16": "vit_base_patch16_224", "efficientnet_b0":
    "efficientnet_b0", "mobilenet_v2": "mobilenetv2_100", "regnet_y_400mf": "regnety_004",
    "densenet121": "densenet121", "mobilenet_v3_large": "mobilenetv3_large_100",
}  # fmt: skip


@pytest.mark.parametrize("name", TORCHVISION_AND_TIMM)
def test_torchvisions_names_give_the_layers_of_timms_twin(name):
    """The two libraries' twins register their tensors in nearly the same order."""
    expected = sorted(share for share, _ in theirs(TORCHVISION_AND_TIMM[name])[1].values())
    found = sorted(share for share, _ in ours(find_model(name), mask="no-1d").values())
    assert found == pytest.approx(expected, rel=1e-12)


def test_every_model_of_timm_is_counted_as_timm_does_or_refused():
    """Two models of each module; the bulk of them has names of a family that is known."""
    first, last = {}, {}
    for name in timm.list_models():
        module = timm.models._registry._model_to_module[name]
        first.setdefault(module, name)
        last[module] = name
    known = 0
    for name in {*first.values(), *last.values()}:
        model, groups = theirs_if_small(name)
        if model is None:
            continue
        net = net_of(model)
        try:
            found = ours(net, mask="no-1d")
        except UndecidableError:
            continue
        known += 1
        for label, (share, _) in groups.items():
            assert found[label][0] == pytest.approx(share, rel=1e-12), (name, label)
    assert known >= 45


def theirs_if_small(name):
    try:
        return theirs(name)
    except (RuntimeError, NotImplementedError):  # it computes with values when it is made
        return None, None


def net_of(model):
    from decaycalc.architecture.readers.listing import architecture_of

    pairs = [(k, tuple(v.shape), "") for k, v in model.named_parameters() if v.requires_grad]
    return architecture_of(pairs, "dump")
