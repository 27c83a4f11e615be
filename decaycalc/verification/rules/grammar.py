"""The syntax of update rules: what a text may contain, and where it goes wrong.

    rule      = "minimise" expression | statement { ";" statement }
    statement = name "=" expression
    expression: numbers, names, + - * / ** and unary -, one comparison (< <= > >= == !=),
                A if CONDITION else B, and calls of the functions of FUNCTIONS and BLOCKS.

Rules come from users too (`--conventions FILE.toml`), so the text is parsed by `ast`, each node is
held against a list of allowed kinds, and length and depth are bounded. Nothing is ever compiled.
"""

import ast
from collections.abc import Iterator
from warnings import catch_warnings

from decaycalc.errors import TextSyntaxError
from decaycalc.verification.rules.optimizers import BLOCKS

MAX_LENGTH = 1000
"""Characters in a rule."""
MAX_DEPTH = 40
"""Nested expressions in a rule."""

FUNCTIONS = {"sqrt": 1, "abs": 1, "sign": 1, "norm": 1, "sum": 1, "mean": 1, "max": 2, "min": 2}
"""Stateless functions and how many arguments each takes."""
LOSSES = frozenset({"mean", "batch_sum", "sum"})
"""Reductions of the data loss that an objective may name."""
GIVEN = frozenset({"w", "g", "lr", "lr_peak", "multiplier", "t", "batch_size_now"})
"""Names that every step provides; batch_size_now is smaller in a short last batch."""

_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow)
_COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
_PREFIXES = ("minimise ", "minimize ")


def parse_statements(text: str) -> tuple[ast.Assign, ...]:
    """Return the checked assignments of an optimizer's rule.

    Raises:
        TextSyntaxError: the text leaves the grammar; its position is the offending character.
    """
    body = _parse(text, 0, "exec").body  # type: ignore[attr-defined]
    if not body:
        raise error_at(text, 0, "'minimise EXPRESSION' or 'w = EXPRESSION'")
    statements = tuple(_check_assignment(text, node) for node in body)
    if "w" not in {name_of(statement) for statement in statements}:
        raise error_at(text, len(text), "an assignment to w")
    return statements


def parse_objective(text: str) -> tuple[ast.expr, int] | None:
    """Return the checked expression after `minimise` and its offset, None for other rules.

    Raises:
        TextSyntaxError: the text leaves the grammar, or is not linear in its terms.
    """
    offset = next((len(prefix) for prefix in _PREFIXES if text.startswith(prefix)), 0)
    if not offset:
        return None
    node = _parse(text, offset, "eval").body  # type: ignore[attr-defined]
    _check_expression(text, node, offset, 0)
    return node, offset


def error_at(text: str, position: int, expected: str) -> TextSyntaxError:
    """Return the error for a rule that goes wrong at `position`."""
    return TextSyntaxError("update rule", text, min(max(position, 0), len(text)), expected)


def name_of(statement: ast.Assign) -> str:
    """Return the name that a checked assignment writes."""
    (target,) = statement.targets
    assert isinstance(target, ast.Name)  # noqa: S101 - checked when parsed; for the type checker
    return target.id


def names_in(node: ast.AST) -> Iterator[str]:
    """Return the names that an expression reads, functions left out."""
    called = {id(call.func) for call in ast.walk(node) if isinstance(call, ast.Call)}
    names = (part for part in ast.walk(node) if isinstance(part, ast.Name))
    return (name.id for name in names if id(name) not in called)


def _parse(text: str, offset: int, mode: str) -> ast.AST:
    """Return the syntax tree of one line of bounded length."""
    if len(text) > MAX_LENGTH:
        raise error_at(text[:MAX_LENGTH], MAX_LENGTH, f"at most {MAX_LENGTH} characters")
    for position, character in enumerate(text):
        if not (character.isascii() and character.isprintable()):
            raise error_at(text, position, "one line of printable ASCII characters")
    try:
        with catch_warnings(action="error", category=Warning):
            return ast.parse(text[offset:].rstrip(" ;"), mode=mode)
    except SyntaxError as error:  # the parser's warnings arrive as such too
        raise error_at(text, offset + (error.offset or 1) - 1, "an expression") from None
    except (MemoryError, RecursionError, ValueError):  # the parser's own limits
        raise error_at(text, offset, "a shorter expression") from None


def _check_assignment(text: str, node: ast.stmt) -> ast.Assign:
    """Return `node` when it is one name = one expression."""
    if not isinstance(node, ast.Assign):
        raise error_at(text, node.col_offset, "an assignment, as in 'w = w - lr*g'")
    target = node.targets[0]
    if len(node.targets) > 1 or not isinstance(target, ast.Name):
        raise error_at(text, target.col_offset, "one name to assign to")
    if target.id in GIVEN - {"w", "g"} or target.id in FUNCTIONS or target.id in BLOCKS:
        raise error_at(text, target.col_offset, "a name of your own: this one is given")
    _check_expression(text, node.value, 0, 0)
    return node


def _check_expression(text: str, node: ast.expr, offset: int, depth: int) -> None:
    """Hold one node against the allowed kinds, then its parts."""
    position = node.col_offset + offset
    if depth > MAX_DEPTH:
        raise error_at(text, position, f"at most {MAX_DEPTH} nested expressions")
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            _check_number(text, value, position)
        case ast.Name():
            if node.id in FUNCTIONS or node.id in BLOCKS:
                raise error_at(text, position + len(node.id), f"the arguments of {node.id}")
        case ast.BinOp(op=operator) if isinstance(operator, _OPERATORS):
            pass
        case ast.UnaryOp(op=ast.USub()) | ast.IfExp():
            pass
        case ast.Compare(ops=[operator]) if isinstance(operator, _COMPARISONS):
            pass
        case ast.Call():
            _check_call(text, node, offset)
        case _:
            raise error_at(text, position, "numbers, names, + - * / **, A if B else C, calls")
    for part in _parts(node):
        _check_expression(text, part, offset, depth + 1)


def _parts(node: ast.expr) -> Iterator[ast.expr]:
    """Return the expressions directly inside a checked node."""
    if isinstance(node, ast.Call):
        return iter([*node.args, *(keyword.value for keyword in node.keywords)])
    return (part for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr))


def _check_number(text: str, value: float, position: int) -> None:
    """Refuse a literal beyond float64."""
    try:
        finite = abs(float(value)) < float("inf")
    except OverflowError:
        finite = False
    if not finite:
        raise error_at(text, position, "a number within the range of float64")


def _check_call(text: str, node: ast.Call, offset: int) -> None:
    """Hold a call against the known functions, its arguments and its keywords."""
    position = node.func.col_offset + offset
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name not in FUNCTIONS and name not in BLOCKS and name not in LOSSES:
        raise error_at(
            text, position, f"one of the functions {', '.join(sorted({*FUNCTIONS, *BLOCKS}))}"
        )
    keywords: frozenset[str] = frozenset()
    counts = range(1, 2)
    if name in BLOCKS:
        counts, keywords = range(BLOCKS[name].inputs, BLOCKS[name].inputs + 1), BLOCKS[name].names
    elif FUNCTIONS.get(name, 1) > 1:
        counts = range(2, 9)
    if len(node.args) not in counts:
        raise error_at(text, position, f"{name} with {counts[0]} argument{'s' * (counts[0] > 1)}")
    for keyword in node.keywords:
        if keyword.arg not in keywords:
            known = ", ".join(sorted(keywords)) or "none"
            raise error_at(text, keyword.col_offset + offset, f"a keyword of {name}: {known}")
