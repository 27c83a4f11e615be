"""Random command lines of every command, over every option that it declares."""

import click

from decaycalc.algebra.quantity import EXTRAS
from decaycalc.cli import COMMANDS
from decaycalc.cli.group import program
from tests.fuzzing import drawing
from tests.fuzzing.sources import SEEDS

WEIGHTS = {
    "convert": 12, "schedule": 5, "transfer": 5, "arch": 5, "inspect": 5, "compare": 4, "check": 4,
    "suggest": 4, "recipes": 3, "conventions": 2, "verify": 1, "probe": 1, "guide": 0.3,
    "schema": 0.3, "completion": 0.3,
}  # fmt: skip
PUBLISHED = ("resnet-50-he", "resnet-50-goyal-8k", "gpt-3-175b", "deit-b", "no-such")
NETWORKS = ("4-3-2", "784-300-100-10", "lenet-300-100", "resnet18", "vit-tiny", "gpt2", "WRN_16_4",
            "resnet1", "1e3", "4--2", "net.json", "net.safetensors",
            "-", "/", "x.npz")  # fmt: skip
PATTERNS = ("bias", "(", ".*", "fc.=2", "fc1.=x", "*", "fc:lr*2", "fc:wd=0", ".*:lr=1e400",
            "norm:wd*1e308,lr*1e-308", "(a|a)*$:wd=1", "bias:x=1", ":",
            "fc:lr=0.1,wd=0.1")  # fmt: skip
FILES = (*SEEDS, "k.toml", "own.toml", "rows.jsonl", "rows.csv", "table.csv", "net.json", "missing",
         ".", "/dev/null", "/dev/zero", "-", "k\udcff.yaml")  # fmt: skip
OUTPUTS = ("out.json", "out.csv", "out.md", "out.txt", "out", "-", "no/such/out.json", ".",
           "/dev/full", "out\udcff.csv", "")  # fmt: skip
PICTURES = ("p.jpg", "no/p.svg", ".", "")
LIVE = ("decimal:Decimal", "no_such:x", "json:nothing", "json", ":", "", "builtins:object",
        "builtins:list", "math:pi", "..:x")  # fmt: skip


def source(rng):
    """Return a published run's name or a training file's."""
    return rng.choice(FILES if rng.random() < 0.7 else PUBLISHED)


def _loss(rng):
    return rng.choice(("mean", "batch-sum", "dataset-sum", "median", "8", drawing.number(rng)))


def _named_number(rng):
    name = rng.choice([quantity.name for quantity in EXTRAS] + ["x", ""])
    return f"{name}{rng.choice('== :')}{drawing.number(rng)}"


def _one_of(*words):
    def draw(rng):
        is_sound = drawing.is_tame(rng) or rng.random() < 0.9
        return rng.choice(words) if is_sound else drawing.text(rng)

    return draw


def _number_or(*words):
    return lambda rng: rng.choice(words) if rng.random() < 0.5 else drawing.number(rng)


# By an option's longest flag; the others are numbers, or one of their choices.
VALUES = {
    **dict.fromkeys(("--from", "--to"), drawing.key),
    **dict.fromkeys(("--schedule", "--decay-schedule"), drawing.schedule),
    **dict.fromkeys(("--loss", "--to-loss"), _loss),
    **dict.fromkeys(
        ("--batch-size", "--dataset-size", "--epochs", "--steps", "--grad-accum", "--world-size",
         "--to-batch-size", "--to-dataset-size", "--to-epochs", "--to-steps"),
        drawing.length,
    ),
    **dict.fromkeys(
        ("--group", "--decay-only", "--no-decay", "--lora-targets"), _one_of(*PATTERNS)
    ),
    **dict.fromkeys(
        ("--select", "--ignore"), _one_of("DC1", "DC104", "DC", "DC999", "DC1,DC2", ",")
    ),
    "--input": _one_of(*FILES),
    "--output": _one_of(*OUTPUTS),
    "--save": _one_of(*PICTURES),
    "--conventions": _one_of("own.toml", *FILES),
    "--recipe": source,
    "--set": _named_number,
    "--optimizer": _one_of("sgd", "adam", "lion", "x"),
    "--dtype": _one_of("float32", "bfloat16", "float16", "float64", "int8"),
    "--rounding": _one_of("nearest", "stochastic", "master"),
    "--arch": _one_of(*NETWORKS),
    "--decay-mask": _one_of("all", "no-1d", "no-bias", "no-bias-norm", "timm", "hf", "none"),
    "--init": _one_of("he", "glorot", "lecun", "torch", "normal:0.1", "normal:x", "normal:1e200"),
    "--emit": _one_of("pytorch", "keras", "optax", "timm", "hf", "sklearn", "hf-trainer", "axolotl",
                      "llama-factory", "torchtune", "deepspeed", "ultralytics"),
    "--kind": _one_of("timm", "hf-trainer", "ultralytics", "deepspeed", "mmengine", "caffe"),
    "--width": _one_of("20", "60", "100", "10000", "0", "-1"),
    "--search": _one_of("lamb", "adam", ""),
    "--framework": _one_of("keras", "pytorch", "optax"),
    "--curve": _one_of("0", "1", "5", "100", "99999999999"),
    "--classes": _one_of("2", "10", "1000", "1", "1e3"),
    "--depth": _one_of("0", "1", "2", "-1"),
    "--lora": _one_of("8", "8,16", "0", "8,1e400", "1e3,"),
    "--near": _number_or("10", "90"),
    "--fail-on": _one_of("error", "warning", "note", "never"),
    "--explain": _one_of("text", "latex", "DC104", "DC301"),
    "--model": _one_of("least-squares", "softmax", "two-layer"),
    "--with": _one_of("torch", "keras", "optax", "sklearn"),
    "--betas": lambda rng: (drawing.number(rng), drawing.number(rng)),
    "--layer-decay": _number_or("0.65", "1"),
}  # fmt: skip
ARGUMENTS = {
    "value": drawing.number,
    "key": drawing.key,
    "spec": _one_of(*NETWORKS),
    "first": source,
    "second": source,
    "name": source,
    "files": source,
    "source": source,
    "topic": _one_of("founding-question", "x"),
    "shell": _one_of("bash", "zsh", "fish"),
}
NAMES_OF_DOCUMENTS = ("convert", "arch", "check", "error", "probe", "x")
USUAL = {
    "--lr": ("0.1", "6e-4"), "--steps": ("1000", "90"), "--batch-size": ("256",),
    "--epochs": ("3",),
    "--dataset-size": ("50000",), "--momentum": ("0.9",), "--to-lr": ("1e-3",),
}  # fmt: skip


def options_of(name):
    """Return a command's options."""
    command = program.get_command(click.Context(program), name)
    return [each for each in command.params if isinstance(each, click.Option)]


def arguments_of(name):
    """Return a command's arguments."""
    command = program.get_command(click.Context(program), name)
    return [each for each in command.params if isinstance(each, click.Argument)]


OPTIONS = {name: options_of(name) for name in COMMANDS}
_ARGUMENTS = {name: arguments_of(name) for name in COMMANDS}
_RARE = frozenset({"-h", "--all", "--help", "--input", "--show-config", "--output", "--save",
                   "--plot", "--live", "--with", "--format", "--json", "--value",
                   "--list"})  # fmt: skip


def flag_of(option):
    """Return an option's longest flag."""
    return max(option.opts, key=len)


def value_of(rng, option):
    """Return words for an option's value."""
    flag = flag_of(option)
    if flag in USUAL and rng.random() < 0.6:
        return (rng.choice(USUAL[flag]),)
    if isinstance(option.type, click.Choice) and flag not in VALUES:
        return (rng.choice(option.type.choices) if rng.random() < 0.95 else drawing.text(rng),)
    drawn = VALUES.get(flag, drawing.number)(rng)
    return drawn if isinstance(drawn, tuple) else (drawn,)


def words_of(rng, option):
    """Return an option with its value as it stands on a line."""
    flags = [*option.opts, *option.secondary_opts]
    flag = flag_of(option) if rng.random() < 0.9 else rng.choice(flags)
    if option.is_flag:
        return [flag]
    values = value_of(rng, option)
    if flag.startswith("--") and len(values) == 1 and rng.random() < 0.3:
        return [f"{flag}={values[0]}"]
    return [flag, *values]


def options_words(rng, name):
    """Return random options of a command, those of a usual run often."""
    found = []
    rate = rng.choice((0.02, 0.03, 0.05, 0.15))
    usual = rng.random() < 0.7
    for option in OPTIONS[name]:
        flag = flag_of(option)
        chance = 0.5 if usual and flag in USUAL and not flag.startswith("--to") else rate
        if flag == "--from":
            chance = 0.95
        if rng.random() < (chance / 3 if flag in _RARE else chance):
            found += words_of(rng, option)
    ending = rng.choice(ENDINGS) if rng.random() < 0.5 else []
    return found if rng.tame and ending in UNSOUND else [*found, *ending]


ENDINGS = (["--json"], ["--json"], ["--format", "csv"], ["--format", "md"], ["--format", "jsonl"],
           ["--value"], ["--bad"], ["--width", "60"], [])  # fmt: skip

UNSOUND = (["--bad"], ["--value"])


def line(rng):
    """Return a command line's words."""
    rng.tame = rng.random() < 0.7
    name = rng.choices(list(WEIGHTS), weights=list(WEIGHTS.values()))[0]
    words = [name]
    for argument in _ARGUMENTS[name]:
        count = 1 if drawing.is_tame(rng) or rng.random() < 0.9 else rng.randrange(3)
        words += [_argument(rng, name, argument.name) for _ in range(count)]
    words += options_words(rng, name)
    if name == "verify":  # every step is taken by each of the small networks
        words = [*words, "--steps", "9", "--model", "least-squares"]
    if not rng.tame and rng.random() < 0.1:
        words.insert(rng.randrange(len(words) + 1), drawing.text(rng))
    return [word.replace("\0", "") for word in words]


def _argument(rng, command, name):
    if command == "schema":
        return rng.choice(NAMES_OF_DOCUMENTS)
    if command == "probe" or (command == "inspect" and rng.random() < 0.05):
        return rng.choice(LIVE)
    if command == "recipes" and rng.random() < 0.5:
        return rng.choice(PUBLISHED)
    return ARGUMENTS[name](rng)
