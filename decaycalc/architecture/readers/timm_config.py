"""timm's own `config.json` of the hub: the network that `architecture` names, with its classes.

Source: timm/models/_hub.py, `save_config_for_hf`, and _builder.py (v1.0.31), which build the class
of that name with `num_classes` and `model_args` in place of its own.
"""

from collections.abc import Mapping

from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.tensors import Architecture, Tensor
from decaycalc.record import replace

# Arguments that no tensor depends on.
_NEUTRAL = frozenset(
    {"drop_rate", "drop_path_rate", "proj_drop_rate", "attn_drop_rate", "patch_drop_rate",
     "dynamic_img_size", "dynamic_img_pad"}
)  # fmt: skip


def is_timm(value: Mapping[str, object]) -> bool:
    """Return whether a document is a configuration that timm wrote."""
    return isinstance(value.get("architecture"), str) and "pretrained_cfg" in value


def read_timm(value: Mapping[str, object], path: str) -> Architecture:
    """Return the network that a configuration of timm's names.

    Raises:
        UnreadableFileError: a network that is not known, or arguments that change its tensors in a
            way that is not known here.
    """
    from decaycalc.architecture.zoo import find_model  # noqa: PLC0415 - few files name one

    fields = Fields(path=path, values=value)
    name, published = fields.text("architecture", ""), fields.part("pretrained_cfg")
    net = find_model(f"timm/{name}")
    if net is None:
        raise fields.wrong("architecture", name, "a network of timm's that is known here")
    _refuse_arguments(fields, published)
    classes = fields.size("num_classes", published.size("num_classes", 1000, least=0), least=0)
    return _classified(net, fields, published, classes)


def _refuse_arguments(fields: Fields, published: Fields) -> None:
    """Refuse what may change the tensors: arguments, other channels, another pooling of tokens.

    Raises:
        UnreadableFileError: there is one.
    """
    arguments = {**fields.part("model_args").values}
    changed = sorted(arguments.keys() - _NEUTRAL)
    if changed:
        raise fields.wrong("model_args", ", ".join(changed), "none that changes the tensors")
    channels = published.sizes("input_size", (3, 224, 224))[0]
    if channels != 3:  # noqa: PLR2004 - red, green and blue
        raise published.wrong("input_size", channels, "3 channels")


def _classified(net: Architecture, fields: Fields, published: Fields, classes: int) -> Architecture:
    """Return a network with so many outputs, none of which is a network without its classifier.

    Raises:
        UnreadableFileError: the classifier is another layer than the file says.
    """
    said = published.values.get("classifier")
    listed = said if isinstance(said, list) else [said]
    layers = [layer for layer in listed if isinstance(layer, str)]
    known = {tensor.layer: tensor for tensor in net.tensors if len(tensor.shape) > 1}
    if not layers or len(layers) < len(listed) or not known.keys() >= set(layers):
        raise published.wrong("classifier", said, "layers of the network as it is known here")
    # MobileNet v3 counts its features before the layer that widens them.
    widened = [known["conv_head"]] if "conv_head" in known else []
    features = {each.shape[1] for each in (*(known[layer] for layer in layers), *widened)}
    if fields.size("num_features", min(features)) not in features:
        found = fields.values["num_features"]
        raise fields.wrong("num_features", found, "the width of the network that is known here")
    tensors = (_resized(each, classes) if each.layer in layers else each for each in net.tensors)
    kept = tuple(each for each in tensors if each.n_weights)
    return replace(net, name=fields.path, tensors=kept, n_classes=classes or None)


def _resized(tensor: Tensor, classes: int) -> Tensor:
    return replace(tensor, shape=(classes, *tensor.shape[1:]), fan_out=classes)
