"""Masks on dumps of names and shapes against the frameworks' own groups, model by model."""

import pytest

from decaycalc.architecture.masks import decayed
from decaycalc.architecture.readers.listing import architecture_of
from decaycalc.errors import UndecidableError

torch = pytest.importorskip("torch")
timm = pytest.importorskip("timm")
timm_optim = pytest.importorskip("timm.optim")
torchvision = pytest.importorskip("torchvision")
transformers = pytest.importorskip("transformers")
pt_utils = pytest.importorskip("transformers.trainer_pt_utils")


def dump(model):
    pairs = [(k, tuple(v.shape), "") for k, v in model.named_parameters() if v.requires_grad]
    return architecture_of(pairs, "dump")


def by_timm(model):
    listed = model.no_weight_decay() if hasattr(model, "no_weight_decay") else ()
    groups = timm_optim.param_groups_weight_decay(model, 0.1, no_weight_decay_list=listed)
    kept = {id(weight) for group in groups if group["weight_decay"] for weight in group["params"]}
    return tuple(id(v) in kept for _, v in model.named_parameters() if v.requires_grad)


def test_timms_models_decay_as_timm_has_it_or_are_refused():
    first, last = {}, {}
    for name in timm.list_models():
        module = timm.models._registry._model_to_module[name]
        first.setdefault(module, name)
        last[module] = name
    known = 0
    for name in {*first.values(), *last.values()}:
        try:
            with torch.device("meta"):
                model = timm.create_model(name)
        except (RuntimeError, NotImplementedError):  # it computes with values when it is made
            continue
        try:
            marks = decayed(dump(model), mask="timm")
        except UndecidableError:
            continue
        known += 1
        assert marks == by_timm(model), name
    assert known >= 120


@pytest.mark.parametrize(
    "name", ["vit_b_16", "swin_t", "swin_v2_t", "convnext_tiny", "resnet50", "maxvit_t"]
)
def test_torchvisions_models_have_no_list_of_their_own(name):
    with torch.device("meta"):
        model = getattr(torchvision.models, name)()
    assert decayed(dump(model), mask="timm") == by_timm(model)


@pytest.mark.parametrize("kind", ["bert", "gpt2", "llama", "t5", "vit", "clip", "opt"])
def test_the_trainers_groups_are_those_of_a_dump(kind):
    patterns = [r"bias", r"layernorm", r"rmsnorm", r"(?:^|\.)norm(?:$|\.)", r"_norm(?:$|\.)"]
    with torch.device("meta"):
        model = transformers.AutoModel.from_config(transformers.AutoConfig.for_model(kind))
    kept = set(pt_utils.get_parameter_names(model, [torch.nn.LayerNorm], patterns))
    net = dump(model)
    marks = zip(net.tensors, decayed(net, mask="hf"), strict=True)
    names = {name for name, _ in model.named_parameters()}
    assert {tensor.name for tensor, mark in marks if mark} == kept & names
    assert decayed(net, mask="timm") == by_timm(model)


@pytest.mark.parametrize("kind", ["levit", "efficientformer", "gpt_oss", "xlnet"])
def test_transformers_models_have_no_list_of_their_own(kind):
    if kind not in transformers.CONFIG_MAPPING:
        pytest.skip("not in this release")
    with torch.device("meta"):
        model = transformers.AutoModel.from_config(transformers.AutoConfig.for_model(kind))
    assert decayed(dump(model), mask="timm") == by_timm(model)


@pytest.mark.parametrize("kind", ["dinov2", "mamba", "imagegpt", "pixtral"])
def test_a_dump_that_does_not_tell_its_norms_is_refused(kind):
    with torch.device("meta"):
        model = transformers.AutoModel.from_config(transformers.AutoConfig.for_model(kind))
    with pytest.raises(UndecidableError, match="is a LayerNorm is not known"):
        decayed(dump(model), mask="hf")
