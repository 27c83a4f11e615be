"""Launchers: which words of a command line are the program's, and how many devices it runs on."""

import re
from fractions import Fraction
from math import prod

from decaycalc.record import Record, replace
from decaycalc.training.trainers.syntax.shell import ShellCommand, as_number, flags_tree
from decaycalc.training.trainers.syntax.shell_variables import Typed
from decaycalc.training.trainers.syntax.tree import Entries, Items, Scalar, find


class Launched(Record):
    """A program as it is launched: its name, its flags, and the devices that the launcher gives."""

    program: str
    flags: Entries
    devices: Scalar | None = None
    config_file: str = ""
    settings_file: Scalar | None = None


# Programs that are not launched by a script: their first word is the program.
_OWN_PROGRAMS = frozenset({"swift", "megatron", "trl", "llamafactory-cli", "axolotl"})
_SHELLS = frozenset({"bash", "sh", "source", "."})
_SCRIPTS = (".sh", ".bash")
_LAUNCHERS = frozenset({"torchrun", "accelerate", "deepspeed", "uv", "srun", "mpirun"})
_YAML = (".yaml", ".yml")
_DATA = (*_YAML, ".json", ".toml")
_WRITTEN = (".yaml", ".yml", ".toml")
_SETTINGS = ("config", "config_path", "config_file", "cfg", "job.config_file")
_WHICH = re.compile(r"\$\(which ([\w./-]+)\)")
_MODULE_FLAGS = frozenset({"-m", "--module"})


def launch(command: ShellCommand) -> Launched:
    """Return a command line's program, its flags, and its number of devices where it tells."""
    command = _submitted(command)
    at = _script_at(command.words)
    before, after = command.words[: max(at, 1)], command.words[at + 1 :]
    flags = flags_tree(after)
    return Launched(
        program=_program(command.words[at]),
        flags=flags,
        devices=_devices(command, before),
        config_file=_text(flags_tree(before[1:]), "config_file") or "",
        settings_file=_settings_file(command.words[at], after, flags),
    )


def _submitted(command: ShellCommand) -> ShellCommand:
    """Return the command that a scheduler's client is handed behind `--`, else the whole.

    Of `bash distributed_train.sh 8 ...` the script is what is run.
    """
    first, second = (*(word.text for word in command.words[:2]), "")[:2]
    if first.rpartition("/")[2] in _SHELLS and second.endswith(_SCRIPTS):
        command = replace(command, words=command.words[1:])
    for at, word in enumerate(command.words[:-1]):
        after = command.words[at + 1].text.rpartition("/")[2]
        if word.text == "--" and (after in _LAUNCHERS or after.startswith("python")):
            return replace(command, words=command.words[at + 1 :])
    return command


def _settings_file(program: Typed, words: tuple[Typed, ...], flags: Entries) -> Scalar | None:
    """Return the file that a program takes its settings from, its flags laid over it.

    That is `--config FILE` and its like, Hydra's `--config-name`, or the first word of a program
    that takes a file there, or of one that takes nothing else: transformers' HfArgumentParser.

    Source: trl f2cd57710 trl/scripts/utils.py, TrlParser; LLaMA-Factory ff6d4d12e
    hparams/parser.py, read_args; axolotl 067b021c8 cli/main.py; ms-swift 3602360a5 cli/main.py;
    torchtitan 9810191bb~1 config/manager.py; levanter 9263f81e config.py; OLMo 59a53e3f
    scripts/train.py; MaxText e591f30c pyconfig.py; nanoGPT 3adf61e1 configurator.py; SlowFast
    287ec00 slowfast/utils/parser.py, Swin-Transformer f82860b main.py.
    """
    for name in _SETTINGS:
        named = find(flags, name)
        endings = _DATA if name == "config" else _WRITTEN
        if isinstance(named, Scalar) and (named.text or "").endswith(endings):
            return named
        if name == "config" and isinstance(named, Scalar) and named.open:
            return named
    composed = _composed(flags)
    return _first_file(program, words) if composed is None else composed


def _composed(flags: Entries) -> Scalar | None:
    """Return the file that Hydra's --config-name means, within --config-dir or --config-path."""
    name = find(flags, "config_name")
    folders = (_text(flags, place) for place in ("config_dir", "config_path"))
    folder = next((each for each in folders if each), None)
    if folder is None or not isinstance(name, Scalar) or not name.text:
        return None
    ending = "" if name.text.endswith(_WRITTEN) else ".yaml"
    return Scalar(text=f"{folder.rstrip('/')}/{name.text}{ending}", line=name.line)


def _first_file(program: Typed, words: tuple[Typed, ...]) -> Scalar | None:
    """Return the file that stands before a program's flags."""
    base = program.text.rpartition("/")[2]
    takes_it = base in _OWN_PROGRAMS or len(words) == 1
    first = [word for word in words[:2] if takes_it and word.text.endswith(_DATA)]
    # Trainers of their own take a YAML file there; nanoGPT's train.py takes one of Python.
    own = (".yaml", ".yml", ".py") if base == "train.py" else (".yaml", ".yml")
    first += [word for word in words[:1] if word.text.endswith(own) and word.text[:1] != "-"]
    return Scalar(text=first[0].text, line=first[0].line, open=first[0].open) if first else None


def _script_at(words: tuple[Typed, ...]) -> int:
    """Return the index of the program's own name; of the first word where no script follows."""
    is_launched = words[0].text in {"mpirun", "mpiexec", "srun"}
    if words[0].text.rpartition("/")[2] in _OWN_PROGRAMS:
        return 0  # a file of Python among its words is a plug-in
    for at, word in enumerate(words):
        is_module = (
            at > 0 and words[at - 1].text in _MODULE_FLAGS and "distributed" not in word.text
        )
        is_path = word.text.startswith(("./", "/")) and words[at - 1].text[:1] != "-"
        is_binary = is_launched and at > 0 and is_path
        is_script = word.text.endswith(".py") or _WHICH.fullmatch(word.text) is not None
        if is_script or is_binary or (is_module and "accelerate" not in word.text):
            return at
    return 0


def _program(word: Typed) -> str:
    """Return a program's name; `$(which NAME)` prints where it lies."""
    found = _WHICH.fullmatch(word.text)
    return found[1] if found else word.text


def _devices(command: ShellCommand, launcher: tuple[Typed, ...]) -> Scalar | None:
    """Return the number of devices as a scalar whose line is the command's."""
    names = {word.text.rsplit("/", 1)[-1] for word in launcher}
    flags = flags_tree(launcher[1:])
    text: str | None = None
    if "accelerate" in names:
        text = of_accelerate(flags)
    elif "deepspeed" in names:
        text = _product(flags, "num_gpus", "num_nodes") or _included(flags)
    elif "torchrun" in names or any("torch.distributed" in name for name in names):
        text = _product(flags, "nproc_per_node", "nnodes")
    elif "distributed_train.sh" in names:  # timm's: its first word
        word = command.words[1].text
        text = word if word.isdecimal() else None
    elif "srun" in names or "mpirun" in names:
        text = _scheduled(flags, command.directives)
    elif names & {"swift", "megatron"}:
        text = _of_swift(command)
    elif "llamafactory-cli" in names:
        text = _of_factory(command)
    else:
        text = _visible(command)
    return None if text is None else Scalar(text=text, line=command.line)


def of_accelerate(own: Entries, section: str = "") -> str | None:
    """Return accelerate's processes, those that share a micro-batch counted once.

    `own` are its launcher's flags, or its file, where the mesh stands in a section.

    Source: accelerate 1.15.0 commands/launch.py, parallelism_config.py.
    """
    whole = _product(own, "num_processes")
    sizes = (_text(own, f"{section}parallelism_config_{name}_size") for name in ("tp", "cp", "sp"))
    shared = prod(as_number(size or "") or Fraction(1) for size in sizes)
    share = None if whole is None else Fraction(whole) / shared
    return None if share is None or share.denominator != 1 else str(share)


def _product(flags: Entries, *names: str) -> str | None:
    """Return the product of the first flag and the ones given beside it; None without the first.

    One that is given and not known, `--nnodes $NNODES`, leaves it open.
    """
    product = Fraction(1)
    for at, name in enumerate(names):
        text = _text(flags, name)
        number = None if text is None else as_number(text)
        if number is None and (at == 0 or find(flags, name) is not None):
            return None
        product *= 1 if number is None else number
    return str(int(product))


def _text(flags: Entries, name: str) -> str | None:
    """Return the first value of a launcher's flag: what follows it may be the program."""
    node = find(flags, name)
    if isinstance(node, Items):
        node = node.items[0]
    return node.text if isinstance(node, Scalar) else None


def _included(flags: Entries) -> str | None:
    """Return the devices of DeepSpeed's `--include localhost:0,1,2`."""
    hosts = [host.partition(":")[2] for host in (_text(flags, "include") or "").split("@")]
    return str(sum(len(host.split(",")) for host in hosts)) if all(hosts) else None


def _scheduled(flags: Entries, directives: tuple[str, ...]) -> str | None:
    """Return Slurm's tasks: those of the command, else nodes times tasks (or GPUs) a node."""
    own = flags_tree(tuple(Typed(text=word, line=0) for word in directives))
    given = Entries(entries={**own.entries, **flags.entries})
    total = _first(given, "ntasks", "n", "np")
    if total is not None:
        return str(int(total))
    per_node = _first(given, "ntasks_per_node", "gpus_per_node") or _gres(given)
    if per_node is None:
        return None
    return str(int((_first(given, "nodes", "N") or Fraction(1)) * per_node))


def _first(flags: Entries, *names: str) -> Fraction | None:
    found = (as_number(_text(flags, name) or "") for name in names)
    return next((number for number in found if number is not None), None)


def _gres(flags: Entries) -> Fraction | None:
    """Return the GPUs of `--gres=gpu:4` or `--gres=gpu:a100:4`."""
    text = _text(flags, "gres") or ""
    return as_number(text.rsplit(":", 1)[-1]) if text.startswith("gpu:") else None


def _of_swift(command: ShellCommand) -> str | None:
    """Return the processes that ms-swift launches: one unless NPROC_PER_NODE says otherwise."""
    return _on_machines(command, dict(command.variables).get("NPROC_PER_NODE", "1"))


def _of_factory(command: ShellCommand) -> str | None:
    """Return the processes that LLaMA-Factory launches: each machine's own count times machines.

    Source: LLaMA-Factory ff6d4d12e src/llamafactory/launcher.py.
    """
    own = dict(command.variables).get("NPROC_PER_NODE") or _visible(command) or ""
    return _on_machines(command, own)


def _on_machines(command: ShellCommand, each: str) -> str | None:
    """Return a machine's processes times the machines, None where one is not known."""
    counts = [as_number(each), as_number(dict(command.variables).get("NNODES", "1"))]
    return None if None in counts else str(int((counts[0] or 1) * (counts[1] or 1)))


def _visible(command: ShellCommand) -> str | None:
    """Return the number of devices in CUDA_VISIBLE_DEVICES, None where it is not set."""
    visible = dict(command.variables).get("CUDA_VISIBLE_DEVICES", "").strip()
    if not visible or "$" in visible:
        return None
    return str(len(visible.split(",")))
