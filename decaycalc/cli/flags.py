"""How the command line calls the quantities that the domain names."""

from decaycalc.algebra.quantity import QUANTITIES, flag_named

# Quantities that follow from others, and those whose flag says too little.
_FLAGS = {
    "steps": "--steps (or --epochs with -N and -B)",
    "epochs": "--epochs (or --steps with -N and -B)",
    "steps_per_epoch": "-N and -B",
    "n_weights": "--arch",
    "n_layers": "--arch",
    "gradient_scale": "--gradient-rms",
    "value": "a VALUE",
}

# What to say of a flag that says too little in an error.
_HINTS = {"optimizer": "what trains the penalty: sgd or adam"}


def flag_of(quantity: str) -> str:
    """Return the flag that gives a quantity.

    >>> flag_of("dataset_size"), flag_of("l1_ratio"), flag_of("value")
    ('-N', '--set l1_ratio=NUMBER', 'a VALUE')
    """
    if quantity in _FLAGS:
        return _FLAGS[quantity]
    known = QUANTITIES.get(quantity)
    if known is None or not known.given:
        return flag_named(quantity)
    return known.flags[0] if known.flags else f"--set {quantity}=NUMBER"


def way_out(missing: tuple[str, ...]) -> str:
    """Return what to give for the missing quantities, `give --lr and -N`, each flag once.

    >>> way_out(("steps_per_epoch", "dataset_size", "lr"))
    'give -N and -B and --lr'
    """
    hints = "".join(f" ({_HINTS[name]})" for name in missing if name in _HINTS)
    parts = {"steps_per_epoch": ("-N", "-B")}
    flags = (flag for name in missing for flag in parts.get(name, (flag_of(name),)))
    return f"give {' and '.join(dict.fromkeys(flags))}{hints}"
