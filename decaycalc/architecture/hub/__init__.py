"""Models of the Hugging Face hub, built from their configuration."""

from collections.abc import Callable

from decaycalc.architecture.hub import decoders, encoders, images, narrow, sequences
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.tensors import Architecture
from decaycalc.errors import UnreadableFileError, nearest_names

Rule = Callable[[Fields, str], Architecture]

# Class name in transformers, builder, heads; the first head is taken where none is named.
MODEL_TYPES: dict[str, tuple[str, Rule, tuple[str, ...]]] = {
    "bert": ("Bert", encoders.bert, encoders.BERT_HEADS),
    "roberta": ("Roberta", encoders.roberta, encoders.ROBERTA_HEADS),
    "xlm-roberta": ("XLMRoberta", encoders.xlm_roberta, encoders.ROBERTA_HEADS),
    "distilbert": ("DistilBert", encoders.distilbert, encoders.DISTILBERT_HEADS),
    "electra": ("Electra", narrow.electra, narrow.ELECTRA_HEADS),
    "albert": ("Albert", narrow.albert, narrow.ALBERT_HEADS),
    "gpt2": ("GPT2", decoders.gpt2, decoders.GPT2_HEADS),
    "gpt_neox": ("GPTNeoX", decoders.gpt_neox, decoders.CAUSAL_HEADS),
    "opt": ("OPT", decoders.opt, decoders.CAUSAL_HEADS[:3]),
    "llama": ("Llama", decoders.llama, decoders.CAUSAL_HEADS),
    "mistral": ("Mistral", decoders.llama, decoders.CAUSAL_HEADS),
    "mixtral": ("Mixtral", decoders.llama, decoders.CAUSAL_HEADS),
    "qwen2": ("Qwen2", decoders.llama, decoders.CAUSAL_HEADS),
    "qwen3": ("Qwen3", decoders.llama, decoders.CAUSAL_HEADS),
    "gemma": ("Gemma", decoders.llama, decoders.CAUSAL_HEADS),
    "gemma2": ("Gemma2", decoders.llama, decoders.CAUSAL_HEADS),
    "phi3": ("Phi3", decoders.llama, decoders.CAUSAL_HEADS),
    "t5": ("T5", sequences.t5, sequences.T5_HEADS),
    "bart": ("Bart", sequences.bart, sequences.BART_HEADS),
    "whisper": ("Whisper", sequences.whisper, sequences.WHISPER_HEADS),
    "vit": ("ViT", images.vit, images.IMAGE_HEADS),
    "deit": ("DeiT", images.vit, images.DEIT_HEADS),
    "swin": ("Swin", images.swin, images.IMAGE_HEADS),
    "convnext": ("ConvNext", images.convnext, images.IMAGE_HEADS),
}


def build_config(fields: Fields) -> Architecture:
    """Return the model that a configuration's `model_type` and `architectures` describe.

    Raises:
        UnreadableFileError: an unknown model or class, or a malformed field.
    """
    kind = fields.text("model_type", "")
    if kind not in MODEL_TYPES:
        near = nearest_names(kind[:40], MODEL_TYPES)
        hint = f"did you mean {near[0]!r}" if near else f"known are {', '.join(MODEL_TYPES)}"
        raise UnreadableFileError(fields.path, f"unknown model_type {kind[:40]!r}; {hint}")
    name, rule, heads = MODEL_TYPES[kind]
    return rule(fields, _head(fields, name, heads))


def _head(fields: Fields, name: str, heads: tuple[str, ...]) -> str:
    """Return the head that `architectures` names, or the first one where it names none."""
    listed = fields.values.get("architectures")
    if not listed:
        return heads[0]
    full = listed[0] if isinstance(listed, list) else listed
    for head in heads:
        if full == name + head:
            return head
    known = ", ".join(name + head for head in heads)
    raise fields.wrong("architectures", full, f"one of {known}")
