"""Further named models of the hub: decoders, encoders, translators, and those that see or hear.

Source: each model's published config.json; their totals are those of transformers 4.57.1.
"""

from decaycalc.architecture.zoo.configs import (
    BASE,
    BERT_NAMES,
    GATED,
    LARGE,
    TIED,
    Config,
    bert,
    llama,
    named,
    roberta,
    t5,
    two_sided,
)

_GEMMA3_VISION: Config = {
    "model_type": "siglip_vision_model", "hidden_size": 1152, "intermediate_size": 4304,
    "num_hidden_layers": 27, "num_attention_heads": 16, "image_size": 896, "patch_size": 14,
    "vision_use_head": False,
}  # fmt: skip
_GEMMA3_TEXT: Config = {"vocab_size": 262208, "head_dim": 256}
_QWEN3_MOE: Config = {"num_experts": 128, "head_dim": 128}
_MISTRAL_NEMO: Config = {"head_dim": 128, "vocab_size": 131072}
_NEO_NAMES = ("hidden_size", "num_layers", "num_heads")
_BLOOM_NAMES = ("hidden_size", "n_layer", "n_head")
_MAMBA_NAMES = ("hidden_size", "num_hidden_layers")
_DINO_NAMES = ("hidden_size", "num_hidden_layers", "num_attention_heads")
_TOWER_NAMES = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
                "patch_size", "image_size")  # fmt: skip
_DEBERTA_V3: Config = {
    "architectures": ["DebertaV2Model"], "vocab_size": 128100, "type_vocab_size": 0,
    "relative_attention": True, "position_biased_input": False, "position_buckets": 256,
    "max_relative_positions": -1, "norm_rel_ebd": "layer_norm", "share_att_key": True,
    "pos_att_type": ["p2c", "c2p"],
}  # fmt: skip
_WAV2VEC2_LARGE: Config = {"do_stable_layer_norm": True, "feat_extract_norm": "layer",
                           "conv_bias": True}  # fmt: skip
_ENGLISH = 51864  # rows of the vocabulary for English alone
_SOME_MORE_ROWS = 32016  # Code Llama's vocabulary with the tokens for infilling


def _gemma3(*sizes: int, **others: object) -> Config:
    text = llama("gemma3_text", *sizes, **{**_GEMMA3_TEXT, **others})
    return {"model_type": "gemma3", "text_config": text, "vision_config": _GEMMA3_VISION,
            "architectures": ["Gemma3ForConditionalGeneration"]}  # fmt: skip


def _neo(*sizes: int) -> Config:
    kinds = [[["global", "local"], sizes[1] // 2]]
    return named("gpt_neo", _NEO_NAMES, *sizes, attention_types=kinds)


def _clip(text: tuple[int, ...], vision: tuple[int, ...], shared: int) -> Config:
    towers = {
        "text_config": dict(zip(_TOWER_NAMES[:4], text, strict=True)),
        "vision_config": dict(zip(_TOWER_NAMES, vision, strict=True)),
    }
    return {"model_type": "clip", "projection_dim": shared, **towers}


def _deberta(*sizes: int) -> Config:
    return named("deberta-v2", BERT_NAMES, *sizes, **_DEBERTA_V3)


def _dino(*sizes: int, **others: object) -> Config:
    own = {"architectures": ["Dinov2Model"], "patch_size": 14, "image_size": 518}
    return named("dinov2", _DINO_NAMES, *sizes, **own, **others)


def _mt5(*sizes: int) -> Config:
    return {**t5(*sizes, vocab_size=250112), "model_type": "mt5"}


def _nllb(width: int, layers: int, hidden: int) -> Config:
    sides = {"encoder_ffn_dim": hidden, "decoder_ffn_dim": hidden}
    return two_sided("m2m_100", width, layers, vocab_size=256206) | sides


_CLIP_BASE = (512, 2048, 12, 8)
_CLIP_LARGE = (768, 3072, 12, 12)

DECODERS: dict[str, Config] = {
    "gemma-3-270m": llama("gemma3_text", 640, 2048, 18, 4, 1, vocab_size=262144, head_dim=256),
    "gemma-3-1b": llama("gemma3_text", 1152, 6912, 26, 4, 1, vocab_size=262144, head_dim=256),
    "gemma-3-4b": _gemma3(2560, 10240, 34, 8, 4),
    "gemma-3-12b": _gemma3(3840, 15360, 48, 16, 8),
    "gemma-3-27b": _gemma3(5376, 21504, 62, 32, 16, head_dim=128),
    "qwen3-30b-a3b": llama("qwen3_moe", 2048, 6144, 48, 32, 4, moe_intermediate_size=768,
                           **_QWEN3_MOE),
    "qwen3-235b-a22b": llama("qwen3_moe", 4096, 12288, 94, 64, 4, moe_intermediate_size=1536,
                             **_QWEN3_MOE),
    "mistral-nemo": llama("mistral", 5120, 14336, 40, 32, 8, **_MISTRAL_NEMO),
    "mistral-small-24b": llama("mistral", 5120, 32768, 40, 32, 8, **_MISTRAL_NEMO),
    "phi-1": llama("phi", 2048, 8192, 24, 32, 32),
    "phi-1.5": llama("phi", 2048, 8192, 24, 32, 32),
    "phi-2": llama("phi", 2560, 10240, 32, 32, 32),
    "phi-4": llama("phi3", 5120, 17920, 40, 40, 10, vocab_size=100352),
    "phi-4-mini": llama("phi3", 3072, 8192, 32, 24, 8, vocab_size=200064, **TIED),
    "smollm-135m": llama("llama", 576, 1536, 30, 9, 3, vocab_size=49152, **TIED),
    "smollm-360m": llama("llama", 960, 2560, 32, 15, 5, vocab_size=49152, **TIED),
    "smollm-1.7b": llama("llama", 2048, 8192, 24, 32, 32, vocab_size=49152, **TIED),
    "smollm3-3b": llama("smollm3", 2048, 11008, 36, 16, 4, vocab_size=128256, **TIED),
    "codellama-7b": llama("llama", 4096, 11008, 32, 32, 32, vocab_size=_SOME_MORE_ROWS),
    "codellama-13b": llama("llama", 5120, 13824, 40, 40, 40, vocab_size=_SOME_MORE_ROWS),
    "codellama-34b": llama("llama", 8192, 22016, 48, 64, 8),
    "yi-6b": llama("llama", 4096, 11008, 32, 32, 4, vocab_size=64000),
    "yi-9b": llama("llama", 4096, 11008, 48, 32, 4, vocab_size=64000),
    "yi-34b": llama("llama", 7168, 20480, 60, 56, 8, vocab_size=64000),
    "deepseek-llm-7b": llama("llama", 4096, 11008, 30, 32, 32, vocab_size=102400),
    "deepseek-r1-distill-qwen-1.5b": llama("qwen2", 1536, 8960, 28, 12, 2),
    "deepseek-v2-lite": {
        "model_type": "deepseek_v2", "vocab_size": 102400, "hidden_size": 2048,
        "intermediate_size": 10944, "num_hidden_layers": 27, "num_attention_heads": 16,
        "first_k_dense_replace": 1, "q_lora_rank": None, "moe_intermediate_size": 1408},
    "deepseek-v3": {"model_type": "deepseek_v3"},
    "olmo-1b": llama("olmo", 2048, 8192, 16, 16, 16, vocab_size=50304, **TIED),
    "olmo-7b": llama("olmo", 4096, 11008, 32, 32, 32, vocab_size=50304),
    "olmo-2-1b": llama("olmo2", 2048, 8192, 16, 16, 16, vocab_size=100352),
    "olmo-2-7b": llama("olmo2", 4096, 11008, 32, 32, 32, vocab_size=100352),
    "olmo-2-13b": llama("olmo2", 5120, 13824, 40, 40, 40, vocab_size=100352),
    "stablelm-2-1.6b": llama("stablelm", 2048, 5632, 24, 32, 32, vocab_size=100352,
                             use_qkv_bias=True),
    "starcoder2-3b": llama("starcoder2", 3072, 12288, 30, 24, 2),
    "starcoder2-7b": llama("starcoder2", 4608, 18432, 32, 36, 4),
    "starcoder": {"model_type": "gpt_bigcode", "vocab_size": 49152, "n_positions": 8192,
                  "n_embd": 6144, "n_layer": 40, "n_head": 48, "n_inner": 24576},
    "gpt-oss-20b": {"model_type": "gpt_oss", "num_hidden_layers": 24, "num_local_experts": 32},
    "gpt-oss-120b": {"model_type": "gpt_oss"},
    "gpt": {"model_type": "openai-gpt"},
    "gpt-neo-125m": _neo(768, 12, 12),
    "gpt-neo-1.3b": _neo(2048, 24, 16),
    "gpt-neo-2.7b": _neo(2560, 32, 20),
    "gpt-j-6b": {"model_type": "gptj"},
    "bloom-560m": named("bloom", _BLOOM_NAMES, 1024, 24, 16),
    "bloom-1b1": named("bloom", _BLOOM_NAMES, 1536, 24, 16),
    "bloom-1b7": named("bloom", _BLOOM_NAMES, 2048, 24, 16),
    "bloom-3b": named("bloom", _BLOOM_NAMES, 2560, 30, 32),
    "bloom-7b1": named("bloom", _BLOOM_NAMES, 4096, 30, 32),
    "bloom": named("bloom", _BLOOM_NAMES, 14336, 70, 112),
    "falcon-7b": {"model_type": "falcon"},
    "falcon-40b": {"model_type": "falcon", "hidden_size": 8192, "num_hidden_layers": 60,
                   "num_attention_heads": 128, "num_kv_heads": 8,
                   "new_decoder_architecture": True},
    "mpt-7b": {"model_type": "mpt", "d_model": 4096, "n_layers": 32, "n_heads": 32,
               "vocab_size": 50432},
    "mamba-130m": named("mamba", _MAMBA_NAMES, 768, 24),
    "mamba-370m": named("mamba", _MAMBA_NAMES, 1024, 48),
    "mamba-790m": named("mamba", _MAMBA_NAMES, 1536, 48),
    "mamba-1.4b": named("mamba", _MAMBA_NAMES, 2048, 48),
    "mamba-2.8b": named("mamba", _MAMBA_NAMES, 2560, 64),
    "rwkv-4-169m": named("rwkv", _MAMBA_NAMES, 768, 12),
}  # fmt: skip
ENCODERS: dict[str, Config] = {
    "deberta-v3-xsmall": _deberta(384, 12, 6, 1536),
    "deberta-v3-small": _deberta(768, 6, 12, 3072),
    "deberta-v3-base": _deberta(*BASE),
    "deberta-v3-large": _deberta(*LARGE),
    "modernbert-base": {"model_type": "modernbert"},
    "modernbert-large": llama("modernbert", 1024, 2624, 28, 16, 16),
    "mpnet-base": {"model_type": "mpnet", "vocab_size": 30527, "max_position_embeddings": 514},
    "minilm-l6": bert(384, 6, 12, 1536),
    "minilm-l12": bert(384, 12, 12, 1536),
    "bge-m3": roberta(*LARGE, kind="xlm-roberta", vocab_size=250002)
    | {"max_position_embeddings": 8194},
}  # fmt: skip
TRANSLATORS: dict[str, Config] = {
    "mt5-small": _mt5(512, 1024, 64, 8, 6),
    "mt5-base": _mt5(768, 2048, 64, 12, 12),
    "mt5-large": _mt5(1024, 2816, 64, 24, 16),
    "mt5-xl": _mt5(2048, 5120, 64, 24, 32),
    "mt5-xxl": _mt5(4096, 10240, 64, 24, 64),
    "byt5-small": t5(1472, 3584, 64, 12, 6, num_decoder_layers=4, vocab_size=384, **GATED),
    "bart-large-cnn": two_sided("bart", 1024, 12, vocab_size=50264),
    "mbart-large-50": two_sided("mbart", 1024, 12, vocab_size=250054),
    "m2m100-418m": two_sided("m2m_100", 1024, 12, vocab_size=128112),
    "nllb-200-distilled-600m": _nllb(1024, 12, 4096),
    "nllb-200-1.3b": _nllb(1024, 24, 8192),
    "nllb-200-3.3b": _nllb(2048, 24, 8192),
    "whisper-tiny.en": two_sided("whisper", 384, 4, vocab_size=_ENGLISH),
    "whisper-base.en": two_sided("whisper", 512, 6, vocab_size=_ENGLISH),
    "whisper-small.en": two_sided("whisper", 768, 12, vocab_size=_ENGLISH),
    "whisper-medium.en": two_sided("whisper", 1024, 24, vocab_size=_ENGLISH),
    "whisper-large-v3-turbo": two_sided("whisper", 1280, 32, num_mel_bins=128, vocab_size=51866)
    | {"decoder_layers": 4},
}  # fmt: skip
SENSES: dict[str, Config] = {
    "clip-vit-base-patch32": _clip(_CLIP_BASE, (768, 3072, 12, 12, 32, 224), 512),
    "clip-vit-base-patch16": _clip(_CLIP_BASE, (768, 3072, 12, 12, 16, 224), 512),
    "clip-vit-large-patch14": _clip(_CLIP_LARGE, (1024, 4096, 24, 16, 14, 224), 768),
    "clip-vit-large-patch14-336": _clip(_CLIP_LARGE, (1024, 4096, 24, 16, 14, 336), 768),
    "siglip-base-patch16-224": {"model_type": "siglip"},
    "dinov2-small": _dino(384, 12, 6),
    "dinov2-base": _dino(768, 12, 12),
    "dinov2-large": _dino(1024, 24, 16),
    "dinov2-giant": _dino(1536, 40, 24, use_swiglu_ffn=True),
    "wav2vec2-base": {"model_type": "wav2vec2", "architectures": ["Wav2Vec2Model"]},
    "wav2vec2-large-xlsr-53": named("wav2vec2", BERT_NAMES, *LARGE, **_WAV2VEC2_LARGE,
                                    architectures=["Wav2Vec2Model"]),
    "hubert-base": {"model_type": "hubert", "architectures": ["HubertModel"]},
    "vit-mae-base": {"model_type": "vit_mae"},
    "sam-vit-base": {"model_type": "sam"},
}  # fmt: skip

LATER_CONFIGS: dict[str, Config] = {**DECODERS, **ENCODERS, **TRANSLATORS, **SENSES}
LATER_ALIASES = {
    **{f"smollm2-{size}": f"smollm-{size}" for size in ("135m", "360m", "1.7b")},
    **{f"qwen2.5-{kind}-{size}": f"qwen2.5-{size}"
       for kind, sizes in (("coder", ("0.5b", "1.5b", "3b", "7b", "14b", "32b")),
                           ("math", ("1.5b", "7b", "72b")))
       for size in sizes},
    **{f"deepseek-r1-distill-qwen-{size}": f"qwen2.5-{size}" for size in ("7b", "14b", "32b")},
    "deepseek-r1-distill-llama-8b": "llama-3.1-8b",
    "deepseek-r1-distill-llama-70b": "llama-3.3-70b",
    "deepseek-r1": "deepseek-v3",
    "deepseek-v2-lite-chat": "deepseek-v2-lite",
    "mistral-nemo-base-2407": "mistral-nemo",
    "mistral-nemo-instruct-2407": "mistral-nemo",
    "mistral-small-24b-base-2501": "mistral-small-24b",
    "mistral-small-24b-instruct-2501": "mistral-small-24b",
    "zephyr-7b-beta": "mistral-7b",
    "vicuna-7b-v1.5": "llama-2-7b",
    "vicuna-13b-v1.5": "llama-2-13b",
    "tinyllama-1.1b-chat-v1.0": "tinyllama-1.1b",
    "phi-3-mini-128k-instruct": "phi-3-mini",
    "phi-3.5-mini-instruct": "phi-3-mini",
    "phi-3.5-mini": "phi-3-mini",
    "phi-3-medium-4k-instruct": "phi-3-medium",
    "phi-3-medium-128k-instruct": "phi-3-medium",
    "olmo-2-0425-1b": "olmo-2-1b",
    "olmo-2-1124-7b": "olmo-2-7b",
    "olmo-2-1124-13b": "olmo-2-13b",
    "phi-1_5": "phi-1.5",
    "stablelm-2-1_6b": "stablelm-2-1.6b",
    "gpt-1": "gpt",
    "openai-gpt": "gpt",
    "gpt-j": "gpt-j-6b",
    "rwkv-4-169m-pile": "rwkv-4-169m",
    **{f"{size}-whole-word-masking": size.removesuffix("-uncased")
       for size in ("bert-large-uncased", "bert-large-cased")},
    "all-minilm-l6-v2": "minilm-l6",
    "all-minilm-l12-v2": "minilm-l12",
    "all-mpnet-base-v2": "mpnet-base",
    "bge-small-en-v1.5": "minilm-l12",
    "bge-base-en-v1.5": "bert-base",
    "bge-large-en-v1.5": "bert-large",
    "mbart-large-50-many-to-many-mmt": "mbart-large-50",
    "hubert-base-ls960": "hubert-base",
    "clip-vit-b-32": "clip-vit-base-patch32",
    "clip-vit-b-16": "clip-vit-base-patch16",
    "clip-vit-l-14": "clip-vit-large-patch14",
    "dinov2-vits14": "dinov2-small",
    "dinov2-vitb14": "dinov2-base",
    "dinov2-vitl14": "dinov2-large",
    "dinov2-vitg14": "dinov2-giant",
}  # fmt: skip
