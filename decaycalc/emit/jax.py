"""optax snippets: a chain with the decay in its place, masked, and the lr schedule."""

from decaycalc.emit.settings import (
    Settings,
    assemble,
    call,
    decay_lines,
    function_lines,
    refuse_convention,
    refuse_mask,
)

_CONDITIONS = {
    "no-1d": 'leaf.ndim > 1 and not _name(path).endswith("bias")',
    "no-bias": 'not _name(path).endswith(("bias", "beta"))',
    "matrices": "leaf.ndim > 1",
}


def write(settings: Settings) -> tuple[str, tuple[str, ...]]:
    """Return the code and its notes.

    Raises:
        NoEquivalentError: a convention that is none of optax's.
        InvalidValueError: a mask or a schedule without code.
    """
    body = [
        *_mask(settings),
        *_schedule(settings),
        *_decays(settings),
        f"optimizer = {_optimizer(settings)}",
    ]
    imports = ("import jax", "import jax.numpy as jnp", "import optax")
    return assemble(settings, imports, body), ()


def _optimizer(settings: Settings) -> str:
    mask = None if settings.mask == "all" else "decay_mask"
    lr = repr(settings.lr) if settings.schedule is None else "learning_rate"
    key = settings.convention.key
    value = repr(settings.value) if settings.decay_schedule is None else "weight_decay"
    one, two = settings.betas or (None, None)
    adam = {
        "learning_rate": lr,
        "b1": None if one is None else repr(one),
        "b2": None if two is None else repr(two),
        "eps": None if settings.eps is None else repr(settings.eps),
        "weight_decay": value,
        "mask": mask,
    }
    if key == "optax-adamw":
        return call("optax.adamw", adam)
    if key == "optax-lion":
        return call("optax.lion", {**adam, "eps": None})
    if key != "optax-sgd":
        raise refuse_convention(settings, "optax")
    masked = "" if mask is None else f", mask={mask}"
    momentum = f", momentum={settings.momentum!r}" if settings.momentum else ""
    nesterov = ", nesterov=True" if settings.nesterov else ""
    return "\n".join(
        [
            "optax.chain(",
            f"    optax.add_decayed_weights({value}{masked}),",
            f"    optax.sgd({lr}{momentum}{nesterov}),",
            ")",
        ]
    )


def _mask(settings: Settings) -> list[str]:
    if settings.mask == "all":
        return []
    if settings.mask not in _CONDITIONS:
        raise refuse_mask(settings, ("all", *_CONDITIONS))
    condition = _CONDITIONS[settings.mask]
    naming = [
        "def _name(path):",
        '    return jax.tree_util.keystr(path, simple=True, separator="/")',
        "",
        "",
    ]
    return [
        *(naming if "_name" in condition else []),
        "def decay_mask(params):",
        "    return jax.tree_util.tree_map_with_path(",
        f"        lambda path, leaf: {condition}, params",
        "    )",
        "",
        "",
    ]


def _schedule(settings: Settings) -> list[str]:
    if settings.schedule is None:
        return []
    text = f"lr over peak lr: {settings.schedule_text}"
    return [
        *function_lines("multiplier", settings.schedule, text, xp="jnp"),
        "def learning_rate(count):",
        f"    return {settings.lr!r} * multiplier(jnp.asarray(count, dtype=float))",
        "",
        "",
    ]


def _decays(settings: Settings) -> list[str]:
    """Return the lines of a decay that follows the count of steps."""
    if settings.decay_schedule is None:
        return []
    return [
        *decay_lines(settings.decay_schedule, settings.value, xp="jnp"),
        "def weight_decay(count):",
        f"    return {settings.value!r} * decay_multiplier(jnp.asarray(count, dtype=float))",
        "",
        "",
    ]
