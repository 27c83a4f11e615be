"""BLIP, BLIP-2, InstructBLIP and GIT: a vision transformer whose pictures a text model reads.

Source: transformers/models/{blip,blip_2,instructblip,git}/configuration_*.py and modeling_*.py
(v4.57.1) for defaults, rules and names; Li et al. 2022 (2201.12086), Li et al. 2023 (2301.12597).
How the vision towers start is not told here.
"""

from decaycalc.architecture.build import Builder
from decaycalc.architecture.hub.decoders import opt
from decaycalc.architecture.hub.encoder_decoders import t5
from decaycalc.architecture.hub.encoders import bert_layer, tied_output
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.hub.llamas import llama
from decaycalc.architecture.hub.towers import UNTOLD, vision_tower
from decaycalc.architecture.tensors import Architecture, Role

BLIP_HEADS = ("ForConditionalGeneration", "Model", "ForQuestionAnswering", "ForImageTextRetrieval")
BLIP2_HEADS = ("ForConditionalGeneration", "Model")
INSTRUCTED_HEADS = ("ForConditionalGeneration",)
GIT_HEADS = ("ForCausalLM", "Model")
_LANGUAGE_MODELS = {"opt": (opt, "ForCausalLM"), "t5": (t5, "ForConditionalGeneration"),
                    "llama": (llama, "ForCausalLM")}  # fmt: skip
# The field of their width, and what it is where nothing is said.
_WIDTHS = {"opt": ("hidden_size", 768), "t5": ("d_model", 512), "llama": ("hidden_size", 4096)}


def blip(fields: Fields, head: str) -> Architecture:
    """Return BLIP with the given head.

    Raises:
        UnreadableFileError: an output layer that is not tied, or a malformed field.
    """
    text, vision = fields.part("text_config"), fields.part("vision_config")
    for each in (fields, text):
        each.require("tie_word_embeddings", value=True)
    part = Builder(UNTOLD)
    seen, width = vision.size("hidden_size", 768), text.size("hidden_size", 768)
    if head == "Model":
        scale = fields.number("logit_scale_init_value", 2.6592)
        part.add("logit_scale", role=Role.OTHER, mean=scale)
        _blip_text(part, "text_model", text, seen, pooled=True)
        _blip_vision(part, vision, (768, 3072, 12, 384, 16))
        shared = fields.size("projection_dim", 512)
        part.linear("visual_projection", seen, shared, bias=False)
        part.linear("text_projection", width, shared, bias=False)
        return part.done(fields.path, classes=None)
    _blip_vision(part, vision, (768, 3072, 12, 384, 16))
    if head != "ForConditionalGeneration":
        _blip_text(part, "text_encoder", text, seen)
    if head == "ForImageTextRetrieval":
        shared = fields.size("image_text_hidden_size", 256)
        part.linear("vision_proj", seen, shared)
        part.linear("text_proj", width, shared)
        part.linear("itm_head", width, 2)
        return part.done(fields.path, classes=None)
    vocabulary = text.size("vocab_size", 30524)
    _blip_text(part, "text_decoder.bert", text, seen)
    part.add("text_decoder.cls.predictions.bias", vocabulary, role=Role.BIAS)
    part.linear("text_decoder.cls.predictions.transform.dense", width, width)
    part.norm("text_decoder.cls.predictions.transform.LayerNorm", width)
    return part.done(fields.path, classes=vocabulary)


def _blip_text(
    part: Builder, name: str, fields: Fields, seen: int, *, pooled: bool = False
) -> None:
    """Add a text model that reads pictures of the width `seen`."""
    width, hidden = fields.size("hidden_size", 768), fields.size("intermediate_size", 3072)
    table = f"{name}.embeddings"
    part.embedding(f"{table}.word_embeddings", fields.size("vocab_size", 30524), width)
    positions = fields.size("max_position_embeddings", 512)
    part.positions(f"{table}.position_embeddings", positions, width)
    part.norm(f"{table}.LayerNorm", width)
    reads = fields.flag("is_decoder", default=True)
    for index in range(fields.size("num_hidden_layers", 12)):
        layer = f"{name}.encoder.layer.{index}"
        _attention(part, f"{layer}.attention", (width, width), inner="self")
        if reads:
            _attention(part, f"{layer}.crossattention", (width, seen), inner="self")
        _feed_forward(part, layer, (width, hidden), "")
    if pooled:
        part.linear(f"{name}.pooler.dense", width, width)


def _attention(part: Builder, name: str, widths: tuple[int, int], *, inner: str) -> None:
    """Add attention of layers of the first width to what has the second."""
    width, seen = widths
    part.linear(f"{name}.{inner}.query", width, width)
    part.linear(f"{name}.{inner}.key", seen, width)
    part.linear(f"{name}.{inner}.value", seen, width)
    part.linear(f"{name}.output.dense", width, width)
    part.norm(f"{name}.output.LayerNorm", width)


def _feed_forward(part: Builder, layer: str, widths: tuple[int, int], ending: str) -> None:
    width, hidden = widths
    part.linear(f"{layer}.intermediate{ending}.dense", width, hidden)
    part.linear(f"{layer}.output{ending}.dense", hidden, width)
    part.norm(f"{layer}.output{ending}.LayerNorm", width)


def _blip_vision(
    part: Builder, fields: Fields, usual: tuple[int, int, int, int, int], *,
    bias: bool = True,
) -> int:  # fmt: skip
    """Add a vision tower, return its width; `usual` are widths, layers, image and patch.

    `bias` is that of queries, keys and values.
    """
    width = fields.size("hidden_size", usual[0])
    hidden = fields.size("intermediate_size", usual[1])
    (patch, places), table = (
        fields.patches(patch=usual[4], image=usual[3]),
        "vision_model.embeddings",
    )
    part.add(f"{table}.class_embedding", 1, 1, width, role=Role.OTHER, variance=None)
    label = f"{table}.position_embedding"
    part.add(label, 1, places + 1, width, role=Role.POSITION, variance=None)
    part.conv(f"{table}.patch_embedding", 3, width, patch)
    for index in range(fields.size("num_hidden_layers", usual[2])):
        layer = f"vision_model.encoder.layers.{index}"
        part.linear(f"{layer}.self_attn.qkv", width, 3 * width, bias=bias)
        part.linear(f"{layer}.self_attn.projection", width, width)
        part.norm(f"{layer}.layer_norm1", width)
        part.feed_forward(f"{layer}.mlp", ("fc1", "fc2"), width, hidden)
        part.norm(f"{layer}.layer_norm2", width)
    part.norm("vision_model.post_layernorm", width)
    return width


def blip2(fields: Fields, _head: str) -> Architecture:
    """Return BLIP-2 or InstructBLIP: a vision tower, a Q-Former, and OPT, T5 or Llama.

    Raises:
        UnreadableFileError: another language model, or a malformed field.
    """
    text, qformer = fields.part("text_config"), fields.part("qformer_config")
    kind = text.text("model_type", "opt")
    if kind not in _LANGUAGE_MODELS:
        raise text.wrong("model_type", kind, f"one of {', '.join(_LANGUAGE_MODELS)}")
    instructed = fields.text("model_type", "blip-2") == "instructblip"
    qformer.require("use_qformer_text_input", value=False)
    part = Builder(UNTOLD)
    width, queries = qformer.size("hidden_size", 768), fields.size("num_query_tokens", 32)
    part.add("query_tokens", 1, queries, width, role=Role.OTHER)
    usual = (1408, 6144, 39, 224, 14)
    vision = fields.part("vision_config")
    bias = vision.flag("qkv_bias", default=True)
    seen = _blip_vision(part, vision, usual, bias=bias)
    _qformer(part, qformer, (width, seen), reads=instructed)
    build, language_head = _LANGUAGE_MODELS[kind]
    language = build(text, language_head)
    part.linear("language_projection", width, text.size(*_WIDTHS[kind]))
    part.include("language_model.", language)
    return part.done(fields.path, classes=language.n_classes)


def _qformer(part: Builder, fields: Fields, widths: tuple[int, int], *, reads: bool) -> None:
    """Add the Q-Former; InstructBLIP's `reads` what is asked of a picture."""
    width, hidden = widths[0], fields.size("intermediate_size", 3072)
    every = fields.size("cross_attention_frequency", 2)
    if reads:
        _words(part, "qformer.embeddings", fields, width, ("layernorm", 512))
    else:
        part.norm("qformer.layernorm", width)
    for index in range(fields.size("num_hidden_layers", 12)):
        layer = f"qformer.encoder.layer.{index}"
        _attention(part, f"{layer}.attention", (width, width), inner="attention")
        if index % every == 0:
            _attention(part, f"{layer}.crossattention", widths, inner="attention")
        if reads:
            _feed_forward(part, layer, (width, hidden), "")
        _feed_forward(part, layer, (width, hidden), "_query")


def _words(part: Builder, name: str, fields: Fields, width: int, usual: tuple[str, int]) -> None:
    """Add a table of words and one of positions; `usual` are their norm and how many places."""
    vocabulary = fields.size("vocab_size", 30522)
    part.embedding(f"{name}.word_embeddings", vocabulary, width, padding=True)
    places = fields.size("max_position_embeddings", usual[1])
    part.positions(f"{name}.position_embeddings", places, width)
    part.norm(f"{name}.{usual[0]}", width)


def git(fields: Fields, head: str) -> Architecture:
    """Return GIT, which writes behind the patches of a picture or of a few frames.

    Raises:
        UnreadableFileError: a malformed field.
    """
    part, prefix = Builder(UNTOLD), "" if head == "Model" else "git."
    width, vision = fields.size("hidden_size", 768), fields.part("vision_config")
    hidden = fields.size("intermediate_size", 3072)
    _words(part, f"{prefix}embeddings", fields, width, ("LayerNorm", 1024))
    tower = Builder(UNTOLD)
    seen = vision_tower(tower, vision, patch=16)
    part.include(f"{prefix}image_encoder.", tower.done(fields.path, classes=None))
    for index in range(fields.size("num_hidden_layers", 6)):
        bert_layer(part, f"{prefix}encoder.layer.{index}", width, hidden)
    name = f"{prefix}visual_projection.visual_projection"
    part.linear(f"{name}.0", seen, width)
    part.norm(f"{name}.1", width)
    for index in range(fields.size("num_image_with_embedding", 0, least=0)):
        label = f"{prefix}img_temporal_embedding.{index}"
        part.add(label, 1, 1, seen, role=Role.POSITION)
    if head == "Model":
        return part.done(fields.path, classes=None)
    vocabulary = fields.size("vocab_size", 30522)
    tied_output(part, fields, "output", (width, vocabulary), tied=False)
    return part.done(fields.path, classes=vocabulary)
