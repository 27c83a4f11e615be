"""InternVL, as transformers has it and as its own repository does, and InternLM 2.

How they start is not told here. Source: transformers/models/internvl/configuration_internvl.py and
modeling_internvl.py (v4.57.1); OpenGVLab/InternVL, internvl_chat/internvl/model/{internvl_chat,
internlm2}/configuration_*.py and modeling_*.py, for defaults, rules and names.
"""

from decaycalc.architecture.build import Builder
from decaycalc.architecture.hub.decoders import finish
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.hub.llamas import relative
from decaycalc.architecture.hub.multimodal import (
    HEADS,
    language_width,
    prefix_of,
    with_language_model,
)
from decaycalc.architecture.hub.towers import UNTOLD
from decaycalc.architecture.tensors import Architecture, Role
from decaycalc.record import replace

CHAT_HEADS = ("ChatModel",)
INTERNLM_HEADS = ("ForCausalLM", "Model", "ForSequenceClassification")
__all__ = ["CHAT_HEADS", "HEADS", "INTERNLM_HEADS", "chat", "internlm2", "internvl"]
# What its own repository builds, by the class that the language model's configuration names.
_SPEAKERS = {"LlamaForCausalLM": "llama", "Phi3ForCausalLM": "phi3", "Qwen2ForCausalLM": "qwen2",
             "Qwen3ForCausalLM": "qwen3", "Qwen3MoeForCausalLM": "qwen3_moe",
             "GptOssForCausalLM": "gpt_oss"}  # fmt: skip


def internvl(fields: Fields, head: str) -> Architecture:
    """Return InternVL as transformers has it: BEiT's kind of tower, and a language model.

    Raises:
        UnreadableFileError: a language model that is not known here, or a malformed field.
    """
    text, vision = fields.part("text_config", {"model_type": "qwen2"}), fields.part("vision_config")
    part, prefix = Builder(UNTOLD), prefix_of(head)
    seen = _tower(part, f"{prefix}vision_tower", vision)
    kind = text.text("model_type", "qwen2")
    width, name = language_width(text, kind), f"{prefix}multi_modal_projector"
    merged = _merged(fields, seen)
    part.norm(f"{name}.layer_norm", merged)
    part.linear(f"{name}.linear_1", merged, width)
    part.linear(f"{name}.linear_2", width, width)
    return with_language_model(part, fields, text, head, kind)


def _merged(fields: Fields, width: int) -> int:
    """Return the width of patches that are merged into one."""
    ratio = fields.number("downsample_ratio", 0.5)
    if not ratio:
        raise fields.wrong("downsample_ratio", 0, "a number above 0")
    return int(width * int(1 / ratio) ** 2)


def _norm_kind(fields: Fields, usual: str) -> str:
    """Return the kind of a layer's norms, layer or rms.

    Raises:
        UnreadableFileError: another one.
    """
    kind = fields.text("norm_type", usual)
    if kind not in {"layer_norm", "rms_norm"}:
        raise fields.wrong("norm_type", kind, "layer_norm or rms_norm")
    return kind.removesuffix("_norm")


def _tower(part: Builder, name: str, fields: Fields) -> int:
    """Add the tower of transformers' InternVL, return its width."""
    width, hidden = fields.size("hidden_size", 1024), fields.size("intermediate_size", 4096)
    (patch, places), table = fields.patches(patch=14, image=448), f"{name}.embeddings"
    part.add(f"{table}.cls_token", 1, 1, width, role=Role.OTHER)
    if fields.flag("use_mask_token", default=False):
        part.add(f"{table}.mask_token", 1, 1, width, role=Role.OTHER)
    if fields.flag("use_absolute_position_embeddings", default=True):
        part.add(f"{table}.position_embeddings", 1, places + 1, width, role=Role.POSITION)
    channels = fields.size("num_channels", 3)
    part.conv(f"{table}.patch_embeddings.projection", channels, width, patch)
    bias, scale = (
        fields.flag("attention_bias", default=False),
        fields.number("layer_scale_init_value", 0.1),
    )
    kind = _norm_kind(fields, "layer_norm")
    for index in range(fields.size("num_hidden_layers", 24)):
        layer = f"{name}.encoder.layer.{index}"
        for gain in ("lambda_1", "lambda_2"):
            part.add(f"{layer}.{gain}", width, role=Role.OTHER, mean=scale)
        attention = f"{layer}.attention"
        part.linears(attention, ("q_proj", "k_proj", "v_proj"), width, width, bias=bias)
        part.linear(f"{attention}.projection_layer", width, width)
        if fields.flag("use_qk_norm", default=False):
            _norms(part, attention, ("q_norm", "k_norm"), width, "rms")
        part.feed_forward(f"{layer}.mlp", ("fc1", "fc2"), width, hidden)
        _norms(part, layer, ("layernorm_before", "layernorm_after"), width, kind)
    if not fields.flag("use_mean_pooling", default=True):
        part.norm(f"{name}.layernorm", width)
    return width


def _norms(part: Builder, name: str, norms: tuple[str, str], width: int, kind: str) -> None:
    for norm in norms:
        part.norm(f"{name}.{norm}", width, bias=kind == "layer", kind=kind)


def chat(fields: Fields, _head: str) -> Architecture:
    """Return InternVL as its own repository has it.

    Raises:
        UnreadableFileError: a language model that is not known here, adapters that are part of the
            model, or a malformed field.
    """
    text, vision = fields.part("llm_config"), fields.part("vision_config")
    for adapters in ("use_backbone_lora", "use_llm_lora"):
        if fields.size(adapters, 0, least=0):
            raise fields.wrong(adapters, fields.values[adapters], "0")
    text.require("tie_word_embeddings", value=False)
    vision.require("use_moe", value=False)
    part = Builder(UNTOLD)
    seen = _own_tower(part, "vision_model", vision)
    named = text.values.get("architectures")
    label = named[0] if isinstance(named, list) and named else ""
    if label == "InternLM2ForCausalLM":
        whole = internlm2(text, "ForCausalLM")
    elif label in _SPEAKERS:
        whole = relative(text, "ForCausalLM", _SPEAKERS[label])
    else:
        known = ", ".join((*_SPEAKERS, "InternLM2ForCausalLM"))
        raise text.wrong("llm_config.architectures", named, f"one of {known}")
    part.include("language_model.", whole)
    width, merged = whole.tensors[0].shape[1], _merged(fields, seen)
    part.norm("mlp1.0", merged)
    part.linear("mlp1.1", merged, width)
    part.linear("mlp1.3", width, width)
    return part.done(fields.path, classes=whole.n_classes)


def _own_tower(part: Builder, name: str, fields: Fields) -> int:
    """Add InternViT, return its width."""
    width, hidden = fields.size("hidden_size", 3200), fields.size("intermediate_size", 12800)
    (patch, places), table = fields.patches(patch=14), f"{name}.embeddings"
    part.add(f"{table}.class_embedding", 1, 1, width, role=Role.OTHER, variance=None)
    label = f"{table}.position_embedding"
    part.add(label, 1, places + 1, width, role=Role.POSITION, variance=None)
    part.conv(f"{table}.patch_embedding", 3, width, patch)
    scale, kind = fields.number("initializer_factor", 0.1), _norm_kind(fields, "rms_norm")
    for index in range(fields.size("num_hidden_layers", 48)):
        layer = f"{name}.encoder.layers.{index}"
        for gain in ("ls1", "ls2"):
            part.add(f"{layer}.{gain}", width, role=Role.OTHER, mean=scale)
        bias = fields.flag("qkv_bias", default=False)
        part.linear(f"{layer}.attn.qkv", width, 3 * width, bias=bias)
        if fields.flag("qk_normalization", default=True):
            _norms(part, f"{layer}.attn", ("q_norm", "k_norm"), width, "rms")
        part.linear(f"{layer}.attn.proj", width, width)
        part.feed_forward(f"{layer}.mlp", ("fc1", "fc2"), width, hidden)
        _norms(part, layer, ("norm1", "norm2"), width, kind)
    return width


def internlm2(fields: Fields, head: str) -> Architecture:
    """Return InternLM 2, which keeps queries, keys and values in one layer.

    Raises:
        UnreadableFileError: a malformed field.
    """
    part = Builder(replace(UNTOLD, norm="rms"))
    prefix = "" if head == "Model" else "model."
    width, vocabulary = fields.size("hidden_size", 4096), fields.size("vocab_size", 103168)
    heads = fields.size("num_attention_heads", 32)
    kept = fields.size("num_key_value_heads", heads)
    hidden, size = fields.size("intermediate_size", 11008), max(1, width // heads)
    bias = fields.flag("bias", default=True)
    part.embedding(f"{prefix}tok_embeddings", vocabulary, width, padding=True)
    for index in range(fields.size("num_hidden_layers", 32)):
        layer = f"{prefix}layers.{index}"
        part.linear(f"{layer}.attention.wqkv", width, (heads + 2 * kept) * size, bias=bias)
        part.linear(f"{layer}.attention.wo", heads * size, width, bias=bias)
        part.linears(f"{layer}.feed_forward", ("w1", "w3"), width, hidden, bias=False)
        part.linear(f"{layer}.feed_forward.w2", hidden, width, bias=False)
        part.norms(layer, ("attention_norm", "ffn_norm"), width, bias=False)
    part.norm(f"{prefix}norm", width, bias=False)
    return finish(part, fields, head, (width, vocabulary), tied=False, output="output")
