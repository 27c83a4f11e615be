"""CLIP's relatives: Chinese CLIP, and OWL-ViT 1 and 2, which find what a text names.

How they start is not told here. Source: transformers/models/{chinese_clip,owlvit,owlv2}/
configuration_*.py and modeling_*.py (v4.57.1) for defaults, rules and names.
"""

from decaycalc.architecture.build import Builder
from decaycalc.architecture.hub.encoders import bert_layer, bert_tables
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.hub.towers import UNTOLD, clip_layer, text_tower, vision_tower
from decaycalc.architecture.tensors import Architecture, Role

OWL_HEADS = ("ForObjectDetection", "Model")
CHINESE_HEADS = ("Model",)


def _compared(part: Builder, prefix: str, fields: Fields, widths: tuple[int, int]) -> None:
    """Add the projections of both towers into one space."""
    shared = fields.size("projection_dim", 512)
    part.linear(f"{prefix}visual_projection", widths[0], shared, bias=False)
    part.linear(f"{prefix}text_projection", widths[1], shared, bias=False)


def _scale(part: Builder, prefix: str, fields: Fields) -> None:
    scale = fields.number("logit_scale_init_value", 2.6592)
    part.add(f"{prefix}logit_scale", role=Role.OTHER, mean=scale)


def chinese_clip(fields: Fields, _head: str) -> Architecture:
    """Return Chinese CLIP, whose texts BERT reads.

    Raises:
        UnreadableFileError: a malformed field.
    """
    part, text = Builder(UNTOLD), fields.part("text_config")
    _scale(part, "", fields)
    width, hidden = text.size("hidden_size", 768), text.size("intermediate_size", 3072)
    table = (width, text.size("vocab_size", 30522))
    bert_tables(part, text, "text_model.embeddings", table)
    for index in range(text.size("num_hidden_layers", 12)):
        bert_layer(part, f"text_model.encoder.layer.{index}", width, hidden)
    seen = vision_tower(part, fields.part("vision_config"))
    _compared(part, "", fields, (seen, width))
    return part.done(fields.path, classes=None)


def owl(fields: Fields, head: str) -> Architecture:
    """Return OWL-ViT or its second version, which tells objects from what is none too.

    Raises:
        UnreadableFileError: a malformed field.
    """
    kind, text = fields.text("model_type", "owlvit"), fields.part("text_config")
    prefix = "" if head == "Model" else f"{kind}."
    part, vision = Builder(UNTOLD), fields.part("vision_config")
    _scale(part, prefix, fields)
    towers = Builder(UNTOLD)
    read = text_tower(towers, text, (512, 2048, 49408, 16), clip_layer)
    patch, image = (16, 768) if kind == "owlv2" else (32, 768)
    seen = vision_tower(towers, vision, patch=patch, image=image, first="pre_layernorm")
    part.include(prefix, towers.done(fields.path, classes=None))
    _compared(part, prefix, fields, (seen, read))
    if head == "Model":
        return part.done(fields.path, classes=None)
    part.linear("class_head.dense0", seen, read)
    part.linear("class_head.logit_shift", seen, 1)
    part.linear("class_head.logit_scale", seen, 1)
    for name, out in (("box_head", 4), ("objectness_head", 1)):
        if name == "box_head" or kind == "owlv2":
            part.linear(f"{name}.dense0", seen, seen)
            part.linear(f"{name}.dense1", seen, seen)
            part.linear(f"{name}.dense2", seen, out)
    part.norm("layer_norm", seen)
    return part.done(fields.path, classes=None)
