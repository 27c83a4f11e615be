"""The shapes of the documents, in the notation of `notation.py`: what a reader can rely on."""

from typing import Any

from decaycalc.algebra.quantity import EXTRAS, NUMBERS

_SETTING = {"convention": "string", "parameter": "string", "value": "number?"}
RUN: dict[str, Any] = {
    **{
        quantity.name if quantity.default is not None else f"{quantity.name}?": "number"
        for quantity in NUMBERS
    },
    **{f"{quantity.name}?": "number" for quantity in EXTRAS},
    "nesterov": "boolean",
    "drop_last": "boolean",
    "loss": "string",
    "examples_per_step?": "number",
    "steps_per_epoch?": "number",
}
_DECAY = {
    "?": "null",
    "per_step_factor": "number",
    "per_step_factor_with_gradient?": "number",
    "per_step_shrink": "number",
    "first_order_shrink": "number",
    "per_epoch_factor": "number?",
    "per_run_factor": "number?",
    "half_life_steps": "number?",
    "half_life_epochs": "number?",
    "timescale_steps": "number?",
    "timescale_epochs": "number?",
    "timescale_run_fraction": "number?",
    "oscillating": "boolean",
}
_SUMMARY = {
    "schedule": "string?",
    "decay_schedule": "string?",
    "follows_schedule": "string",
    "shrink_at_peak": "number",
    "total_steps": "integer",
    "sum_shrink": "number",
    "survival": "number",
    "timescale_at_peak_steps": "number?",
    "mean_timescale_steps": "number?",
    "mean_update_age_steps": "number?",
    "half_mass_age_steps": "number?",
    "timescale_run_fraction": "number?",
    "equilibrium": {
        "?": "null",
        "rms": "number?",
        "norm": "number?",
        "rotation": "number",
        "relaxation_steps": "number",
        "label": "string",
        "setting": "string",
    },
}
_PENALTY = {
    "?": "null",
    "coefficient_mean_loss": "number?",
    "coefficient_batch_sum": "number?",
    "coefficient_dataset_sum": "number?",
    "per_weight_coefficient": "number?",
    "n_weights": "integer?",
    "sum_of_squares": "number?",
    "value": "number?",
    "initial_loss": "number?",
    "share_of_initial_loss": "number?",
    "layers": [
        {
            "name": "string",
            "n_weights": "integer",
            "sum_of_squares": "number?",
            "value": "number?",
            "share": "number?",
            "per_step_shrink": "number?",
            "per_step_shrink_if_normalized": "number?",
        }
    ],
}
_ASSUMPTIONS = [{"name": "string", "value": "any", "why": "string"}]
_LAYERS = [{"name": "string", "value": "number"}]
_CONVERSION = {
    "convention": "string",
    "parameter": "string",
    "value": "number?",
    "lr": "number?",
    "equivalence": "string",
    "condition": "string",
    "formula": "string",
    "note": "string",
    "assumed": ("map", "number"),
    "assumptions": _ASSUMPTIONS,
    "missing": ["string"],
    "layers": _LAYERS,
}
_SNIPPET = {
    "snippet": {
        "framework": "string",
        "convention": "string",
        "parameter": "string",
        "value": "number",
        "lr": "number?",
        "code": "string",
        "notes": ["string"],
        "assumptions": _ASSUMPTIONS,
    }
}
_EXPLANATION = [
    {
        "from": "string",
        "to": "string",
        "equivalence": {"name": "string", "meaning": "string", "ends": ["string"]},
        "steps": [
            {
                "title": "string",
                "text": "string",
                "formula": "string?",
                "filled": "string?",
                "latex": "string?",
                "numbers": ("map", "number"),
                "result": "number?",
                "source": "string",
            }
        ],
    }
]
_GROUP = {
    "name": "string",
    "lr": "number?",
    "weight_decay": "number?",
    "lr_mult": "number?",
    "decay_mult": "number?",
    "n_tensors": "integer?",
    "n_weights": "integer?",
    "shrink": "number?",
}
_CONVERT = {
    "source": _SETTING,
    "run": RUN,
    "target_run": {"?": "null", **RUN},
    "strength": "number?",
    "shrink": "number?",
    "decay": _DECAY,
    "schedule": {"?": "null", **_SUMMARY},
    "penalty": _PENALTY,
    "groups?": [{**_GROUP, "conversions": [{"convention": "string", "value": "number?"}]}],
    "conversions": [_CONVERSION],
    "unavailable": [
        {"convention": "string", "reason": "string", "missing": ["string"], "message": "string"}
    ],
    "assumptions": _ASSUMPTIONS,
    "warnings": ["string"],
    "nearest_recipes?": [{"name": "string", "title": "string", "timescale_epochs": "number"}],
    "explanation?": _EXPLANATION,
}
_CONVENTION = {
    "key": "string",
    "aliases": ["string"],
    "title": "string",
    "group": "string",
    "parameter": "string",
    "invariant": "string?",
    "formula": "string",
    "refusal": "string?",
    "update": "string",
    "default": "number?",
    "assumed": ("map", "string"),
    "exempt": "string",
    "follows_schedule": "string",
    "coupling": "string",
    "optimizer": "string",
    "lr_family": "string?",
    "loss": "string?",
    "loss_kind": "string",
    "trap": "string",
    "source": "string",
    "verification": "string",
    "since": "string?",
    "until": "string?",
    "estimate": "string?",
    "common": "boolean",
}
_SCHEDULE = {
    "source": _SETTING,
    "run": RUN,
    **_SUMMARY,
    "assumptions": _ASSUMPTIONS,
    "warnings": ["string"],
    "curve": [
        {
            "step": "integer",
            "multiplier": "number",
            "decay_multiplier": "number",
            "shrink": "number",
            "survival": "number",
            "update_weight": "number?",
        }
    ],
}
_SCHEDULES = {
    "schedules": [
        {
            "name": "string",
            "aliases": ["string"],
            "title": "string",
            "follows": "string",
            "parameters": [
                {"name": "string", "takes": "string", "default": "string", "help": "string"}
            ],
        }
    ]
}
_ARCH = {
    "name": "string",
    "class": "string?",
    "n_parameters": "integer",
    "n_decayed": "integer",
    "n_exempt": "integer",
    "n_decayed_tensors": "integer",
    "n_exempt_tensors": "integer",
    "mask": "string",
    "n_classes": "integer?",
    "initial_loss": "number?",
    "sum_of_squares": "number?",
    "measured_sum_of_squares": "number?",
    "strength": "number?",
    "shrink": "number?",
    "penalty": "number?",
    "lr": "number?",
    "equilibrium_rms": "number?",
    "lora": {
        "?": "null",
        "rank": "integer?",
        "alpha": "number?",
        "scale": "number?",
        "a_shrink": "number?",
        "b_shrink": "number?",
        "product_shrink": "number?",
        "towards": "string",
    },
    "notes": ["string"],
    "groups": [_GROUP],
    "tensors": [
        {
            "name": "string",
            "shape": ["integer"],
            "n_weights": "integer",
            "n_stacked": "integer",
            "role": "string",
            "decayed": "boolean",
            "decay_mult": "number?",
            "lr_mult": "number?",
            "init_variance": "number?",
            "sum_of_squares": "number?",
            "measured_sum_of_squares": "number?",
            "measured_rms": "number?",
            "penalty": "number?",
        }
    ],
}
_TRANSFER = {
    "source": _SETTING,
    "target": {"convention": "string", "parameter": "string"},
    "run": RUN,
    "target_run": RUN,
    "rules": [
        {
            "name": "string?",
            "lr_rule": "string",
            "hold": "string",
            "equivalence": "string?",
            "lr": "number?",
            "lr_low": "number?",
            "lr_high": "number?",
            "value": "number?",
            "low": "number?",
            "high": "number?",
            "shrink": "number?",
            "timescale_epochs": "number?",
            "timescale_run_fraction": "number?",
            "formula": "string?",
            "kept": ["string"],
            "changed": ["string"],
            "source": "string",
            "note": "string",
            "conditions": ["string"],
            "betas": "array?",
            "eps": "number?",
        }
    ],
    "unavailable": [
        {"lr_rule": "string", "hold": "string", "missing": ["string"], "message": "string"}
    ],
    "width_ratio": "number",
    "laws": [
        {
            "law": "string",
            "formula": "string",
            "exponent": "number",
            "fitted_range": "array?",
            "value": "number",
            "to_value": "number",
            "to_low": "number",
            "to_high": "number",
            "warning": "string",
            "source": "string",
        }
    ],
    "warnings": ["string"],
    "explanation?": _EXPLANATION,
}
_RECIPE = {
    "name": "string",
    "title": "string",
    "convention": "string?",
    "read_as": "string?",
    "value": "number?",
    "run": RUN,
    "unit": "string",
    "schedule": "string?",
    "decay_schedule": "string?",
    "betas": "array?",
    "eps": "number?",
    "exempt": "string?",
    "n_parameters": "integer?",
    "shrink": "number?",
    "timescale_steps": "number?",
    "timescale_epochs": "number?",
    "timescale_run_fraction": "number?",
    "sum_shrink": "number?",
    "survival": "number?",
    "source": "string",
    "checked": "string",
    "note": "string",
}
_QUANTITY = {
    "name": "string",
    "value": "string?",
    "origin": "string",
    "where": "string",
    "line": "integer?",
    "note": "string",
}
_EXEMPT = {"?": "null", "rule": "string", "switch": "string?"}
_IMPORTED = {
    "kind": "string",
    "trainer": "string",
    "quantities": [_QUANTITY],
    "exempt": _EXEMPT,
    "missing": ["string"],
    "not_used": ["string"],
}
_READING = {
    "source": {"text": "string", "kind": "string", "title": "string"},
    "convention": "string?",
    "read_as": "string?",
    "value": "number?",
    "unit": "string",
    "run": RUN,
    "schedule": "string?",
    "decay_schedule": "string?",
    "quantities": [_QUANTITY],
    "exempt": _EXEMPT,
    "groups": [
        {
            "name": "string",
            "selector": "string",
            "lr": "number?",
            "weight_decay": "number?",
            "lr_mult": "number",
            "decay_mult": "number",
            "update_share": "number",
            "towards": "string",
            "n_tensors": "integer?",
            "n_weights": "integer?",
            "shrink": "number?",
            "timescale_steps": "number?",
            "survival": "number?",
        }
    ],
    "shrink": "number?",
    "timescale_steps": "number?",
    "timescale_epochs": "number?",
    "timescale_run_fraction": "number?",
    "sum_shrink": "number?",
    "survival": "number?",
}
_FINDING = {
    "code": "string",
    "name": "string",
    "level": "string",
    "message": "string",
    "where": "string?",
    "line": "integer?",
    "fix": "string?",
    "source": "string",
}
_INSPECT = {
    **_READING,
    "alternatives": [_READING],
    "findings": [_FINDING],
    "missing": ["string"],
    "not_used": ["string"],
    "notes": ["string"],
}
_VERIFIED = {**_SETTING, "lr": "number?", "update": "string"}
_CURVE = [{"step": "integer", "difference": "number"}]
_TRIALS = [{"model": "string", "max_difference": "number", "curve": _CURVE}]
_VERIFY = {
    "source": _VERIFIED,
    "target": _VERIFIED,
    "claim": "string",
    "meaning": "string",
    "method": "string",
    "holds": "boolean",
    "max_difference": "number",
    "tolerance": "number",
    "steps": "integer",
    "schedule": "string",
    "curve": _CURVE,
    "models": _TRIALS,
    "apart": _TRIALS,
    "notes": ["string"],
    "with": [{"name": "string", "version": "string", "conventions": ["string"]}],
}
_CHECK = {
    "checks": [
        {
            "name": "string",
            "passed": "boolean",
            "expected": "string",
            "actual": "number?",
            "message": "string",
            "line": "integer",
        }
    ],
    "findings": [{"file": "string", **_FINDING}],
    "passed": "boolean",
}
_RULE = {
    "code": "string",
    "name": "string",
    "level": "string",
    "summary": "string",
    "fix": "string",
    "source": "string",
}
_CONFIG = {"options": [{"option": "string", "value": "any", "source": "string"}]}
_VERSION = {"python": "string", "click": "string?", "numpy": "string?", "rich": "string?"}
_ERROR = {"type": "string", "message": "string"}

# A document is of one of these shapes, after the three keys that each begins with.
_COMPARED = [{"name": "string", "values": ["any"], "ratio": "number?"}]
_COMPARE = {
    "sides": [_INSPECT],
    "rows": _COMPARED,
    "groups": _COMPARED,
    "factors": [{"name": "string", "factor": "number", "of": "string"}],
    "verdict": "string",
}
_PROBE = {
    "optimizer": "string",
    "agrees": "boolean?",
    "groups": [
        {
            "name": "string",
            "n_dims": "integer",
            "lr": "number?",
            "weight_decay": "number",
            "probed_with": "number",
            "decay_per_step": "number?",
            "measured": "number?",
            "factor": "number?",
            "times_lr": "boolean?",
            "follows_schedule": "string?",
            "coupling": "string?",
            "zero_gradient": "number?",
            "no_gradient": "number?",
            "convention": "string?",
            "expected": "number?",
            "agrees": "boolean?",
            "reason": "string",
        }
    ],
}
_SUGGEST = {
    "run": RUN,
    "n_parameters": "number?",
    "assumptions": [{"name": "string", "value": "any", "why": "string"}],
    "suggestions": [
        {
            "rule": "string",
            "convention": "string",
            "parameter": "string",
            "value": "number",
            "low": "number",
            "high": "number",
            "within_fit": "boolean",
            "conditions": ["string"],
            "derivation": ["string"],
            "source": "string",
        }
    ],
    "unavailable": [{"rule": "string", "missing": ["string"], "message": "string"}],
    "warnings": ["string"],
}
DOCUMENTS: dict[str, tuple[Any, ...]] = {
    "convert": (_CONVERT, _SNIPPET),
    "conventions": ({"conventions": [_CONVENTION]},),
    "schedule": (_SCHEDULE, _SCHEDULES),
    "arch": (_ARCH,),
    "transfer": (_TRANSFER, _SNIPPET),
    "recipes": ({"recipes": [_RECIPE], "imported?": _IMPORTED}, _SNIPPET),
    "inspect": (_INSPECT,),
    "probe": (_PROBE,),
    "compare": (_COMPARE,),
    "suggest": (_SUGGEST,),
    "verify": (_VERIFY,),
    "check": (_CHECK,),
    "rule": (_RULE,),
    "config": (_CONFIG,),
    "version": (_VERSION,),
}
# What stands outside of documents: errors on stderr, results of rows and bad rows of bulk.
OTHERS: dict[str, Any] = {
    "error": {"error": _ERROR},
    "bad-row": {"line": "integer", "error": _ERROR},
    "row": {
        "result": "number?",
        "result_parameter": "string",
        "result_lr": "number?",
        "result_equivalence": "string",
        "result_note": "string",
        "result_layers?": _LAYERS,
    },
    "row-of-conversions": {"conversions": [_CONVERSION]},
}
