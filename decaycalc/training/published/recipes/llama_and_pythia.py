"""LLaMA, Chinchilla and Pythia; B and N count tokens."""

from decaycalc.training.published.record import Recipe

_LLAMA2_CARD = "lr, batch and tokens by the card, the decay by the paper alone"
_LLAMA1 = "Touvron et al., arXiv 2302.13971, table 2 and section 2.3"
_LLAMA2 = "Touvron et al., arXiv 2307.09288, section 2.2 and table 1"
_PYTHIA_TOKENS = 299_892_736_000
_TRILLION = 10**12


def _llama(
    name: str,
    *,
    size: str,
    lr: str,
    tokens: int,
    n_parameters: int,
    source: str,
    eps: str | None,
    note: str = "",
    checked: str = "paper, not opened",
) -> Recipe:
    return Recipe(
        name=name,
        title=f"{'Llama 2' if name.startswith('llama-2') else 'LLaMA'} {size}",
        convention="pytorch-adamw",
        value="0.1",
        lr=lr,
        batch_size=4_000_000,
        dataset_size=tokens,
        unit="tokens",
        epochs="1",
        schedule="cosine:warmup=2000,final=0.1",
        betas=("0.9", "0.95"),
        eps=eps,
        n_parameters=n_parameters,
        source=source,
        note=note,
        checked=checked,
    )


def _pythia(size: str, *, lr: str, n_parameters: int, note: str = "") -> Recipe:
    return Recipe(
        name=f"pythia-{size}",
        title=f"Pythia {size.upper()}",
        convention="deepspeed-adam",
        value="0.1",
        lr=lr,
        batch_size=2_097_152,
        dataset_size=_PYTHIA_TOKENS,
        unit="tokens",
        epochs="1",
        schedule="cosine:warmup=1430,final=0.1",
        betas=("0.9", "0.95"),
        n_parameters=n_parameters,
        checked=f"models/{size.upper()}/pythia-{size}.yml@a19eecb",
        source=f"EleutherAI/pythia models/*/pythia-{size}.yml",
        note=note or "nominal size",
    )


RECIPES = (
    _llama(
        "llama-1-7b",
        size="7B",
        lr="0.0003",
        tokens=_TRILLION,
        n_parameters=6_700_000_000,
        source=_LLAMA1,
        eps=None,
        checked="section 2.3 and table 2, in a copy of its text",
    ),
    _llama(
        "llama-1-13b",
        size="13B",
        lr="0.0003",
        tokens=_TRILLION,
        n_parameters=13_000_000_000,
        source=_LLAMA1,
        eps=None,
        checked="section 2.3 and table 2, in a copy of its text",
    ),
    _llama(
        "llama-1-33b",
        size="33B",
        lr="0.00015",
        tokens=1_400_000_000_000,
        n_parameters=32_500_000_000,
        source=_LLAMA1,
        eps=None,
        checked="section 2.3 and table 2, in a copy of its text",
    ),
    _llama(
        "llama-1-65b",
        size="65B",
        lr="0.00015",
        tokens=1_400_000_000_000,
        n_parameters=65_200_000_000,
        source=_LLAMA1,
        eps=None,
        checked="section 2.3 and table 2, in a copy of its text",
    ),
    _llama(
        "llama-2-7b",
        size="7B",
        lr="0.0003",
        tokens=2 * _TRILLION,
        n_parameters=7_000_000_000,
        source=_LLAMA2,
        eps="1e-5",
        note=_LLAMA2_CARD,
        checked="MODEL_CARD.md@689c7f2",
    ),
    _llama(
        "llama-2-70b",
        size="70B",
        lr="0.00015",
        tokens=2 * _TRILLION,
        n_parameters=70_000_000_000,
        source=_LLAMA2,
        eps="1e-5",
        note=_LLAMA2_CARD,
        checked="MODEL_CARD.md@689c7f2",
    ),
    Recipe(
        name="llama-3-405b",
        title="Llama 3 405B",
        convention="pytorch-adamw",
        lr="0.00008",
        dataset_size=15_600_000_000_000,
        unit="tokens",
        steps=1_200_000,
        schedule="cosine:warmup=8000,final=0.01",
        n_parameters=405_000_000_000,
        source="Llama Team, arXiv 2407.21783, section 3.4",
        note="the decay of the main run is not stated (0.1 x lr per step in the scaling-law runs); "
        "batches of 4, 8, then 16 million tokens",
        checked="section 3.4.1, in a copy of its text",
    ),
    Recipe(
        name="chinchilla-70b",
        title="Chinchilla 70B",
        convention="pytorch-adamw",
        lr="0.0001",
        dataset_size=1_400_000_000_000,
        unit="tokens",
        n_parameters=70_000_000_000,
        source="Hoffmann et al., arXiv 2203.15556, table 4",
        note="the decay is not stated; batches of 1.5, then 3 million tokens",
        checked="table 4, in a copy of its text",
    ),
    _pythia("14m", lr="0.001", n_parameters=14_000_000),
    _pythia("70m", lr="0.001", n_parameters=70_000_000),
    _pythia("160m", lr="0.0006", n_parameters=160_000_000),
    _pythia("410m", lr="0.0003", n_parameters=410_000_000),
    _pythia(
        "1b",
        lr="0.00025",
        n_parameters=1_000_000_000,
        note="nominal size; lr 2.5e-4 in the configuration, 3.0e-4 in the README",
    ),
    _pythia("1.4b", lr="0.0002", n_parameters=1_400_000_000),
    _pythia("2.8b", lr="0.00016", n_parameters=2_800_000_000),
    _pythia("6.9b", lr="0.00012", n_parameters=6_900_000_000),
    _pythia("12b", lr="0.00012", n_parameters=12_000_000_000),
)
