"""How the command line calls the quantities that the domain names."""

_FLAGS = {
    "batch_size": "-B",
    "dataset_size": "-N",
    "steps": "--steps (or --epochs with -N and -B)",
    "epochs": "--epochs (or --steps with -N and -B)",
    "steps_per_epoch": "-N and -B",
    "n_weights": "--arch",
    "n_layers": "--arch",
    "gradient_scale": "--gradient-rms",
}


def flag_of(quantity: str) -> str:
    """Return the flag that gives a quantity.

    >>> flag_of("dataset_size"), flag_of("l1_ratio")
    ('-N', '--l1-ratio')
    """
    return _FLAGS.get(quantity, f"--{quantity.replace('_', '-')}")


def way_out(missing: tuple[str, ...]) -> str:
    """Return what to give for the missing quantities, `give --lr and -N`."""
    return f"give {' and '.join(dict.fromkeys(map(flag_of, missing)))}"
