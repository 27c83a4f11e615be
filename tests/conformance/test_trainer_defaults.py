"""The defaults in the trainers' tables against the trainers' own packages, read by ast."""

import ast
from configparser import RawConfigParser
from importlib.util import find_spec
from pathlib import Path

import pytest

from decaycalc.training.reading.numbers import typed_number
from decaycalc.training.trainers import (
    areal,
    hf_optim,
    hf_trainer,
    lerobot,
    nemo_automodel,
    opennmt,
    openrlhf,
    skyrl,
    spacy,
    ultralytics,
    veomni,
)


def source_of(module):
    """Return the path of a module's file without importing what is heavy."""
    package, _, rest = module.partition(".")
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        pytest.skip(f"{package} is not installed")
    return Path(spec.origin).parent.joinpath(*rest.split("."))


def dataclass_defaults(path, name):
    """Return the literal defaults of a dataclass's fields, `field(default=...)` or bare."""
    module = ast.parse(path.read_text(encoding="utf-8"))
    (body,) = [n.body for n in module.body if isinstance(n, ast.ClassDef) and n.name == name]
    found = {}
    for statement in body:
        if not isinstance(statement, ast.AnnAssign) or statement.value is None:
            continue
        value = statement.value
        if isinstance(value, ast.Call):
            value = next((k.value for k in value.keywords if k.arg == "default"), None)
        try:
            found[statement.target.id] = ast.literal_eval(value)
        except (ValueError, TypeError):
            continue
    return found


# warmup_ratio and adafactor are of transformers 4; optim and steps follow from other things.
ELSEWHERE = {"optimizer", "steps"}
# Of accelerate's part, and of trainers that stand on this one (TRL, LLaMA-Factory).
OTHERS = {"split_batches", "accelerator_config.split_batches", "num_ppo_epochs", "num_iterations",
          "ppo_epochs", "ppo_buffer_size"}  # fmt: skip
FIELDS = [
    (field, path)
    for field in hf_trainer.FIELDS
    for path in field.paths
    if field.default is not None and field.name not in ELSEWHERE and path not in OTHERS
]


@pytest.mark.parametrize(("field", "path"), FIELDS, ids=lambda each: getattr(each, "name", each))
def test_training_arguments_have_the_defaults_of_the_table(field, path):
    file = source_of("transformers.training_args").with_suffix(".py")
    known = dataclass_defaults(file, "TrainingArguments")
    if path not in known or known[path] is None:
        pytest.skip(f"{path} is not a literal of this release")
    own, number = known[path], typed_number(field.default)
    if number is None:
        assert str(own).lower() == field.default.lower()
    else:
        assert typed_number(repr(own) if isinstance(own, float) else str(own)) == number


def test_optimizer_names_are_all_mapped_or_refused():
    file = source_of("transformers.training_args").with_suffix(".py")
    module = ast.parse(file.read_text(encoding="utf-8"))
    (body,) = [
        n.body for n in module.body if isinstance(n, ast.ClassDef) and n.name == "OptimizerNames"
    ]
    names = [s.value.value for s in body if isinstance(s, ast.Assign)]

    class Silent:
        def flag(self, _):
            return False

    assert len(names) > 30
    for name in names:
        found = hf_optim._by_optim(name, Silent())
        assert found.convention or found.refusal, name
        assert "has no convention here" not in found.refusal, name


def test_ultralytics_has_the_defaults_of_the_table():
    yaml = pytest.importorskip("yaml")
    file = source_of("ultralytics.cfg") / "default.yaml"
    known = yaml.safe_load(file.read_text(encoding="utf-8"))
    for field in ultralytics.TRAINER.fields:
        for path in field.paths:
            if field.default is not None and known.get(path) is not None:
                assert str(known[path]).lower() == field.default or typed_number(
                    str(known[path])
                ) == typed_number(field.default), path


def is_same(own, text):
    """Return whether a program's value, typed or as its file has it, is the table's text."""
    number = typed_number(text)
    return str(own).lower() == text if number is None else typed_number(str(own)) == number


def test_spacy_has_the_defaults_of_its_own_configuration():
    file = RawConfigParser()
    file.read(source_of("spacy") / "default_config.cfg", encoding="utf-8")
    known = {f"{name}.{key}": file[name][key] for name in file.sections() for key in file[name]}
    compared = 0
    for field in spacy.TRAINER.fields:
        for path in field.paths:
            if field.default is not None and path.lower() in known:
                assert is_same(known[path.lower()].strip('"'), field.default.lower()), path
                compared += 1
    assert compared == 6
    assert known["training.optimizer.l2"] == "0.01"
    assert known["training.max_epochs"] in spacy.TRAINER.field("epochs").absent
    assert known["training.batcher.size.@schedules"]


def test_other_optimizers_of_thinc_have_no_decay_of_their_own():
    module = ast.parse((source_of("thinc") / "optimizers.py").read_text(encoding="utf-8"))
    (shared,) = [
        ast.literal_eval(n.value)
        for n in module.body
        if isinstance(n, ast.AnnAssign) and n.target.id == "SGD_DEFAULTS"
    ]
    assert (shared["L2"], shared["L2_is_weight_decay"]) == (0.0, True)


# Names of a policy's fields by the table's.
POLICY_FIELDS = {
    "lr": "optimizer_lr", "weight_decay": "optimizer_weight_decay",
    "warmup_steps": "scheduler_warmup_steps", "decay_steps": "scheduler_decay_steps",
    "decay_lr": "scheduler_decay_lr",
}  # fmt: skip
POLICY_CLASSES = {
    "act": "ACTConfig", "diffusion": "DiffusionConfig", "vqbet": "VQBeTConfig",
    "tdmpc": "TDMPCConfig", "pi0": "PI0Config", "pi05": "PI05Config", "smolvla": "SmolVLAConfig",
    "pi0_fast": "PI0FastConfig", "wall_x": "WallXConfig",  # eo1 and vla_jepa came later
}  # fmt: skip


@pytest.mark.parametrize("policy", POLICY_CLASSES)
def test_lerobots_policies_have_the_presets_of_the_table(policy):
    file = source_of(f"lerobot.policies.{policy}.configuration_{policy}").with_suffix(".py")
    known = dataclass_defaults(file, POLICY_CLASSES[policy])
    preset = lerobot._PRESETS[policy]
    for name, field in POLICY_FIELDS.items():
        if field in known:
            assert is_same(known[field], preset[name]), name
    betas = [preset.get("beta1", "0.9"), preset.get("beta2", "0.999")]
    for own, text in zip(known.get("optimizer_betas", ()), betas, strict=False):
        assert is_same(own, text)
    assert is_same(known["optimizer_lr"], preset["lr"])


def test_lerobots_optimizers_and_runs_have_the_defaults_of_the_table():
    file = source_of("lerobot.optim.optimizers").with_suffix(".py")
    for name, kind in {"adam": "AdamConfig", "adamw": "AdamWConfig", "sgd": "SGDConfig"}.items():
        known = dataclass_defaults(file, kind)
        for field, text in lerobot._OPTIMIZERS[name].items():
            assert is_same(known[field], text), (name, field)
    run = dataclass_defaults(source_of("lerobot.configs.train").with_suffix(".py"),
                             "TrainPipelineConfig")  # fmt: skip
    assert (run["batch_size"], run["steps"], run["use_policy_training_preset"]) == (
        8,
        100_000,
        True,
    )


def flag_defaults(path):
    """Return the literal defaults of a program's flags, by the flag's name."""
    found = {}
    for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(call, ast.Call) or getattr(call.func, "attr", "") != "add_argument":
            continue
        value = next((k.value for k in call.keywords if k.arg == "default"), None)
        if isinstance(value, ast.Constant | ast.Tuple):
            found[call.args[0].value.removeprefix("--")] = ast.literal_eval(value)
    return found


@pytest.mark.parametrize("program", openrlhf._DEFAULTS)
def test_openrlhf_has_the_defaults_of_the_table(program):
    known = flag_defaults(source_of(f"openrlhf.cli.{program}").with_suffix(".py"))
    own = openrlhf._DEFAULTS[program]
    assert is_same(known["adam.lr"], own["lr"])
    assert is_same(known["train.max_epochs"], own["epochs"])
    assert known["adam.betas"] == (0.9, 0.95)
    compared = 0
    for field in openrlhf.TRAINER.fields:
        for path in field.paths:
            if field.default is not None and path in known:
                assert is_same(known[path], field.default), path
                compared += 1
    assert compared == 7


# Whose table, the package's module and class, and the section that holds its fields in a file.
DATACLASSES = [
    (areal, "areal.api.cli_args", "OptimizerConfig", "actor.optimizer."),
    (areal, "areal.api.cli_args", "PPOActorConfig", "actor."),
    (nemo_automodel, "nemo_automodel.components.optim.optimizer", "LRSchedulerConfig",
     "lr_scheduler."),
    (nemo_automodel, "nemo_automodel.components.training.step_scheduler", "StepSchedulerConfig",
     "step_scheduler."),
    (opennmt, "eole.config.training", "OptimizerConfig", "training."),
    (opennmt, "eole.config.training", "TrainingConfig", "training."),
    (skyrl, "skyrl.train.config.config", "OptimizerConfig", "trainer.policy.optimizer_config."),
    (skyrl, "skyrl.train.config.config", "TrainerConfig", "trainer."),
    (veomni, "veomni.arguments.arguments_types", "OptimizerConfig", "train.optimizer."),
    (veomni, "veomni.arguments.arguments_types", "TrainingArguments", "train."),
    (veomni, "veomni.arguments.arguments_types", "DataArguments", "data."),
]  # fmt: skip


@pytest.mark.parametrize(
    ("trainer", "module", "name", "section"),
    DATACLASSES,
    ids=[f"{module}.{name}" for _, module, name, _ in DATACLASSES],
)
def test_dataclasses_have_the_defaults_of_the_table(trainer, module, name, section):
    known = dataclass_defaults(source_of(module).with_suffix(".py"), name)
    compared = 0
    for field in trainer.TRAINER.fields:
        for path in field.paths:
            key = path.removeprefix(section)
            if path.startswith(section) and field.default is not None and key in known:
                own = known[key][0] if isinstance(known[key], list) else known[key]
                assert is_same(own, field.default.lower()), path
                compared += 1
    assert compared
