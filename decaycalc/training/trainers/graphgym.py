"""GraphGym's YAML (PyTorch Geometric), with GraphGPS' optimizers and schedules.

Source: torch_geometric 2.8.1 torch_geometric/graphgym/{config,optim}.py; GraphGPS 2801570
graphgps/optimizer/extra_optimizers.py, graphgps/config/optimizers_config.py.
"""

from fractions import Fraction

from decaycalc.training.reading.exemptions import NONE_EXEMPT
from decaycalc.training.reading.numbers import typed_number
from decaycalc.training.reading.optimizers import ADAM, ADAMW, by_name
from decaycalc.training.reading.schedules import Options, compose, epochs
from decaycalc.training.reading.settings import Settings, derived
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Sourced

_GPS = "GraphGPS 2801570 graphgps/config/optimizers_config.py"
_OPTIMIZERS = {
    "adam": Optimizer(convention="pytorch-adam", uses=ADAM),
    "sgd": Optimizer(convention="pytorch-sgd", uses=("momentum",)),
    "adamw": ADAMW,
    "adagrad": Optimizer(convention="pytorch-adagrad"),
}
_PER = "1epochs"
_LEAST, _LAST_LR = Fraction(1, 10**6), Fraction(1, 10**7)


def _no_scheduler(settings: Settings) -> Sourced | None:
    """Return that lr stays where the file says None, which is no default here."""
    path = "optim.scheduler"
    is_none = settings.node(path) is not None and settings.told(path).lower() in {"", "none"}
    return derived("scheduler", "none", path) if is_none else None


def _schedule(settings: Settings) -> str | None:
    """Return the schedule, which moves once an epoch."""
    name = settings.word("scheduler")
    if name == "none":
        return "constant"
    if name == "cos":
        return compose("cosine", per=_PER)
    if name == "step":
        return _step(settings)
    return _warmed(settings, name)


def _step(settings: Settings) -> str | None:
    path = "optim.steps"
    texts = settings.texts(path) if settings.has(path) else ("30", "60", "90")
    at = tuple(number for text in texts if (number := typed_number(text)) is not None)
    return compose("step", at=epochs(*at), gamma=settings.number("lr_decay")) if at else None


def _warmed(settings: Settings, name: str) -> str | None:
    """Return GraphGPS' schedules with a warm-up from 1e-6; a plateau's has no text."""
    kinds = {"linear_with_warmup": "linear", "cosine_with_warmup": "cosine",
             "polynomial_with_warmup": "linear"}  # fmt: skip
    count, lr = settings.number("num_warmup_epochs"), settings.number("lr")
    if name not in kinds or count is None or not lr:
        return None
    is_polynomial = name.startswith("polynomial")
    warm: Options = {}
    if count:
        warm = {"warmup": epochs(count), "start": None if is_polynomial else _LEAST}
    final = _LAST_LR / lr if is_polynomial else None
    return compose(kinds[name], **warm, final=final, per=_PER)


TRAINER = Trainer(
    kind="graphgym",
    title="GraphGym",
    version="torch_geometric 2.8.1 graphgym/config.py",
    signatures=(
        Signature(
            any_of=("optim.base_lr", "gnn.dim_inner", "gnn.layers_mp", "gnn.head",
                    "gnn.layers_post_mp", "dataset.format", "metric_best", "optim.max_epoch"),
            at_least=4,
        ),
    ),
    fields=(
        *Field.within("optim", optimizer="adam", weight_decay="5e-4", momentum="0.9"),
        Field(name="lr", paths=("optim.base_lr",), default="0.01"),
        *Field.fixed(beta1="0.9", beta2="0.999", eps="1e-8", source="torch 2.13"),
        *Field.within("train", batch_size="16"),
        Field(name="grad_accum", paths=("optim.batch_accumulation",), default="1", source=_GPS),
        Field(name="epochs", paths=("optim.max_epoch",), default="200"),
        Field(name="scheduler", paths=("optim.scheduler",), default="cos",
              overrule=_no_scheduler),
        *Field.within("optim", lr_decay="0.1"),
        *Field.within("optim", source=_GPS, num_warmup_epochs="50"),
    ),
    optimizer=by_name(_OPTIMIZERS),
    schedule=_schedule,
    exempt=lambda _: NONE_EXEMPT,
    batch=lambda _: ("batch_size", "grad_accum"),
    harmless=("dataset*", "gnn*", "gt*", "model*", "train*", "wandb*", "posenc*", "optim*",
              "metric*", "pretrained*", "share*", "bn*", "mem*"),
)  # fmt: skip
