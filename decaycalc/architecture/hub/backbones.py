"""Backbones: networks without a head, whose stages others read.

Source: transformers/models/{swin,resnet}/modeling_*.py (v4.57.1), `SwinBackbone` and
`ResNetBackbone`. How they start within another model is not told here.
"""

from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.hub.images import resnet
from decaycalc.architecture.hub.pyramids import swin
from decaycalc.architecture.tensors import Architecture, Role, Tensor
from decaycalc.record import replace

KINDS = ("swin", "maskformer-swin", "resnet")


def untold(network: Architecture) -> Architecture:
    """Return a network of which nobody says how its weights start; norms start as they do."""
    return replace(network, tensors=tuple(map(_untold, network.tensors)))


def _untold(tensor: Tensor) -> Tensor:
    return tensor if tensor.role is Role.NORM else replace(tensor, init_variance=None)


def require_known(fields: Fields) -> str:
    """Return the kind of a backbone's fields, MaskFormer's own Swin as Swin.

    Raises:
        UnreadableFileError: one that is not known here.
    """
    kind = fields.text("model_type", "swin")
    if kind not in KINDS:
        raise fields.wrong("model_type", kind, f"one of {', '.join(KINDS)}")
    return kind.removeprefix("maskformer-")


def bare(fields: Fields) -> Architecture:
    """Return the network itself.

    Raises:
        UnreadableFileError: a kind that is not known here, or a malformed field.
    """
    if require_known(fields) == "resnet":
        return untold(resnet(fields, "Model"))
    return untold(swin(fields, "Model"))


def stage_widths(fields: Fields) -> tuple[int, ...]:
    """Return the widths of all stages, the first one first."""
    if require_known(fields) == "resnet":
        return fields.sizes("hidden_sizes", (256, 512, 1024, 2048))
    depths = fields.sizes("depths", (2, 2, 6, 2))
    return tuple(fields.size("embed_dim", 96) * 2**stage for stage in range(len(depths)))


def chosen_stages(fields: Fields) -> tuple[int, ...]:
    """Return which stages are read, counted from 0: the last one where nobody says.

    Raises:
        UnreadableFileError: a stage that there is not.
    """
    return read_stages(fields, len(stage_widths(fields)))


def read_stages(fields: Fields, known: int) -> tuple[int, ...]:
    """Return which of so many stages are read, counted from 0: the last one where nobody says.

    Raises:
        UnreadableFileError: a stage that there is not.
    """
    said, names = fields.values.get("out_features"), [f"stage{n + 1}" for n in range(known)]
    if said is None:
        # The stem is number 0.
        places = fields.whole_numbers("out_indices") or (known,)
        if not set(places) <= set(range(1, known + 1)):
            raise fields.wrong("out_indices", list(places), f"numbers from 1 to {known}")
        return tuple(place - 1 for place in places)
    if not isinstance(said, list) or not set(map(str, said)) <= set(names):
        raise fields.wrong("out_features", said, f"some of {', '.join(names)}")
    return tuple(stage for stage, name in enumerate(names) if name in said)
