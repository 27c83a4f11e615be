"""Tensors that a class itself keeps from training: no optimizer decays them, though it has them.

Source: transformers 4.57.1, `requires_grad` in models/{whisper,marian,pegasus,qwen2_audio,voxtral,
vit_mae,detr,table_transformer,conditional_detr,deformable_detr,ernie4_5_moe}/modeling_*.py.
"""

from decaycalc.architecture.tensors import Architecture, untrained_notes

_POSITIONS = r"(?:^|\.)embed_positions\.weight$"
_STEM = r"backbone\.conv_encoder\.model\.(?:conv1|layer1\.)"
_FROZEN = {
    "whisper": r"encoder\.embed_positions\.weight$",
    **dict.fromkeys(("marian", "pegasus", "qwen2_audio", "voxtral"), _POSITIONS),
    "vit_mae": r"position_embeddings$|decoder_pos_embed$",
    **dict.fromkeys(("detr", "table-transformer", "conditional_detr", "deformable_detr"), _STEM),
    "ernie4_5_moe": r"\.e_score_correction_bias$",
}  # fmt: skip


def frozen_notes(kind: str, net: Architecture) -> tuple[str, ...]:
    """Return a line on the tensors that the class of a model type does not train, if any."""
    pattern = _FROZEN.get(kind)
    return () if pattern is None else untrained_notes(net, pattern)
