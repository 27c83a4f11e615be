"""Tensors that a class itself keeps from training: no optimizer decays them, though it has them.

Source: transformers 4.57.1, `requires_grad` in models/{whisper,marian,pegasus,qwen2_audio,voxtral,
vit_mae,detr,table_transformer,conditional_detr,deformable_detr,ernie4_5_moe}/modeling_*.py.
"""

import re

from decaycalc.architecture.tensors import Architecture

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
    if pattern is None:
        return ()
    kept = [each for each in net.tensors if re.search(pattern, each.name)]
    if not kept:
        return ()
    names = kept[0].name + (f" and {len(kept) - 1} more" if len(kept) > 1 else "")
    weights = sum(each.n_weights for each in kept)
    return (f"the class does not train {names}: nothing decays {weights:,} of the weights",)
