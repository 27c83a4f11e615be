"""Formulas as LaTeX for math mode."""

from itertools import pairwise

from decaycalc.algebra.formula import Call, Leaf, Node, Power, Product, Sum, parse_formula

LETTERS = {
    "strength": r"\lambda^{*}",
    "shrink": "s",
    "exact_shrink": r"s_{\mathrm{exact}}",
    "lr": r"\eta",
    "momentum": r"\mu",
    "dampening": r"\delta",
    "lam": r"\lambda",
    "lam_norm": r"\lambda_{\mathrm{norm}}",
    "alpha": r"\alpha",
    "sigma": r"\sigma",
    "tau": r"\tau",
    "eps": r"\epsilon",
}
"""The names that papers write as a letter; single letters stay, other names are set upright."""


def to_latex(formula: str) -> str:
    r"""Return the formula as LaTeX.

    >>> print(to_latex("C = 1/(2·N·l2)"))
    C = \frac{1}{2\,N\,\mathrm{l2}}

    Raises:
        TextSyntaxError: the text is no formula.
    """
    signs = {"": "", "=": " = ", ",": r",\quad "}
    return "".join(signs[sign] + _latex(node) for sign, node in parse_formula(formula))


def symbol(name: str) -> str:
    r"""Return a name as LaTeX; its convention, or `to` for the target's run, is a subscript.

    >>> print(symbol("weight_decay"), symbol("lam(keras-l2)"), symbol("to_lr"))
    \mathrm{weight\_decay} \lambda_{\mathrm{keras{-}l2}} \eta_{\mathrm{to}}
    """
    plain, _, owner = name.removesuffix(")").partition("(")
    bare = plain.removeprefix("to_")
    below = owner if bare == plain else "to"
    base = LETTERS.get(bare) or (bare if len(bare) == 1 else _upright(bare))
    if not below:
        return base
    if "_{" in base:
        return base.replace("_{", f"_{{{_upright(below)},\\,", 1)
    return f"{base}_{{{_upright(below)}}}"


def number(text: str) -> str:
    r"""Return a decimal as LaTeX, its exponent as a power of ten.

    >>> print(number("0.0005"), number("5e-05"), number("1e-05"))
    0.0005 5 \times 10^{-5} 10^{-5}
    """
    digits, e, exponent = text.partition("e")
    if not e:
        return digits
    power = f"10^{{{int(exponent)}}}"
    return power if digits == "1" else rf"{digits} \times {power}"


def _upright(text: str) -> str:
    shown = text.replace("_", r"\_").replace("-", "{-}")
    return rf"\mathrm{{{shown}}}"


def _latex(node: Node) -> str:
    """Return a node without parentheses around it."""
    match node:
        case Leaf():
            return number(node.text) if node.text[0].isdigit() else symbol(node.text)
        case Call(name="sqrt"):
            return rf"\sqrt{{{_latex(node.argument)}}}"
        case Call():
            return rf"\{node.name} {_grouped(node.argument)}"
        case Power():
            return f"{_base(node.base)}^{{{_latex(node.exponent)}}}"
        case Product():
            return _product(node)
        case _:
            return "".join(_term(sign, term) for sign, term in node.terms)


def _product(node: Product) -> str:
    """Return a product, as a fraction where something stands below."""
    if not node.below:
        return node.sign + _factors(node.above)
    return rf"{node.sign}\frac{{{_factors(node.above)}}}{{{_factors(node.below)}}}"


def _factors(nodes: tuple[Node, ...]) -> str:
    """Return factors side by side; a point stands beside logarithms and before numbers."""
    kept = tuple(node for node in nodes if node != Leaf(text="1")) or nodes[:1]
    if len(kept) == 1:
        return _latex(kept[0])
    text = _grouped(kept[0])
    for before, node in pairwise(kept):
        dotted = isinstance(before, Call) or _is_number(node)
        text += (r" \cdot " if dotted else r"\,") + _grouped(node)
    return text


def _is_number(node: Node) -> bool:
    inner = node.base if isinstance(node, Power) else node
    return isinstance(inner, Leaf) and inner.text[0].isdigit()


def _term(sign: str, node: Node) -> str:
    return f" {sign} {_latex(node)}" if sign else _latex(node)


def _grouped(node: Node) -> str:
    """Return a node, in parentheses where it is a sum or carries a sign."""
    signed = isinstance(node, Product) and node.sign
    return rf"\left({_latex(node)}\right)" if isinstance(node, Sum) or signed else _latex(node)


def _base(node: Node) -> str:
    r"""Return the base of a power, in parentheses unless it is one letter or number."""
    text = _latex(node)
    simple = isinstance(node, Leaf) and "^" not in text
    return text if simple else rf"\left({text}\right)"
