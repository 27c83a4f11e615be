"""Llama 3.2 Vision: a Llama some layers of which attend to pictures instead of words.

How it starts is not told here. Source: transformers/models/mllama/configuration_mllama.py and
modeling_mllama.py (v4.57.1) for defaults, rules and names.
"""

from decaycalc.architecture.build import Builder
from decaycalc.architecture.hub.decoders import finish
from decaycalc.architecture.hub.experts import add_gated
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.hub.towers import UNTOLD
from decaycalc.architecture.tensors import Architecture, Role
from decaycalc.record import replace

HEADS = ("ForConditionalGeneration", "Model")
TEXT_HEADS = ("ForCausalLM", "TextModel")
_CROSSED = (3, 8, 13, 18, 23, 28, 33, 38)
_RATIOS = 8  # of the sides of up to four tiles
_SPECIAL = 8  # rows of the words' table that no output stands for


def mllama(fields: Fields, head: str) -> Architecture:
    """Return Llama 3.2 Vision.

    Raises:
        UnreadableFileError: a malformed field.
    """
    text, vision = fields.part("text_config"), fields.part("vision_config")
    part, prefix = Builder(UNTOLD), "" if head == "Model" else "model."
    _tower(part, f"{prefix}vision_model", vision)
    part.start = replace(UNTOLD, norm="rms")
    width = _layers(part, f"{prefix}language_model.", text)
    seen = vision.size("vision_output_dim", 7680)
    part.linear(f"{prefix}multi_modal_projector", seen, width)
    writer = "ForCausalLM" if head == HEADS[0] else "Model"
    return finish(part, text, writer, (width, _vocabulary(text)), tied=False)


def text_alone(fields: Fields, head: str) -> Architecture:
    """Return the language model alone.

    Raises:
        UnreadableFileError: a malformed field.
    """
    part = Builder(replace(UNTOLD, norm="rms"))
    width = _layers(part, "model." if head == "ForCausalLM" else "", fields)
    return finish(part, fields, head, (width, _vocabulary(fields)), tied=False)


def _vocabulary(fields: Fields) -> int:
    return fields.size("vocab_size", 128256)


def _layers(part: Builder, prefix: str, fields: Fields) -> int:
    """Add the language model without its output layer, return its width."""
    width, hidden = fields.size("hidden_size", 4096), fields.size("intermediate_size", 14336)
    heads, kept = fields.size("num_attention_heads", 32), fields.size("num_key_value_heads", 8)
    size = max(1, width // heads)
    said = fields.values.get("cross_attention_layers")
    crossed = _CROSSED if said is None else fields.whole_numbers("cross_attention_layers")
    part.embedding(f"{prefix}embed_tokens", _vocabulary(fields) + _SPECIAL, width)
    for index in range(fields.size("num_hidden_layers", 40)):
        layer, seeing = f"{prefix}layers.{index}", index in crossed
        attention = f"{layer}.{'cross_attn' if seeing else 'self_attn'}"
        for gate in ("attn", "mlp") if seeing else ():
            part.add(f"{layer}.cross_attn_{gate}_gate", 1, role=Role.OTHER)
        for projection, number in (("q_proj", heads), ("k_proj", kept), ("v_proj", kept)):
            part.linear(f"{attention}.{projection}", width, number * size, bias=False)
        part.linear(f"{attention}.o_proj", heads * size, width, bias=False)
        part.norms(attention, ("q_norm", "k_norm") if seeing else (), size, bias=False)
        if seeing:
            part.norm(f"{layer}.input_layernorm", width, bias=False)
        add_gated(part, f"{layer}.mlp", width, hidden, bias=False)
        if not seeing:
            part.norm(f"{layer}.input_layernorm", width, bias=False)
        part.norm(f"{layer}.post_attention_layernorm", width, bias=False)
    part.norm(f"{prefix}norm", width, bias=False)
    return width


def _tower(part: Builder, name: str, fields: Fields) -> None:
    """Add the tower, which sees a picture as tiles of several shapes."""
    fields = fields.renamed({"attention_heads": "num_attention_heads"})
    width, tiles = fields.size("hidden_size", 1280), fields.size("max_num_tiles", 4)
    patch, places = fields.patches(patch=14, image=448)
    shapes = _tile_shapes(fields, tiles) + 1
    part.add(f"{name}.class_embedding", width, role=Role.OTHER, variance=None)
    part.conv(f"{name}.patch_embedding", fields.size("num_channels", 3), width, patch, bias=False)
    table = f"{name}.gated_positional_embedding"
    part.add(f"{table}.gate", 1, role=Role.OTHER)
    part.add(f"{table}.embedding", places + 1, width, role=Role.POSITION, variance=None)
    part.positions(f"{table}.tile_embedding", shapes, tiles * (places + 1) * width)
    for side in ("pre", "post"):
        table = f"{name}.{side}_tile_positional_embedding"
        part.add(f"{table}.gate", 1, role=Role.OTHER)
        part.positions(f"{table}.embedding", shapes, tiles * width)
    part.norms(name, ("layernorm_pre", "layernorm_post"), width)
    for index in range(fields.size("num_hidden_layers", 32)):
        _tower_layer(part, f"{name}.transformer.layers.{index}", fields, width)
    for index in range(fields.size("num_global_layers", 8)):
        layer = f"{name}.global_transformer.layers.{index}"
        for gate in ("gate_attn", "gate_ffn"):
            part.add(f"{layer}.{gate}", 1, role=Role.OTHER, variance=None)
        _tower_layer(part, layer, fields, width)


def _tile_shapes(fields: Fields, tiles: int) -> int:
    """Return how many shapes a picture's tiles may have.

    Raises:
        UnreadableFileError: they are not listed for another number of tiles than 4, or no list.
    """
    listed = fields.values.get("supported_aspect_ratios")
    if listed is None and tiles == 4:  # noqa: PLR2004  (the only number with known shapes)
        return _RATIOS
    if not isinstance(listed, list):
        raise fields.wrong("supported_aspect_ratios", listed, "a list of pairs")
    return len(listed)


def _tower_layer(part: Builder, name: str, fields: Fields, width: int) -> None:
    heads, attention = fields.size("num_attention_heads", 16), f"{name}.self_attn"
    inner = heads * max(1, width // heads)
    part.linears(attention, ("q_proj", "k_proj", "v_proj"), width, inner, bias=False)
    part.linear(f"{attention}.o_proj", inner, width, bias=False)
    part.feed_forward(f"{name}.mlp", ("fc1", "fc2"), width, fields.size("intermediate_size", 5120))
    part.norms(name, ("input_layernorm", "post_attention_layernorm"), width)
