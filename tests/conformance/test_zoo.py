"""The zoo against the real classes: names, shapes, order and the size of fresh weights."""

import json
import math

import pytest

from decaycalc.architecture.hub import MODEL_TYPES, build_config
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.masks import decayed
from decaycalc.architecture.measure import measure
from decaycalc.architecture.readers import open_checkpoint, read_architecture
from decaycalc.architecture.zoo import find_model
from decaycalc.architecture.zoo.hub_models import CONFIGS

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
    "convnext_large", "convnext_xlarge",
]  # fmt: skip
EXTRA = {"googlenet": {"aux_logits": True}, "inception_v3": {"aux_logits": True}}


def shapes_of(model):
    return [(name, tuple(weight.shape)) for name, weight in model.named_parameters()]


def ours(net):
    return [(tensor.name, tensor.shape) for tensor in net.tensors]


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


@pytest.mark.parametrize("name", TIMM)
def test_timm_models_have_our_tensors_and_exemptions(name):
    with torch.device("meta"):
        model = timm.create_model(name, num_classes=1000)
    net = find_model(name)
    assert ours(net) == shapes_of(model)
    listed = model.no_weight_decay() if hasattr(model, "no_weight_decay") else set()
    groups = timm_optim.param_groups_weight_decay(model, 0.1, no_weight_decay_list=listed)
    kept = {id(weight) for group in groups if group["weight_decay"] for weight in group["params"]}
    marks = tuple(id(weight) in kept for _, weight in model.named_parameters())
    assert decayed(net, mask="timm") == marks


WHISPER_HEADS = ("encoder_attention_heads", "decoder_attention_heads")


def real_config(name):
    values = dict(CONFIGS[name])
    kind, heads = values.pop("model_type"), values.pop("architectures", None)
    # Heads do not change these models' tensors, but must divide the width.
    heads_fields = {"gpt2": ("n_head",), "whisper": WHISPER_HEADS}.get(kind, ())
    width = values.get("n_embd", values.get("d_model", 0))
    values.update(dict.fromkeys(heads_fields, width // 64))
    config = transformers.AutoConfig.for_model(kind, **values)
    label, _, known = MODEL_TYPES[kind]
    return config, (heads or [label + known[0]])[0]


@pytest.mark.parametrize("name", CONFIGS)
def test_hub_models_have_our_tensors(name):
    config, label = real_config(name)
    with torch.device("meta"):
        model = getattr(transformers, label)(config)
    model.tie_weights()
    assert ours(find_model(name)) == shapes_of(model)


SMALL = {
    "hidden_size": 48, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
    "n_embd": 48, "n_layer": 2, "n_head": 4, "n_layers": 2, "n_heads": 4, "dim": 48, "d_model": 48,
    "num_layers": 2, "vocab_size": 600, "pad_token_id": 0, "encoder_layers": 1, "decoder_layers": 1,
    "ffn_dim": 96, "word_embed_proj_dim": 48, "embedding_size": 24,
}  # fmt: skip
TOWER = {
    "hidden_size": 48, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
    "image_size": 64, "patch_size": 16,
}  # fmt: skip
DIFFERENT = {
    "mistral": {"num_key_value_heads": 2}, "mixtral": {"num_key_value_heads": 2},
    "qwen2": {"num_key_value_heads": 2}, "qwen3": {"num_key_value_heads": 2},
    "phi3": {"num_key_value_heads": 2}, "gemma": {"num_key_value_heads": 1},
    "gemma2": {"num_key_value_heads": 2}, "llama": {"attention_bias": True, "mlp_bias": True},
    "swin": {"embed_dim": 24, "depths": [1, 2], "num_heads": [2, 4], "num_hidden_layers": None},
    "convnext": {"depths": [1, 2], "hidden_sizes": [16, 32], "num_stages": 2},
    "whisper": {"encoder_attention_heads": 4, "decoder_attention_heads": 4},
    "t5": {"feed_forward_proj": "gated-gelu", "num_heads": 4},
    "umt5": {"num_decoder_layers": 1, "num_heads": 4}, "mt5": {"num_heads": 4},
    "gpt_neo": {"attention_types": [[["global", "local"], 1]]},
    "mamba2": {"num_heads": 12, "head_dim": 8, "state_size": 8, "n_groups": 2},
    "qwen2_moe": {"num_experts": 3, "moe_intermediate_size": 8, "num_key_value_heads": 2},
    "qwen3_moe": {
        "num_experts": 3, "moe_intermediate_size": 8, "mlp_only_layers": [0],
        "num_key_value_heads": 2, "num_hidden_layers": 3, "decoder_sparse_step": 2,
    },
    "deepseek_v3": {
        "n_routed_experts": 3, "moe_intermediate_size": 8, "first_k_dense_replace": 1,
        "q_lora_rank": 12, "kv_lora_rank": 8, "qk_rope_head_dim": 4, "qk_nope_head_dim": 8,
        "v_head_dim": 6, "num_key_value_heads": 4, "n_group": 1, "topk_group": 1,
        "num_experts_per_tok": 2, "attention_bias": True, "n_shared_experts": 2,
    },
    "gpt_oss": {"num_local_experts": 3, "head_dim": 12, "num_key_value_heads": 2},
    "llama4_text": {
        "num_local_experts": 3, "head_dim": 12, "num_key_value_heads": 2,
        "intermediate_size_mlp": 32, "interleave_moe_layer_step": 2,
    },
    "glm": {"num_key_value_heads": 2, "head_dim": 12},
    "glm4": {"num_key_value_heads": 2, "head_dim": 12},
    "gemma3_text": {"num_key_value_heads": 2, "head_dim": 12},
    "smollm3": {"num_key_value_heads": 2}, "starcoder2": {"num_key_value_heads": 2},
    "stablelm": {"num_key_value_heads": 2, "use_qkv_bias": True, "use_parallel_residual": True},
    "falcon": {"new_decoder_architecture": True, "num_kv_heads": 2, "bias": True},
    "deberta-v2": {
        "relative_attention": True, "position_buckets": 16, "norm_rel_ebd": "layer_norm",
        "pos_att_type": ["p2c", "c2p"], "type_vocab_size": 2, "conv_kernel_size": 3,
        "pooler_hidden_size": 48,
    },
    "clip": {"text_config": TOWER, "vision_config": TOWER},
    "siglip": {"text_config": TOWER, "vision_config": TOWER},
    "dinov2": {"use_swiglu_ffn": True, "use_mask_token": False},
    "dinov3_vit": {"use_gated_mlp": True, "num_register_tokens": 2},
    "beit": {"use_relative_position_bias": True, "use_mask_token": True,
             "use_absolute_position_embeddings": True, "use_mean_pooling": False},
}  # fmt: skip
HEADS = [(kind, name + head) for kind, (name, _, heads) in MODEL_TYPES.items() for head in heads]


def small_config(kind):
    known = vars(transformers.AutoConfig.for_model(kind))
    values = {key: value for key, value in SMALL.items() if key in known}
    values.update(DIFFERENT.get(kind, {}))
    return transformers.AutoConfig.for_model(
        kind, **{k: v for k, v in values.items() if v is not None}
    )


@pytest.mark.parametrize(("kind", "label"), HEADS)
def test_a_saved_configuration_describes_its_class(tmp_path, kind, label):
    config = small_config(kind)
    config.architectures = [label]
    with torch.device("meta"):
        model = getattr(transformers, label)(config)
    model.tie_weights()
    config.save_pretrained(tmp_path)
    assert ours(read_architecture(str(tmp_path / "config.json"))) == shapes_of(model)


def check_start(net, model):
    """Check each fresh tensor's sum of squares against its expectation, to six deviations.

    torch's truncated normal draws rare outliers of 2, which a sum of small weights shows.
    """
    for tensor, (name, weight) in zip(net.tensors, model.named_parameters(), strict=True):
        values = weight.detach().double()
        if tensor.init_variance and tensor.init_variance < 0.01:
            values = values[values.abs() < 1.99]
        found = float((values**2).sum())
        expected = tensor.sum_of_squares
        if expected is None:  # it is not told
            continue
        slack = 6 * math.sqrt(2 / weight.numel()) * max(found, expected) + 1e-9 * weight.numel()
        assert abs(found - expected) <= slack, name


@pytest.mark.parametrize(
    "name",
    [
        "alexnet", "vgg11_bn", "resnet18", "densenet121", "efficientnet_b0", "mobilenet_v2",
        "mobilenet_v3_small", "squeezenet1_0", "vit_b_32", "swin_t", "swin_v2_t", "convnext_tiny",
        "mnasnet1_0", "shufflenet_v2_x1_0", "regnet_x_400mf", "regnet_y_400mf", "maxvit_t",
    ],
)  # fmt: skip
def test_fresh_torchvision_weights_are_as_large_as_expected(name):
    torch.manual_seed(0)
    sizes = {"input_size": (224, 224)} if name.startswith("maxvit") else {}
    check_start(find_model(prefixed(name)), getattr(torchvision.models, name)(**sizes))


@pytest.mark.parametrize(
    "name",
    ["vit_tiny_patch16_224", "deit_tiny_distilled_patch16_224", "swin_tiny_patch4_window7_224"],
)
def test_fresh_timm_weights_are_as_large_as_expected(name):
    torch.manual_seed(0)
    check_start(find_model(name), timm.create_model(name))


@pytest.mark.parametrize("kind", MODEL_TYPES)
def test_fresh_hub_weights_are_as_large_as_expected(kind):
    torch.manual_seed(0)
    config = small_config(kind)
    name, _, heads = MODEL_TYPES[kind]
    label = name + heads[0]
    values = {**json.loads(config.to_json_string()), "architectures": [label]}
    net = build_config(Fields(path="config.json", values=values))
    check_start(net, getattr(transformers, label)(config))


def test_the_trainer_exempts_what_our_mask_does():
    pt_utils = pytest.importorskip("transformers.trainer_pt_utils")
    patterns = [r"bias", r"layernorm", r"rmsnorm", r"(?:^|\.)norm(?:$|\.)", r"_norm(?:$|\.)"]
    for kind in MODEL_TYPES:
        config = small_config(kind)
        name, _, heads = MODEL_TYPES[kind]
        label = name + heads[0]
        with torch.device("meta"):
            model = getattr(transformers, label)(config)
        model.tie_weights()
        kept = set(pt_utils.get_parameter_names(model, [torch.nn.LayerNorm], patterns))
        kept &= {name for name, _ in model.named_parameters()}
        values = {**json.loads(config.to_json_string()), "architectures": [label]}
        net = build_config(Fields(path="config.json", values=values))
        marks = zip(net.tensors, decayed(net, mask="hf"), strict=True)
        assert {tensor.name for tensor, mark in marks if mark} == kept, kind
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
