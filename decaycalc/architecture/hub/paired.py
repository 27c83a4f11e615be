"""An encoder and a decoder of two kinds: Donut, TrOCR, captioners, and pairs such as BERT's.

Source: transformers/models/{vision_encoder_decoder,encoder_decoder,speech_encoder_decoder,trocr}/
configuration_*.py and modeling_*.py (v4.57.1) for rules and names; Kim et al. 2021 (2111.15664),
Li et al. 2021 (2109.10282), Rothe et al. 2019 (1907.12461).
"""

from collections.abc import Callable, Mapping

from decaycalc.architecture.build import torch_uniform
from decaycalc.architecture.hub import decoders, encoders, images, pyramids, speech, towers
from decaycalc.architecture.hub.encoder_decoders import bart_decoder, bart_layer
from decaycalc.architecture.hub.encoders import begin
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.tensors import Architecture

HEADS = ("Model",)
TROCR_HEADS = ("ForCausalLM",)

Build = Callable[[Fields, str], Architecture]


def trocr(fields: Fields, _head: str) -> Architecture:
    """Return TrOCR's decoder, which writes what an encoder maybe of another width has read."""
    part, name = begin(fields, "", "model.decoder", field="init_std")
    width, vocabulary = fields.size("d_model", 1024), fields.size("vocab_size", 50265)
    hidden = fields.size("decoder_ffn_dim", 4096)
    part.embedding(f"{name}.embed_tokens", vocabulary, width, padding=True)
    if fields.flag("use_learned_position_embeddings", default=True):
        places = fields.size("max_position_embeddings", 512) + 2
        part.positions(f"{name}.embed_positions", places, width)
    if fields.flag("layernorm_embedding", default=True):
        part.norm(f"{name}.layernorm_embedding", width)
    seen = fields.size("cross_attention_hidden_size", width)
    for index in range(fields.size("decoder_layers", 12)):
        bart_layer(part, f"{name}.layers.{index}", width, hidden, reads=True, seen=seen)
    return decoders.finish(
        part, fields, "ForCausalLM", (width, vocabulary), output="output_projection"
    )


_PICTURES: Mapping[str, Build] = {
    "vit": images.vit, "deit": images.vit, "beit": towers.beit, "swin": pyramids.swin,
    "swinv2": pyramids.swinv2, "donut-swin": pyramids.donut_swin, "dinov2": towers.dinov2,
}  # fmt: skip
_SOUNDS: Mapping[str, Build] = dict.fromkeys(("wav2vec2", "hubert", "wavlm"), speech.wav2vec2)
_TEXTS: Mapping[str, Build] = {
    "bert": encoders.bert, "roberta": encoders.roberta, "xlm-roberta": encoders.xlm_roberta,
    "camembert": encoders.xlm_roberta, "distilbert": encoders.distilbert,
}  # fmt: skip
_ENCODERS = {
    "vision-encoder-decoder": _PICTURES, "speech-encoder-decoder": _SOUNDS,
    "encoder-decoder": _TEXTS,
}  # fmt: skip
_WRITERS: Mapping[str, tuple[Build, str]] = {
    **{kind: (build, "ForCausalLM") for kind, build in _TEXTS.items() if kind != "distilbert"},
    **dict.fromkeys(("mbart", "bart", "pegasus", "marian"), (bart_decoder, "ForCausalLM")),
    "bert": (encoders.bert, "LMHeadModel"),
    "gpt2": (decoders.gpt2, "LMHeadModel"),
    "trocr": (trocr, "ForCausalLM"),
}
_STAGED = frozenset({"swin", "swinv2", "donut-swin"})


def paired(fields: Fields, _head: str) -> Architecture:
    """Return an encoder of pictures, sounds or texts, and the decoder that writes what it reads.

    Raises:
        UnreadableFileError: a side that is not known here, or a malformed field.
    """
    readers = _ENCODERS[fields.text("model_type", "")]
    reader, writer = fields.part("encoder"), fields.part("decoder")
    for side, told, known in (("encoder", reader, readers), ("decoder", writer, _WRITERS)):
        kind = told.text("model_type", "")
        if kind not in known:
            raise fields.wrong(f"{side}.model_type", kind, f"one of {', '.join(known)}")
    part, _ = begin(fields, "", "")
    part.include("encoder.", readers[reader.text("model_type", "")](reader, "Model"))
    build, head = _WRITERS[writer.text("model_type", "")]
    written = build(writer, head)
    part.include("decoder.", written)
    seen, width = _width(reader), written.tensors[0].shape[1]
    told_width = writer.size("cross_attention_hidden_size", seen)
    if told_width != seen:
        raise writer.wrong("cross_attention_hidden_size", told_width, f"the encoder's {seen}")
    # What convolutions above an encoder of sounds hand on may have another width than it.
    handed = reader.size("output_hidden_size", seen) if readers is _SOUNDS else seen
    if handed != width and "cross_attention_hidden_size" not in writer:
        rule = torch_uniform
        part.linear("enc_to_dec_proj", seen, width, rule=rule, bias_rule=rule)
    return part.done(fields.path, classes=written.n_classes)


def _width(fields: Fields) -> int:
    """Return the width of what an encoder hands on."""
    kind = fields.text("model_type", "")
    if kind in _STAGED:
        depths = fields.sizes("depths", (2, 2, 6, 2))
        return fields.size("embed_dim", 96) << (len(depths) - 1)
    return fields.size("dim" if kind == "distilbert" else "hidden_size", 768)
