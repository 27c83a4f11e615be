"""probe and inspect on the real optimizers: does each do what its record says?

Where the two differ the reason stands here; any other difference is a fault of the catalogue, of
`probe`, or of a new release.
"""

import copy
from inspect import signature

import pytest

from decaycalc.training.live.probe import probe

torch = pytest.importorskip("torch")
timm_optim = pytest.importorskip("timm.optim")
LR, DECAY = 0.01, 0.1

# Optimizers whose small copies do otherwise than their record, and why.
KNOWN = {
    "pytorch_optimizer.Kron": "tensors of one dimension do not decay",
    "pytorch_optimizer.MARS": "tensors of one dimension have an lr and a decay of their own",
    "pytorch_optimizer.LoRARite": "it moves pairs of factors only",
    "pytorch_optimizer.SaRA": "it moves the smallest weights only",
    "pytorch_optimizer.SpectralSphere": "it puts the weights back onto a sphere",
}
# With scale_parameter their lr is times the root mean square of w: no record says so.
UNCLAIMED = frozenset({"pytorch_optimizer.AdaFactor", "torch_optimizer.Adafactor"})


def parameters():
    return [torch.nn.Parameter(torch.randn(5, 4)), torch.nn.Parameter(torch.randn(3))]


def classes(name):
    library = pytest.importorskip(name)
    base = torch.optim.Optimizer
    return {
        kind.__name__: kind
        for kind in vars(library).values()
        if isinstance(kind, type) and issubclass(kind, base) and kind is not base
    }


def made(kind, **more):
    """Return an optimizer, None where it cannot be made of parameters and numbers alone."""
    names = signature(kind).parameters
    given = {name: value for name, value in {"lr": LR, "weight_decay": DECAY, **more}.items()
             if name in names}  # fmt: skip
    for held in (parameters(), parameters()[:1]):
        try:
            return kind(held, **given)
        except Exception:  # noqa: BLE001, S112  (a hundred classes, each with demands of its own)
            continue
    return None


def agree(name, optimizer):
    """Assert that no group differs from its record, but where that is known."""
    before = copy.deepcopy(optimizer.state_dict())
    weights = [
        each.detach().clone() for group in optimizer.param_groups for each in group["params"]
    ]
    drawn = torch.get_rng_state()
    found = probe(optimizer)
    differ = [(each.n_dims, each.agreement) for each in found.groups
              if each.agreement.agrees is False]  # fmt: skip
    assert bool(differ) == (name in KNOWN), (name, differ)
    claims = [each.agreement.agrees is not None for each in found.groups]
    assert not (name in UNCLAIMED and any(claims)), (name, claims)
    held = [each for group in optimizer.param_groups for each in group["params"]]
    assert all(torch.equal(*pair) for pair in zip(weights, held, strict=True))
    assert repr(optimizer.state_dict()) == repr(before)
    assert torch.equal(torch.get_rng_state(), drawn)
    return found


@pytest.mark.parametrize("library", ["torch.optim", "pytorch_optimizer", "torch_optimizer"])
def test_every_class_of_a_library_does_what_its_record_says(library):
    compared = 0
    for name, kind in sorted(classes(library).items()):
        optimizer = made(kind)
        if optimizer is not None:
            compared += agree(f"{library}.{name}", optimizer).agrees is not None
    assert compared >= {"torch.optim": 12, "pytorch_optimizer": 80, "torch_optimizer": 15}[library]


@pytest.mark.parametrize("options", [
    {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}, {"momentum": 0.9, "dampening": 0.5},
])  # fmt: skip
def test_momentum_multiplies_as_the_record_says(options):
    assert agree("torch.optim.SGD", made(torch.optim.SGD, **options)).agrees is True


@pytest.mark.parametrize("name", ["Adam", "NAdam", "RAdam"])
def test_a_flag_that_decouples_is_another_record(name):
    optimizer = made(getattr(torch.optim, name), decoupled_weight_decay=True)
    found = agree(f"torch.optim.{name}", optimizer)
    assert found.agrees is True
    assert found.groups[0].agreement.convention == f"pytorch-{name.lower()}-decoupled"


@pytest.mark.parametrize("name", timm_optim.list_optimizers())
def test_every_name_of_timms_factory_does_what_its_record_says(name):
    try:
        held = [{"params": parameters(), "weight_decay": DECAY}]
        optimizer = timm_optim.create_optimizer_v2(held, opt=name, lr=LR, weight_decay=DECAY)
    except (RuntimeError, ImportError, AssertionError):
        pytest.skip("it needs a GPU or a package")
    found = agree(f"timm.{name}", optimizer)
    assert found.groups[0].agreement.convention is not None or not found.groups[0].measured


def homemade(base, **names):
    """Return a class whose decay takes the share twice, as if it were the base's own."""

    class Twice(base):
        def step(self, closure=None):
            for group in self.param_groups:
                for each in group["params"]:
                    if each.grad is not None:
                        each.data.mul_(1 - group["lr"] * group["weight_decay"])
            return super().step(closure)

    return type(base.__name__, (Twice,), {"__module__": base.__module__, **names})


def test_a_planted_factor_of_two_is_found_in_a_torch_optimizer():
    kind = homemade(torch.optim.AdamW)
    found = probe(kind(parameters(), lr=LR, weight_decay=DECAY))
    assert found.groups[0].factor == pytest.approx(2, rel=1e-3)
    claiming = type("AdamW", (kind,), {"step": kind.step, "__module__": "torch.optim.adamw"})
    assert probe(claiming(parameters(), lr=LR, weight_decay=DECAY)).agrees is False
