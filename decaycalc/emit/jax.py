"""optax snippets: a chain with the decay in its place, masked, and the lr schedule."""

from decaycalc.emit.own_groups import indented, own_lines, sorting_lines
from decaycalc.emit.settings import (
    SnippetSettings,
    assemble,
    call,
    decay_lines,
    function_lines,
    refuse_convention,
    require_mask,
)

_IMPORTS = ("import jax", "import jax.numpy as jnp", "import optax")
_CONDITIONS = {
    "no-1d": 'leaf.ndim > 1 and not _name(path).endswith("bias")',
    "no-bias": 'not _name(path).endswith(("bias", "beta"))',
    "matrices": "leaf.ndim > 1",
}


def write(settings: SnippetSettings) -> tuple[str, tuple[str, ...]]:
    """Return the code and its notes.

    Raises:
        NoEquivalentError: a convention that is none of optax's.
        InvalidValueError: a mask or a schedule without code.
    """
    if settings.groups:
        return _write_groups(settings)
    mask = None if settings.mask == "all" else "decay_mask"
    lr = repr(settings.lr) if settings.schedule is None else "learning_rate"
    value = repr(settings.value) if settings.decay_schedule is None else "weight_decay"
    body = [
        *_mask(settings),
        *_schedule(settings),
        *_decays(settings),
        f"optimizer = {_optimizer(settings, lr=lr, value=value, mask=mask)}",
    ]
    return assemble(settings, _IMPORTS, body), ()


def _write_groups(settings: SnippetSettings) -> tuple[str, tuple[str, ...]]:
    """Return the code of one optimizer for each pair of lr and decay, and its notes."""
    require_mask(settings, "all", *_CONDITIONS)
    lr, value = _scheduled(settings)
    made = indented(_optimizer(settings, lr=lr, value=value, mask=None).splitlines())
    condition = _CONDITIONS.get(settings.mask, "True").replace("_name(path)", "name")
    body = [
        *own_lines(settings),
        "",
        "",
        "def group_of(path, leaf):",
        '    name = jax.tree_util.keystr(path, simple=True, separator="/")',
        *indented(sorting_lines(settings, condition)),
        '    return group["lr"], group["weight_decay"]',
        "",
        "",
        *_multiplier(settings),
        *_decay_multiplier(settings),
        "def make(lr, weight_decay):",
        made[0].replace("    ", "    return ", 1),
        *made[1:],
        "",
        "",
        "pairs = jax.tree_util.tree_map_with_path(group_of, params)",
        "labels = jax.tree.map(str, pairs, is_leaf=lambda pair: isinstance(pair, tuple))",
        "leaves = jax.tree.leaves(pairs, is_leaf=lambda pair: isinstance(pair, tuple))",
        "optimizer = optax.multi_transform({str(pair): make(*pair) for pair in leaves}, labels)",
    ]
    note = "the groups are made of the tree params, whose names are paths such as dense/kernel"
    return assemble(settings, ("import re", *_IMPORTS), body), (note,)


def _scheduled(settings: SnippetSettings) -> tuple[str, str]:
    """Return a group's lr and decay as text: functions of the step where they follow one."""
    step = "jnp.asarray(count, dtype=float)"
    lr = "lr" if settings.schedule is None else f"lambda count: lr * multiplier({step})"
    if settings.decay_schedule is None:
        return lr, "weight_decay"
    return lr, f"lambda count: weight_decay * decay_multiplier({step})"


def _optimizer(settings: SnippetSettings, *, lr: str, value: str, mask: str | None) -> str:
    key = settings.convention.key
    one, two = settings.betas or (None, None)
    adam = {
        "learning_rate": lr,
        "b1": None if one is None else repr(one),
        "b2": None if two is None else repr(two),
        "eps": settings.eps_text,
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


def _mask(settings: SnippetSettings) -> list[str]:
    require_mask(settings, "all", *_CONDITIONS)
    if settings.mask == "all":
        return []
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


def _multiplier(settings: SnippetSettings) -> list[str]:
    if settings.schedule is None:
        return []
    text = f"lr over peak lr: {settings.schedule_text}"
    return function_lines("multiplier", settings.schedule, text, xp="jnp")


def _schedule(settings: SnippetSettings) -> list[str]:
    if settings.schedule is None:
        return []
    return [
        *_multiplier(settings),
        "def learning_rate(count):",
        f"    return {settings.lr!r} * multiplier(jnp.asarray(count, dtype=float))",
        "",
        "",
    ]


def _decay_multiplier(settings: SnippetSettings) -> list[str]:
    if settings.decay_schedule is None:
        return []
    return decay_lines(settings.decay_schedule, settings.value, xp="jnp")


def _decays(settings: SnippetSettings) -> list[str]:
    """Return the lines of a decay that follows the count of steps."""
    if settings.decay_schedule is None:
        return []
    return [
        *_decay_multiplier(settings),
        "def weight_decay(count):",
        f"    return {settings.value!r} * decay_multiplier(jnp.asarray(count, dtype=float))",
        "",
        "",
    ]
