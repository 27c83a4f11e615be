"""Named models of the Hugging Face hub as the configurations that differ from the defaults.

Source: each model's published config.json (name in the comment where it is not the key itself).
"""

Config = dict[str, object]

_LLAMA_NAMES = (
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
)
_OPT_NAMES = ("hidden_size", "num_hidden_layers", "num_attention_heads", "ffn_dim")
_BERT_NAMES = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
_T5_NAMES = ("d_model", "d_ff", "d_kv", "num_layers", "num_heads")


def _named(kind: str, names: tuple[str, ...], *sizes: int, **others: object) -> Config:
    return {"model_type": kind, **dict(zip(names, sizes, strict=True)), **others}


def _llama(kind: str, *sizes: int, **others: object) -> Config:
    return _named(kind, _LLAMA_NAMES, *sizes, **others)


def _bert(*sizes: int, **others: object) -> Config:
    return _named("bert", _BERT_NAMES, *sizes, **others)


def _gpt2(width: int, layers: int, **others: object) -> Config:
    return {"model_type": "gpt2", "n_embd": width, "n_layer": layers, **others}


def _roberta(*sizes: int, kind: str = "roberta", **others: object) -> Config:
    own = {"max_position_embeddings": 514, "type_vocab_size": 1}
    return _named(kind, _BERT_NAMES, *sizes, **own, **others)


def _xlm_roberta(*sizes: int) -> Config:
    return _roberta(*sizes, kind="xlm-roberta", vocab_size=250002)


def _electra(embedding: int, *sizes: int, generator: bool = False) -> Config:
    heads: Config = {"architectures": ["ElectraForMaskedLM"]} if generator else {}
    return _named("electra", _BERT_NAMES, *sizes, embedding_size=embedding, **heads)


def _albert(*sizes: int) -> Config:
    return _named("albert", _BERT_NAMES, *sizes)


def _two_sided(kind: str, width: int, layers: int, **others: object) -> Config:
    """Return the configuration of an encoder and a decoder that are alike, BART's or Whisper's."""
    sides = {f"{side}_layers": layers for side in ("encoder", "decoder")}
    hidden = {f"{side}_ffn_dim": 4 * width for side in ("encoder", "decoder")}
    return {"model_type": kind, "d_model": width, **sides, **hidden, **others}


def _pythia(width: int, layers: int, vocabulary: int = 50304) -> Config:
    sizes = {"hidden_size": width, "num_hidden_layers": layers, "intermediate_size": 4 * width}
    return {"model_type": "gpt_neox", "vocab_size": vocabulary, **sizes}


def _t5(*sizes: int, **others: object) -> Config:
    return _named("t5", _T5_NAMES, *sizes, **others)


_GATED: Config = {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False}
_TIED: Config = {"tie_word_embeddings": True}
_BASE = (768, 12, 12, 3072)
_LARGE = (1024, 24, 16, 4096)
_LLAMA_8B = _llama("llama", 4096, 14336, 32, 32, 8, vocab_size=128256)
_LLAMA_70B = _llama("llama", 8192, 28672, 80, 64, 8, vocab_size=128256)
_QWEN_7B = _llama("qwen2", 3584, 18944, 28, 28, 4, vocab_size=152064)
_QWEN_72B = _llama("qwen2", 8192, 29568, 80, 64, 8, vocab_size=152064)
_QWEN_HALF = _llama("qwen2", 896, 4864, 24, 14, 2, **_TIED)
_QWEN_1B = _llama("qwen2", 1536, 8960, 28, 12, 2, **_TIED)
_MISTRAL = _llama("mistral", 4096, 14336, 32, 32, 8)

CONFIGS: dict[str, Config] = {
    "bert-base": _bert(*_BASE),
    "bert-base-cased": _bert(*_BASE, vocab_size=28996),
    "bert-base-multilingual-cased": _bert(*_BASE, vocab_size=119547),
    "bert-base-multilingual-uncased": _bert(*_BASE, vocab_size=105879),
    "bert-base-chinese": _bert(*_BASE, vocab_size=21128),
    "bert-base-pretraining": _bert(*_BASE, architectures=["BertForPreTraining"]),
    "bert-large": _bert(*_LARGE),
    "bert-large-cased": _bert(*_LARGE, vocab_size=28996),
    "bert-large-pretraining": _bert(*_LARGE, architectures=["BertForPreTraining"]),
    "bert-tiny": _bert(128, 2, 2, 512),
    "bert-mini": _bert(256, 4, 4, 1024),
    "bert-small": _bert(512, 4, 8, 2048),
    "bert-medium": _bert(512, 8, 8, 2048),
    "roberta-base": _roberta(*_BASE),
    "roberta-large": _roberta(*_LARGE),
    "distilroberta-base": _roberta(768, 6, 12, 3072),
    "xlm-roberta-base": _xlm_roberta(*_BASE),
    "xlm-roberta-large": _xlm_roberta(*_LARGE),
    "electra-small": _electra(128, 256, 12, 4, 1024),
    "electra-base": _electra(768, *_BASE),
    "electra-large": _electra(1024, *_LARGE),
    "electra-small-generator": _electra(128, 256, 12, 4, 1024, generator=True),
    "electra-base-generator": _electra(768, 256, 12, 4, 1024, generator=True),
    "electra-large-generator": _electra(1024, 256, 24, 4, 1024, generator=True),
    "albert-base": _albert(768, 12, 12, 3072),
    "albert-large": _albert(1024, 24, 16, 4096),
    "albert-xlarge": _albert(2048, 24, 16, 8192),
    "albert-xxlarge": _albert(4096, 12, 64, 16384),
    "distilbert-base": {"model_type": "distilbert"},
    "distilbert-base-cased": {"model_type": "distilbert", "vocab_size": 28996},
    "distilbert-base-multilingual-cased": {"model_type": "distilbert", "vocab_size": 119547},
    "gpt2": _gpt2(768, 12),
    "gpt2-medium": _gpt2(1024, 24),
    "gpt2-large": _gpt2(1280, 36),
    "gpt2-xl": _gpt2(1600, 48),
    "distilgpt2": _gpt2(768, 6),
    "pythia-14m": _pythia(128, 6),
    "pythia-31m": _pythia(256, 6),
    "pythia-70m": _pythia(512, 6),
    "pythia-160m": _pythia(768, 12),
    "pythia-410m": _pythia(1024, 24),
    "pythia-1b": _pythia(2048, 16),
    "pythia-1.4b": _pythia(2048, 24),
    "pythia-2.8b": _pythia(2560, 32),
    "pythia-6.9b": _pythia(4096, 32, 50432),
    "pythia-12b": _pythia(5120, 36, 50688),
    "gpt-neox-20b": _pythia(6144, 44, 50432),
    "opt-125m": _named("opt", _OPT_NAMES, 768, 12, 12, 3072),
    "opt-350m": _named(
        "opt", _OPT_NAMES, 1024, 24, 16, 4096, word_embed_proj_dim=512, do_layer_norm_before=False
    ),
    "opt-1.3b": _named("opt", _OPT_NAMES, 2048, 24, 32, 8192),
    "opt-2.7b": _named("opt", _OPT_NAMES, 2560, 32, 32, 10240),
    "opt-6.7b": _named("opt", _OPT_NAMES, 4096, 32, 32, 16384),
    "opt-13b": _named("opt", _OPT_NAMES, 5120, 40, 40, 20480),
    "opt-30b": _named("opt", _OPT_NAMES, 7168, 48, 56, 28672),
    "opt-66b": _named("opt", _OPT_NAMES, 9216, 64, 72, 36864),
    "llama-7b": _llama("llama", 4096, 11008, 32, 32, 32),
    "llama-13b": _llama("llama", 5120, 13824, 40, 40, 40),
    "llama-30b": _llama("llama", 6656, 17920, 60, 52, 52),
    "llama-65b": _llama("llama", 8192, 22016, 80, 64, 64),
    "llama-2-7b": _llama("llama", 4096, 11008, 32, 32, 32),
    "llama-2-13b": _llama("llama", 5120, 13824, 40, 40, 40),
    "llama-2-70b": _llama("llama", 8192, 28672, 80, 64, 8),
    "llama-3-8b": _LLAMA_8B,
    "llama-3-70b": _LLAMA_70B,
    "llama-3.1-8b": _LLAMA_8B,
    "llama-3.1-70b": _LLAMA_70B,
    "llama-3.1-405b": _llama("llama", 16384, 53248, 126, 128, 8, vocab_size=128256),
    "llama-3.2-1b": _llama("llama", 2048, 8192, 16, 32, 8, vocab_size=128256, **_TIED),
    "llama-3.2-3b": _llama("llama", 3072, 8192, 28, 24, 8, vocab_size=128256, **_TIED),
    "llama-3.3-70b": _LLAMA_70B,
    "tinyllama-1.1b": _llama("llama", 2048, 5632, 22, 32, 4),
    "mistral-7b": _MISTRAL,
    "mistral-7b-v0.3": {**_MISTRAL, "vocab_size": 32768},
    "mixtral-8x7b": _llama("mixtral", 4096, 14336, 32, 32, 8),
    "mixtral-8x22b": _llama("mixtral", 6144, 16384, 56, 48, 8),
    "qwen2-0.5b": _QWEN_HALF,
    "qwen2-1.5b": _QWEN_1B,
    "qwen2-7b": _QWEN_7B,
    "qwen2-72b": _QWEN_72B,
    "qwen2.5-0.5b": _QWEN_HALF,
    "qwen2.5-1.5b": _QWEN_1B,
    "qwen2.5-3b": _llama("qwen2", 2048, 11008, 36, 16, 2, **_TIED),
    "qwen2.5-7b": _QWEN_7B,
    "qwen2.5-14b": _llama("qwen2", 5120, 13824, 48, 40, 8, vocab_size=152064),
    "qwen2.5-32b": _llama("qwen2", 5120, 27648, 64, 40, 8, vocab_size=152064),
    "qwen2.5-72b": _QWEN_72B,
    "qwen3-0.6b": _llama("qwen3", 1024, 3072, 28, 16, 8, **_TIED),
    "qwen3-1.7b": _llama("qwen3", 2048, 6144, 28, 16, 8, **_TIED),
    "qwen3-4b": _llama("qwen3", 2560, 9728, 36, 32, 8, **_TIED),
    "qwen3-8b": _llama("qwen3", 4096, 12288, 36, 32, 8),
    "qwen3-14b": _llama("qwen3", 5120, 17408, 40, 40, 8),
    "qwen3-32b": _llama("qwen3", 5120, 25600, 64, 64, 8),
    "gemma-2b": _llama("gemma", 2048, 16384, 18, 8, 1),
    "gemma-7b": _llama("gemma", 3072, 24576, 28, 16, 16),
    "gemma-2-2b": _llama("gemma2", 2304, 9216, 26, 8, 4),
    "gemma-2-9b": _llama("gemma2", 3584, 14336, 42, 16, 8),
    "gemma-2-27b": _llama("gemma2", 4608, 36864, 46, 32, 16, head_dim=128),
    "phi-3-mini": _llama("phi3", 3072, 8192, 32, 32, 32),
    "phi-3-medium": _llama("phi3", 5120, 17920, 40, 40, 10),
    "t5-small": _t5(512, 2048, 64, 6, 8),
    "t5-base": _t5(768, 3072, 64, 12, 12),
    "t5-large": _t5(1024, 4096, 64, 24, 16),
    "t5-3b": _t5(1024, 16384, 128, 24, 32),
    "t5-11b": _t5(1024, 65536, 128, 24, 128),
    "t5-v1.1-small": _t5(512, 1024, 64, 8, 6, **_GATED),
    "t5-v1.1-base": _t5(768, 2048, 64, 12, 12, **_GATED),
    "t5-v1.1-large": _t5(1024, 2816, 64, 24, 16, **_GATED),
    "t5-v1.1-xl": _t5(2048, 5120, 64, 24, 32, **_GATED),
    "t5-v1.1-xxl": _t5(4096, 10240, 64, 24, 64, **_GATED),
    "bart-base": _two_sided("bart", 768, 6),
    "bart-large": _two_sided("bart", 1024, 12),
    "whisper-tiny": _two_sided("whisper", 384, 4),
    "whisper-base": _two_sided("whisper", 512, 6),
    "whisper-small": _two_sided("whisper", 768, 12),
    "whisper-medium": _two_sided("whisper", 1024, 24),
    "whisper-large": _two_sided("whisper", 1280, 32),
    "whisper-large-v3": _two_sided("whisper", 1280, 32, num_mel_bins=128, vocab_size=51866),
}

ALIASES = {
    "bert-base-uncased": "bert-base",
    "bert-large-uncased": "bert-large",
    "bert-base-uncased-pretraining": "bert-base-pretraining",
    "bert-large-uncased-pretraining": "bert-large-pretraining",
    "bert": "bert-base",
    "roberta": "roberta-base",
    "distilbert": "distilbert-base",
    "distilbert-base-uncased": "distilbert-base",
    "distilroberta": "distilroberta-base",
    "xlm-roberta": "xlm-roberta-base",
    **{f"electra-{size}-discriminator": f"electra-{size}" for size in ("small", "base", "large")},
    **{
        f"albert-{size}-v{version}": f"albert-{size}"
        for size in ("base", "large", "xlarge", "xxlarge")
        for version in (1, 2)
    },
    "bart": "bart-base",
    "gpt2-small": "gpt2",
    "gpt2-117m": "gpt2",
    "gpt2-124m": "gpt2",
    "gpt2-345m": "gpt2-medium",
    "gpt2-355m": "gpt2-medium",
    "gpt2-762m": "gpt2-large",
    "gpt2-774m": "gpt2-large",
    "gpt2-1.5b": "gpt2-xl",
    "gpt2-1558m": "gpt2-xl",
    "llama-1-7b": "llama-7b",
    "llama-1-13b": "llama-13b",
    "llama-1-30b": "llama-30b",
    "llama-1-33b": "llama-30b",
    "llama-33b": "llama-30b",
    "llama-1-65b": "llama-65b",
    "meta-llama-3-8b": "llama-3-8b",
    "meta-llama-3-70b": "llama-3-70b",
    "tinyllama": "tinyllama-1.1b",
    "mistral-7b-v0.1": "mistral-7b",
    "mistral-7b-v0.2": "mistral-7b",
    "mixtral-8x7b-v0.1": "mixtral-8x7b",
    "mixtral-8x22b-v0.1": "mixtral-8x22b",
    "phi-3-mini-4k-instruct": "phi-3-mini",
    "t5": "t5-small",
    "flan-t5-small": "t5-v1.1-small",
    "flan-t5-base": "t5-v1.1-base",
    "flan-t5-large": "t5-v1.1-large",
    "flan-t5-xl": "t5-v1.1-xl",
    "flan-t5-xxl": "t5-v1.1-xxl",
    "whisper-large-v2": "whisper-large",
}
