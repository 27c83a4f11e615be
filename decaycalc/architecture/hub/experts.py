"""Mixtures of experts, and DeepSeek's compressed attention.

Source: transformers/models/{mixtral,qwen2_moe,qwen3_moe,deepseek_v2,deepseek_v3,glm4_moe,gpt_oss,
llama4}/modeling_*.py (v4.57.1).
"""

from dataclasses import dataclass

from decaycalc.architecture.build import Builder, normal, zero
from decaycalc.architecture.hub.fields import MOST_LAYERS, Fields
from decaycalc.architecture.tensors import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Experts:
    """A family's experts: how many, how wide, and what stands beside them.

    `hidden` of 0 is the model's own hidden width. `shared` is the width of the shared expert, or
    the number of shared experts of one's width where there may be several. `whole` keeps all
    experts in one tensor, `new` as transformers 5 does. Where the router comes last, `dense_first`
    layers have no experts unless told otherwise. `listed` has the layers in
    `mlp_layer_types`. With `plain_router` a whole mixture's router is
    called `gate`, and nothing is shared. `statistics` are kept of each expert, and fields of
    their own name the layers (ERNIE).
    """

    count: int
    count_field: str = "num_experts"
    name: str = "mlp"
    hidden: int = 0
    shared: int = 0
    shared_name: str = ""
    router_last: bool = False
    dense_first: int = 0
    whole: bool = False
    new: bool = False
    listed: bool = False
    plain_router: bool = False
    statistics: bool = False
    bias: bool = False


def sparse_layers(fields: Fields, experts: Experts | None, layers: int) -> frozenset[int]:
    """Return the layers that have experts, by the fields that say which do.

    Raises:
        UnreadableFileError: a malformed field.
    """
    if experts is None or not fields.size(experts.count_field, experts.count, least=0):
        return frozenset()
    first = 0
    if experts.listed:
        return _listed_layers(fields, layers)
    if experts.router_last:
        first = fields.size("first_k_dense_replace", experts.dense_first, least=0)
    if experts.statistics:
        return _ernie_layers(fields, layers)
    step = fields.size("decoder_sparse_step", 1)
    if experts.name == "feed_forward":
        named = fields.whole_numbers("moe_layers")
        if fields.values.get("moe_layers") is not None:
            return frozenset(named)
        step = fields.size("interleave_moe_layer_step", 1)
    dense = frozenset(fields.whole_numbers("mlp_only_layers"))
    # The builder refuses more layers than this long before their end.
    return frozenset(range(step - 1, min(layers, MOST_LAYERS), step)) - dense - set(range(first))


def _listed_layers(fields: Fields, layers: int) -> frozenset[int]:
    """Return the layers that a list calls sparse: all but the first one where there is none.

    Raises:
        UnreadableFileError: it is no list, or has not a kind for each layer.
    """
    kinds = fields.values.get("mlp_layer_types")
    if kinds is None:
        return frozenset(range(1, min(layers, MOST_LAYERS)))
    if not isinstance(kinds, list) or len(kinds) < layers:
        raise fields.wrong("mlp_layer_types", kinds, "a kind for each layer")
    return frozenset(index for index, kind in enumerate(kinds) if kind == "sparse")


def _ernie_layers(fields: Fields, layers: int) -> frozenset[int]:
    """Return ERNIE's layers with experts: every so many between the first and the last."""
    step, last = fields.size("moe_layer_interval", 1), fields.values.get("moe_layer_end_index")
    stop = min(layers, MOST_LAYERS)
    if last not in {None, -1}:
        stop = min(stop, fields.size("moe_layer_end_index", 0, least=0) + 1)
    first = fields.size("moe_layer_start_index", 1, least=0)
    return frozenset(index for index in range(step - 1, stop, step) if index >= first)


def add_experts(
    part: Builder, name: str, fields: Fields, experts: Experts, widths: tuple[int, int],
    *, bias: bool = False,
) -> None:  # fmt: skip
    """Add a router and its experts, with a `bias` or without.

    `widths` are the model's and its hidden layers'.
    """
    width, hidden = widths
    count = fields.size(experts.count_field, experts.count)
    inner = hidden
    if experts.hidden:
        inner = fields.size_or_rest("moe_intermediate_size", experts.hidden, rest=hidden)
    if experts.new:
        _new_mixture(part, name, fields, experts, (count, width, inner))
        return
    if experts.whole:
        _whole(part, name, fields, experts, (width, inner, count))
        return
    if experts.statistics:
        part.add(f"{name}.moe_statics.e_score_correction_bias", 1, count, role=Role.BIAS)
    if not experts.router_last:
        part.linear(f"{name}.gate", width, count, bias=False)
    for index in range(count):
        label = f"{name}.experts.{index}"
        if experts.name.endswith("_moe"):
            _numbered(part, label, width, inner)
        else:
            add_gated(part, label, width, inner, bias=bias)
    if experts.router_last:
        rule = normal(fields.number("initializer_range", 0.02))
        part.linear(f"{name}.gate", width, count, bias=False, rule=rule)
    if experts.shared_name:
        _shared(part, name, fields, experts, (width, inner), bias=bias)


def _new_mixture(
    part: Builder, name: str, fields: Fields, experts: Experts, sizes: tuple[int, int, int]
) -> None:
    """Add a mixture as transformers 5 has it; `sizes` are the count, the width and the experts'."""
    count, width, inner = sizes
    if experts.router_last:
        whole_experts(part, f"{name}.experts", sizes)
    part.linear(f"{name}.gate", width, count, bias=False)
    if not experts.router_last:
        whole_experts(part, f"{name}.experts", sizes)
    if experts.shared_name:
        _shared(part, name, fields, experts, (width, inner), bias=False)


def _shared(
    part: Builder, name: str, fields: Fields, experts: Experts, widths: tuple[int, int],
    *, bias: bool,
) -> None:  # fmt: skip
    """Add what all words see: so many experts as one, none where their number is null."""
    width, inner = widths
    label = f"{name}.{experts.shared_name}"
    if experts.shared_name == "shared_experts":
        field = "moe_num_shared_experts" if experts.statistics else "n_shared_experts"
        if fields.values.get(field, experts.shared) is not None:
            add_gated(part, label, width, inner * fields.size(field, experts.shared), bias=bias)
        return
    shared = fields.size("shared_expert_intermediate_size", experts.shared)
    add_gated(part, label, width, shared, bias=False)
    part.linear(f"{name}.shared_expert_gate", width, 1, bias=False)


def _numbered(part: Builder, name: str, width: int, hidden: int) -> None:
    """Add one of Mixtral's experts, whose weights are w1, w2, w3."""
    part.feed_forward(name, ("w1", "w2"), width, hidden, bias=False)
    part.linear(f"{name}.w3", width, hidden, bias=False)


def add_gated(part: Builder, name: str, width: int, hidden: int, *, bias: bool) -> None:
    """Add a gated feed-forward layer."""
    part.linear(f"{name}.gate_proj", width, hidden, bias=bias)
    part.linear(f"{name}.up_proj", width, hidden, bias=bias)
    part.linear(f"{name}.down_proj", hidden, width, bias=bias)


def _whole(
    part: Builder, name: str, fields: Fields, experts: Experts, sizes: tuple[int, int, int]
) -> None:
    """Add experts that are kept in one tensor, of shape `(experts, inputs, outputs)`."""
    width, hidden, count = sizes
    variance = fields.number("initializer_range", 0.02) ** 2
    if experts.bias:
        rule = normal(fields.number("initializer_range", 0.02))
        part.linear(f"{name}.router", width, count, rule=rule, bias_rule=rule)
    if experts.plain_router:
        part.linear(f"{name}.gate", width, count, bias=False)
    for layer, n_in, n_out in (("gate_up_proj", width, 2 * hidden), ("down_proj", hidden, width)):
        label = f"{name}.experts.{layer}"
        part.add(label, count, n_in, n_out, fans=(n_in, n_out), variance=variance)
        if experts.bias:
            part.add(f"{label}_bias", count, n_out, role=Role.BIAS, fans=(n_in, n_out))
    if not experts.bias and not experts.plain_router:
        part.linear(f"{name}.router", width, count, bias=False)
        add_gated(part, f"{name}.{experts.shared_name}", width, hidden, bias=False)


def whole_experts(part: Builder, name: str, sizes: tuple[int, int, int]) -> None:
    """Add experts in one tensor of shape `(experts, outputs, inputs)`, as transformers 5 has them.

    `sizes` are their count, the model's width and theirs; how they start is not told.
    """
    count, width, inner = sizes
    for layer, n_in, n_out in (("gate_up_proj", width, 2 * inner), ("down_proj", inner, width)):
        part.add(f"{name}.{layer}", count, n_out, n_in, fans=(n_in, n_out), variance=None)


def compressed_attention(part: Builder, name: str, fields: Fields, width: int, heads: int) -> None:
    """Add attention whose queries, keys and values pass through narrow layers.

    Source: DeepSeek-AI 2024 (2412.19437), section 2.1.1.
    """
    bias = fields.flag("attention_bias", default=False)
    rank, values = fields.size("kv_lora_rank", 512), fields.size("v_head_dim", 128)
    plain, turned = fields.size("qk_nope_head_dim", 128), fields.size("qk_rope_head_dim", 64)
    # A file may tell their sum too; where it tells another, releases take one or the other.
    whole = fields.size("qk_head_dim", plain + turned)
    if whole != plain + turned:
        raise fields.wrong("qk_head_dim", whole, f"{plain + turned}, as its parts are")
    n_queries = heads * whole
    queries = fields.values.get("q_lora_rank", 1536)
    if queries is None:
        part.linear(f"{name}.q_proj", width, n_queries, bias=False)
    else:
        narrow = fields.size("q_lora_rank", 1536)
        part.linear(f"{name}.q_a_proj", width, narrow, bias=bias, bias_rule=zero)
        part.norm(f"{name}.q_a_layernorm", narrow, bias=False)
        part.linear(f"{name}.q_b_proj", narrow, n_queries, bias=False)
    part.linear(f"{name}.kv_a_proj_with_mqa", width, rank + turned, bias=bias, bias_rule=zero)
    part.norm(f"{name}.kv_a_layernorm", rank, bias=False)
    part.linear(f"{name}.kv_b_proj", rank, heads * (plain + values), bias=False)
    part.linear(f"{name}.o_proj", heads * values, width, bias=bias, bias_rule=zero)
