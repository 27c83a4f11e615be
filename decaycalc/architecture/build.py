"""The parts that networks are built of: each adds its tensors, in the order of registration."""

from collections.abc import Callable
from math import prod

from decaycalc.architecture.tensors import Architecture, Role, Tensor
from decaycalc.errors import InvalidValueError
from decaycalc.record import Record, alike

# Far beyond the models of its names; a typed depth has no other bound.
MOST_TENSORS = 100_000

Variance = Callable[[int, int], float | None]
"""The variance of one weight, from the layer's fan-in and fan-out; None where it is not told."""


def zero(_fan_in: int, _fan_out: int) -> float:
    """Return 0: the weight starts at zero."""
    return 0.0


def unknown(_fan_in: int, _fan_out: int) -> None:
    """Return None: how the weight starts is not told."""


def he_in(fan_in: int, _fan_out: int) -> float:
    """Return 2/fan_in (`kaiming_normal_` and `kaiming_uniform_`, mode fan_in)."""
    return 2 / fan_in


def he_out(_fan_in: int, fan_out: int) -> float:
    """Return 2/fan_out (`kaiming_normal_`, mode fan_out)."""
    return 2 / fan_out


def lecun(fan_in: int, _fan_out: int) -> float:
    """Return 1/fan_in (`lecun_normal`; Caffe's `xavier`, uniform of bound sqrt(3/fan_in))."""
    return 1 / fan_in


def torch_uniform(fan_in: int, _fan_out: int) -> float:
    """Return 1/(3 fan_in): torch's own uniform start of bound 1/sqrt(fan_in), weights and biases.

    Source: torch/nn/modules/linear.py and conv.py, `reset_parameters`.
    """
    return 1 / (3 * fan_in)


def glorot(fan_in: int, fan_out: int) -> float:
    """Return 2/(fan_in + fan_out) (`xavier_uniform_`, `xavier_normal_`)."""
    return 2 / (fan_in + fan_out)


def normal(std: float) -> Variance:
    """Return the rule of a fixed standard deviation."""
    variance = std * std
    return lambda _fan_in, _fan_out: variance


UNIT = normal(1.0)


class Start(Record):
    """How a family starts its convolutions, its dense layers, their biases and its embeddings.

    `norm` is the kind of its normalisations: layer, rms or batch.
    """

    conv: Variance = torch_uniform
    conv_bias: Variance = torch_uniform
    linear: Variance = torch_uniform
    linear_bias: Variance = torch_uniform
    embedding: Variance = UNIT
    norm: str = "layer"


class Builder:
    """Collects a network's tensors; each method adds one layer's, weight before bias."""

    def __init__(self, start: Start | None = None) -> None:
        self.start = start or Start()
        self.tensors: list[Tensor] = []

    def done(
        self, name: str, *, classes: int | None, undecayed: tuple[str, ...] = ()
    ) -> Architecture:
        """Return what was collected as an architecture."""
        return Architecture(
            name=name, tensors=tuple(self.tensors), n_classes=classes, undecayed=undecayed
        )

    def add(
        self,
        name: str,
        *shape: int,
        role: Role = Role.WEIGHT,
        fans: tuple[int, int] | None = None,
        variance: float | None = 0.0,
        mean: float = 0.0,
        norm_kind: str = "",
    ) -> None:
        """Add one tensor; `fans` are fan-in and fan-out.

        Raises:
            InvalidValueError: more tensors than any network has.
        """
        if len(self.tensors) >= MOST_TENSORS:
            raise InvalidValueError("number of tensors", name[:80], f"goes past {MOST_TENSORS}")
        fan_in, fan_out = fans or (None, None)
        tensor = Tensor(
            name=name,
            shape=shape,
            role=role,
            fan_in=fan_in,
            fan_out=fan_out,
            init_variance=variance,
            init_mean=mean,
            norm_kind=norm_kind,
        )
        self.tensors.append(tensor)

    def include(self, prefix: str, part: Architecture) -> None:
        """Add the tensors of a whole network that is a part of this one, under a prefix.

        Raises:
            InvalidValueError: more tensors than any network has.
        """
        if len(self.tensors) + len(part.tensors) > MOST_TENSORS:
            raise InvalidValueError("number of tensors", prefix[:80], f"goes past {MOST_TENSORS}")
        self.tensors += (alike(each, name=prefix + each.name) for each in part.tensors)

    def conv(
        self,
        name: str,
        n_in: int,
        n_out: int,
        *kernel: int,
        groups: int = 1,
        bias: bool = True,
        line: bool = False,
        rule: Variance | None = None,
    ) -> None:
        """Add a convolution; one kernel size stands for a square, unless it runs on a `line`.

        The fan-out is torch's, which counts all outputs whatever the groups.
        Source: torch/nn/init.py, `_calculate_fan_in_and_fan_out`.

        Raises:
            InvalidValueError: groups that do not share the inputs equally.
        """
        if n_in % groups:
            raise InvalidValueError("groups", groups, f"must divide the {n_in} inputs of {name}")
        size = kernel * 2 if len(kernel) == 1 and not line else kernel
        fans = (n_in // groups * prod(size), n_out * prod(size))
        variance = (rule or self.start.conv)(*fans)
        self.add(f"{name}.weight", n_out, n_in // groups, *size, fans=fans, variance=variance)
        if bias:
            shift = self.start.conv_bias(*fans)
            self.add(f"{name}.bias", n_out, role=Role.BIAS, fans=fans, variance=shift)

    def conv_norm(
        self,
        name: str,
        n_in: int,
        n_out: int,
        *kernel: int,
        layers: tuple[str, str] = ("0", "1"),
        groups: int = 1,
        rule: Variance | None = None,
    ) -> int:
        """Add a convolution without bias and its norm under a prefix; return its outputs."""
        self.conv(f"{name}.{layers[0]}", n_in, n_out, *kernel, groups=groups, bias=False, rule=rule)
        self.norm(f"{name}.{layers[1]}", n_out)
        return n_out

    def linear(
        self,
        name: str,
        n_in: int,
        n_out: int,
        *,
        bias: bool = True,
        rule: Variance | None = None,
        bias_rule: Variance | None = None,
        transposed: bool = False,
    ) -> None:
        """Add a dense layer, `(n_out, n_in)`; `transposed` gives `(n_in, n_out)`."""
        fans = (n_in, n_out)
        variance = (rule or self.start.linear)(*fans)
        shape = fans if transposed else (n_out, n_in)
        self.add(f"{name}.weight", *shape, fans=fans, variance=variance)
        if bias:
            shift = (bias_rule or self.start.linear_bias)(*fans)
            self.add(f"{name}.bias", n_out, role=Role.BIAS, fans=fans, variance=shift)

    def linears(
        self, name: str, layers: tuple[str, ...], n_in: int, n_out: int, *, bias: bool = True
    ) -> None:
        """Add dense layers of one size under a prefix, as queries, keys and values are."""
        for layer in layers:
            self.linear(f"{name}.{layer}", n_in, n_out, bias=bias)

    def feed_forward(
        self, name: str, layers: tuple[str, str], width: int, hidden: int, *, bias: bool = True
    ) -> None:
        """Add a dense layer to a hidden width and one back, under a prefix."""
        self.linear(f"{name}.{layers[0]}", width, hidden, bias=bias)
        self.linear(f"{name}.{layers[1]}", hidden, width, bias=bias)

    def norm(
        self, name: str, size: int, *, bias: bool = True, gain: float = 1.0, kind: str = ""
    ) -> None:
        """Add a normalisation's gain and, unless told otherwise, its shift; of the usual `kind`."""
        kind = kind or self.start.norm
        self.add(f"{name}.weight", size, role=Role.NORM, mean=gain, norm_kind=kind)
        if bias:
            self.add(f"{name}.bias", size, role=Role.NORM, norm_kind=kind)

    def norms(
        self, name: str, norms: tuple[str, ...], size: int, *, bias: bool = True, gain: float = 1.0
    ) -> None:
        """Add normalisations of one size under a prefix, as those of a layer are."""
        for norm in norms:
            self.norm(f"{name}.{norm}", size, bias=bias, gain=gain)

    def embedding(
        self,
        name: str,
        rows: int,
        size: int,
        *,
        role: Role = Role.EMBEDDING,
        padding: bool = False,
        rule: Variance | None = None,
    ) -> None:
        """Add a table `(rows, size)`; one row starts at zero if it has `padding`."""
        variance = (rule or self.start.embedding)(rows, size)
        kept = (rows - 1) / rows if padding else 1.0
        self.add(
            f"{name}.weight",
            rows,
            size,
            role=role,
            variance=None if variance is None else variance * kept,
        )

    def positions(
        self,
        name: str,
        rows: int,
        size: int,
        *,
        padding: bool = False,
        rule: Variance | None = None,
    ) -> None:
        """Add a table of positions."""
        self.embedding(name, rows, size, role=Role.POSITION, padding=padding, rule=rule)
