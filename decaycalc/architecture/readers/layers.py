"""Hand-written networks as a list of layers, in TOML, YAML or JSON.

    classes = 10
    [[layers]]
    type = "conv"
    in = 3
    out = 32
    kernel = 3
    [[layers]]
    type = "dense"
    in = 2048
    out = 10

Weights and biases start by He's rule, embeddings by torch's unit normal, norms with gain 1.
"""

from collections.abc import Callable, Mapping
from typing import Any

from decaycalc.architecture.build import Builder, Start, he_in, zero
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.inline import MOST_LAYERS
from decaycalc.architecture.tensors import Architecture, Role
from decaycalc.errors import UnreadableFileError, nearest_names

Layer = Callable[[Builder, str, Fields, int], int]
"""Adds one layer; takes its name, fields and the previous layer's outputs; returns its outputs."""
GATES = {"rnn": 1, "gru": 3, "lstm": 4}
MOST_STACKED = 1000
MOST_KERNEL_DIMENSIONS = 3


def read_layers(document: Mapping[str, Any], path: str) -> Architecture:
    """Return the network of a document with a list `layers`; see the module's text.

    Raises:
        UnreadableFileError: a layer of unknown type, or a malformed field.
        InvalidValueError: a network past all bounds.
    """
    listed = document["layers"]
    if not isinstance(listed, list) or not 1 <= len(listed) <= MOST_LAYERS:
        raise UnreadableFileError(path, f"layers must be a list of 1 to {MOST_LAYERS} tables")
    part = Builder(Start(conv=he_in, conv_bias=zero, linear=he_in, linear_bias=zero))
    outputs = 0
    for index, layer in enumerate(listed, start=1):
        outputs = _add(part, layer, index, outputs, path)
    top = Fields(path=path, values=document)
    classes = top.size("classes", outputs)
    return part.done(top.text("name", path), classes=classes)


def _add(part: Builder, layer: object, index: int, outputs: int, path: str) -> int:
    """Add one layer; return its outputs, or the previous ones where it keeps them."""
    if not isinstance(layer, dict):
        raise UnreadableFileError(path, f"layer {index} is no table")
    fields = Fields(path=path, values=layer)
    kind = fields.text("type", "")
    if kind not in LAYERS:
        near = nearest_names(kind[:40], LAYERS)
        hint = f"did you mean {near[0]!r}" if near else f"one of {', '.join(LAYERS)}"
        raise UnreadableFileError(path, f"layer {index} has type {kind[:40]!r}; {hint}")
    allowed = {"type", "name", *LAYERS[kind][1]}
    odd = sorted(str(name)[:40] for name in layer if name not in allowed)
    if odd:
        known = ", ".join(sorted(allowed))
        raise UnreadableFileError(path, f"layer {index} has {odd[0]!r}; {kind} knows {known}")
    name = fields.text("name", f"{kind}{index}")
    return LAYERS[kind][0](part, name, fields, outputs)


def _inputs(fields: Fields, previous: int) -> int:
    """Return `in`, or the previous layer's outputs where it is left out."""
    if "in" not in fields and not previous:
        raise UnreadableFileError(fields.path, "the first layer needs in")
    return fields.size("in", previous)


def _outputs(fields: Fields) -> int:
    if "out" not in fields:
        raise UnreadableFileError(fields.path, "a layer needs out")
    return fields.size("out", 1)


def _dense(part: Builder, name: str, fields: Fields, previous: int) -> int:
    n_in, n_out = _inputs(fields, previous), _outputs(fields)
    part.linear(name, n_in, n_out, bias=fields.flag("bias", default=True))
    return n_out


def _conv(part: Builder, name: str, fields: Fields, previous: int) -> int:
    n_in, n_out = _inputs(fields, previous), _outputs(fields)
    groups = fields.size("groups", 1)
    if n_in % groups or n_out % groups:
        raise fields.wrong("groups", groups, f"a divisor of {n_in} and {n_out}")
    square = not isinstance(fields.values.get("kernel"), list)
    kernel = (fields.size("kernel", 3),) if square else fields.sizes("kernel", (3,))
    if len(kernel) > MOST_KERNEL_DIMENSIONS:
        raise fields.wrong("kernel", list(kernel), "up to three sizes")
    bias = fields.flag("bias", default=True)
    part.conv(name, n_in, n_out, *kernel, groups=groups, bias=bias, line=not square)
    return n_out


def _embedding(part: Builder, name: str, fields: Fields, _previous: int) -> int:
    part.embedding(name, _inputs(fields, 0), _outputs(fields), role=Role.EMBEDDING)
    return _outputs(fields)


def _norm(part: Builder, name: str, fields: Fields, previous: int) -> int:
    size = _inputs(fields, previous)
    part.norm(name, size, bias=fields.flag("bias", default=True))
    return size


def _recurrent(part: Builder, name: str, fields: Fields, previous: int) -> int:
    """Add a recurrent layer with torch's names: one bias for inputs, one for the state.

    Source: torch/nn/modules/rnn.py, `RNNBase`, which starts all uniformly in 1/sqrt(hidden).
    """
    n_in, hidden = _inputs(fields, previous), _outputs(fields)
    gates = GATES[fields.text("type", "")]
    ways = ("", "_reverse") if fields.flag("bidirectional", default=False) else ("",)
    bias = fields.flag("bias", default=True)
    stacked = fields.size("layers", 1)
    if stacked > MOST_STACKED:
        raise fields.wrong("layers", stacked, f"at most {MOST_STACKED}")
    for level in range(stacked):
        for way in ways:
            suffix = f"l{level}{way}"
            _cell(part, name, suffix, (n_in, hidden, gates), bias=bias)
        n_in = hidden * len(ways)
    return n_in


def _cell(
    part: Builder, name: str, suffix: str, sizes: tuple[int, int, int], *, bias: bool
) -> None:
    n_in, hidden, gates = sizes
    variance = 1 / (3 * hidden)
    for kind, inputs in (("ih", n_in), ("hh", hidden)):
        fans = (inputs, gates * hidden)
        weight = f"{name}.weight_{kind}_{suffix}"
        part.add(weight, gates * hidden, inputs, fans=fans, variance=variance)
    for kind in ("ih", "hh")[: 2 * bias]:
        shift = f"{name}.bias_{kind}_{suffix}"
        fans = (hidden, gates * hidden)
        part.add(shift, gates * hidden, role=Role.BIAS, fans=fans, variance=variance)


def _attention(part: Builder, name: str, fields: Fields, previous: int) -> int:
    """Add query, key, value and output projections; `kv` is the size of keys and values."""
    width = _inputs(fields, previous)
    narrow = fields.size("kv", width)
    bias = fields.flag("bias", default=True)
    part.linear(f"{name}.q_proj", width, width, bias=bias)
    part.linear(f"{name}.k_proj", width, narrow, bias=bias)
    part.linear(f"{name}.v_proj", width, narrow, bias=bias)
    part.linear(f"{name}.out_proj", width, width, bias=bias)
    return width


LAYERS: dict[str, tuple[Layer, tuple[str, ...]]] = {
    "dense": (_dense, ("in", "out", "bias")),
    "conv": (_conv, ("in", "out", "kernel", "groups", "bias")),
    "embedding": (_embedding, ("in", "out")),
    "norm": (_norm, ("in", "bias")),
    "rnn": (_recurrent, ("in", "out", "layers", "bidirectional", "bias")),
    "lstm": (_recurrent, ("in", "out", "layers", "bidirectional", "bias")),
    "gru": (_recurrent, ("in", "out", "layers", "bidirectional", "bias")),
    "attention": (_attention, ("in", "kv", "bias")),
}
