"""Configurations of the hub's models from the sizes that tell them apart."""

Config = dict[str, object]

LLAMA_NAMES = (
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
)
OPT_NAMES = ("hidden_size", "num_hidden_layers", "num_attention_heads", "ffn_dim")
BERT_NAMES = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
T5_NAMES = ("d_model", "d_ff", "d_kv", "num_layers", "num_heads")


def named(kind: str, names: tuple[str, ...], *sizes: int, **others: object) -> Config:
    """Return the configuration of a type whose sizes have these names."""
    return {"model_type": kind, **dict(zip(names, sizes, strict=True)), **others}


def llama(kind: str, *sizes: int, **others: object) -> Config:
    """Return a decoder's: width, hidden width, layers, heads, heads of keys and values."""
    return named(kind, LLAMA_NAMES, *sizes, **others)


def bert(*sizes: int, **others: object) -> Config:
    """Return BERT's: width, layers, heads, hidden width."""
    return named("bert", BERT_NAMES, *sizes, **others)


def gpt2(width: int, layers: int, **others: object) -> Config:
    """Return GPT-2's."""
    return {"model_type": "gpt2", "n_embd": width, "n_layer": layers, **others}


def roberta(*sizes: int, kind: str = "roberta", **others: object) -> Config:
    """Return RoBERTa's, whose positions begin with two that are not used."""
    own = {"max_position_embeddings": 514, "type_vocab_size": 1}
    return named(kind, BERT_NAMES, *sizes, **own, **others)


def xlm_roberta(*sizes: int) -> Config:
    """Return RoBERTa's for a hundred languages."""
    return roberta(*sizes, kind="xlm-roberta", vocab_size=250002)


def electra(embedding: int, *sizes: int, generator: bool = False) -> Config:
    """Return ELECTRA's discriminator or its generator."""
    heads: Config = {"architectures": ["ElectraForMaskedLM"]} if generator else {}
    return named("electra", BERT_NAMES, *sizes, embedding_size=embedding, **heads)


def albert(*sizes: int) -> Config:
    """Return ALBERT's."""
    return named("albert", BERT_NAMES, *sizes)


def two_sided(kind: str, width: int, layers: int, **others: object) -> Config:
    """Return the configuration of an encoder and a decoder that are alike, BART's or Whisper's."""
    sides = {f"{side}_layers": layers for side in ("encoder", "decoder")}
    hidden = {f"{side}_ffn_dim": 4 * width for side in ("encoder", "decoder")}
    return {"model_type": kind, "d_model": width, **sides, **hidden, **others}


def pythia(width: int, layers: int, vocabulary: int = 50304) -> Config:
    """Return GPT-NeoX' of Pythia's kind."""
    sizes = {"hidden_size": width, "num_hidden_layers": layers, "intermediate_size": 4 * width}
    return {"model_type": "gpt_neox", "vocab_size": vocabulary, **sizes}


def t5(*sizes: int, **others: object) -> Config:
    """Return T5's: width, hidden width, width of a head, layers, heads."""
    return named("t5", T5_NAMES, *sizes, **others)


GATED: Config = {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False}
TIED: Config = {"tie_word_embeddings": True}
BASE = (768, 12, 12, 3072)
LARGE = (1024, 24, 16, 4096)
