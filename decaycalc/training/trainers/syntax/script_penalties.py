"""Penalties that a plain Python script adds to its loss by hand: sums of squares, named strengths.

They are noticed, never read: which number of the loss they are is not told.
"""

import ast
import re

from decaycalc.training.trainers.syntax.python_targets import path_of
from decaycalc.training.trainers.syntax.script_bindings import Bindings
from decaycalc.training.trainers.syntax.tree import Scalar

# What a loop over every tensor of a model runs over, in torch, TensorFlow and JAX.
_TENSORS = re.compile(
    r"parameters\(\)|trainable_(?:variables|weights)|tree_leaves\(|tree\.leaves\(|tree_flatten\("
)
_OF_GRADIENTS = re.compile(r"\.grad\b|\bgrads?\b|gradients?\b|\bupdates\b")
_SQUARES = re.compile(r"\.norm\(|\.pow\(2|\*\* ?2|\.square\(|l2_loss\(")
# A decay that a loop over the tensors takes off the weights, or adds to the gradients, itself.
_BY_HAND = re.compile(r"\.grad(?:\.data)?(?:\.add_\(| \+= )|\.mul_\(1(?:\.0)? - .*(?:wd|decay|\*)")
# What calls itself a penalty's strength, and what it is multiplied with.
_STRENGTH = re.compile(
    r"(?:weight_?decay|wd|w_decay|l2(?:_?(?:reg\w*|norm|lambda|coeff?\w*|weight|penalty|alpha))?|"
    r"reg_?(?:param|lambda|weight|coeff?)|lambda_(?:reg\w*|l2|w)|regulari[sz]ation\w*)"
)
_PENALTY = re.compile(r"(?i)loss|norm|regul|reg_|penal|square|\*\* ?2|\.pow\(|\bsum\(")


def penalty_of(names: Bindings) -> Scalar | None:
    """Return the last place where a script adds a penalty of its own; None without one."""
    found = [node for node in names.nodes if _adds_up(node) or _is_l2_loss(names, node)
             or _is_weighted(node)]  # fmt: skip
    if not found:
        return None
    return Scalar(text=ast.unparse(found[-1])[:60], line=found[-1].lineno)  # type: ignore[attr-defined]  # each has a line


def _adds_up(node: ast.AST) -> bool:
    """Return whether a loop squares every parameter: a penalty that is written out."""
    if isinstance(node, ast.For):
        if "parameters()" in ast.unparse(node.iter) and _BY_HAND.search(ast.unparse(node)):
            return True
        sums = [ast.unparse(each) for each in ast.walk(node) if isinstance(each, ast.AugAssign)]
        source, text = ast.unparse(node.iter), " ".join(sums)
    elif isinstance(node, (ast.GeneratorExp, ast.ListComp)):
        source = text = ast.unparse(node)
    else:
        return False
    is_of_tensors = _TENSORS.search(source) and not _OF_GRADIENTS.search(f"{source} {text}")
    return bool(is_of_tensors) and _SQUARES.search(text) is not None


def _is_l2_loss(names: Bindings, node: ast.AST) -> bool:
    """Return whether a call is TensorFlow's half sum of squares."""
    return isinstance(node, ast.Call) and names.dotted(node.func) == "tensorflow.nn.l2_loss"


def _is_weighted(node: ast.AST) -> bool:
    """Return whether a product is of a number called a penalty's strength and a penalty."""
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Mult):
        return False
    return any(
        _STRENGTH.fullmatch(("", *path_of(strength))[-1].lower())
        and _PENALTY.search(ast.unparse(penalty))
        for strength, penalty in ((node.left, node.right), (node.right, node.left))
    )
