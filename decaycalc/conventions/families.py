"""Families of optimizers: within one an lr means the same, between two it does not."""

from decaycalc.errors import UnknownNameError

ANY = "any"  # an objective: whatever optimizer the user trains it with
SGD = "sgd"
FIT = "fit"  # a solver that goes to the optimum, without steps
MEASURE = "measure"
ADAM = "adam"
BY_RMS = frozenset({ADAM, "rmsprop"})  # they divide a step by about the gradient's RMS

_MEMBERS = {
    SGD: "sgd sgd-heavyball sgdp csgdp csgdw",
    # Normalisers by a bias-corrected second moment: a step is about lr whatever the gradient is.
    ADAM: (
        "adam amsgrad nadam nadamw cadamw cnadamw radam radamlegacy adabelief adamp cadamp adamc "
        "adammini stableadamw flashadamw grokfastadamw"
    ),
    "sign": "lion clion signum signsgd signlaprop tiger",
    "orthogonalised": "muon muonclip normuon adamuon dion ortho scion scionlight",
    "trust-ratio": "lamb lambw clamb clambw lars larc",
}
_FAMILY_OF = {name: family for family, names in _MEMBERS.items() for name in names.split()}
_SPOKEN = {
    "adamw": ADAM, "momentum": SGD, "nesterov": SGD, "rmsprop": "rmsprop", "adagrad": "adagrad",
    "adadelta": "adadelta", "adafactor": "adafactor", "adamax": "adamax", "adan": "adan",
    "shampoo": "shampoo", "soap": "soap", "sophia": "sophia",
}  # fmt: skip
"""What `--optimizer` takes beside the members' own names, and what it means."""


def lr_family(optimizer: str) -> str | None:
    """Return the family within which an optimizer's lr carries over, None where it has no lr.

    An optimizer that is in none of the known families is one alone, whoever implements it.

    >>> lr_family("adam-uncorrected"), lr_family("lion-deepspeed"), lr_family("adagrad-inside")
    ('adam', 'sign', 'adagrad')
    """
    if optimizer in {ANY, FIT, MEASURE}:
        return None
    name = optimizer.partition("-")[0]
    return _FAMILY_OF.get(optimizer) or _FAMILY_OF.get(name, name)


def check_optimizer(name: str) -> str:
    """Return the optimizer that a user names as what trains a penalty, in the catalogue's words.

    Raises:
        UnknownNameError: no optimizer of that name.
    """
    word = name.strip().lower().replace("_", "-")
    word = _SPOKEN.get(word, word)
    if word not in _FAMILY_OF and word not in _SPOKEN:
        raise UnknownNameError("optimizer", name, (*_FAMILY_OF, *_SPOKEN), hint="(sgd, adam ...)")
    return word
