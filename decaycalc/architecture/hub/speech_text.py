"""SpeechT5: speech to text, text to speech and speech to speech, each with its own ends.

Source: transformers/models/speecht5/configuration_speecht5.py and modeling_speecht5.py (v4.57.1)
for defaults, rules, names and `_init_weights`; Ao et al. 2021 (2110.07205).
"""

from decaycalc.architecture.build import (
    Builder,
    Start,
    he_in,
    normal,
    torch_uniform,
    unknown,
    zero,
)
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.hub.speech import add_features, add_positions
from decaycalc.architecture.tensors import Architecture, Role

HEADS = ("ForTextToSpeech", "ForSpeechToText", "ForSpeechToSpeech")


def speecht5(fields: Fields, head: str) -> Architecture:
    """Return SpeechT5; its head says what the encoder reads and what the decoder writes."""
    rule = normal(fields.number("initializer_range", 0.02))
    part = Builder(
        Start(conv=he_in, conv_bias=torch_uniform, linear=rule, linear_bias=zero, embedding=unknown)
    )
    width, vocabulary = fields.size("hidden_size", 768), fields.size("vocab_size", 81)
    hears, speaks = head.startswith("ForSpeech"), head.endswith("Speech")
    inlet, outlet = "speecht5.encoder.prenet", "speecht5.decoder.prenet"
    if hears:
        layers = len(fields.sizes("conv_dim", (512,) * 7))
        if fields.size("num_feat_extract_layers", layers) != layers:
            raise fields.wrong("num_feat_extract_layers", fields.values["num_feat_extract_layers"],
                               "as many as conv_dim")  # fmt: skip
        add_features(part, f"{inlet}.", fields, width, extractor="feature_encoder")
        add_positions(part, f"{inlet}.pos_conv_embed.conv", fields, width)
    else:
        part.embedding(f"{inlet}.embed_tokens", vocabulary, width)
        part.add(f"{inlet}.encode_positions.alpha", role=Role.OTHER, mean=1.0)
    _encoder(part, "speecht5.encoder.wrapped_encoder", fields, width)
    if speaks:
        _spoken(part, outlet, fields, width)
    else:
        part.embedding(f"{outlet}.embed_tokens", vocabulary, width)
    hidden = fields.size("decoder_ffn_dim", 3072)
    for index in range(fields.size("decoder_layers", 6)):
        name = f"speecht5.decoder.wrapped_decoder.layers.{index}"
        for attention in ("self_attn", "encoder_attn"):
            _attention(part, f"{name}.{attention}", width)
            part.norm(f"{name}.{attention}_layer_norm", width)
        _feed_forward(part, name, width, hidden)
    if speaks:
        _sounds(part, "speech_decoder_postnet", fields, width)
    elif not fields.flag("tie_word_embeddings", default=True):
        part.linear("text_decoder_postnet.lm_head", width, vocabulary, bias=False)
    return part.done(fields.path, classes=None if speaks else vocabulary)


def _encoder(part: Builder, name: str, fields: Fields, width: int) -> None:
    heads, reach = (
        fields.size("encoder_attention_heads", 12),
        fields.size("encoder_max_relative_position", 160),
    )
    part.norm(f"{name}.layer_norm", width)
    hidden = fields.size("encoder_ffn_dim", 3072)
    for index in range(fields.size("encoder_layers", 12)):
        layer = f"{name}.layers.{index}"
        _attention(part, f"{layer}.attention", width)
        part.norm(f"{layer}.layer_norm", width)
        _feed_forward(part, layer, width, hidden)
    table = f"{name}.embed_positions.pe_k"
    part.positions(table, 2 * reach, max(1, width // heads))


def _attention(part: Builder, name: str, width: int) -> None:
    part.linears(name, ("k_proj", "v_proj", "q_proj", "out_proj"), width, width)


def _feed_forward(part: Builder, name: str, width: int, hidden: int) -> None:
    part.feed_forward(f"{name}.feed_forward", ("intermediate_dense", "output_dense"), width, hidden)
    part.norm(f"{name}.final_layer_norm", width)


def _spoken(part: Builder, name: str, fields: Fields, width: int) -> None:
    """Add what reads the spectrum that was spoken so far, and whose voice it is."""
    units, n_in = fields.size("speech_decoder_prenet_units", 256), fields.size("num_mel_bins", 80)
    for index in range(fields.size("speech_decoder_prenet_layers", 2)):
        part.linear(f"{name}.layers.{index}", n_in, units)
        n_in = units
    part.linear(f"{name}.final_layer", units, width)
    part.add(f"{name}.encode_positions.alpha", role=Role.OTHER, mean=1.0)
    voice = fields.size("speaker_embedding_dim", 512)
    part.linear(f"{name}.speaker_embeds_layer", voice + width, width)


def _sounds(part: Builder, name: str, fields: Fields, width: int) -> None:
    """Add what writes the spectrum, and mends it by convolutions."""
    bins, factor = fields.size("num_mel_bins", 80), fields.size("reduction_factor", 2)
    part.linear(f"{name}.feat_out", width, bins * factor)
    part.linear(f"{name}.prob_out", width, factor)
    layers, units = (
        fields.size("speech_decoder_postnet_layers", 5),
        fields.size("speech_decoder_postnet_units", 256),
    )
    for index in range(layers):
        n_in, n_out = bins if index == 0 else units, bins if index == layers - 1 else units
        kernel = fields.size("speech_decoder_postnet_kernel", 5)
        layer = f"{name}.layers.{index}"
        part.conv(f"{layer}.conv", n_in, n_out, kernel, bias=False, line=True)
        part.norm(f"{layer}.batch_norm", n_out, kind="batch")
