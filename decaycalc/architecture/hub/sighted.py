"""Mistral 3 and Llama 4: language models that see by towers of their own.

How the towers start is not told here. Source: transformers/models/{mistral3,pixtral,llama4}/
configuration_*.py and modeling_*.py (v4.57.1) for defaults, rules and names.
"""

from decaycalc.architecture.build import Builder
from decaycalc.architecture.hub.experts import add_gated
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.hub.llama_families import FAMILIES
from decaycalc.architecture.hub.llamas import relative
from decaycalc.architecture.hub.multimodal import language_width, prefix_of, with_language_model
from decaycalc.architecture.hub.towers import UNTOLD
from decaycalc.architecture.tensors import Architecture, Role
from decaycalc.record import replace

_MISTRAL = {"model_type": "mistral", "hidden_size": 5120, "intermediate_size": 32768,
            "num_hidden_layers": 40, "num_attention_heads": 32, "num_key_value_heads": 8,
            "head_dim": 128, "vocab_size": 131072}  # fmt: skip
_PIXTRAL = {"patch_size": 14}


def mistral3(fields: Fields, head: str) -> Architecture:
    """Return Mistral 3: Pixtral's tower, a merger of patches, and a relative of Llama.

    Raises:
        UnreadableFileError: a part that is not known here, or a malformed field.
    """
    text, vision = fields.part("text_config", _MISTRAL), fields.part("vision_config", _PIXTRAL)
    tower = vision.text("model_type", "pixtral")
    if tower != "pixtral":
        raise vision.wrong("model_type", tower, "pixtral")
    part, prefix = Builder(replace(UNTOLD, norm="rms")), prefix_of(head)
    seen = _pixtral(part, f"{prefix}vision_tower", vision)
    kind = text.text("model_type", "mistral")
    width, bridge = language_width(text, kind), f"{prefix}multi_modal_projector"
    bias = fields.flag("multimodal_projector_bias", default=False)
    merged = int(seen * fields.size("spatial_merge_size", 2) ** 2)
    layers = fields.values.get("vision_feature_layer")
    part.norm(f"{bridge}.norm", seen, bias=False)
    part.linear(f"{bridge}.patch_merger.merging_layer", merged, seen, bias=False)
    read = seen * (len(layers) if isinstance(layers, list) else 1)
    part.linear(f"{bridge}.linear_1", read, width, bias=bias)
    part.linear(f"{bridge}.linear_2", width, width, bias=bias)
    return with_language_model(part, fields, text, head, kind)


def _pixtral(part: Builder, name: str, fields: Fields) -> int:
    """Add Pixtral's tower, return its width."""
    width, hidden = fields.size("hidden_size", 1024), fields.size("intermediate_size", 4096)
    channels, patch = fields.size("num_channels", 3), fields.size("patch_size", 16)
    part.conv(f"{name}.patch_conv", channels, width, patch, bias=False)
    part.norm(f"{name}.ln_pre", width, bias=False)
    for index in range(fields.size("num_hidden_layers", 24)):
        layer = f"{name}.transformer.layers.{index}"
        part.norm(f"{layer}.attention_norm", width, bias=False)
        add_gated(part, f"{layer}.feed_forward", width, hidden, bias=False)
        part.linears(
            f"{layer}.attention", ("k_proj", "v_proj", "q_proj", "o_proj"), width, width, bias=False
        )
        part.norm(f"{layer}.ffn_norm", width, bias=False)
    return width


def llama4(fields: Fields, _head: str) -> Architecture:
    """Return Llama 4 with the tower that it sees by.

    Raises:
        UnreadableFileError: a malformed field.
    """
    text, vision = fields.part("text_config"), fields.part("vision_config")
    part = Builder(UNTOLD)
    _llama4_tower(part, "vision_model", vision)
    width = text.size("hidden_size", FAMILIES["llama4_text"].width)
    seen = vision.size("vision_output_dim", 7680)
    part.linear("multi_modal_projector.linear_1", seen, width, bias=False)
    whole = relative(text, "ForCausalLM", "llama4_text")
    part.include("language_model.", whole)
    return part.done(fields.path, classes=whole.n_classes)


def _llama4_tower(part: Builder, name: str, fields: Fields) -> None:
    width, hidden = fields.size("hidden_size", 768), fields.size("intermediate_size", 5632)
    fields.require_divided(fields.size("num_attention_heads", 16), width)
    patch, channels = fields.size("patch_size", 14), fields.size("num_channels", 3)
    places = (fields.size("image_size", 448) // patch) ** 2 + 1
    part.add(f"{name}.class_embedding", width, role=Role.OTHER, variance=None)
    label = f"{name}.positional_embedding_vlm"
    part.add(label, places, width, role=Role.POSITION, variance=None)
    part.linear(f"{name}.patch_embedding.linear", channels * patch**2, width, bias=False)
    part.norms(name, ("layernorm_pre", "layernorm_post"), width)
    for index in range(fields.size("num_hidden_layers", 34)):
        layer = f"{name}.model.layers.{index}"
        part.linears(f"{layer}.self_attn", ("q_proj", "k_proj", "v_proj", "o_proj"), width, width)
        part.feed_forward(f"{layer}.mlp", ("fc1", "fc2"), width, hidden)
        part.norms(layer, ("input_layernorm", "post_attention_layernorm"), width)
    out = fields.size("projector_output_dim", 4096)
    read = fields.size("projector_input_dim", 4096)
    part.linear(f"{name}.vision_adapter.mlp.fc1", hidden, read, bias=False)
    part.linear(f"{name}.vision_adapter.mlp.fc2", out, out, bias=False)
