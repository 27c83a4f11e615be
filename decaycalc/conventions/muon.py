"""Muon among the records: whose step is an orthogonalised momentum, and how large it is."""

from decaycalc.conventions.record import Convention

MUON_RMS = 0.2
"""The update's RMS where Muon scales it by 0.2*sqrt(max(rows, columns)), for AdamW's lr to serve.

Source: MoonshotAI/Moonlight, examples/toy_train.py, adjust_lr_for_muon.
"""
RMS_MATCHED = frozenset({"muon-keras", "muon-timm", "muon-llamafactory"})
"""Optimizers that scale so by default: Keras' rms_rate, timm's match_rms_adamw, LLaMA-Factory."""
# Steps of Muon's name that another rule takes part in: nothing here was simulated with them.
_MIXED = frozenset({"adamw", "laprop"})


def is_muon(record: Convention) -> bool:
    """Return whether a record's step is an orthogonalised momentum, and its decay a plain one."""
    name, *others = record.optimizer.split("-")
    muon = name in {"muon", "muonclip", "normuon"} and not _MIXED & {*others}
    return muon and record.estimate is None
