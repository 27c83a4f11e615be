"""Qwen2.5-Omni and Qwen3-Omni whole: the thinker, the talker, and what turns codes into sound.

How they start is not told here. Source: transformers/models/{qwen2_5_omni,qwen3_omni_moe}/
configuration_*.py and modeling_*.py (v4.57.1) for defaults, rules and names; Desplanques et al.
2020 (2005.07143) for the encoder of speakers, Lee et al. 2022 (2206.04658) for BigVGAN.
"""

from itertools import pairwise

from decaycalc.architecture.build import Builder
from decaycalc.architecture.hub.experts import add_gated
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.hub.llamas import relative
from decaycalc.architecture.hub.omni import thinker
from decaycalc.architecture.hub.towers import UNTOLD
from decaycalc.architecture.tensors import Architecture, Role
from decaycalc.record import replace

# The second is what the published files of Qwen2.5-Omni call the same class.
HEADS = ("ForConditionalGeneration", "Model")


def omni(fields: Fields, _head: str) -> Architecture:
    """Return Qwen2.5-Omni or Qwen3-Omni, the talker only where sound is written.

    Raises:
        UnreadableFileError: a malformed field.
    """
    kind = fields.text("model_type", "qwen2_5_omni")
    newer, told = kind == "qwen3_omni_moe", fields.part("thinker_config")
    told = replace(told, values={**told.values, "model_type": f"{kind}_thinker"})
    part, whole = Builder(replace(UNTOLD, norm="rms")), thinker(told, "ForConditionalGeneration")
    part.include("thinker.", whole)
    if fields.flag("enable_audio_output", default=True):
        talker = fields.part("talker_config")
        if newer:
            _talker3(part, "talker", talker)
            _voice3(part, "code2wav", fields.part("code2wav_config"))
        else:
            _talker25(part, "talker", talker)
            _voice25(part, "token2wav", fields.part("token2wav_config"))
    return part.done(fields.path, classes=whole.n_classes)


def _talker25(part: Builder, name: str, fields: Fields) -> None:
    width, read = fields.size("hidden_size", 3584), fields.size("embedding_size", 3584)
    layers = relative(fields, "Model", "qwen2_5_omni_talker")
    table, *rest = layers.tensors
    codes = table.shape[0]
    part.linear(f"{name}.thinker_to_talker_proj", read, width)
    own = replace(layers, tensors=(replace(table, shape=(codes, read), init_variance=None), *rest))
    part.include(f"{name}.model.", own)
    part.linear(f"{name}.codec_head", width, codes, bias=False)


def _voice25(part: Builder, name: str, fields: Fields) -> None:
    _diffusion(part, f"{name}.code2wav_dit_model", fields.part("dit_config"))
    _bigvgan(part, f"{name}.code2wav_bigvgan_model", fields.part("bigvgan_config"))


_FREQUENCIES = 256  # that a moment is told by


def _diffusion(part: Builder, name: str, fields: Fields) -> None:
    """Add the transformer that turns codes into spectra by diffusion."""
    width, pitches = fields.size("hidden_size", 1024), fields.size("mel_dim", 80)
    codes, speaker = fields.size("emb_dim", 512), fields.size("enc_dim", 128)
    part.linear(f"{name}.time_embed.time_mlp.0", _FREQUENCIES, width)
    part.linear(f"{name}.time_embed.time_mlp.2", width, width)
    part.embedding(f"{name}.text_embed.codec_embed", fields.size("num_embeds", 8193) + 1, codes)
    read = pitches + speaker + fields.size("enc_emb_dim", 192) + codes
    part.linear(f"{name}.input_embed.proj", read, width)
    _speaker(part, f"{name}.input_embed.spk_encoder", fields, (pitches, speaker))
    inner = fields.size("num_attention_heads", 16) * fields.size("head_dim", 64)
    hidden = int(width * fields.number("ff_mult", 2))
    for index in range(fields.size("num_hidden_layers", 22)):
        layer = f"{name}.transformer_blocks.{index}"
        part.linear(f"{layer}.attn_norm.linear", width, 6 * width)
        part.linears(f"{layer}.attn", ("to_q", "to_k", "to_v"), width, inner)
        part.linear(f"{layer}.attn.to_out.0", inner, width)
        part.feed_forward(f"{layer}.ff.ff", ("0", "3"), width, hidden)
    part.linear(f"{name}.norm_out.linear", width, 2 * width)
    part.linear(f"{name}.proj_out", width, pitches)


def _speaker(part: Builder, name: str, fields: Fields, widths: tuple[int, int]) -> None:
    """Add ECAPA-TDNN, which tells one speaker from another."""
    widths_of = fields.sizes("enc_channels", (256, 256, 256, 256, 768))
    kernels = fields.sizes("enc_kernel_sizes", (5, 3, 3, 3, 1))
    if len(kernels) != len(widths_of):
        raise fields.wrong("enc_kernel_sizes", list(kernels), "as many as enc_channels")
    _line(part, f"{name}.blocks.0.conv", widths[0], widths_of[0], kernels[0])
    scale, squeezed = fields.size("enc_res2net_scale", 2), fields.size("enc_se_channels", 64)
    for index, (n_in, n_out) in enumerate(pairwise(widths_of[:-1]), start=1):
        block, narrow = f"{name}.blocks.{index}", n_out // scale
        _line(part, f"{block}.tdnn1.conv", n_in, n_out, 1)
        for piece in range(scale - 1):
            label = f"{block}.res2net_block.blocks.{piece}.conv"
            _line(part, label, narrow, narrow, kernels[index])
        _line(part, f"{block}.tdnn2.conv", n_out, n_out, 1)
        _line(part, f"{block}.se_block.conv1", n_out, squeezed, 1)
        _line(part, f"{block}.se_block.conv2", squeezed, n_out, 1)
    last, attention = widths_of[-1], fields.size("enc_attention_channels", 64)
    _line(part, f"{name}.mfa.conv", last, last, kernels[-1])
    _line(part, f"{name}.asp.tdnn.conv", 3 * last, attention, 1)
    _line(part, f"{name}.asp.conv", attention, last, 1)
    _line(part, f"{name}.fc", 2 * last, widths[1], 1)


def _line(part: Builder, name: str, n_in: int, n_out: int, kernel: int) -> None:
    part.conv(name, n_in, n_out, kernel, line=True)


def _bigvgan(part: Builder, name: str, fields: Fields) -> None:
    """Add BigVGAN, which turns spectra into sound."""
    width, pitches = fields.size("upsample_initial_channel", 1536), fields.size("mel_dim", 80)
    kernels = fields.sizes("upsample_kernel_sizes", (11, 7, 4, 4, 4, 4))
    steps = len(fields.sizes("upsample_rates", (5, 3, 2, 2, 2, 2)))
    sizes, spread = fields.sizes("resblock_kernel_sizes", (3, 7, 11)), _spread(fields)
    for label, told, number in (("upsample_kernel_sizes", kernels, steps),
                                ("resblock_kernel_sizes", sizes, spread)):  # fmt: skip
        if len(told) != number:
            raise fields.wrong(label, list(told), f"{number} sizes")
    _line(part, f"{name}.conv_pre", pitches, width, 7)
    widths = [width // 2**step for step in range(steps + 1)]
    for step, (n_in, n_out) in enumerate(pairwise(widths)):
        _transposed(part, f"{name}.ups.{step}.0", n_in, n_out, kernels[step])
    number = 0
    for n_out in widths[1:]:
        for kernel in sizes:
            block = f"{name}.resblocks.{number}"
            for layer in ("convs1", "convs2"):
                for index in range(3):
                    _line(part, f"{block}.{layer}.{index}", n_out, n_out, kernel)
            for index in range(6):
                _snake(part, f"{block}.activations.{index}.act", n_out)
            number += 1
    _snake(part, f"{name}.activation_post.act", widths[-1])
    part.conv(f"{name}.conv_post", widths[-1], 1, 7, line=True, bias=False)


def _spread(fields: Fields) -> int:
    """Return how many spreads of a convolution are told, of which each has a kernel."""
    told = fields.values.get("resblock_dilation_sizes")
    return len(told) if isinstance(told, list) else 3


def _transposed(part: Builder, name: str, n_in: int, n_out: int, kernel: int) -> None:
    """Add a transposed convolution over time, whose weight has the inputs first."""
    fans = (n_in * kernel, n_out * kernel)
    part.add(f"{name}.weight", n_in, n_out, kernel, fans=fans, variance=None)
    part.add(f"{name}.bias", n_out, role=Role.BIAS, fans=fans)


def _snake(part: Builder, name: str, width: int) -> None:
    """Add an activation that has a frequency and a height of its own for each channel."""
    for leaf in ("alpha", "beta"):
        part.add(f"{name}.{leaf}", width, role=Role.OTHER, variance=None)


def _talker3(part: Builder, name: str, fields: Fields) -> None:
    text, codes = fields.part("text_config"), fields.part("code_predictor_config")
    # All its layers have experts, whatever the fields say.
    text = replace(text, values={**text.values, "decoder_sparse_step": 1, "mlp_only_layers": []})
    table, *layers = (whole := relative(text, "Model", "qwen3_omni_moe_talker")).tensors
    part.include(f"{name}.model.", replace(whole, tensors=tuple(layers)))
    rows, width = table.shape
    part.embedding(f"{name}.model.codec_embedding", rows, width)
    read, hidden = fields.size("thinker_hidden_size", 2048), text.size("intermediate_size", 2048)
    for projection in ("text_projection", "hidden_projection"):
        part.linear(f"{name}.{projection}.linear_fc1", read, hidden)
        part.linear(f"{name}.{projection}.linear_fc2", hidden, width)
    part.linear(f"{name}.codec_head", width, rows, bias=False)
    table, *layers = (whole := relative(codes, "Model", "qwen3_omni_moe_codes")).tensors
    inner, (rows, width) = f"{name}.code_predictor", table.shape
    part.include(f"{inner}.model.", replace(whole, tensors=tuple(layers)))
    groups = range(codes.size("num_code_groups", 32) - 1)
    for index in groups:
        part.embedding(f"{inner}.model.codec_embedding.{index}", rows, width)
    for index in groups:
        part.linear(f"{inner}.lm_head.{index}", width, rows, bias=False)


def _voice3(part: Builder, name: str, fields: Fields) -> None:
    """Add what turns codes into sound: a transformer, and convolutions that stretch time."""
    width, hidden = fields.size("hidden_size", 1024), fields.size("intermediate_size", 3072)
    heads, kept = fields.size("num_attention_heads", 16), fields.size("num_key_value_heads", 16)
    size, bias = max(1, width // heads), fields.flag("attention_bias", default=False)
    for index in range(fields.size("num_hidden_layers", 8)):
        layer = f"{name}.pre_transformer.layers.{index}"
        for projection, number in (("q_proj", heads), ("k_proj", kept), ("v_proj", kept)):
            part.linear(f"{layer}.self_attn.{projection}", width, number * size, bias=bias)
        part.linear(f"{layer}.self_attn.o_proj", heads * size, width, bias=bias)
        add_gated(part, f"{layer}.mlp", width, hidden, bias=False)
        part.norms(layer, ("input_layernorm", "post_attention_layernorm"), width, bias=False)
        for gain in ("self_attn_layer_scale", "mlp_layer_scale"):
            part.add(f"{layer}.{gain}.scale", width, role=Role.OTHER, variance=None)
    part.norm(f"{name}.pre_transformer.norm", width, bias=False)
    codes = fields.size("codebook_size", 2048) * fields.size("num_quantizers", 16)
    part.embedding(f"{name}.code_embedding", codes, width)
    for index, ratio in enumerate(fields.sizes("upsampling_ratios", (2, 2))):
        _transposed(part, f"{name}.upsample.{index}.0.conv", width, width, ratio)
        _stretched(part, f"{name}.upsample.{index}.1", width)
    _decoder(part, f"{name}.decoder", fields, width)


def _stretched(part: Builder, name: str, width: int) -> None:
    """Add a block of ConvNeXt over time."""
    part.add(f"{name}.gamma", width, role=Role.OTHER, variance=None)
    part.conv(f"{name}.dwconv.conv", width, width, 7, groups=width, line=True)
    part.norm(f"{name}.norm", width, kind="layer")
    part.feed_forward(name, ("pwconv1", "pwconv2"), width, 4 * width)


def _decoder(part: Builder, name: str, fields: Fields, n_in: int) -> None:
    rates, width = fields.sizes("upsample_rates", (8, 5, 4, 3)), fields.size("decoder_dim", 1536)
    _line(part, f"{name}.0.conv", n_in, width, 7)
    widths = [width // 2**step for step in range(len(rates) + 1)]
    for step, (one, other) in enumerate(pairwise(widths)):
        block = f"{name}.{step + 1}.block"
        _snake(part, f"{block}.0", one)
        _transposed(part, f"{block}.1.conv", one, other, 2 * rates[step])
        for unit in (2, 3, 4):
            for number, kernel in ((1, 7), (2, 1)):
                _snake(part, f"{block}.{unit}.act{number}", other)
                _line(part, f"{block}.{unit}.conv{number}.conv", other, other, kernel)
    _snake(part, f"{name}.{len(widths)}", widths[-1])
    _line(part, f"{name}.{len(widths) + 1}.conv", widths[-1], 1, 7)
