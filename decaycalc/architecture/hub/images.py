"""ViT, DeiT, ViT-MAE, ResNet and SegFormer, with the tensor names of transformers.

Source: transformers/models/{vit,deit,vit_mae,resnet,segformer}/modeling_*.py (v4.57.1) for rules,
names and `_init_weights`.
"""

from decaycalc.architecture.build import Builder, Start, he_out, torch_uniform, unknown
from decaycalc.architecture.hub.encoders import QUERY_KEY_VALUE, begin, start
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.tensors import Architecture, Role

IMAGE_HEADS = ("Model", "ForImageClassification")
DEIT_HEADS = (*IMAGE_HEADS, "ForImageClassificationWithTeacher")
SEGFORMER_HEADS = ("ForSemanticSegmentation", *IMAGE_HEADS)
MAE_HEADS = ("ForPreTraining", "Model")


def image_head(part: Builder, fields: Fields, head: str, width: int) -> int | None:
    """Add the classifiers of the head; return the number of classes, if it has any."""
    names = {
        "ForImageClassification": ("classifier",),
        "ForImageClassificationWithTeacher": ("cls_classifier", "distillation_classifier"),
    }.get(head, ())
    for name in names:
        part.linear(name, width, fields.labels())
    return fields.labels() if names else None


def vit(fields: Fields, head: str) -> Architecture:
    """Return ViT, DeiT with its second token, MSN's, or I-JEPA, which has none."""
    kind = fields.text("model_type", "vit")
    part, prefix = begin(fields, head, "vit." if kind == "vit_msn" else f"{kind}.")
    width = fields.size("hidden_size", 768)
    patch, places = fields.patches(patch=16)
    tokens = _TOKENS.get(kind, ("cls_token",))
    zero = kind in {"deit", "vit_msn"}
    variance = 0.0 if zero else fields.number("initializer_range", 0.02) ** 2
    table = f"{prefix}embeddings"
    for token in tokens:
        part.add(f"{table}.{token}", 1, 1, width, role=Role.OTHER, variance=variance)
    name, positions = f"{table}.position_embeddings", places + len(tokens)
    part.add(name, 1, positions, width, role=Role.POSITION, variance=variance)
    part.conv(f"{table}.patch_embeddings.projection", fields.size("num_channels", 3), width, patch)
    vit_layers(part, fields, prefix, width)
    if head == "Model" and kind in {"vit", "deit"}:
        part.linear("pooler.dense", width, fields.size("pooler_output_size", width))
    return part.done(fields.path, classes=image_head(part, fields, head, width))


_TOKENS = {"deit": ("cls_token", "distillation_token"), "ijepa": ()}


def vit_layers(part: Builder, fields: Fields, prefix: str, width: int) -> None:
    """Add ViT's layers, and the norm above them."""
    hidden, bias = fields.size("intermediate_size", 3072), fields.flag("qkv_bias", default=True)
    for index in range(fields.size("num_hidden_layers", 12)):
        vit_layer(part, f"{prefix}encoder.layer.{index}", width, hidden, bias=bias)
    part.norm(f"{prefix}layernorm", width)


def vit_layer(part: Builder, name: str, width: int, hidden: int, *, bias: bool) -> None:
    """Add one of ViT's layers; `bias` is that of queries, keys and values."""
    part.linears(f"{name}.attention.attention", QUERY_KEY_VALUE, width, width, bias=bias)
    part.linear(f"{name}.attention.output.dense", width, width)
    part.linear(f"{name}.intermediate.dense", width, hidden)
    part.linear(f"{name}.output.dense", hidden, width)
    part.norms(name, ("layernorm_before", "layernorm_after"), width)


def resnet(fields: Fields, head: str) -> Architecture:
    """Return ResNet, of bottlenecks or of pairs of convolutions."""
    rule = Start(conv=he_out, linear=torch_uniform, linear_bias=torch_uniform, norm="batch")
    part = Builder(rule)
    prefix = "" if head == "Model" else "resnet."
    widths = fields.sizes("hidden_sizes", (256, 512, 1024, 2048))
    depths = fields.sizes("depths", (3, 4, 6, 3))
    if len(widths) < len(depths):
        raise fields.wrong("hidden_sizes", list(widths), "as many as depths")
    n_in = fields.size("embedding_size", 64)
    stem = f"{prefix}embedder.embedder"
    part.conv(f"{stem}.convolution", fields.size("num_channels", 3), n_in, 7, bias=False)
    part.norm(f"{stem}.normalization", n_in)
    first = fields.flag("downsample_in_first_stage", default=False)
    for stage, repeats in enumerate(depths):
        for index in range(repeats):
            strided = index == 0 and (stage > 0 or first)
            name = f"{prefix}encoder.stages.{stage}.layers.{index}"
            _resnet_layer(part, name, fields, (n_in, widths[stage]), strided=strided)
            n_in = widths[stage]
    if head == "Model":
        return part.done(fields.path, classes=None)
    part.linear("classifier.1", n_in, fields.labels())
    return part.done(fields.path, classes=fields.labels())


def _resnet_layer(
    part: Builder, name: str, fields: Fields, widths: tuple[int, int], *, strided: bool
) -> None:
    n_in, n_out = widths
    kind = fields.text("layer_type", "bottleneck")
    if kind not in {"basic", "bottleneck"}:
        raise fields.wrong("layer_type", kind, "basic or bottleneck")
    narrow = max(1, n_out // 4)
    plan = ((n_in, n_out, 3), (n_out, n_out, 3)) if kind == "basic" else (
        (n_in, narrow, 1), (narrow, narrow, 3), (narrow, n_out, 1)
    )  # fmt: skip
    layers = [(f"layer.{index}", *sizes) for index, sizes in enumerate(plan)]
    shortcut = [("shortcut", n_in, n_out, 1)] if n_in != n_out or strided else []
    for layer, one, other, kernel in (*shortcut, *layers):
        part.conv(f"{name}.{layer}.convolution", one, other, kernel, bias=False)
        part.norm(f"{name}.{layer}.normalization", other)


def segformer(fields: Fields, head: str) -> Architecture:
    """Return SegFormer: a pyramid of transformers, and a decoder of dense layers."""
    part = Builder(start(fields))
    encoder = "encoder" if head == "Model" else "segformer.encoder"
    widths = fields.sizes("hidden_sizes", (32, 64, 160, 256))
    depths, kernels = fields.sizes("depths", (2,) * 4), fields.sizes("patch_sizes", (7, 3, 3, 3))
    ratios, growth = fields.sizes("sr_ratios", (8, 4, 2, 1)), fields.sizes("mlp_ratios", (4,) * 4)
    stages = fields.size("num_encoder_blocks", 4)
    for name, found in (("hidden_sizes", widths), ("depths", depths), ("patch_sizes", kernels),
                        ("sr_ratios", ratios), ("mlp_ratios", growth)):  # fmt: skip
        if len(found) < stages:
            raise fields.wrong(name, list(found), "as many as num_encoder_blocks")
    n_in = fields.size("num_channels", 3)
    for stage in range(stages):
        table = f"{encoder}.patch_embeddings.{stage}"
        part.conv(f"{table}.proj", n_in, widths[stage], kernels[stage])
        part.norm(f"{table}.layer_norm", widths[stage])
        n_in = widths[stage]
    for stage in range(stages):
        width, hidden = widths[stage], widths[stage] * growth[stage]
        for index in range(depths[stage]):
            name = f"{encoder}.block.{stage}.{index}"
            _segformer_layer(part, name, (width, hidden), ratios[stage])
    for stage in range(stages):
        part.norm(f"{encoder}.layer_norm.{stage}", widths[stage])
    if head == "ForSemanticSegmentation":
        _segformer_decoder(part, fields, widths[:stages])
        return part.done(fields.path, classes=fields.labels())
    return part.done(fields.path, classes=image_head(part, fields, head, widths[-1]))


def _segformer_layer(part: Builder, name: str, widths: tuple[int, int], ratio: int) -> None:
    width, hidden = widths
    part.norm(f"{name}.layer_norm_1", width)
    attention = f"{name}.attention.self"
    part.linears(attention, QUERY_KEY_VALUE, width, width)
    if ratio > 1:
        part.conv(f"{attention}.sr", width, width, ratio)
        part.norm(f"{attention}.layer_norm", width)
    part.linear(f"{name}.attention.output.dense", width, width)
    part.norm(f"{name}.layer_norm_2", width)
    part.linear(f"{name}.mlp.dense1", width, hidden)
    part.conv(f"{name}.mlp.dwconv.dwconv", hidden, hidden, 3, groups=hidden)
    part.linear(f"{name}.mlp.dense2", hidden, width)


def _segformer_decoder(part: Builder, fields: Fields, widths: tuple[int, ...]) -> None:
    inner = fields.size("decoder_hidden_size", 256)
    for stage, width in enumerate(widths):
        part.linear(f"decode_head.linear_c.{stage}.proj", width, inner)
    part.conv("decode_head.linear_fuse", len(widths) * inner, inner, 1, bias=False)
    part.norm("decode_head.batch_norm", inner, kind="batch")
    part.conv("decode_head.classifier", inner, fields.labels(), 1)


def vit_mae(fields: Fields, head: str) -> Architecture:
    """Return ViT-MAE; its positions are sines and cosines, stored but not trained."""
    part, prefix = begin(fields, head, "vit.")
    width, table = fields.size("hidden_size", 768), f"{prefix}embeddings"
    (patch, places), channels = fields.patches(patch=16), fields.size("num_channels", 3)
    places += 1
    part.add(f"{table}.cls_token", 1, 1, width, role=Role.OTHER, variance=None)
    part.add(f"{table}.position_embeddings", 1, places, width, role=Role.POSITION, variance=None)
    part.conv(f"{table}.patch_embeddings.projection", channels, width, patch, rule=unknown)
    vit_layers(part, fields, prefix, width)
    if head == "ForPreTraining":
        _mae_decoder(part, fields, (width, places, channels * patch**2))
    return part.done(fields.path, classes=None)


def _mae_decoder(part: Builder, fields: Fields, sizes: tuple[int, int, int]) -> None:
    """Add the decoder; `sizes` are the encoder's width, the patches and the numbers in each."""
    width, places, pixels = sizes
    narrow, bias = fields.size("decoder_hidden_size", 512), fields.flag("qkv_bias", default=True)
    hidden = fields.size("decoder_intermediate_size", 2048)
    part.add("decoder.mask_token", 1, 1, narrow, role=Role.OTHER, variance=None)
    part.add("decoder.decoder_pos_embed", 1, places, narrow, role=Role.POSITION, variance=None)
    part.linear("decoder.decoder_embed", width, narrow)
    for index in range(fields.size("decoder_num_hidden_layers", 8)):
        vit_layer(part, f"decoder.decoder_layers.{index}", narrow, hidden, bias=bias)
    part.norm("decoder.decoder_norm", narrow)
    part.linear("decoder.decoder_pred", narrow, pixels)
