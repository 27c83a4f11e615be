"""What a plain training script makes: its optimizers with all that is said about each; never run.

A tree for each optimizer that the script makes, `optimizer.class` and its arguments, the groups,
scheduler, loader and loops beside it; and one for each `TrainingArguments`.
"""

import ast
import re
from collections.abc import Iterator
from itertools import chain

from decaycalc.record import replace
from decaycalc.training.trainers.syntax.python_targets import path_of
from decaycalc.training.trainers.syntax.python_text import module_of
from decaycalc.training.trainers.syntax.script_arguments import arguments_of, expressions_of
from decaycalc.training.trainers.syntax.script_calls import entries_of
from decaycalc.training.trainers.syntax.script_groups import groups_of
from decaycalc.training.trainers.syntax.script_keras import is_optimizer, keras_made
from decaycalc.training.trainers.syntax.script_loops import (
    accumulates_at,
    in_epochs,
    interval_of,
    length_of,
)
from decaycalc.training.trainers.syntax.script_names import Names
from decaycalc.training.trainers.syntax.script_optax import optax_made
from decaycalc.training.trainers.syntax.script_said import said_by
from decaycalc.training.trainers.syntax.script_sequence import sequence_of
from decaycalc.training.trainers.syntax.tree import (
    ARGUMENT_CLASSES,
    EACH_STEP,
    EACH_STEP_IN_EPOCHS,
    SET_BY_SCRIPT,
    Entries,
    Node,
    Scalar,
)

# A file without one of these makes nothing that is known here.
_MAKES = re.compile(
    r"optim|keras|optax|lion_pytorch|prodigyopt|schedulefree|dadaptation|TrainingArguments|trl"
)
# YOLOX' experiments make an optimizer too, and their table knows what their trainer makes of it.
_OF_YOLOX = re.compile(r"\bBaseExp\b|^from yolox\b", re.MULTILINE)
# Where libraries keep their optimizers.
_OPTIMIZER = re.compile(
    r"(?:torch\.optim|bitsandbytes\.optim|apex\.optimizers|deepspeed\.ops(?:\.\w+)*|lion_pytorch|"
    r"prodigyopt|schedulefree|dadaptation|torchao\.(?:prototype|optim)(?:\.\w+)*|optimi|"
    r"timm\.optim(?:\.\w+)*)\.(?!Optimizer\b)[A-Z]\w*|transformers(?:\.\w+)*\.(?:AdamW|Adafactor)"
)
# Source: torch 2.13.0 optim/__init__.py.
_STARRED = "torch.optim"
_OF_TORCH_OPTIM = frozenset(
    {"ASGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "LBFGS", "Muon",
     "NAdam", "RAdam", "RMSprop", "Rprop", "SGD", "SparseAdam"}
)  # fmt: skip
_OF_TORCH = "torch.optim.lr_scheduler."
# Source: transformers 5.24.0 optimization.py.
_OF_TRANSFORMERS = re.compile(
    r"(?:transformers|diffusers)(?:\.optimization)?\.get_(?:scheduler|constant_schedule|"
    r"(?:constant|linear|cosine)_schedule_with_warmup)"
)
_OF_WARMUP = ("num_warmup_steps", "num_training_steps")
# What takes an optimizer and is called so makes or is a schedule of its lr.
_SCHEDULES = re.compile(r"(?i)sched|lr$|^lr|_lr_|learning_rate|warm_?up|anneal|cosine|plateau")
# The order in which constructors take what is given without a name, behind the first argument.
# Source: torch 2.13.0 optim/*.py, optim/lr_scheduler.py, utils/data/dataloader.py.
_PLACES = {
    "SGD": ("lr", "momentum", "dampening", "weight_decay", "nesterov"),
    "Adam": ("lr", "betas", "eps", "weight_decay"),
    "AdamW": ("lr", "betas", "eps", "weight_decay"),
    "RMSprop": ("lr", "alpha", "eps", "weight_decay", "momentum"),
    "Adagrad": ("lr", "lr_decay", "weight_decay"),
    "Adadelta": ("lr", "rho", "eps", "weight_decay"),
    "Adamax": ("lr", "betas", "eps", "weight_decay"),
    "NAdam": ("lr", "betas", "eps", "weight_decay"),
    "RAdam": ("lr", "betas", "eps", "weight_decay"),
    "StepLR": ("step_size", "gamma"),
    "MultiStepLR": ("milestones", "gamma"),
    "ExponentialLR": ("gamma",),
    "CosineAnnealingLR": ("T_max", "eta_min"),
    "CosineAnnealingWarmRestarts": ("T_0", "T_mult", "eta_min"),
    "LinearLR": ("start_factor", "end_factor", "total_iters"),
    "PolynomialLR": ("total_iters", "power"),
    "ConstantLR": ("factor", "total_iters"),
    "OneCycleLR": ("max_lr", "total_steps", "epochs", "steps_per_epoch"),
    "DataLoader": ("batch_size",),
    "get_scheduler": ("optimizer", "num_warmup_steps", "num_training_steps"),
}
# What the whole script tells that is said of an optimizer of Keras' too.
_OF_KERAS = frozenset({"penalty", "others"})
_EVALUATES = re.compile(r"(?i)test|val|eval|dev(?!ice)|predict|train=False")
# What hands an optimizer back as it takes it.
_PREPARE = frozenset({"prepare", "initialize", "DistributedOptimizer", "prepare_optimizer", "setup",
                      "setup_optimizers"})  # fmt: skip
# What is imported, but of the libraries that are known to leave an lr alone or are read.
_MAY_BE_OTHERS = re.compile(
    r"(?!(?:torch|transformers|diffusers|accelerate|apex|deepspeed|horovod|amp)\b)."
)


def parse_script(text: str, name: str, flags: Entries) -> tuple[tuple[str, Entries], ...]:
    """Return what a script makes, each with the class that makes it; maybe nothing.

    `flags` are those of its own that it is given; the others hold at their defaults.

    Raises:
        UnreadableFileError: it is not Python.
    """
    if not _MAKES.search(text) or _OF_YOLOX.search(text):
        return ()
    module = module_of(text, name)
    made = tuple(_Script(Names(module, text, flags)).made())
    # Where its own flags' defaults train nothing, what it makes in any branch.
    return made or tuple(_Script(Names(module, text, flags, follows=False)).made())


def unknown_in(text: str, name: str) -> str:
    """Return what a script makes that is called as optimizers are and not known; maybe empty.

    Raises:
        UnreadableFileError: it is not Python.
    """
    if not _MAKES.search(text):
        return ""
    script = _Script(Names(module_of(text, name), text, Entries(), follows=False))
    found = script.whole.get("others")
    if not isinstance(found, Scalar):
        return ""
    return f"it makes an optimizer that is not known here: {found.text} (line {found.line})"


class _Script:
    """One script: the calls that make what trains."""

    def __init__(self, names: Names) -> None:
        self.names = names
        every = (node for node in names.nodes if isinstance(node, ast.Call))
        self.calls = [call for call in every if self.names.is_reached(call)]
        self.optimizers = [call for call in self.calls if _OPTIMIZER.fullmatch(self.path(call))]
        others = [call for call in self.calls if not self.is_read(call)]
        self.whole = said_by(names, others)  # what it tells of whichever optimizer

    def made(self) -> Iterator[tuple[str, Entries]]:
        """Yield each class that trains with the tree of what is said about it."""
        for call in self.optimizers:
            yield self.path(call), self.optimizer(call)
        for call in self.calls:
            head, _, name = self.path(call).rpartition(".")
            if head.startswith(("transformers", "trl")) and name in ARGUMENT_CLASSES:
                yield name, arguments_of(self.names, call)
        for name, found in keras_made(self.names, self.calls):
            own = {key: node for key, node in self.whole.items() if key in _OF_KERAS}
            yield name, Entries(entries={**own, **found.entries})
        for name, tree in optax_made(self.names, self.calls):
            whole = tree | self.loader() | length_of(self.names, "") | self.said("")
            yield name, Entries(entries=whole | self.flags())

    def is_read(self, call: ast.Call) -> bool:
        """Return whether a call makes an optimizer that is known, of whichever library."""
        path = self.path(call)
        return call in self.optimizers or path.startswith("optax.") or is_optimizer(path)

    def path(self, call: ast.Call) -> str:
        """Return the dotted path of what is called; of what a star imports, torch's classes."""
        path = self.names.path(call.func)
        if path or not isinstance(call.func, ast.Name):
            return path
        name, names = call.func.id, self.names
        is_own = bool(names.settings.get((names.module, name)))
        is_starred = _STARRED in names.starred and name in _OF_TORCH_OPTIM and not is_own
        return f"{_STARRED}.{name}" if is_starred else ""

    def called(self, call: ast.Call) -> str:
        """Return the last name of what is called, by whatever name it was imported."""
        return (path_of(call.func) or ("", *self.path(call).split(".")))[-1]

    def optimizer(self, call: ast.Call) -> Entries:
        """Return the tree of one optimizer."""
        self.names.used.clear()
        path, target = self.path(call), self.target(call)
        places = _PLACES.get(path.rpartition(".")[2], ("lr",))
        given = arguments_of(self.names, call, places)
        made = {**given.entries, "class": Scalar(text=path, line=call.lineno)}
        if len(call.args) > len(places) + 1 or any(isinstance(a, ast.Starred) for a in call.args):
            made["**"] = Scalar(text="what is given without a name", line=call.lineno)
        tree: dict[str, Node] = {"optimizer": Entries(entries=made, line=call.lineno)}
        tree |= groups_of(self.names, call) | self.scheduler(target)
        tree |= self.loader() | length_of(self.names, target, call) | self.lightning()
        return Entries(entries=tree | self.flags() | self.said(target))

    def flags(self) -> dict[str, Node]:
        """Return the script's own flags whose defaults were taken."""
        flags = ", ".join(self.names.used)
        return {"flags": Scalar(text=flags)} if flags else {}

    def target(self, call: ast.Call) -> str:
        """Return the name that what a call makes is given, as `self.optimizer`; maybe empty."""
        outer = self.names.above.get(call)
        is_plain = isinstance(outer, ast.Assign) and len(outer.targets) == 1
        return ".".join(path_of(outer.targets[0])) if is_plain else ""  # type: ignore[union-attr]

    def scheduler(self, target: str) -> dict[str, Node]:
        """Return an optimizer's scheduler, its arguments, and how often it is stepped."""
        for name, line in self.set_elsewhere(target):
            return _no_scheduler(name, line)
        found = [call for call in self.calls if self.schedules(call, target)]
        if not found:
            return self.unseen(target)
        sequence = sequence_of(self.names, found)
        stepped, call, ramp = sequence or (found[-1], found[-1], {})
        found = [call] if sequence else found
        path, name = self.names.path(call.func), self.called(call)
        is_known = path.startswith(_OF_TORCH) or _OF_TRANSFORMERS.fullmatch(path)
        if len({ast.unparse(each) for each in found}) > 1 or not is_known:
            return _no_scheduler(" and ".join(self.called(each) for each in found), call.lineno)
        places = _PLACES.get(name, _OF_WARMUP)
        interval = interval_of(self.names, self.target(stepped), stepped)
        lengths = in_epochs(self.names, expressions_of(call, places))
        if lengths and ramp:
            return _no_scheduler(f"SequentialLR with {name} of so many epochs", call.lineno)
        if lengths and interval.text == EACH_STEP:
            interval = replace(interval, text=EACH_STEP_IN_EPOCHS)
        own = {"class": Scalar(text=name, line=call.lineno), "interval": interval, **lengths,
               **ramp}  # fmt: skip
        if name == "get_scheduler" and call.args:
            own["name"] = self.names.given(call.args[0])
        entries = {**arguments_of(self.names, call, places).entries, **own}
        first = entries.get("last_epoch")
        if first is not None and getattr(first, "text", None) != "-1":
            return _no_scheduler(f"{name} from a last_epoch of its own", call.lineno)
        return {"scheduler": Entries(entries=entries, line=call.lineno)}

    def set_elsewhere(self, target: str) -> Iterator[tuple[str, int]]:
        """Yield what sets the lr but a scheduler, and its line: the loop, transformers' Trainer.

        Source: transformers 5.24.0 trainer.py, create_scheduler.
        """
        for node in self.set_in_groups("lr"):
            yield SET_BY_SCRIPT, node.lineno
        for call in self.calls:
            for word in call.keywords:
                is_pair = word.arg == "optimizers" and isinstance(word.value, ast.Tuple)
                if is_pair and target and target in ast.unparse(word.value):
                    yield "of the Trainer that is given the optimizer", call.lineno

    def set_in_groups(self, key: str) -> Iterator[ast.expr]:
        """Yield what sets an entry of a group anew: `g["lr"] = x`, `g.update(lr=x)`."""
        for node in self.names.changed[key]:
            if isinstance(node, ast.Subscript) and self.names.is_reached(node):
                yield node
        for call in self.names.calls.get("update", ()):
            given = {word.arg for word in call.keywords}
            given |= (entries_of(call.args[0]) or {}).keys() if call.args else set()
            if key in given and not self.is_options(call.func) and self.names.is_reached(call):
                yield call

    def is_options(self, method: ast.expr) -> bool:
        """Return whether a method is that of a mapping which the script writes out."""
        return isinstance(method, ast.Attribute) and (
            entries_of(self.names.behind(method.value)) is not None
        )

    def unseen(self, target: str) -> dict[str, Node]:
        """Return the schedule that another file may make, nothing where the loop has none."""
        steps = self.names.calls.get("step", [])
        for each in steps:
            if "sched" in ast.unparse(each.func).lower():
                return _no_scheduler("of another file", each.lineno)
        made = next(call for call in self.optimizers if self.target(call) == target)
        is_known = (bool(steps) and not self.is_handed_out(made, target)) or self.is_lightning()
        return {} if is_known else _no_scheduler("of the loop in another file", made.lineno)

    def is_handed_out(self, made: ast.Call, target: str) -> bool:
        """Return whether an object holds an optimizer that only other files make one of."""
        owner = self.names.class_of(made)
        if owner is None or not target.startswith("self."):
            return False
        bases = (
            base for node in self.names.nodes if isinstance(node, ast.ClassDef)
            for base in node.bases
        )  # fmt: skip
        inherited = {ast.unparse(base) for base in bases}
        return owner.name not in inherited and owner.name not in self.names.calls

    def schedules(self, call: ast.Call, target: str) -> bool:
        """Return whether a call makes a schedule of the optimizer that a name holds.

        The only optimizer of a script is everyone's, by whatever name it is handed on.
        """
        is_of_torch = self.names.path(call.func).startswith(_OF_TORCH)
        if not is_of_torch and not _SCHEDULES.search(self.called(call)):
            return False
        if is_of_torch and len(self.optimizers) == 1:
            return True
        words = [word.value for word in call.keywords if word.arg == "optimizer"]
        texts = {ast.unparse(each) for each in chain(words, call.args)}
        others = {self.target(each) for each in self.optimizers} - {target}
        is_any = texts.isdisjoint(others) and any("optim" in text.lower() for text in texts)
        return target in texts or is_any

    def loader(self) -> dict[str, Node]:
        """Return the loader that trains; its batch size is open where several differ."""
        calls = [call for call in self.calls if path_of(call.func)[-1:] == ("DataLoader",)]
        named = [call for call in calls if "train" in self.target(call).lower()]
        others = [call for call in calls if not _EVALUATES.search(self.words(call))]
        found = [
            arguments_of(self.names, each, _PLACES["DataLoader"])
            for each in named or others or calls
        ]
        if not found:
            return {}
        sizes = [each.entries.get("batch_size") for each in found]
        if len({getattr(size, "text", None) for size in sizes}) == 1:
            kinds = {self.names.path(each.func) for each in calls}
            kind = Scalar(text=" ".join(sorted(kinds)), line=found[0].line)
            return {"loader": Entries(entries={**found[0].entries, "class": kind})}
        size = Scalar(text=None, line=found[0].line, open="differs from loader to loader")
        return {"loader": Entries(entries={"batch_size": size})}

    def words(self, call: ast.Call) -> str:
        """Return what a call's own statement says, the function's name before it."""
        outer = self.names.above.get(call)
        scope = getattr(self.names.scope_of(call), "name", "")
        return f"{scope} {ast.unparse(outer if isinstance(outer, ast.Assign) else call)}"

    def lightning(self) -> dict[str, Node]:
        """Return the arguments of Lightning's Trainer, empty where another file makes it."""
        for call in self.calls:
            path = self.names.path(call.func)
            if path.startswith(("pytorch_lightning", "lightning")) and path.endswith(".Trainer"):
                made = {"class": Scalar(text=path, line=call.lineno)}
                return {
                    "trainer": Entries(entries={**arguments_of(self.names, call).entries, **made})
                }
        return {"trainer": Entries()} if self.is_lightning() else {}

    def is_lightning(self) -> bool:
        """Return whether a module of Lightning's makes the optimizer, its Trainer the loop."""
        scopes = (getattr(self.names.scope_of(call), "name", "") for call in self.optimizers)
        return "configure_optimizers" in scopes

    def said(self, target: str) -> dict[str, Node]:
        """Return what a script tells of how an optimizer trains, each by the line that says so."""
        entries = dict(self.whole)
        if (rest := accumulates_at(self.names, target)) is not None:
            entries.setdefault("accumulates", rest)
        for call in self.names.calls.get("add_param_group", ()):
            if self.names.is_reached(call):
                entries["grouped_by"] = Scalar(text="add_param_group", line=call.lineno)
        for key in ("weight_decay", "momentum", "betas"):
            for changed in self.set_in_groups(key):
                name = "decay_set" if key == "weight_decay" else "sets_anew"
                entries[name] = Scalar(text=ast.unparse(changed)[:60], line=changed.lineno)
        return entries | self.handed(target)

    def handed(self, target: str) -> dict[str, Node]:
        """Return what takes the optimizer and is not read: a wrapper, another file's function."""
        entries: dict[str, Node] = {}
        for call in self.calls:
            handed = target and target in {ast.unparse(each) for each in call.args}
            if handed and self.target(call) == target and path_of(call.func)[-1] not in _PREPARE:
                entries["wrapped"] = Scalar(text=ast.unparse(call.func), line=call.lineno)
            elif handed and _MAY_BE_OTHERS.match(self.names.dotted(call.func)):
                entries["handed"] = Scalar(text=ast.unparse(call.func), line=call.lineno)
        return entries


def _no_scheduler(name: str, line: int) -> dict[str, Node]:
    """Return a schedule that no text tells, by its name and the line that speaks of it."""
    return {"scheduler": Entries(entries={"class": Scalar(text=name, line=line)}, line=line)}
