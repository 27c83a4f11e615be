"""Meta Lingua's YAML configurations.

Source: lingua 437d680 lingua/optim.py, lingua/data.py, apps/main/train.py.
"""

from fractions import Fraction

from decaycalc.training.reading.exemptions import NONE_EXEMPT
from decaycalc.training.reading.numbers import decimal_text
from decaycalc.training.reading.optimizers import ADAMW
from decaycalc.training.reading.schedules import compose, steps_of
from decaycalc.training.reading.settings import Settings, derived
from decaycalc.training.reading.trainer import Field, Signature, Trainer
from decaycalc.training.record import Sourced


def _schedule(settings: Settings) -> str | None:
    """Source: lingua/optim.py, build_lr_fn; torch's LambdaLR counts from 0."""
    name = settings.word("scheduler")
    if name == "constant":
        return "constant"
    warm = steps_of(settings, "warmup")
    final = settings.number("lr_min_ratio")
    if name == "linear":
        return compose("linear", warmup=warm, final=final)
    if name == "inv_sqrt" and settings.number("exp_factor") == Fraction(1, 2):
        return compose("inverse-sqrt", warmup=warm, floor=final)
    if settings.number("cycle_length") != 1:
        return None
    if name == "cosine" and settings.number("cosine_theta") == 1:
        return compose("cosine", warmup=warm, final=final)
    return _wsd(settings, warm, final) if name == "wsd" else None


def _wsd(settings: Settings, warm: int | None, final: Fraction | None) -> str | None:
    """Return the stable phase and its fall, 1/(1 + u·(1/min - 1)/D) at step u of its D."""
    steps, share = settings.count("steps"), settings.number("decay_fraction")
    fall = int(steps * share) if steps and share else 0
    if not final or not fall or steps is None:
        return None
    gamma = decimal_text((1 / final - 1) / fall)
    stable = compose("constant", warmup=warm, until=steps - fall)
    return f"{stable} + {compose('inverse', gamma=gamma)}"


def _replicas(settings: Settings) -> Sourced | None:
    """Return the data-parallel devices that the file has in mind; train.py fits them to its own."""
    replicas, shards = settings.count("dp_replicate"), settings.count("dp_shard")
    if replicas is None or shards is None:
        return None
    return derived("world_size", str(replicas * shards), "dp_replicate · dp_shard")


TRAINER = Trainer(
    kind="lingua",
    title="Meta Lingua",
    version="lingua 437d680",
    signatures=(
        Signature(
            all_of=("optim.lr",),
            any_of=("optim.lr_min_ratio", "distributed.fsdp_type", "data.n_views", "data.seq_len",
                    "distributed.selective_activation_checkpointing", "probe_freq", "dump_dir"),
            at_least=2,
        ),
    ),
    fields=(
        *Field.within("optim", weight_decay="0.1", lr="3e-4", beta1="0.9", beta2="0.95"),
        Field(name="eps", paths=("optim.epsilon",), default="1e-8"),
        Field(name="batch_size", paths=("data.batch_size",), default="2"),
        Field(name="grad_accum", paths=("grad_acc_steps",), default="1"),
        Field(name="world_size", derive=_replicas, default="1"),
        *Field.within("distributed", dp_replicate=None, dp_shard="1"),
        Field(name="seq_len", paths=("data.seq_len",), default="2048"),
        Field(name="steps", paths=("steps",), default="1000"),
        *Field.within("optim", scheduler="cosine", warmup="2000", lr_min_ratio="0.1",
                      cycle_length="1", cosine_theta="1", decay_fraction="0.1", exp_factor="0.5"),
    ),
    optimizer=lambda _: ADAMW,
    schedule=_schedule,
    exempt=lambda _: NONE_EXEMPT,
    batch=lambda _: ("batch_size", "grad_accum", "world_size", "seq_len"),
    unit=lambda _: "tokens",
    harmless=("optim.clip", "optim.annealing_step", "profiling*", "checkpoint*", "logging*",
              "eval*", "model*", "distributed*", "data*"),
)  # fmt: skip
