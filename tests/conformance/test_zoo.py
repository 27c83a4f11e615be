"""The zoo against the real classes: names, shapes, order and the size of fresh weights."""

import math

import pytest
from fresh import check_start, ours, shapes_of

from decaycalc.architecture.masks import decayed
from decaycalc.architecture.measure import measure
from decaycalc.architecture.readers import open_checkpoint, read_architecture
from decaycalc.architecture.zoo import (
    detection,
    find_model,
    plain,
    scenes,
    timm_mobile,
    timm_resnet,
    timm_vit,
)
from decaycalc.architecture.zoo.timm import CONVNEXT_V2, SMALL_CONVNEXT

torch = pytest.importorskip("torch")
torchvision = pytest.importorskip("torchvision")
timm = pytest.importorskip("timm")
timm_optim = pytest.importorskip("timm.optim")
transformers = pytest.importorskip("transformers")

TORCHVISION = [
    "alexnet", "vgg11", "vgg11_bn", "vgg13", "vgg13_bn", "vgg16", "vgg16_bn", "vgg19", "vgg19_bn",
    "resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "wide_resnet50_2",
    "wide_resnet101_2", "resnext50_32x4d", "resnext101_32x8d", "resnext101_64x4d", "densenet121",
    "densenet161", "densenet169", "densenet201", "mobilenet_v2", "mobilenet_v3_large",
    "mobilenet_v3_small", *(f"efficientnet_b{size}" for size in range(8)), "efficientnet_v2_s",
    "efficientnet_v2_m", "efficientnet_v2_l", "squeezenet1_0", "squeezenet1_1", "googlenet",
    "inception_v3", "vit_b_16", "vit_b_32", "vit_l_16", "vit_l_32", "vit_h_14", "swin_t", "swin_s",
    "swin_b", "swin_v2_t", "swin_v2_s", "swin_v2_b", "convnext_tiny", "convnext_small",
    "convnext_base", "convnext_large", "maxvit_t",
    *(f"mnasnet{width}" for width in ("0_5", "0_75", "1_0", "1_3")),
    *(f"shufflenet_v2_x{width}" for width in ("0_5", "1_0", "1_5", "2_0")),
    *(f"regnet_x_{size}" for size in ("400mf", "800mf", "1_6gf", "3_2gf", "8gf", "16gf", "32gf")),
    *(f"regnet_y_{size}" for size in ("400mf", "800mf", "1_6gf", "3_2gf", "8gf", "16gf", "32gf")),
    "regnet_y_128gf",
]  # fmt: skip
TIMM = [
    "vit_tiny_patch16_224", "vit_small_patch16_224", "vit_base_patch16_224",
    "vit_base_patch32_384", "vit_large_patch16_224", "vit_huge_patch14_224",
    "vit_giant_patch14_224", "deit_tiny_patch16_224", "deit_small_patch16_224",
    "deit_base_patch16_224", "deit_base_patch16_384", "deit_small_distilled_patch16_224",
    "swin_tiny_patch4_window7_224", "swin_small_patch4_window7_224",
    "swin_base_patch4_window7_224", "swin_base_patch4_window12_384",
    "swin_large_patch4_window7_224", "convnext_tiny", "convnext_small", "convnext_base",
    "convnext_large", "convnext_xlarge", *timm_resnet.NAMES, *timm_mobile.MEMBERS,
    *(f"convnext_{size}" for size in SMALL_CONVNEXT),
    *(f"convnextv2_{size}" for size in CONVNEXT_V2), "inception_v3",
    *(f"vgg{depth}{norms}" for depth in plain.VGG_STAGES for norms in ("", "_bn")),
]  # fmt: skip
WHOLE = [
    *detection.DETECTORS, "ssd300_vgg16", *scenes.SEGMENTERS, *scenes.FILM_RESNETS, "s3d",
    "swin3d_t", "swin3d_s", "swin3d_b",
]  # fmt: skip
EXTRA = {"googlenet": {"aux_logits": True}, "inception_v3": {"aux_logits": True}}


def prefixed(name):
    return f"torchvision/{name}" if name.startswith("convnext") else name


@pytest.fixture
def _sized_by_real_numbers(monkeypatch):
    """RegNet computes its sizes by tensors, which must not be meta ones."""
    blocks = torchvision.models.regnet.BlockParams
    rule = blocks.from_init_params.__func__

    def from_init_params(cls, *sizes, **more):
        with torch.device("cpu"):
            return rule(cls, *sizes, **more)

    monkeypatch.setattr(blocks, "from_init_params", classmethod(from_init_params))


def test_every_classification_model_of_torchvision_is_compared():
    models = torchvision.models.list_models(module=torchvision.models)
    assert set(models) <= set(TORCHVISION)


@pytest.mark.usefixtures("_sized_by_real_numbers")
@pytest.mark.parametrize("name", TORCHVISION)
def test_torchvision_models_have_our_tensors(name):
    more = {**EXTRA[name], "init_weights": False} if name in EXTRA else {}
    with torch.device("meta"):
        model = getattr(torchvision.models, name)(**more)
    assert ours(find_model(prefixed(name))) == shapes_of(model)


@pytest.fixture
def _weights_of_nothing(monkeypatch):
    """The builders load weights of ImageNet, and freeze layers for having done so."""
    monkeypatch.setattr(torchvision.models.WeightsEnum, "get_state_dict", lambda *_, **__: {})
    monkeypatch.setattr(torch.nn.Module, "load_state_dict", lambda *_, **__: None)


@pytest.mark.usefixtures("_weights_of_nothing")
@pytest.mark.parametrize("name", WHOLE)
def test_torchvisions_detectors_segmenters_and_film_networks_have_our_tensors(name):
    with torch.device("meta"):
        model = torchvision.models.get_model(name)
    net = find_model(name)
    assert ours(net) == shapes_of(model)
    frozen = sum(weight.numel() for weight in model.parameters() if not weight.requires_grad)
    assert bool(frozen) is any(f"nothing decays {frozen:,} of" in note for note in net.notes)


@pytest.mark.parametrize("name", [*TIMM, *timm_vit.NAMES])
def test_timm_models_have_our_tensors_and_exemptions(name):
    classes = {} if name in timm_vit.NAMES else {"num_classes": 1000}
    with torch.device("meta"):
        model = timm.create_model(name, **classes)
    net = find_model(f"timm/{name}")
    assert ours(net) == shapes_of(model)
    listed = model.no_weight_decay() if hasattr(model, "no_weight_decay") else set()
    groups = timm_optim.param_groups_weight_decay(model, 0.1, no_weight_decay_list=listed)
    kept = {id(weight) for group in groups if group["weight_decay"] for weight in group["params"]}
    marks = tuple(id(weight) in kept for _, weight in model.named_parameters())
    assert decayed(net, mask="timm") == marks


@pytest.mark.parametrize(
    "name",
    [
        "alexnet", "vgg11_bn", "resnet18", "densenet121", "efficientnet_b0", "mobilenet_v2",
        "mobilenet_v3_small", "squeezenet1_0", "vit_b_32", "swin_t", "swin_v2_t", "convnext_tiny",
        "mnasnet1_0", "shufflenet_v2_x1_0", "regnet_x_400mf", "regnet_y_400mf", "maxvit_t",
        "r3d_18", "mc3_18", "r2plus1d_18", "s3d", "swin3d_t",
    ],
)  # fmt: skip
def test_fresh_torchvision_weights_are_as_large_as_expected(name):
    torch.manual_seed(0)
    sizes = {"input_size": (224, 224)} if name.startswith("maxvit") else {}
    check_start(find_model(prefixed(name)), torchvision.models.get_model(name, **sizes))


@pytest.mark.parametrize(
    "name",
    [
        "vit_tiny_patch16_224",
        "deit_tiny_distilled_patch16_224",
        "swin_tiny_patch4_window7_224",
        "resnet14t",
        "seresnext26d_32x4d",
        "ecaresnet26t",
        "resnetrs50",
        "efficientnet_b0",
        "tf_efficientnetv2_b0",
        "mobilenetv3_small_100",
        "fbnetc_100",
        "convnext_atto",
        "convnextv2_pico",
    ],
)
def test_fresh_timm_weights_are_as_large_as_expected(name):
    torch.manual_seed(0)
    check_start(find_model(f"timm/{name}"), timm.create_model(name))


def test_the_trainer_exempts_of_torchvisions_models_what_our_mask_does():
    pt_utils = pytest.importorskip("transformers.trainer_pt_utils")
    patterns = [r"bias", r"layernorm", r"rmsnorm", r"(?:^|\.)norm(?:$|\.)", r"_norm(?:$|\.)"]
    for name in ("resnet18", "densenet121", "vit_b_16", "swin_t", "convnext_tiny"):
        with torch.device("meta"):
            model = getattr(torchvision.models, name)()
        kept = set(pt_utils.get_parameter_names(model, [torch.nn.LayerNorm], patterns))
        kept &= {label for label, _ in model.named_parameters()}
        net = find_model(prefixed(name))
        marks = zip(net.tensors, decayed(net, mask="hf"), strict=True)
        assert {tensor.name for tensor, mark in marks if mark} == kept, name


def test_real_files_of_other_formats_are_read(tmp_path):
    model = torch.nn.Sequential(torch.nn.Linear(4, 7), torch.nn.BatchNorm1d(7))
    save_file = pytest.importorskip("safetensors.torch").save_file
    save_file(model.state_dict(), tmp_path / "m.safetensors")
    net = read_architecture(str(tmp_path / "m.safetensors"))
    assert net.n_parameters == sum(weight.numel() for weight in model.parameters())


def test_real_keras_files_are_read(tmp_path):
    pytest.importorskip("h5py")
    keras = pytest.importorskip("keras")
    model = keras.Sequential(
        [
            keras.layers.Input((8,)),
            keras.layers.Dense(6),
            keras.layers.BatchNormalization(),
            keras.layers.LayerNormalization(),
            keras.layers.Dropout(0.1),
            keras.layers.Dense(3, use_bias=False),
        ]
    )
    expected = sum(math.prod(weight.shape) for weight in model.trainable_weights)
    values = [keras.ops.convert_to_numpy(weight) for weight in model.trainable_weights]
    squares = sum(float((value.astype("float64") ** 2).sum()) for value in values)
    for name in ("m.keras", "m.weights.h5", "legacy.h5"):
        save = model.save_weights if "weights" in name else model.save
        save(tmp_path / name)
        assert read_architecture(str(tmp_path / name)).n_parameters == expected
        found = measure(open_checkpoint(str(tmp_path / name)))
        assert sum(each.sum_of_squares for each in found) == pytest.approx(squares, rel=1e-7)


def test_real_onnx_and_gguf_files_are_read(tmp_path):
    onnx = pytest.importorskip("onnx")
    import numpy as np

    weight = onnx.numpy_helper.from_array(np.ones((3, 4), np.float32), "fc.weight")
    graph = onnx.helper.make_graph([], "g", [], [], initializer=[weight])
    onnx.save(onnx.helper.make_model(graph), tmp_path / "m.onnx")
    assert read_architecture(str(tmp_path / "m.onnx")).n_parameters == 12
    gguf = pytest.importorskip("gguf")
    writer = gguf.GGUFWriter(tmp_path / "m.gguf", "llama")
    writer.add_tensor("output.weight", np.ones((3, 4), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    net = read_architecture(str(tmp_path / "m.gguf"))
    assert net.tensors[0].shape == (3, 4)
