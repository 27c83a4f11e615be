"""Import of Darknet's cfg files."""

from pathlib import Path

from decaycalc.errors import UnreadableFileError
from decaycalc.training.published.record import Recipe
from decaycalc.training.trainers.result import (
    Imported,
    compose,
    count,
    no_schedule,
    number,
    read_text,
    unread,
)

_READ = {
    "batch", "burn_in", "decay", "gamma", "learning_rate", "max_batches", "momentum", "policy",
    "power", "scale", "scales", "step", "steps", "subdivisions",
}  # fmt: skip
# Darknet's own defaults, src/parser.c parse_net_options.
_DEFAULTS = {"momentum": "0.9", "decay": "0.0001", "learning_rate": "0.001", "batch": "1"}
_DEFAULT_POWER = "4"


def read_darknet(path: Path) -> Imported:
    """Return the run of a Darknet network's `[net]` section.

    Raises:
        UnreadableFileError: no such section, a broken line, or a number that is none.
    Source: pjreddie/darknet src/parser.c and src/network.c (get_current_rate).
    """
    settings = _net_section(read_text(path), path)
    defaulted = sorted(set(_DEFAULTS) - set(settings))
    known = {**_DEFAULTS, **settings}
    notes = tuple(f"{key} is not set: Darknet's own {_DEFAULTS[key]}" for key in defaulted)
    if settings.get("adam", "0") not in {"0", "false"}:
        raise UnreadableFileError(
            str(path), "it trains with Adam, whose decay is not Darknet's SGD's"
        )
    schedule = _schedule(known, path)
    notes += no_schedule(known.get("policy"), schedule)
    recipe = Recipe(
        name="imported",
        title=f"Darknet network {path.name}",
        convention="darknet",
        value=number(known, "decay", path),
        lr=number(known, "learning_rate", path),
        momentum=number(known, "momentum", path),
        batch_size=count(known, "batch", path),
        steps=count(known, "max_batches", path),
        schedule=schedule,
        source=str(path),
    )
    return Imported(recipe=recipe, notes=notes + unread(settings, _READ))


def _net_section(text: str, path: Path) -> dict[str, object]:
    """Return the settings of the first section, which must be `[net]` or `[network]`."""
    settings: dict[str, object] = {}
    section = ""
    for at, line in enumerate(text.splitlines(), start=1):
        bare = line.strip()
        if not bare or bare[0] in "#;":
            continue
        if bare.startswith("["):
            if section:
                break
            section = bare
            continue
        key, equals, value = bare.partition("=")
        if not equals:
            raise UnreadableFileError(
                str(path), f"line {at}: expected key=value, not {bare[:40]!r}"
            )
        settings[key.strip()] = value.strip()
    if section not in {"[net]", "[network]"}:
        raise UnreadableFileError(str(path), "it does not begin with a [net] section")
    return settings


def _schedule(settings: dict[str, object], path: Path) -> str | None:
    """Return the lr policy as a schedule's text, None for one that has no such text."""
    policy = settings.get("policy", "constant")
    warmup = count(settings, "burn_in", path)
    power = number(settings, "power", path) or _DEFAULT_POWER
    ramp = {"warmup": warmup, "warmup_power": power if warmup else None}
    if policy == "constant":
        return compose("constant", **ramp)
    if policy == "poly":
        return compose("polynomial", power=power, **ramp)
    if policy == "steps":
        return _multistep(settings, ramp)
    if policy == "exp":
        return compose("exponential", gamma=number(settings, "gamma", path), **ramp)
    return None


def _multistep(settings: dict[str, object], ramp: dict[str, str | int | None]) -> str | None:
    """Return `steps` and `scales` as a schedule's text if they go together."""
    scales = [part.strip() for part in str(settings.get("scales", "1")).split(",")]
    steps = [part.strip() for part in str(settings.get("steps", "")).split(",")]
    if len(scales) != len(steps) or not all(step.isdigit() for step in steps):
        return None
    return compose("step", at="/".join(steps), gamma="/".join(scales), **ramp)
