"""The command line: each command in a module of its name, imported when it is called."""

COMMANDS = {
    "convert": "One weight decay in every other convention.",
    "conventions": "What each framework means by its number.",
    "schedule": "What happens to a weight under a learning-rate schedule.",
    "arch": "Which tensors of a network decay, and how large the penalty is.",
    "transfer": "What lr and weight decay become when the run changes.",
    "inspect": "What a run's weight decay really does, and where each number comes from.",
    "probe": "What an optimizer of your own code does, by its own steps.",
    "compare": "Two runs side by side, and why their decays differ.",
    "suggest": "Which weight decay for a run, by fits and published runs.",
    "recipes": "Published runs, in one common unit.",
    "check": "Assertions for CI: do two settings mean the same decay?",
    "verify": "Train twice and compare: the proof of a conversion.",
    "guide": "Short pages on weight decay.",
    "schema": "JSON Schemas of the outputs.",
    "completion": "Shell completion for bash, zsh and fish.",
}
