"""Florence-2: a dual attention vision transformer and BART, by transformers' names or Microsoft's.

How it starts is not told here. Source: transformers/models/florence2/configuration_florence2.py and
modeling_florence2.py (v4.57.1) for defaults, rules and names; its convert_florence2_original_
pytorch_to_hf.py for those of Microsoft's own code; Xiao et al. 2023 (2311.06242), Ding et al. 2022
(2204.03645).
"""

from dataclasses import dataclass

from decaycalc.architecture.build import Builder
from decaycalc.architecture.hub.encoder_decoders import bart
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.hub.multimodal import HEADS, prefix_of
from decaycalc.architecture.hub.towers import UNTOLD
from decaycalc.architecture.tensors import Architecture
from decaycalc.record import replace

__all__ = ["HEADS", "florence2"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What one of the two codes calls a block's layers, with gaps for their own names."""

    patches: str
    conv: str
    norm1: str
    attention: str
    norm2: str
    feed: str


_NATIVE = Names(patches="conv", conv="{}", norm1="norm1", attention="{}", norm2="norm2",
                feed="ffn")  # fmt: skip
_OWN = Names(patches="proj", conv="{}.fn.dw", norm1="{}.norm", attention="{}.fn",
             norm2="ffn.norm", feed="ffn.fn.net")  # fmt: skip
# Microsoft's names of what transformers' class calls otherwise.
_FIELDS = {"dim_embed": "embed_dim"}
_BLOCKS = (("spatial_block", "window_attn"), ("channel_block", "channel_attn"))


def florence2(fields: Fields, head: str) -> Architecture:
    """Return Florence-2, by Microsoft's names where its text model is called by them.

    Raises:
        UnreadableFileError: another language model than BART, or a malformed field.
    """
    text, vision = fields.part("text_config"), fields.part("vision_config")
    kind = text.text("model_type", "bart")
    if kind not in {"bart", "florence2_language"}:
        raise text.wrong("model_type", kind, "bart or florence2_language")
    told = replace(text, values={**text.values, "model_type": "bart"})
    part = Builder(UNTOLD)
    if kind == "florence2_language":
        return _own(part, fields, told, vision)
    prefix = prefix_of(head)
    width = _tower(part, f"{prefix}vision_tower", vision, _NATIVE)
    name, shared = f"{prefix}multi_modal_projector", vision.size("projection_dim", 1024)
    part.linear(f"{name}.image_projection", width, shared, bias=False)
    part.norm(f"{name}.image_proj_norm", shared)
    places = vision.size("max_position_embeddings", 50)
    _positions(part, f"{name}.image_position_embed", places, width)
    part.include(f"{prefix}language_model.", bart(told, "Model"))
    return part.done(fields.path, classes=told.size("vocab_size", 50265))


def _own(part: Builder, fields: Fields, text: Fields, vision: Fields) -> Architecture:
    vision = vision.renamed(_FIELDS)
    widths = vision.sizes("embed_dim", (256, 512, 1024, 2048))
    width, shared = widths[-1], vision.size("projection_dim", 1024)
    # The class's own weight comes before its parts.
    part.add("image_projection", width, shared, fans=(width, shared), variance=None)
    _tower(part, "vision_tower", vision, _OWN)
    part.norm("image_proj_norm", shared)
    places = vision.part("image_pos_embed").size("max_pos_embeddings", 50)
    _positions(part, "image_pos_embed", places, width)
    whole = bart(text, "ForConditionalGeneration")
    part.include("language_model.", whole)
    return part.done(fields.path, classes=whole.n_classes)


def _positions(part: Builder, name: str, places: int, width: int) -> None:
    """Add positions in rows and in columns, which share the width."""
    part.positions(f"{name}.row_embeddings", places, width // 2)
    part.positions(f"{name}.column_embeddings", places, width - width // 2)


def _tower(part: Builder, name: str, fields: Fields, names: Names) -> int:
    """Add the tower, all convolutions of patches first; return its last width."""
    depths, widths = fields.sizes("depths", (1, 1, 9, 1)), fields.sizes("embed_dim", _WIDTHS)
    kernels, before = fields.sizes("patch_size", (7, 3, 3, 3)), _norms_before(fields, len(widths))
    for label, told in (("depths", depths), ("patch_size", kernels), ("patch_prenorm", before)):
        if len(told) < len(widths):
            raise fields.wrong(label, list(told), "as many as embed_dim")
    n_in = fields.size("in_channels", 3)
    for stage, width in enumerate(widths):
        conv = f"{name}.convs.{stage}"
        part.conv(f"{conv}.{names.patches}", n_in, width, kernels[stage])
        part.norm(f"{conv}.norm", n_in if before[stage] else width)
        n_in = width
    for stage, width in enumerate(widths):
        for index in range(depths[stage]):
            for block, attention in _BLOCKS:
                label = f"{name}.blocks.{stage}.{index}.{block}"
                _block(part, label, fields, names, (attention, width))
    return widths[-1]


_WIDTHS = (128, 256, 512, 1024)


def _norms_before(fields: Fields, stages: int) -> list[bool]:
    """Return which stages normalise before their convolution; all but the first, if not told.

    Raises:
        UnreadableFileError: it is not a list of truth values.
    """
    told = fields.values.get("patch_prenorm")
    if told is None:
        return [stage > 0 for stage in range(stages)]
    if not isinstance(told, list) or not all(isinstance(each, bool) for each in told):
        raise fields.wrong("patch_prenorm", told, "a list of true and false")
    return told


def _block(
    part: Builder, name: str, fields: Fields, names: Names, attended: tuple[str, int]
) -> None:
    """Add a block that attends to pixels or to channels, each layer after a depthwise one."""
    attention, width = attended
    bias, hidden = fields.flag("qkv_bias", default=True), fields.number("mlp_ratio", 4.0)
    layer = f"{name}.{names.attention.format(attention)}"
    for number in (1, 2):
        conv, norm = names.conv.format(f"conv{number}"), (names.norm1, names.norm2)[number - 1]
        part.conv(f"{name}.{conv}", width, width, 3, groups=width)
        part.norm(f"{name}.{norm.format(attention)}", width)
        if number == 1:
            part.linear(f"{layer}.qkv", width, 3 * width, bias=bias)
            part.linear(f"{layer}.proj", width, width)
    part.feed_forward(f"{name}.{names.feed}", ("fc1", "fc2"), width, int(width * hidden))
