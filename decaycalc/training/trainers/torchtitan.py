"""torchtitan's TOML configurations, and the functions of its registries since they are Python.

Source: torchtitan 9810191bb~1 torchtitan/config/job_config.py, components/lr_scheduler.py; the
older keys before 8570415c3 and 0da8901b1; the newer form b5bcd76c6 config/configs.py,
components/optimizer/optimizer.py default_adamw, lr_scheduler.py.
"""

from fractions import Fraction

from decaycalc.record import replace
from decaycalc.training.reading.arguments import element
from decaycalc.training.reading.exemptions import NONE_EXEMPT
from decaycalc.training.reading.optimizers import ADAM, by_name
from decaycalc.training.reading.schedules import compose
from decaycalc.training.reading.settings import Settings, derived
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Sourced

_OPTIMIZERS = {
    "adamw": Optimizer(convention="torchtitan", uses=ADAM),
    "adam": Optimizer(convention="pytorch-adam", uses=ADAM),
    "default_adamw": Optimizer(convention="torchtitan", uses=ADAM),
}
_SHAPES = {"linear": "linear", "sqrt": "1-sqrt", "cosine": "cosine"}
_WHOLE = ("global_batch_size", "seq_len")
_MICROBATCH = "training.num_tokens_per_microbatch_per_dp_rank"
_STEP = "training.num_tokens_per_train_step"
_ACCUMULATION = "training.gradient_accumulation_steps"
_OF_DEVICES = ("batch_size", "world_size", "seq_len")


def _devices(settings: Settings) -> Sourced | None:
    """Return the data-parallel devices: replicas times shards."""
    replicas, shards = settings.number("replicas"), settings.number("shards")
    if replicas is None or shards is None or replicas < 1 or shards < 1:
        return None
    formula = "data_parallel_replicate_degree · data_parallel_shard_degree"
    return derived("world_size", str(int(replicas * shards)), formula)


def _batch(settings: Settings) -> tuple[str, ...]:
    if settings.counts_all("tokens_per_step"):
        return ("tokens_per_step",)
    if settings.counts_all("tokens_per_microbatch"):
        return ("tokens_per_microbatch", "world_size")
    if settings.counts_all("global_batch_size"):
        return _WHOLE
    # flame, a fork, accumulates by a key of its own.
    return (*_OF_DEVICES, "grad_accum") if settings.has(_ACCUMULATION) else _OF_DEVICES


def _schedule(settings: Settings) -> str | None:
    """Source: torchtitan components/lr_scheduler.py, build_lr_schedulers: warm-up (t+1)/W."""
    steps = settings.number("total_steps") or settings.number("steps")
    shape = _SHAPES.get(settings.word("decay_type"))
    if steps is None or shape is None:
        return None
    # A warm-up that does not fit into the run is as long as the run.
    warmup = min(settings.number("warmup_steps") or Fraction(0), steps)
    share = settings.number("decay_ratio")
    # A decay that does not fit behind the warm-up is shortened, as torchtitan does it.
    most = steps - warmup
    decay = most if share is None else min(Fraction(round(steps * share)), most)
    warm = {"warmup": int(warmup) or None, "ramp": "one" if warmup else None}
    final = settings.number("min_lr_factor") or None
    if not decay:
        return compose("constant", **warm)
    if share is None and shape != "1-sqrt":
        return compose(shape, **warm, final=final)
    return compose("wsd", **warm, decay=int(decay), final=final, shape=shape)


TRAINER = Trainer(
    kind="torchtitan",
    title="torchtitan",
    version="torchtitan 9810191bb~1",
    signatures=(
        Signature(
            all_of=("optimizer.lr",),
            any_of=("model.flavor", "lr_scheduler.warmup_steps", "lr_scheduler.decay_ratio",
                    "training.local_batch_size", "parallelism.data_parallel_shard_degree",
                    "training.data_parallel_shard_degree", "lr_scheduler.decay_type",
                    "job.dump_folder", "training.seq_len", "training.tensor_parallel_degree",
                    "training.data_parallel_replicate_degree"),
            at_least=2,
        ),
        Signature(all_of=("_call_", "optimizer._call_", "training._call_")),
    ),
    fields=(
        Field(name="optimizer", paths=("optimizer.name", "optimizer._call_"), default="AdamW"),
        *Field.within("optimizer", weight_decay="0.1", lr="8e-4"),
        replace(element("beta1", "optimizer.betas", 0, default="0.9"), paths=("optimizer.beta1",)),
        replace(element("beta2", "optimizer.betas", 1, default="0.95"), paths=("optimizer.beta2",)),
        Field(name="eps", paths=("optimizer.eps",), default="1e-8"),
        Field(name="batch_size", paths=("training.local_batch_size", "training.batch_size"),
              default="8"),
        Field(name="tokens_per_step", paths=(_STEP,), absent=("-1",)),
        Field(name="tokens_per_microbatch", paths=(_MICROBATCH,)),
        Field(name="grad_accum", paths=(_ACCUMULATION,), default="1"),
        Field(name="global_batch_size", paths=("training.global_batch_size",), absent=("-1",)),
        Field(name="replicas", paths=("parallelism.data_parallel_replicate_degree",
                                      "training.data_parallel_replicate_degree"), default="1"),
        Field(name="shards", paths=("parallelism.data_parallel_shard_degree",
                                    "training.data_parallel_shard_degree"), absent=("-1",)),
        Field(name="world_size", default="1", derive=_devices),
        *Field.within("training", seq_len="2048", steps="10000"),
        Field(name="total_steps", paths=("lr_scheduler.total_steps",)),
        Field(name="warmup_steps", paths=("lr_scheduler.warmup_steps", "training.warmup_steps"),
              default="200"),
        *Field.within("lr_scheduler", decay_ratio=None, decay_type="linear"),
        Field(name="min_lr_factor", paths=("lr_scheduler.min_lr_factor", "lr_scheduler.lr_min"),
              default="0"),
    ),
    optimizer=by_name(_OPTIMIZERS),
    schedule=_schedule,
    exempt=lambda _: NONE_EXEMPT,
    batch=_batch,
    unit=lambda _: "tokens",
    harmless=("optimizer.implementation", "optimizer.fused", "optimizer.early_step*",
              "training.max_norm", "training.local_batch_size", "training.compile*",
              "parallelism*", "activation*", "checkpoint*", "profiling*", "metrics*", "job*",
              "validation*", "validator*", "float8*", "comm*"),
)  # fmt: skip
