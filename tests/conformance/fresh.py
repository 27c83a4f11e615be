"""A real network's tensors beside ours: names, shapes, and the size of fresh weights."""

import math


def shapes_of(model):
    return [(name, tuple(weight.shape)) for name, weight in model.named_parameters()]


def ours(net):
    return [(tensor.name, tensor.shape) for tensor in net.tensors]


def check_start(net, model):
    """Check each fresh tensor's sum of squares against its expectation, to six deviations.

    torch's truncated normal draws rare outliers of 2, which a sum of small weights shows.
    """
    for tensor, (name, weight) in zip(net.tensors, model.named_parameters(), strict=True):
        values = weight.detach().double()
        if tensor.init_variance and tensor.init_variance < 0.01:
            values = values[values.abs() < 1.99]
        found = float((values**2).sum())
        expected = tensor.sum_of_squares
        if expected is None:  # it is not told
            continue
        slack = 6 * math.sqrt(2 / weight.numel()) * max(found, expected) + 1e-9 * weight.numel()
        assert abs(found - expected) <= slack, name
