"""Mamba 1 and 2, whose A_log and D are exempt in their authors' own code, and RWKV.

Source: transformers/models/{mamba,mamba2,rwkv}/modeling_*.py (v4.57.1); Gu & Dao 2023 (2312.00752),
Dao & Gu 2024 (2405.21060), Peng et al. 2023 (2305.13048).
"""

from collections.abc import Callable

from decaycalc.architecture.build import Builder, Start, normal, unknown, zero
from decaycalc.architecture.guess import logarithms
from decaycalc.architecture.hub.decoders import finish
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.tensors import Architecture, Role

HEADS = ("ForCausalLM", "Model")


def _start(fields: Fields) -> Start:
    """Return the start: normal embeddings; convolutions and projections are not all told."""
    rule = normal(fields.number("initializer_range", 0.1))
    return Start(
        conv=unknown,
        conv_bias=unknown,
        linear=unknown,
        linear_bias=zero,
        embedding=rule,
        norm="rms",
    )


def _add_rates(part: Builder, name: str, rows: int, states: int) -> None:
    """Add A_log, the logarithms of 1 to `states`; a vector is one of the states itself."""
    variance, mean = logarithms(states)
    shape = (rows, states) if rows else (states,)
    part.add(f"{name}.A_log", *shape, role=Role.OTHER, variance=variance, mean=mean)


def mamba(fields: Fields, head: str) -> Architecture:
    """Return Mamba."""
    return _mamba(fields, head, mamba_mixer, (768, 50280, 32), tied=True)


def mamba2(fields: Fields, head: str) -> Architecture:
    """Return Mamba 2."""
    return _mamba(fields, head, mamba2_mixer, (4096, 32768, 64), tied=False)


def _mamba(
    fields: Fields, head: str, add_mixer: Callable[[Builder, str, Fields, int], None],
    usual: tuple[int, int, int], *, tied: bool,
) -> Architecture:  # fmt: skip
    """Return a Mamba of these layers; `usual` are its width, its vocabulary and how many."""
    part = Builder(_start(fields))
    prefix = "" if head == "Model" else "backbone."
    width, vocabulary = fields.size("hidden_size", usual[0]), fields.size("vocab_size", usual[1])
    part.embedding(f"{prefix}embeddings", vocabulary, width)
    for index in range(fields.size("num_hidden_layers", usual[2])):
        part.norm(f"{prefix}layers.{index}.norm", width, bias=False)
        add_mixer(part, f"{prefix}layers.{index}.mixer", fields, width)
    part.norm(f"{prefix}norm_f", width, bias=False)
    return finish(part, fields, head, (width, vocabulary), tied=tied)


def mamba_mixer(
    part: Builder, name: str, fields: Fields, width: int, *, normed: bool = False
) -> None:
    """Add a layer of Mamba; with norms of the step, the inputs and the outputs if `normed`."""
    inner = fields.size("intermediate_size", fields.size("expand", 2) * width)
    states, kernel = fields.size("state_size", 16), fields.size("conv_kernel", 4)
    rank = fields.size_or_auto("time_step_rank", -(-width // 16))
    bias = fields.flag("use_bias", default=False)
    _add_rates(part, name, inner, states)
    part.add(f"{name}.D", inner, role=Role.OTHER, mean=1.0)
    conv_bias = fields.flag("use_conv_bias", default=True)
    part.conv(f"{name}.conv1d", inner, inner, kernel, groups=inner, line=True, bias=conv_bias)
    part.linear(f"{name}.in_proj", width, 2 * inner, bias=bias)
    part.linear(f"{name}.x_proj", inner, rank + 2 * states, bias=False)
    part.linear(f"{name}.dt_proj", rank, inner, bias_rule=unknown)
    part.linear(f"{name}.out_proj", inner, width, bias=bias)
    for norm, size in (("dt", rank), ("b", states), ("c", states)) if normed else ():
        part.norm(f"{name}.{norm}_layernorm", size, bias=False)


def mamba2_mixer(
    part: Builder, name: str, fields: Fields, width: int, *, normed: bool = True,
    out_bias: bool | None = None,
) -> None:  # fmt: skip
    """Add a layer of Mamba 2; without `out_bias` its output has a bias where its input has one."""
    inner = fields.size("inner_size", fields.size("expand", 2) * width)
    states, kernel = fields.size("state_size", 128), fields.size("conv_kernel", 4)
    heads = fields.size("num_heads", 128)
    mixed = inner + 2 * fields.size("n_groups", 8) * states
    bias = fields.flag("use_bias", default=False)
    part.add(f"{name}.dt_bias", heads, role=Role.OTHER, variance=None)
    _add_rates(part, name, 0, heads)
    part.add(f"{name}.D", heads, role=Role.OTHER, mean=1.0)
    conv_bias = fields.flag("use_conv_bias", default=True)
    part.conv(f"{name}.conv1d", mixed, mixed, kernel, groups=mixed, line=True, bias=conv_bias)
    part.linear(f"{name}.in_proj", width, inner + mixed + heads, bias=bias)
    if normed:
        part.norm(f"{name}.norm", inner, bias=False)
    part.linear(f"{name}.out_proj", inner, width, bias=bias if out_bias is None else out_bias)


def rwkv(fields: Fields, head: str) -> Architecture:
    """Return RWKV 4; how it starts is not told here."""
    part = Builder(Start(conv=unknown, linear=unknown, embedding=unknown))
    prefix, width = "" if head == "Model" else "rwkv.", fields.size("hidden_size", 4096)
    inner = fields.size("attention_hidden_size", width)
    hidden = fields.size("intermediate_size", 4 * width)
    vocabulary = fields.size("vocab_size", 50277)
    part.embedding(f"{prefix}embeddings", vocabulary, width)
    for index in range(fields.size("num_hidden_layers", 32)):
        block = f"{prefix}blocks.{index}"
        part.norms(block, ("ln1", "ln2") if index else ("pre_ln", "ln1", "ln2"), width)
        for rate in ("time_decay", "time_first"):
            part.add(f"{block}.attention.{rate}", inner, role=Role.OTHER, variance=None)
        _mix(part, f"{block}.attention", width, ("key", "value", "receptance"))
        part.linears(f"{block}.attention", ("key", "value", "receptance"), width, inner, bias=False)
        part.linear(f"{block}.attention.output", inner, width, bias=False)
        _mix(part, f"{block}.feed_forward", width, ("key", "receptance"))
        part.linear(f"{block}.feed_forward.key", width, hidden, bias=False)
        part.linear(f"{block}.feed_forward.receptance", width, width, bias=False)
        part.linear(f"{block}.feed_forward.value", hidden, width, bias=False)
    part.norm(f"{prefix}ln_out", width)
    return finish(part, fields, head, (width, vocabulary), tied=False, output="head")


def _mix(part: Builder, name: str, width: int, layers: tuple[str, ...]) -> None:
    """Add the shares of this word and the one before it that each layer reads."""
    for layer in layers:
        part.add(f"{name}.time_mix_{layer}", 1, 1, width, role=Role.OTHER, variance=None)
