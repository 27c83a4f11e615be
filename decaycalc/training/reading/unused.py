"""Keys of a file that sound as if they mattered for the decay and were not read."""

from decaycalc.training.reading.settings import Settings
from decaycalc.training.record import Origin
from decaycalc.training.trainers.syntax.tree import Scalar, followed, leaves

# Parts of a key's name that make it matter for the decay: such a key is never dropped in silence.
_TELLING = (
    "adam", "accum", "batch", "beta", "burn", "decay", "epoch", "gamma", "iter", "lr",
    "momentum", "nesterov", "optim", "regular", "rate", "sched", "step", "warm", "wd",
)  # fmt: skip
# Parts that make a key a matter of evaluation, logging, saving, speed or another quantity.
_HARMLESS = (
    "eval", "val_", "valid", "test", "log", "save", "saving", "checkpoint", "report", "print",
    "display", "snapshot", "generat", "drop_rate", "dropout", "drop_path", "sample_rate",
    "sampling_rate", "frame_rate", "interval", "patience", "prefetch", "iou", "temperature",
    "num_workers", "moderate", "attempt", "preprocess", "monitor", "ema_decay", "start_step",
    "start_epoch", "integrat", "migrat", "operat", "flip", "separate", "corporate", "strategy",
)  # fmt: skip
_SILENT = frozenset({"0", "0.0", "false", "none", "null", "no", "", "-1"})
_MOST = 12  # names that a reader looks through


def not_used(settings: Settings) -> tuple[str, ...]:
    """Return the paths of the keys that are set, sound relevant, and are not the trainer's own."""
    trainer = settings.trainer
    known = {path for field in trainer.fields for path in (*field.paths, *field.covers)}
    exact = {name for name in trainer.harmless if not name.endswith("*")}
    prefixes = tuple(name[:-1] for name in trainer.harmless if name.endswith("*"))
    names, known = [], known | _entered(settings)
    for path, node in leaves(settings.document.root):
        is_known = any(path.startswith(f"{own}.") for own in known)
        is_known = is_known or not known.isdisjoint(followed(settings.document.root, path))
        if is_known or path in exact or (prefixes and path.startswith(prefixes)):
            continue
        if isinstance(node, Scalar) and (node.text or "").strip().lower() in _SILENT:
            continue
        if _tells(path):
            names.append(path[:80])
    return tuple(names[:_MOST])


def _entered(settings: Settings) -> set[str]:
    """Return the paths whose values were read, wherever they were found, and by what references."""
    found = (each for each in settings.consulted.values() if each.origin is Origin.FILE)
    return {path for each in found for path in followed(settings.document.root, each.where)}


def _tells(path: str) -> bool:
    """Return whether a key's own name sounds as if it mattered."""
    name = path.rpartition(".")[2].lower()
    return any(part in name for part in _TELLING) and not any(part in name for part in _HARMLESS)
