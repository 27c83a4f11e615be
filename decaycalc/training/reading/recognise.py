"""recognise: whose file a document is, by the set of its key paths."""

import pkgutil
from functools import cache
from importlib import import_module

from decaycalc.errors import UnknownNameError, UnreadableFileError
from decaycalc.training import trainers as _package
from decaycalc.training.reading.bases import KEYS, bases_of, with_bases
from decaycalc.training.reading.program import trains
from decaycalc.training.reading.signature_index import INDEX
from decaycalc.training.reading.trainer import Signature, Trainer
from decaycalc.training.trainers.syntax.document import Document
from decaycalc.training.trainers.syntax.sniffing import Syntax
from decaycalc.training.trainers.syntax.tree import key_paths

_SHOWN = 4
_PLACES = 3  # of a program's path: swift/cli/sft.py is one trainer's, sft.py anybody's


@cache
def trainers() -> tuple[Trainer, ...]:
    """Return every trainer's table, by kind: those of the modules in `trainers/`."""
    found = (_table(name) for name in _modules())
    return tuple(sorted((each for each in found if each), key=lambda trainer: trainer.kind))


@cache
def _modules() -> tuple[str, ...]:
    """Return the names of the modules in `trainers/`."""
    return tuple(each.name for each in pkgutil.iter_modules(_package.__path__) if not each.ispkg)


def _table(module: str) -> Trainer | None:
    """Return the table of a module in `trainers/`, None where it has none."""
    table: Trainer | None = getattr(import_module(f"{_package.__name__}.{module}"), "TRAINER", None)
    return table


@cache
def _signatures() -> dict[str, tuple[Signature, ...]]:
    """Return the signatures in each module: the index's, else its own.

    To import every table only to see which one fits would take longer than to read the file.
    """
    found = {}
    for name in _modules():
        if name in INDEX:
            found[name] = tuple(
                Signature(all_of=every, any_of=some, at_least=least, none_of=none)
                for every, some, least, none in INDEX[name]
            )
        else:
            table = _table(name)
            found[name] = () if table is None else table.signatures
    return found


def find_trainer(kind: str) -> Trainer:
    """Return the trainer of that kind.

    Raises:
        UnknownNameError: there is none.
    """
    for trainer in trainers():
        if trainer.kind == kind.strip().lower().replace("_", "-"):
            return trainer
    names = [trainer.kind for trainer in trainers()]
    raise UnknownNameError(
        "kind", kind, names, hint="('decaycalc guide training-files' lists them)"
    )


def paths_of(document: Document) -> frozenset[str]:
    """Return a document's key paths, `syntax:NAME`, `file:NAME`, and a command's `program:NAME`.

    What a command line gives stands as `flag:NAME` too: a dump may have a name that no flag has.
    Flags that lie over no file are `syntax:flags`. A program stands as its bare name and with the
    two folders that it lies in. A key within a section stands as `*.KEY` too, for trainers whose
    sections mean nothing.
    """
    paths = key_paths(document.root)
    within = {f"*.{path.partition('.')[2]}" for path in paths if path.count(".") == 1}
    file = document.name.replace("\\", "/").rpartition("/")[2].lower()
    paths = paths | within | {f"syntax:{document.syntax.value}", f"file:{file}"}
    if document.syntax is Syntax.SHELL:
        paths |= {f"flag:{key}" for key in document.root.entries}
        paths |= set() if document.settings_file is not None else {"syntax:flags"}
    if not document.program:
        return paths
    parts = document.program.replace("\\", "/").split("/")
    return paths | {f"program:{parts[-1]}", f"program:{'/'.join(parts[-_PLACES:])}"}


def fitting(document: Document) -> tuple[Trainer, ...]:
    """Return the trainers whose signature fits a document and asks for most of its keys.

    A file that says little stands on others: those are asked where it does not suffice itself.
    """
    if not trains(document):
        return ()
    found = _fitting(paths_of(document))
    if found or not bases_of(document):
        return found
    return _fitting(paths_of(with_bases(document)))


def _fitting(paths: frozenset[str]) -> tuple[Trainer, ...]:
    """Return the trainers that fit a set of key paths."""
    weights = {
        name: max((each.weight for each in signatures if each.fits(paths)), default=0)
        for name, signatures in _signatures().items()
    }
    best = max(weights.values())
    found = (_table(name) for name, weight in weights.items() if best and weight == best)
    return tuple(sorted((each for each in found if each), key=lambda trainer: trainer.kind))


def recognise(document: Document) -> Trainer:
    """Return the trainer whose file a document is.

    Raises:
        UnreadableFileError: none or several; the nearest is named.
    """
    found = fitting(document)
    if len(found) == 1:
        return found[0]
    if found:
        kinds = " or ".join(trainer.kind for trainer in found)
        raise UnreadableFileError(document.name, f"it may be of {kinds}: say which by --kind")
    raise UnreadableFileError(document.name, _why_not(document))


def require_kind(document: Document, trainer: Trainer) -> None:
    """Refuse a kind that was said of a file which is plainly another trainer's.

    It is plain where the trainer's own signature does not fit, and those that do rest on keys that
    it does not know.

    Raises:
        UnreadableFileError: there is such a file; what it looks like is named.
    """
    paths = paths_of(with_bases(document))
    if any(signature.fits(paths) for signature in trainer.signatures):
        return
    known = _known(trainer)
    others = [(each, _strange(each, paths, known)) for each in fitting(document)]
    if others and all(strange for _, strange in others):
        other, strange = others[0]
        keys = ", ".join(sorted(strange)[:_SHOWN])
        raise UnreadableFileError(
            document.name,
            f"it looks like {other.kind}'s by {keys[:100]}, not {trainer.kind}'s: leave --kind out",
        )


def _strange(trainer: Trainer, paths: frozenset[str], known: frozenset[str]) -> set[str]:
    """Return the keys by which a file is a trainer's, and another that knows some does not.

    One alone counts where it has to be there and is not a name that many programs share.
    """
    fitting = [each for each in trainer.signatures if each.fits(paths)]
    held = {path for each in fitting for path in each.paths if path in paths}
    found = {path for path in held - known if not path.startswith(_MARKS[:2])}
    asked = {path for each in fitting for path in each.all_of}
    return found if len(found) > 1 or found & asked - _GENERIC else set()


def _known(trainer: Trainer) -> frozenset[str]:
    """Return the keys that a trainer's table has."""
    signed = (path for each in trainer.signatures for path in each.paths)
    read = (path for field in trainer.fields for path in (*field.paths, *field.covers))
    return frozenset((*signed, *read, *trainer.harmless))


# Names that many programs share: they tell no trainer, nor which is near.
_GENERIC = frozenset(
    {"learning_rate", "lr", "weight_decay", "wd", "momentum", "batch_size", "epochs", "optimizer",
     "scheduler", "model", "data", "seed", "steps", "name", "dataset", "datasets", "train_data",
     "output_dir", "mode", "task", "warmup", "warmup_ratio", "precision", "exp_name", "fp16", "n",
     "eval_interval",
     "gradient_accumulation_steps", "train_batch_size", "pretrained_model_name_or_path",
     "model_name_or_path", "adam_beta1", "adam_beta2", "adam_epsilon", "program:main.py",
     "program:train.py", *KEYS}
)  # fmt: skip


_MARKS = ("syntax:", "file:", "flag:")  # what is no key of a file
# What is no run's, by the keys of it.
_OF_NO_RUN = {
    ("architectures", "model_type"): "a model's configuration, not a run's",
    ("architecture", "pretrained_cfg"): "a model's configuration, not a run's",
    ("log_history", "global_step"): "the Trainer's log, which tells no weight decay: give the"
    " run's arguments; --schedule file:NAME reads its lr",
    ("compute_environment", "distributed_type"): "accelerate's: give the script that it launches",
    ("file:readme.md",): "a model's card, which tells no weight decay: give the run's arguments",
}


def _why_not(document: Document) -> str:
    """Return why a document is no trainer's, with the nearest kind that no key rules out."""
    if not trains(document):
        return f"its program {document.program.rpartition('/')[2][:60]} does not train, by its name"
    whole = paths_of(with_bases(document))
    for keys, told in _OF_NO_RUN.items():
        if whole.issuperset(keys):
            return f"it is {told}"
    bare = {path: path.removeprefix("*.") for path in whole if not path.startswith(_MARKS)}
    named = (path for path, name in bare.items() if len(name) > 1 and name not in _GENERIC)
    own = (path for path in named if path.partition(".")[0] not in _shared())
    paths = frozenset(own)
    shown = " ".join(", ".join(list(document.root.entries)[:_SHOWN]).split())
    left = [each for each in trainers() if not _is_ruled_out(each, whole)]
    near = max(left, key=lambda trainer: _nearness(trainer, paths))
    text = f"it has {shown[:80]}, not enough of any trainer's own keys"
    if _nearness(near, paths)[0]:
        text += f"; nearest is {near.kind}: give --kind {near.kind} if it is that"
    return f"{text}; 'decaycalc guide training-files' lists the kinds that --kind takes"


def _is_ruled_out(trainer: Trainer, paths: frozenset[str]) -> bool:
    """Return whether a file has a key that no file of the trainer's has."""
    return all(not paths.isdisjoint(signature.none_of) for signature in trainer.signatures)


@cache
def _shared() -> frozenset[str]:
    """Return the sections, as SOLVER, in which the files of several trainers have their keys."""
    paths = [[path for each in trainer.signatures for path in each.paths] for trainer in trainers()]
    own = [{path.partition(".")[0] for path in each if "." in path} for each in paths]
    return frozenset(name for names in own for name in names if sum(name in n for n in own) > 1)


def _nearness(trainer: Trainer, paths: frozenset[str]) -> tuple[int, int]:
    """Return how many of a trainer's keys are there, and less the more of them it asks for."""
    return max((each.nearness(paths), -each.weight) for each in trainer.signatures)
