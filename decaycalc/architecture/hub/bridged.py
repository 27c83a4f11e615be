"""Relatives of LLaVA by other bridges, retrievers over them, and GLM-4.1V with its own tower.

How they start is not told here. Source: transformers/models/{vipllava,video_llava,aya_vision,
cohere2_vision,lfm2_vl,colpali,colqwen2,glm4v,glm4v_moe}/configuration_*.py and modeling_*.py
(v4.57.1) for defaults, rules and names.
"""

from collections.abc import Mapping

from decaycalc.architecture.build import Builder
from decaycalc.architecture.hub.experts import add_gated
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.hub.multimodal import (
    HEADS,
    add_patches,
    language_width,
    paligemma,
    prefix_of,
    qwen_vl,
    seeing,
    with_language_model,
)
from decaycalc.architecture.hub.towers import UNTOLD
from decaycalc.architecture.tensors import Architecture
from decaycalc.record import replace

RETRIEVER_HEADS = ("ForRetrieval",)
__all__ = ["HEADS", "RETRIEVER_HEADS", "glm4v", "merged", "retriever", "video_llava", "vipllava"]

_CLIP = {"model_type": "clip_vision_model", "intermediate_size": 4096, "hidden_size": 1024,
         "patch_size": 14, "image_size": 336, "num_hidden_layers": 24}  # fmt: skip
_FOR_FILMS = {**_CLIP, "image_size": 224}
# What those see by that merge patches, where nothing is said.
_MERGING: Mapping[str, Mapping[str, object]] = {
    "aya_vision": {"model_type": "siglip_vision_model", "hidden_size": 1152, "patch_size": 14,
                   "intermediate_size": 4304, "image_size": 384, "num_hidden_layers": 26,
                   "vision_use_head": False},
    "cohere2_vision": {"model_type": "siglip_vision_model", "hidden_size": 1152,
                       "intermediate_size": 3072, "image_size": 512, "num_hidden_layers": 27},
    "lfm2_vl": {"model_type": "siglip2_vision_model"},
}  # fmt: skip


def vipllava(fields: Fields, head: str) -> Architecture:
    """Return ViP-LLaVA, which reads several layers of its tower side by side.

    Raises:
        UnreadableFileError: a part that is not known here, or a malformed field.
    """
    text, vision = fields.part("text_config"), fields.part("vision_config", _CLIP)
    part, prefix = Builder(UNTOLD), prefix_of(head)
    part.include(f"{prefix}vision_tower.", seeing(vision, "clip_vision_model"))
    layers = fields.values.get("vision_feature_layers", [-2, -5, -8, -11, 6])
    several = len(layers) if isinstance(layers, list) else 1
    n_in, name = several * vision.size("hidden_size", 768), f"{prefix}multi_modal_projector"
    part.norm(f"{name}.projector_layernorm", n_in)
    kind = text.text("model_type", "llama")
    part.linear(f"{name}.linear_1", n_in, language_width(text, kind))
    part.linear(f"{name}.linear_2", language_width(text, kind), language_width(text, kind))
    return with_language_model(part, fields, text, head, kind)


def video_llava(fields: Fields, head: str) -> Architecture:
    """Return Video-LLaVA, which has a tower for films and one for pictures.

    Raises:
        UnreadableFileError: a part that is not known here, or a malformed field.
    """
    text, vision = fields.part("text_config"), fields.part("vision_config", _FOR_FILMS)
    part, prefix = Builder(UNTOLD), prefix_of(head)
    for tower in ("video_tower", "image_tower"):
        part.include(f"{prefix}{tower}.", seeing(vision, "clip_vision_model"))
    layers, kind = fields.values.get("vision_feature_layer"), text.text("model_type", "llama")
    several = len(layers) if isinstance(layers, list) else 1
    width, bias = language_width(text, kind), fields.flag("multimodal_projector_bias", default=True)
    n_in, name = several * vision.size("hidden_size", 768), f"{prefix}multi_modal_projector"
    part.linear(f"{name}.linear_1", n_in, width, bias=bias)
    part.linear(f"{name}.linear_2", width, width, bias=bias)
    return with_language_model(part, fields, text, head, kind)


def merged(fields: Fields, head: str) -> Architecture:
    """Return Aya Vision, Command A Vision or LFM2-VL, whose bridge merges neighbouring patches.

    The first two multiply one half of the bridge's inner width by the other.

    Raises:
        UnreadableFileError: a part that is not known here, or a malformed field.
    """
    family = fields.text("model_type", "aya_vision").replace("-", "_")
    usual = _MERGING[family]
    text, vision = fields.part("text_config"), fields.part("vision_config", usual)
    part, prefix = Builder(UNTOLD), prefix_of(head)
    tower = str(usual["model_type"])
    part.include(f"{prefix}vision_tower.", seeing(vision, tower))
    kind = text.text("model_type", "lfm2" if family == "lfm2_vl" else "cohere2")
    width, name = language_width(text, kind), f"{prefix}multi_modal_projector"
    n_in = vision.size("hidden_size", 768) * fields.size("downsample_factor", 2) ** 2
    inner, bias = fields.size("alignment_intermediate_size", width), True
    if family == "aya_vision":
        part.norm(f"{name}.layernorm", n_in)
    elif family == "cohere2_vision":
        inner = fields.size("alignment_intermediate_size", 36864)
    else:
        part.norm(f"{name}.layer_norm", n_in)
        inner = fields.size("projector_hidden_size", 2560)
        bias = fields.flag("projector_bias", default=True)
    part.linear(f"{name}.linear_1", n_in, inner, bias=bias)
    read = inner if family == "lfm2_vl" else inner // 2
    part.linear(f"{name}.linear_2", read, width, bias=bias)
    return with_language_model(part, fields, text, head, kind)


_RETRIEVERS = {"paligemma": paligemma, "qwen2_vl": qwen_vl, "qwen2_5_vl": qwen_vl}


def retriever(fields: Fields, _head: str) -> Architecture:
    """Return ColPali or ColQwen2: a model that sees, and a dense layer to a narrow vector.

    Raises:
        UnreadableFileError: another model than PaliGemma or Qwen2-VL, or a malformed field.
    """
    usual = "paligemma" if fields.text("model_type", "colpali") == "colpali" else "qwen2_vl"
    below = fields.part("vlm_config", {"model_type": usual})
    kind = below.text("model_type", usual)
    if kind not in _RETRIEVERS:
        raise below.wrong("vlm_config.model_type", kind, f"one of {', '.join(_RETRIEVERS)}")
    part, whole = Builder(UNTOLD), _RETRIEVERS[kind](below, HEADS[0])
    part.include("vlm.", whole)
    tables = (each for each in whole.tensors if each.name.endswith("embed_tokens.weight"))
    width = next(tables).shape[1]
    part.linear("embedding_proj_layer", width, fields.size("embedding_dim", 128))
    return part.done(fields.path, classes=None)


def glm4v(fields: Fields, head: str) -> Architecture:
    """Return GLM-4.1V, or GLM-4.5V with experts.

    Raises:
        UnreadableFileError: a malformed field.
    """
    text, vision = fields.part("text_config"), fields.part("vision_config")
    part, prefix = Builder(replace(UNTOLD, norm="rms")), prefix_of(head)
    _glm_tower(part, f"{prefix}visual", vision)
    family = f"{fields.text('model_type', 'glm4v')}_text"
    return with_language_model(part, fields, text, head, family)


def _glm_tower(part: Builder, name: str, fields: Fields) -> None:
    width, hidden = fields.size("hidden_size", 1536), fields.size("intermediate_size", 13696)
    out, bias = fields.size("out_hidden_size", 4096), fields.flag("attention_bias", default=False)
    _patch, places = fields.patches(patch=14, image=336)
    part.positions(f"{name}.embeddings.position_embedding", places, width)
    add_patches(part, name, fields, width, patch=14, bias=True)
    for index in range(fields.size("depth", 24)):
        block = f"{name}.blocks.{index}"
        part.norms(block, ("norm1", "norm2"), width, bias=False)
        part.linear(f"{block}.attn.qkv", width, 3 * width, bias=bias)
        part.linear(f"{block}.attn.proj", width, width, bias=False)
        add_gated(part, f"{block}.mlp", width, out, bias=False)
    part.linear(f"{name}.merger.proj", out, out, bias=False)
    part.norm(f"{name}.merger.post_projection_norm", out, kind="layer")
    add_gated(part, f"{name}.merger", out, hidden, bias=False)
    part.norm(f"{name}.post_conv_layernorm", width, bias=False)
    part.conv(f"{name}.downsample", width, out, fields.size("spatial_merge_size", 2))
    part.norm(f"{name}.post_layernorm", width, bias=False)
