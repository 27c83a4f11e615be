"""inspect on the optimizers that ordinary training code makes: nothing of a warning or an error."""

import json

import pytest

import decaycalc
from tests.findings.test_reported_cases import ORDINARY

torch = pytest.importorskip("torch")
LR, DECAY = 6e-4, 0.1


class Block(torch.nn.Module):
    """A transformer's block with the names and shapes of the usual parts."""

    def __init__(self, width=8):
        super().__init__()
        self.ln_1 = torch.nn.LayerNorm(width)
        self.attn = torch.nn.Linear(width, 3 * width)
        self.ln_2 = torch.nn.LayerNorm(width)
        self.mlp = torch.nn.Linear(width, 4 * width)


class Network(torch.nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.wte, self.wpe = torch.nn.Embedding(16, width), torch.nn.Embedding(4, width)
        self.h = torch.nn.ModuleList([Block(width), Block(width)])
        self.ln_f = torch.nn.LayerNorm(width)
        self.lm_head = torch.nn.Linear(width, 16, bias=False)
        self.lm_head.weight = self.wte.weight  # tied, as in nanoGPT


def nanogpt(model):
    """Source: nanoGPT model.py, configure_optimizers: what has two dimensions decays."""
    held = [each for each in model.parameters() if each.requires_grad]
    groups = [
        {"params": [each for each in held if each.dim() >= 2], "weight_decay": DECAY},
        {"params": [each for each in held if each.dim() < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=LR, betas=(0.9, 0.95))


def olmo(model):
    """Source: OLMo olmo/optim.py, get_param_groups: embeddings, norms and biases do not decay."""
    decayed = [each for name, each in model.named_parameters() if name.startswith("h.")
               and name.endswith("weight") and "ln_" not in name]  # fmt: skip
    ids = {id(each) for each in decayed}
    others = [each for each in model.parameters() if id(each) not in ids]
    return torch.optim.AdamW([
        {"params": decayed, "weight_decay": DECAY}, {"params": others, "weight_decay": 0.0},
    ], lr=LR)  # fmt: skip


def torchtitan(model):
    """Source: torchtitan components/optimizer.py: all trainable parameters in one group."""
    held = [each for each in model.parameters() if each.requires_grad]
    return torch.optim.AdamW(held, lr=LR, weight_decay=DECAY, fused=True)


def trainer(model):
    """Return what the Trainer itself makes of a model and its arguments."""
    transformers = pytest.importorskip("transformers")
    arguments = transformers.TrainingArguments(
        output_dir="unused", weight_decay=DECAY, learning_rate=LR, use_cpu=True, report_to=[]
    )
    return transformers.Trainer(model=model, args=arguments).create_optimizer()


def of_timm(model):
    optim = pytest.importorskip("timm.optim")
    return optim.create_optimizer_v2(model, opt="adamw", lr=LR, weight_decay=DECAY)


@pytest.mark.parametrize("make", [nanogpt, olmo, torchtitan, trainer, of_timm])
@pytest.mark.parametrize("frozen", [False, True])
def test_an_ordinary_optimizer_has_nothing_of_a_warning(make, frozen):
    model = Network()
    if frozen:
        for parameter in model.h[0].parameters():
            parameter.requires_grad = False
    optimizer = make(model)
    found = decaycalc.inspect(optimizer, model)
    assert [(each.code, each.message) for each in found.findings if each.level != "note"] == []
    assert found.figures.shrink == pytest.approx(LR * DECAY)
    assert decaycalc.probe(optimizer).agrees is True
    assert len({id(each) for each in model.parameters() if each.requires_grad}) == len(
        found.training.tensors
    )


FILES = {nanogpt: "train_gpt2.py", torchtitan: "llama3_8b.toml", trainer: "trainer.yaml",
         of_timm: "args.yaml"}  # fmt: skip


@pytest.mark.parametrize("make", FILES)
def test_a_file_on_a_network_decays_what_the_framework_itself_does(make, tmp_path):
    model = Network()
    live = decaycalc.inspect(make(model), model).training.tensors
    shapes = tmp_path / "shapes.json"
    shapes.write_text(json.dumps({name: list(each.shape) for name, each in
                                  model.named_parameters()}), encoding="utf-8")  # fmt: skip
    path = tmp_path / FILES[make]
    path.write_text(ORDINARY[path.name], encoding="utf-8")
    own = decaycalc.inspect(str(path), architecture=str(shapes)).training.tensors
    assert {each.name: each.decays for each in own} == {each.name: each.decays for each in live}
