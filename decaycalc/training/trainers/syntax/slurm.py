"""Slurm's directives in a script: `#SBATCH --nodes=4`, `-N 4`, `--gres=gpu:a100:8`."""

import re
from collections.abc import Iterable

_NEXT = re.compile(r"\s+(?=-)")
_DIRECTIVE = re.compile(
    r"-{1,2}(nodes|N|ntasks|n|ntasks-per-node|gpus-per-node|gres)[= ]\s*(?:gpu:)?(?:\w+:)?(\d{1,6})"
)
_NODES, _GPUS = ("SLURM_NNODES", "SLURM_JOB_NUM_NODES"), ("SLURM_GPUS_ON_NODE",)
_OF_SLURM = {
    "nodes": _NODES, "N": _NODES, "ntasks": ("SLURM_NTASKS",), "n": ("SLURM_NTASKS",),
    "ntasks-per-node": ("SLURM_NTASKS_PER_NODE",), "gres": _GPUS,
    "gpus-per-node": (*_GPUS, "SLURM_GPUS_PER_NODE"),
}  # fmt: skip


def variables_of(directives: Iterable[str]) -> dict[str, list[str]]:
    """Return the variables that Slurm sets from directives: nodes, tasks, GPUs a node."""
    pairs = (_DIRECTIVE.fullmatch(text) for text in re.split(_NEXT, " ".join(directives)))
    found = {match[1]: match[2] for match in pairs if match}
    return {
        variable: [found[name]]
        for name, variables in _OF_SLURM.items()
        for variable in variables
        if name in found
    }
