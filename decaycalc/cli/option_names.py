"""The names of all commands' options, known without loading the commands."""

# As a configuration writes them; a test holds them to the commands' own.
OPTIONS = (
    "all", "arch", "batch_size", "betas", "classes", "conventions", "curve", "dampening",
    "dataset_size", "decay_mask", "decay_mult", "decay_only", "depth", "drop_last", "dtype",
    "emit", "epochs", "eps", "eta", "explain", "format", "framework", "from", "grad_accum",
    "gradient_rms", "group", "groups", "hold", "init", "input", "input_format",
    "invariant", "json", "keep_probability", "l1_ratio", "lambd", "layer_decay", "length_scale",
    "list", "loss", "lr", "lr_initial", "lr_max", "lr_mult", "lr_rule", "match", "measure",
    "model", "momentum", "n_leaf", "nbs", "near", "nesterov", "no_bias", "no_decay", "on_error",
    "output", "parameters", "plot", "quiet", "recipe", "save", "schedule", "search",
    "show_config", "steps", "target_std", "to", "to_batch_size", "to_dampening",
    "to_dataset_size", "to_epochs", "to_loss", "to_lr", "to_momentum", "to_nesterov",
    "to_parameters", "to_steps", "to_value", "to_width_ratio", "value", "wd_ratio", "width",
    "with", "world_size",
)  # fmt: skip
