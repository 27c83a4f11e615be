"""Live optimizers: their groups and tensors, and what the rules find in them."""

from types import SimpleNamespace

import pytest

import decaycalc
from decaycalc.errors import InvalidValueError
from decaycalc.training.live.read import training_of
from tests.training.live.frameworks import (
    SGD,
    AdamW,
    Model,
    Optimizer,
    frozen,
    network,
    tensor,
)

MATRICES = ("attn", "mlp.weight")
SMALL = ("ln_", "bias")


def split(model, **changes):
    """Return nanoGPT's own grouping: matrices decay, 1-D tensors do not."""
    every = model.tensors.values()
    return AdamW([
        {"params": [each for each in every if len(each.shape) > 1], "weight_decay": 0.1},
        {"params": [each for each in every if len(each.shape) < 2], "weight_decay": 0.0},
    ], lr=6e-4, **changes)  # fmt: skip


def codes(optimizer, model=None, **more):
    return {found.code for found in decaycalc.inspect(optimizer, model, **more).findings}


def grave(optimizer, model=None):
    found = decaycalc.inspect(optimizer, model).findings
    return [each.code for each in found if each.level != "note"]


def test_an_optimizer_is_a_training_with_its_groups_and_tensors():
    model = network()
    found = decaycalc.inspect(split(model), model, steps=1000)
    assert found.training.convention == "pytorch-adamw"
    assert found.training.betas == ("0.9", "0.999")
    assert [(each.lr, each.weight_decay) for each in found.groups] == [(6e-4, 0.1), (6e-4, 0)]
    assert [each.n_tensors for each in found.groups] == [3, 3]
    assert found.groups[0].n_weights == 64
    assert found.figures.shrink == pytest.approx(6e-5)
    assert found.training.exempt.rule == "what group 1 holds"


def test_a_momentum_is_read_of_sgd():
    momentum = SGD([tensor(2, 2)], lr=0.1, momentum=0.9, weight_decay=1e-4, nesterov=True)
    run = training_of(momentum).run
    assert (float(run.get("momentum")), run.nesterov) == (0.9, True)
    assert training_of(SGD([tensor(2, 2)], lr=0.1)).run.momentum is None


def collected(package, name, **options):
    """Return an optimizer of one group that says it is a package's class."""
    kind = type(name, (Optimizer,), {"__module__": package, "step": lambda _: None})
    return kind([tensor(2, 2)], {"lr": 0.1, "weight_decay": 1e-3, **options})


@pytest.mark.parametrize(
    ("package", "name", "options", "shrink"),
    [
        ("timm.optim.adamp", "AdamP", {"wd_ratio": 0.1}, 1e-5),
        ("timm.optim.sgdp", "SGDP", {"wd_ratio": 0.1, "momentum": 0.0, "nesterov": True}, 1e-5),
        ("timm.optim.sgdp", "SGDP", {"wd_ratio": 0.5, "momentum": 0.9}, 5e-4),
        ("torch_optimizer.sgdp", "SGDP", {"wd_ratio": 0.1, "momentum": 0.5}, 2e-5),
        ("optimi.sgd", "SGD", {"momentum": 0.9, "dampening": True, "decouple_wd": False}, 1e-4),
        ("optimi.sgd", "SGD", {"momentum": 0.9, "dampening": False, "decouple_wd": False}, 1e-3),
    ],
)
def test_what_a_group_says_of_its_decay_beside_lr_and_number_enters(package, name, options, shrink):
    found = decaycalc.inspect(collected(package, name, **options))
    assert found.figures.shrink == pytest.approx(shrink, rel=1e-2)


def test_what_is_given_takes_the_place_of_the_optimizers_own():
    found = decaycalc.inspect(AdamW([tensor(2, 2)], lr=1e-3), run=decaycalc.Run(momentum=0.5))
    assert float(found.training.run.get("momentum")) == 0.5


def test_ordinary_groupings_have_nothing_of_a_warning():
    model = network()
    assert grave(split(model), model) == []
    olmo = AdamW([
        {"params": model.some(*MATRICES), "weight_decay": 0.1},
        {"params": model.some(*SMALL, "wte"), "weight_decay": 0.0},
    ])  # fmt: skip
    assert grave(olmo, model) == []
    assert grave(olmo) == []
    assert grave(AdamW(model.tensors.values()), model) == []  # torchtitan: everything decays
    assert codes(AdamW(model.tensors.values()), model) >= {"DC201", "DC204"}


def test_a_group_that_lost_its_decay_is_found():
    model = network(h__lora_A=tensor(2, 4), h__lora_B=tensor(4, 2))
    lost = AdamW([
        {"params": model.some("lora_A", "attn", "mlp.weight", "wte"), "weight_decay": 0.01},
        {"params": model.some("lora_B"), "weight_decay": 0.0, "lr": 3e-3},
        {"params": model.some(*SMALL), "weight_decay": 0.0},
    ])  # fmt: skip
    assert "DC207" in grave(lost, model)
    assert "DC208" in codes(lost, model)
    assert "DC207" in codes(lost)


def test_norms_that_decay_are_found():
    model = network()
    gaps = AdamW([
        {"params": model.some("weight"), "weight_decay": 0.1},
        {"params": model.some("bias"), "weight_decay": 0.0},
    ])  # fmt: skip
    assert "DC202" in grave(gaps, model)


def test_one_flat_parameter_a_shard_is_found():
    flat = Model(_flat_param=tensor(512))
    assert "DC203" in grave(
        AdamW([{"params": [], "weight_decay": 0.1},
               {"params": list(flat.tensors.values()), "weight_decay": 0.0}]), flat)  # fmt: skip


def test_a_parameter_in_two_groups_or_in_none_is_found():
    model = network()
    twice = split(model)
    twice.param_groups[1]["params"].append(model.tensors["wte.weight"])
    assert "DC205" in grave(twice, model)
    more = network(head__weight=tensor(4, 4), frozen__weight=tensor(4, 4, requires_grad=False))
    held = [each for name, each in more.tensors.items() if not name.startswith(("head", "froz"))]
    found = decaycalc.inspect(AdamW(held), more)
    assert [each.message for each in found.findings if each.code == "DC206"] == [
        "in no group of the optimizer: head.weight"
    ]


def layered(lrs, **more):
    return AdamW([
        {"params": [tensor(2, 2)], "lr_scale": scale, "lr": lr, **more}
        for scale, lr in zip((0.25, 0.5, 1.0), lrs, strict=True)
    ])  # fmt: skip


def test_scales_that_no_scheduler_reads_are_found():
    assert "DC209" in grave(layered([1e-3] * 3))
    assert "DC209" in grave(layered([1e-3] * 3, initial_lr=1e-3))
    assert training_of(layered([1e-3] * 3)).groups[0].selector == "lr_scale 0.25"


@pytest.mark.parametrize("lrs", [[2.5e-4, 5e-4, 1e-3], [0.0, 0.0, 0.0]])
def test_scales_that_a_scheduler_reads_enter_the_lr(lrs):
    optimizer = layered(lrs, initial_lr=1e-3)
    assert grave(optimizer) == []
    assert [group.lr for group in training_of(optimizer).groups] == ["0.00025", "0.0005", "0.001"]


def test_weights_of_few_bits_are_found():
    assert "DC401" in codes(AdamW([tensor(4, 4, dtype="torch.bfloat16")], lr=3e-4))
    mixed = AdamW([tensor(4, 4, dtype="torch.bfloat16"), tensor(4, 4)], lr=3e-4)
    assert "DC401" not in codes(mixed)


def test_a_class_that_the_catalogue_has_not_leads_to_probe():
    other = type("Homemade", (AdamW,), {"__module__": "train", "step": lambda _: None})
    found = decaycalc.inspect(other([tensor(2, 2)]))
    assert found.training.convention is None
    assert "decaycalc probe" in found.training.refusal
    assert found.figures.shrink is None


def test_names_are_the_models_else_the_optimizers_else_the_groups():
    own, other = tensor(2, 2), tensor(3)
    optimizer = AdamW([
        {"params": [own], "name": "body", "param_names": ["linear.weight"]},
        {"params": [other]},
    ])  # fmt: skip
    assert [each.name for each in training_of(optimizer).tensors] == ["linear.weight", "group 1[0]"]
    named = training_of(optimizer, Model(x=own))
    assert [each.name for each in named.tensors] == ["x", "group 1[0]"]
    assert [group.name for group in named.groups] == ["body", "group 1"]


def test_a_launchers_wrapper_is_seen_through():
    inner = AdamW([tensor(4, 3)])
    kind = type("AcceleratedOptimizer", (), {"__module__": "accelerate.optimizer"})
    outer = kind()
    outer.optimizer = inner
    assert training_of(outer).convention == "pytorch-adamw"
    assert decaycalc.probe(outer).agrees is True


def test_what_only_holds_an_optimizer_is_read_by_it_and_that_is_said():
    engine = type("Engine", (), {})()
    engine.optimizer = AdamW([tensor(4, 3)], weight_decay=0.1)
    found = training_of(engine)
    assert (found.convention, found.value) == ("pytorch-adamw", "0.1")
    assert "in its .optimizer: what" in found.notes[0]
    assert "Engine adds is not known" in found.notes[0]


def test_an_optimizer_that_holds_another_is_not_taken_for_it():
    class SAM(AdamW):
        def step(self):
            raise NotImplementedError

    outer = SAM([tensor(4, 3)])
    outer.optimizer = AdamW([tensor(4, 3)])
    assert training_of(outer).convention is None


def test_an_optimizer_stays_as_it_was():
    model = network()
    optimizer = split(model)
    before = frozen(optimizer)
    decaycalc.inspect(optimizer, model)
    assert frozen(optimizer) == before


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        (object(), "param_groups"),
        (SimpleNamespace(init=1, update=1), "init and update"),
        (AdamW([]), "needs|has no"),
        (SimpleNamespace(param_groups=[]), "has no parameters"),
        (AdamW([tensor(2)], lr="fast"), "must be a number"),
        (AdamW([tensor(2)], lr=float("nan")), "lr"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(thing, words):
    if isinstance(thing, AdamW) and not thing.param_groups[0]["params"]:
        thing.param_groups.clear()
    with pytest.raises(InvalidValueError, match=words):
        decaycalc.inspect(thing)


def test_betas_that_are_no_two_numbers_are_left_out():
    assert training_of(AdamW([tensor(2)], betas=(0.9,))).betas is None
    assert training_of(AdamW([tensor(2)], betas=(None, 0.9))).betas is None
    assert training_of(AdamW([tensor(2)], eps=(1e-30, 1e-3))).eps is None


class KerasAdamW:
    """Keras's own way: a configuration, and a rule of which variables decay."""

    __module__ = "keras.src.optimizers.adamw"
    learning_rate = 0.001

    def __init__(self, **config):
        self.config = {"learning_rate": 0.001, "weight_decay": 0.004, **config}

    def get_config(self):
        return self.config

    def update_step(self):
        """Step as Keras's class."""

    def _use_weight_decay(self, variable):
        return len(variable.shape) > 1


KerasAdamW.__name__ = KerasAdamW.__qualname__ = "AdamW"
KERAS = SimpleNamespace(trainable_variables=[
    SimpleNamespace(path="dense/kernel", shape=(4, 4)),
    SimpleNamespace(path="dense/bias", shape=(4,)),
])  # fmt: skip


def test_keras_tells_its_configuration_and_its_exclusions():
    found = decaycalc.inspect(KerasAdamW(), KERAS)
    assert found.training.convention == "keras-adamw"
    assert found.figures.shrink == pytest.approx(4e-6)
    assert [each.decays for each in found.training.tensors] == [True, False]
    assert training_of(KerasAdamW()).tensors == ()


def test_a_keras_without_a_decay_or_with_a_schedule_says_so():
    none = training_of(KerasAdamW(weight_decay=None, learning_rate={"class_name": "CosineDecay"}))
    assert (none.value, none.missing) == ("0", ("lr",))


def test_frozen_parameters_do_not_decay_though_a_group_holds_them():
    model = network(head__bias=tensor(4), frozen__ln__weight=tensor(4, requires_grad=False))
    matrices = model.some("attn", "mlp.weight", "wte")
    small = model.some("ln_", "bias")
    optimizer = AdamW([
        {"params": [*matrices, model.tensors["frozen.ln.weight"]], "weight_decay": 0.1},
        {"params": small, "weight_decay": 0.0},
    ])  # fmt: skip
    assert grave(optimizer, model) == []
    assert "frozen.ln.weight" not in {each.name for each in training_of(optimizer, model).tensors}


def test_several_optimizers_stand_side_by_side():
    model = network()
    matrices, small = model.some("attn", "mlp.weight", "wte"), model.some("ln_", "bias")
    muon = type("Muon", (AdamW,), {"__module__": "torch.optim.muon", "step": AdamW.step})
    pair = [muon(matrices, lr=0.02, weight_decay=0.1), AdamW(small, lr=1e-3, weight_decay=0.0)]
    found = decaycalc.inspect(pair, model)
    assert found.training.title == "Muon + AdamW"
    assert [(each.group.name, each.lr, each.weight_decay) for each in found.groups] == [
        ("Muon group 0", 0.02, 0.1), ("AdamW group 0", 1e-3, 0),
    ]  # fmt: skip
    assert found.figures.shrink == pytest.approx(2e-3)
    assert grave(pair, model) == []
    probed = decaycalc.probe(pair)
    assert probed.optimizer == "Muon + AdamW"
    assert [each.name for each in probed.groups] == [
        "Muon group 0", "AdamW group 0",
    ]  # fmt: skip
    other = decaycalc.inspect([muon(matrices), SGD(small, lr=0.1, momentum=0.9)], model)
    assert other.training.convention is None
    assert "inspect each alone" in other.training.refusal
    unknown = type("Own", (AdamW,), {"__module__": "train", "step": AdamW.step})
    assert decaycalc.inspect([muon(matrices), unknown(small)]).training.convention is None
    with pytest.raises(InvalidValueError, match="torch-like optimizers alone"):
        decaycalc.inspect([muon(matrices), object()])


class Raising:
    """A parameter that has no shape yet."""

    requires_grad = True

    @property
    def shape(self):
        raise RuntimeError("not\ninitialized")


@pytest.mark.parametrize("look", [decaycalc.inspect, decaycalc.probe])
def test_what_fails_when_it_is_looked_at_is_one_line(look):
    with pytest.raises(InvalidValueError, match="RuntimeError: not initialized"):
        look(AdamW([Raising()]))


def test_what_a_copy_prints_is_dropped(capsys):
    class Talking(AdamW):
        def __init__(self, params, **more):
            print("made")
            super().__init__(params, **more)

    optimizer = Talking([tensor(3, 2)])
    capsys.readouterr()
    decaycalc.probe(optimizer)
    assert capsys.readouterr().out == ""
