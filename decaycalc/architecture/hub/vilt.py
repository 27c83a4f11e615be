"""ViLT: patches of a picture and words in one transformer.

Source: transformers/models/vilt/configuration_*.py and modeling_*.py (v4.57.1) for defaults, rules,
names and `_init_weights`; Kim et al. 2021 (2102.03334).
"""

from decaycalc.architecture.build import Builder
from decaycalc.architecture.hub.encoders import begin, word_head
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.hub.images import vit_layers
from decaycalc.architecture.tensors import Architecture, Role

HEADS = ("ForQuestionAnswering", "Model", "ForMaskedLM", "ForImageAndTextRetrieval",
         "ForImagesAndTextClassification", "ForTokenClassification")  # fmt: skip


def vilt(fields: Fields, head: str) -> Architecture:
    """Return ViLT with the given head.

    Raises:
        UnreadableFileError: a malformed field.
    """
    part, prefix = begin(fields, head, "vilt.")
    fields = fields.over({"tie_word_embeddings": False})
    width, vocabulary = fields.size("hidden_size", 768), fields.size("vocab_size", 30522)
    fields.require_divided(fields.size("num_attention_heads", 12), width)
    table, (patch, places) = f"{prefix}embeddings", fields.patches(patch=32, image=384)
    part.add(f"{table}.cls_token", 1, 1, width, role=Role.OTHER)
    part.add(f"{table}.position_embeddings", 1, places + 1, width, role=Role.POSITION)
    words = f"{table}.text_embeddings"
    part.embedding(f"{words}.word_embeddings", vocabulary, width, padding=True)
    positions = fields.size("max_position_embeddings", 40)
    part.positions(f"{words}.position_embeddings", positions, width)
    part.embedding(f"{words}.token_type_embeddings", fields.size("type_vocab_size", 2), width)
    part.norm(f"{words}.LayerNorm", width)
    part.conv(f"{table}.patch_embeddings.projection", fields.size("num_channels", 3), width, patch)
    kinds = fields.size("modality_type_vocab_size", 2)
    part.embedding(f"{table}.token_type_embeddings", kinds, width)
    vit_layers(part, fields, prefix, width)
    if head != "ForTokenClassification":
        part.linear(f"{prefix}pooler.dense", width, width)
    if head == "ForMaskedLM":
        word_head(part, fields, (width, width, vocabulary), name="mlm_score")
        return part.done(fields.path, classes=vocabulary)
    return part.done(fields.path, classes=_classifier(part, fields, head, width))


def _classifier(part: Builder, fields: Fields, head: str, width: int) -> int | None:
    """Add a head over classes; return their number, if it has any."""
    if head == "Model":
        return None
    if head == "ForImageAndTextRetrieval":
        part.linear("rank_output", width, 1)
        return None
    if head == "ForTokenClassification":
        part.linear("classifier", width, fields.labels())
        return fields.labels()
    n_in, hidden = width, 2 * width
    if head == "ForImagesAndTextClassification":
        hidden = n_in = width * fields.size("num_images", -1)
    part.linear("classifier.0", n_in, hidden)
    part.norm("classifier.1", hidden)
    part.linear("classifier.3", hidden, fields.labels())
    return fields.labels()
