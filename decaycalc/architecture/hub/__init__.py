"""Models of the Hugging Face hub, built from their configuration."""

from collections.abc import Callable

from decaycalc.architecture.hub import (
    audio_video,
    berts,
    bridged,
    captions,
    causal,
    decoders,
    deformable,
    depth_maps,
    detectors,
    encoder_decoders,
    encoders,
    fairseq_decoders,
    florence2,
    gemma3n,
    gemma3n_whole,
    gemma4,
    gemma4_whole,
    gpts,
    hybrids,
    images,
    internvl,
    later_berts,
    llamas,
    long_texts,
    mllama,
    modern,
    multimodal,
    narrow_embeddings,
    omni,
    omni_voices,
    open_vocabulary,
    paired,
    pyramids,
    recurrent,
    rt_detr,
    segmenters,
    sighted,
    speech,
    speech_text,
    t5gemma,
    towers,
    vilt,
    wav2vec2_bert,
)
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.hub.frozen import frozen_notes
from decaycalc.architecture.tensors import Architecture
from decaycalc.errors import UnreadableFileError, nearest_names
from decaycalc.record import replace

Build = Callable[[Fields, str], Architecture]

# Class name in transformers, builder, heads; the first head is taken where none is named.
MODEL_TYPES: dict[str, tuple[str, Build, tuple[str, ...]]] = {
    "bert": ("Bert", encoders.bert, encoders.BERT_HEADS),
    "roberta": ("Roberta", encoders.roberta, encoders.ROBERTA_HEADS),
    "xlm-roberta": ("XLMRoberta", encoders.xlm_roberta, encoders.ROBERTA_HEADS),
    "distilbert": ("DistilBert", encoders.distilbert, encoders.DISTILBERT_HEADS),
    "electra": ("Electra", narrow_embeddings.electra, narrow_embeddings.ELECTRA_HEADS),
    "albert": ("Albert", narrow_embeddings.albert, narrow_embeddings.ALBERT_HEADS),
    "ernie": ("Ernie", berts.ernie, encoders.ERNIE_HEADS),
    "data2vec-text": ("Data2VecText", berts.data2vec_text, encoders.ROBERTA_HEADS),
    "layoutlm": ("LayoutLM", berts.layoutlm, berts.LAYOUTLM_HEADS),
    "layoutlmv3": ("LayoutLMv3", berts.layoutlmv3, berts.LAYOUTLMV3_HEADS),
    "roformer": ("RoFormer", later_berts.roformer, later_berts.HEADS),
    "rembert": ("RemBert", later_berts.rembert, later_berts.HEADS),
    "megatron-bert": ("MegatronBert", later_berts.megatron_bert, later_berts.HEADS),
    "xlm-roberta-xl": ("XLMRobertaXL", later_berts.xlm_roberta_xl, later_berts.HEADS),
    "lilt": ("Lilt", later_berts.lilt, later_berts.LILT_HEADS),
    "tapas": ("Tapas", later_berts.tapas, later_berts.TAPAS_HEADS),
    "esm": ("Esm", berts.esm, berts.ESM_HEADS),
    "deberta": ("Deberta", berts.deberta, modern.DEBERTA_HEADS),
    "gpt2": ("GPT2", decoders.gpt2, decoders.GPT2_HEADS),
    "openai-gpt": ("OpenAIGPT", gpts.gpt1, gpts.GPT1_HEADS),
    "gpt_bigcode": ("GPTBigCode", gpts.gpt_bigcode, decoders.CAUSAL_HEADS),
    "codegen": ("CodeGen", gpts.codegen, gpts.CODEGEN_HEADS),
    "gpt_neox": ("GPTNeoX", decoders.gpt_neox, decoders.CAUSAL_HEADS),
    "opt": ("OPT", decoders.opt, decoders.CAUSAL_HEADS[:3]),
    "llama": ("Llama", llamas.llama, decoders.CAUSAL_HEADS),
    "mistral": ("Mistral", llamas.llama, decoders.CAUSAL_HEADS),
    "ministral": ("Ministral", llamas.llama, decoders.CAUSAL_HEADS),
    "mixtral": ("Mixtral", llamas.llama, decoders.CAUSAL_HEADS),
    "qwen2": ("Qwen2", llamas.llama, decoders.CAUSAL_HEADS),
    "qwen2_moe": ("Qwen2Moe", llamas.llama, decoders.CAUSAL_HEADS),
    "qwen3": ("Qwen3", llamas.llama, decoders.CAUSAL_HEADS),
    "qwen3_moe": ("Qwen3Moe", llamas.llama, decoders.CAUSAL_HEADS),
    "gemma": ("Gemma", llamas.llama, decoders.CAUSAL_HEADS),
    "gemma2": ("Gemma2", llamas.llama, decoders.CAUSAL_HEADS),
    "vaultgemma": ("VaultGemma", llamas.llama, decoders.CAUSAL_HEADS[:2]),
    "gemma3_text": ("Gemma3", llamas.llama, ("ForCausalLM", "TextModel")),
    "phimoe": ("Phimoe", llamas.llama, decoders.CAUSAL_HEADS[:3]),
    "phi3": ("Phi3", llamas.llama, decoders.CAUSAL_HEADS),
    "deepseek_v3": ("DeepseekV3", llamas.llama, decoders.CAUSAL_HEADS),
    "ministral3": ("Ministral3", llamas.llama, decoders.CAUSAL_HEADS),
    "cwm": ("Cwm", llamas.llama, decoders.CAUSAL_HEADS[:2]),
    "minimax_m2": ("MiniMaxM2", llamas.llama, decoders.CAUSAL_HEADS[:2]),
    "apertus": ("Apertus", llamas.llama, decoders.CAUSAL_HEADS[:2]),
    "kimi_k2": ("DeepseekV3", llamas.kimi, decoders.CAUSAL_HEADS),
    "deepseek_v2": ("DeepseekV2", llamas.llama, decoders.CAUSAL_HEADS[:3]),
    "glm4_moe": ("Glm4Moe", llamas.llama, decoders.CAUSAL_HEADS[:2]),
    "olmo3": ("Olmo3", llamas.llama, decoders.CAUSAL_HEADS[:2]),
    "flex_olmo": ("FlexOlmo", llamas.llama, decoders.CAUSAL_HEADS[:2]),
    "nemotron": ("Nemotron", llamas.llama, decoders.CAUSAL_HEADS),
    "glm4_moe_lite": ("Glm4MoeLite", llamas.llama, decoders.CAUSAL_HEADS[:2]),
    "solar_open": ("SolarOpen", llamas.llama, decoders.CAUSAL_HEADS[:2]),
    "dots1": ("Dots1", llamas.llama, decoders.CAUSAL_HEADS[:2]),
    "hunyuan_v1_dense": ("HunYuanDenseV1", llamas.llama, decoders.CAUSAL_HEADS[:3]),
    "olmoe": ("Olmoe", llamas.llama, decoders.CAUSAL_HEADS[:2]),
    "exaone4": ("Exaone4", llamas.llama, decoders.CAUSAL_HEADS),
    "ernie4_5": ("Ernie4_5", llamas.llama, decoders.CAUSAL_HEADS[:2]),
    "bitnet": ("BitNet", llamas.llama, decoders.CAUSAL_HEADS[:2]),
    "seed_oss": ("SeedOss", llamas.llama, decoders.CAUSAL_HEADS),
    "helium": ("Helium", llamas.llama, decoders.CAUSAL_HEADS),
    "arcee": ("Arcee", llamas.llama, decoders.CAUSAL_HEADS),
    "gpt_oss": ("GptOss", llamas.llama, decoders.CAUSAL_HEADS),
    "llama4_text": ("Llama4", llamas.llama, ("ForCausalLM", "TextModel")),
    "olmo": ("Olmo", llamas.llama, decoders.CAUSAL_HEADS[:2]),
    "olmo2": ("Olmo2", llamas.llama, decoders.CAUSAL_HEADS[:2]),
    "smollm3": ("SmolLM3", llamas.llama, decoders.CAUSAL_HEADS),
    "granite": ("Granite", llamas.llama, decoders.CAUSAL_HEADS[:2]),
    "cohere": ("Cohere", llamas.llama, decoders.CAUSAL_HEADS[:2]),
    "cohere2": ("Cohere2", llamas.llama, decoders.CAUSAL_HEADS[:2]),
    "glm4": ("Glm4", llamas.llama, decoders.CAUSAL_HEADS),
    "glm": ("Glm", llamas.llama, decoders.CAUSAL_HEADS),
    "bloom": ("Bloom", causal.bloom, decoders.CAUSAL_HEADS[:3]),
    "mpt": ("Mpt", causal.mpt, decoders.CAUSAL_HEADS[:3]),
    "gptj": ("GPTJ", causal.gptj, decoders.CAUSAL_HEADS[:3]),
    "gpt_neo": ("GPTNeo", causal.gpt_neo, decoders.CAUSAL_HEADS[:3]),
    "falcon": ("Falcon", causal.falcon, decoders.CAUSAL_HEADS[:3]),
    "biogpt": ("BioGpt", fairseq_decoders.biogpt, fairseq_decoders.BIOGPT_HEADS),
    "xglm": ("XGLM", fairseq_decoders.xglm, fairseq_decoders.XGLM_HEADS),
    "persimmon": ("Persimmon", fairseq_decoders.persimmon, decoders.CAUSAL_HEADS),
    "phi": ("Phi", causal.phi, decoders.CAUSAL_HEADS[:3]),
    "starcoder2": ("Starcoder2", causal.starcoder2, decoders.CAUSAL_HEADS),
    "stablelm": ("StableLm", causal.stablelm, decoders.CAUSAL_HEADS),
    "mamba": ("Mamba", recurrent.mamba, recurrent.HEADS),
    "falcon_mamba": ("FalconMamba", recurrent.mamba, recurrent.HEADS),
    "mamba2": ("Mamba2", recurrent.mamba2, recurrent.HEADS),
    "modernbert": ("ModernBert", modern.modernbert, modern.MODERNBERT_HEADS),
    "deberta-v2": ("DebertaV2", modern.deberta, modern.DEBERTA_HEADS),
    "mpnet": ("MPNet", modern.mpnet, modern.MPNET_HEADS),
    "camembert": ("Camembert", encoders.xlm_roberta, encoders.ROBERTA_HEADS),
    "mt5": ("MT5", encoder_decoders.t5, encoder_decoders.T5_HEADS),
    "umt5": ("UMT5", encoder_decoders.t5, encoder_decoders.T5_HEADS),
    "mbart": ("MBart", encoder_decoders.bart, encoder_decoders.BART_HEADS),
    "pegasus": ("Pegasus", encoder_decoders.bart, encoder_decoders.PEGASUS_HEADS),
    "marian": ("Marian", encoder_decoders.bart, ("MTModel", "Model")),
    "plbart": ("PLBart", encoder_decoders.bart, encoder_decoders.BART_HEADS[:3]),
    "blenderbot": ("Blenderbot", encoder_decoders.bart, encoder_decoders.PEGASUS_HEADS),
    "blenderbot-small": ("BlenderbotSmall", encoder_decoders.bart, encoder_decoders.PEGASUS_HEADS),
    "led": ("LED", encoder_decoders.bart, encoder_decoders.BART_HEADS[:3]),
    "mvp": ("Mvp", encoder_decoders.bart, encoder_decoders.BART_HEADS),
    "m2m_100": ("M2M100", encoder_decoders.bart, encoder_decoders.PEGASUS_HEADS),
    "clip": ("CLIP", towers.clip, towers.CLIP_HEADS),
    "metaclip_2": ("MetaClip2", towers.clip, towers.CLIP_HEADS),
    "chinese_clip": ("ChineseCLIP", open_vocabulary.chinese_clip, open_vocabulary.CHINESE_HEADS),
    "owlvit": ("OwlViT", open_vocabulary.owl, open_vocabulary.OWL_HEADS),
    "owlv2": ("Owlv2", open_vocabulary.owl, open_vocabulary.OWL_HEADS),
    "clip_text_model": ("CLIPText", towers.clip_text, towers.TOWER_HEADS),
    "clip_vision_model": ("CLIPVision", towers.clip_vision, towers.TOWER_HEADS),
    "siglip": ("Siglip", towers.siglip, towers.CLIP_HEADS),
    "dinov2": ("Dinov2", towers.dinov2, towers.DINO_HEADS),
    "dinov2_with_registers": ("Dinov2WithRegisters", towers.dinov2, towers.DINO_HEADS),
    "dinov3_vit": ("DINOv3ViT", towers.dinov3, ("Model",)),
    "beit": ("Beit", towers.beit, towers.DINO_HEADS),
    "longt5": ("LongT5", encoder_decoders.t5, encoder_decoders.T5_HEADS),
    "t5": ("T5", encoder_decoders.t5, encoder_decoders.T5_HEADS),
    "bart": ("Bart", encoder_decoders.bart, encoder_decoders.BART_HEADS),
    "whisper": ("Whisper", encoder_decoders.whisper, encoder_decoders.WHISPER_HEADS),
    "vit": ("ViT", images.vit, images.IMAGE_HEADS),
    "vit_msn": ("ViTMSN", images.vit, ("ForImageClassification", "Model")),
    "ijepa": ("IJepa", images.vit, ("ForImageClassification", "Model")),
    "data2vec-vision": ("Data2VecVision", towers.beit, ("ForImageClassification",)),
    "deit": ("DeiT", images.vit, images.DEIT_HEADS),
    "swin": ("Swin", pyramids.swin, images.IMAGE_HEADS),
    "donut-swin": ("DonutSwin", pyramids.donut_swin, ("Model",)),
    "trocr": ("TrOCR", paired.trocr, paired.TROCR_HEADS),
    "vision-encoder-decoder": ("VisionEncoderDecoder", paired.paired, paired.HEADS),
    "speech-encoder-decoder": ("SpeechEncoderDecoder", paired.paired, paired.HEADS),
    "encoder-decoder": ("EncoderDecoder", paired.paired, paired.HEADS),
    "convnext": ("ConvNext", pyramids.convnext, images.IMAGE_HEADS),
    "convnextv2": ("ConvNextV2", pyramids.convnextv2, images.IMAGE_HEADS),
    "swinv2": ("Swinv2", pyramids.swinv2, images.IMAGE_HEADS),
    "resnet": ("ResNet", images.resnet, images.IMAGE_HEADS),
    "segformer": ("Segformer", images.segformer, images.SEGFORMER_HEADS),
    "vit_mae": ("ViTMAE", images.vit_mae, images.MAE_HEADS),
    "wav2vec2": ("Wav2Vec2", speech.wav2vec2, speech.WAV2VEC2_HEADS),
    "hubert": ("Hubert", speech.wav2vec2, speech.HUBERT_HEADS),
    "wavlm": ("WavLM", speech.wav2vec2, speech.HUBERT_HEADS),
    "unispeech-sat": ("UniSpeechSat", speech.wav2vec2, speech.HUBERT_HEADS),
    "unispeech": ("UniSpeech", speech.wav2vec2, speech.HUBERT_HEADS),
    "data2vec-audio": ("Data2VecAudio", speech.wav2vec2, speech.HUBERT_HEADS),
    "wav2vec2-bert": ("Wav2Vec2Bert", wav2vec2_bert.wav2vec2_bert, wav2vec2_bert.HEADS),
    "speecht5": ("SpeechT5", speech_text.speecht5, speech_text.HEADS),
    "longformer": ("Longformer", long_texts.longformer, long_texts.LONGFORMER_HEADS),
    "big_bird": ("BigBird", long_texts.big_bird, long_texts.BIG_BIRD_HEADS),
    "xlnet": ("XLNet", long_texts.xlnet, long_texts.XLNET_HEADS),
    "mobilebert": ("MobileBert", long_texts.mobilebert, long_texts.MOBILEBERT_HEADS),
    "nomic_bert": ("NomicBert", long_texts.nomic_bert, long_texts.NOMIC_HEADS),
    "siglip_vision_model": ("SiglipVision", towers.siglip_vision, ("Model",)),
    "siglip2": ("Siglip2", towers.siglip2, ("Model",)),
    "t5gemma": ("T5Gemma", t5gemma.t5gemma, t5gemma.HEADS),
    "depth_anything": ("DepthAnything", depth_maps.depth_anything, depth_maps.HEADS),
    "dpt": ("DPT", depth_maps.dpt, depth_maps.DPT_HEADS),
    "vilt": ("Vilt", vilt.vilt, vilt.HEADS),
    "idefics3": ("Idefics3", multimodal.idefics3, multimodal.HEADS),
    "smolvlm": ("SmolVLM", multimodal.idefics3, multimodal.HEADS),
    "blip": ("Blip", captions.blip, captions.BLIP_HEADS),
    "blip-2": ("Blip2", captions.blip2, captions.BLIP2_HEADS),
    "instructblip": ("InstructBlip", captions.blip2, captions.INSTRUCTED_HEADS),
    "git": ("Git", captions.git, captions.GIT_HEADS),
    "vivit": ("Vivit", audio_video.vivit, audio_video.FILM_HEADS),
    "timesformer": ("Timesformer", audio_video.timesformer, audio_video.FILM_HEADS),
    "detr": ("Detr", detectors.detr, detectors.HEADS),
    "table-transformer": ("TableTransformer", detectors.detr, detectors.HEADS),
    "maskformer": ("MaskFormer", segmenters.maskformer, segmenters.MASKFORMER_HEADS),
    "mask2former": ("Mask2Former", segmenters.mask2former, segmenters.MASK2FORMER_HEADS),
    "conditional_detr": ("ConditionalDetr", deformable.conditional_detr, detectors.HEADS),
    "deformable_detr": ("DeformableDetr", deformable.deformable_detr, detectors.HEADS),
    "rt_detr": ("RTDetr", rt_detr.rt_detr, detectors.HEADS),
    "rt_detr_v2": ("RTDetrV2", rt_detr.rt_detr, detectors.HEADS),
    "yolos": ("Yolos", detectors.yolos, detectors.HEADS),
    "sam": ("Sam", detectors.sam, ("Model",)),
    "audio-spectrogram-transformer": ("AST", audio_video.ast, audio_video.AST_HEADS),
    "videomae": ("VideoMAE", audio_video.videomae, audio_video.VIDEOMAE_HEADS),
    "jamba": ("Jamba", hybrids.hybrid, decoders.CAUSAL_HEADS[:3]),
    "bamba": ("Bamba", hybrids.hybrid, decoders.CAUSAL_HEADS[:2]),
    "granitemoehybrid": ("GraniteMoeHybrid", hybrids.hybrid, decoders.CAUSAL_HEADS[:2]),
    "granitemoe": ("GraniteMoe", hybrids.hybrid, decoders.CAUSAL_HEADS[:2]),
    "granitemoeshared": ("GraniteMoeShared", hybrids.hybrid, decoders.CAUSAL_HEADS[:2]),
    "qwen3_next": ("Qwen3Next", hybrids.hybrid, decoders.CAUSAL_HEADS),
    "falcon_h1": ("FalconH1", hybrids.hybrid, decoders.CAUSAL_HEADS[:2]),
    "lfm2": ("Lfm2", hybrids.hybrid, decoders.CAUSAL_HEADS[:2]),
    "lfm2_moe": ("Lfm2Moe", hybrids.hybrid, decoders.CAUSAL_HEADS[:2]),
    "qwen3_5_text": ("Qwen3_5", hybrids.hybrid, gemma4.HEADS),
    "qwen3_5_moe_text": ("Qwen3_5Moe", hybrids.hybrid, gemma4.HEADS),
    "gemma4_text": ("Gemma4", gemma4.gemma4, gemma4.HEADS),
    "gemma4": ("Gemma4", gemma4_whole.gemma4_whole, gemma4_whole.HEADS),
    "minimax": ("MiniMax", hybrids.hybrid, decoders.CAUSAL_HEADS),
    "gemma3n_text": ("Gemma3n", gemma3n.gemma3n, gemma3n.HEADS),
    "gemma3n": ("Gemma3n", gemma3n_whole.gemma3n_whole, multimodal.HEADS),
    "mistral3": ("Mistral3", sighted.mistral3, multimodal.HEADS),
    "llama4": ("Llama4", sighted.llama4, multimodal.HEADS[:1]),
    "qwen3_vl_moe": ("Qwen3VLMoe", multimodal.qwen_vl, multimodal.HEADS),
    "qwen3_5": ("Qwen3_5", multimodal.qwen_vl, multimodal.HEADS),
    "qwen3_5_moe": ("Qwen3_5Moe", multimodal.qwen_vl, multimodal.HEADS),
    "florence2": ("Florence2", florence2.florence2, florence2.HEADS),
    "internvl": ("InternVL", internvl.internvl, internvl.HEADS),
    "internvl_chat": ("InternVL", internvl.chat, internvl.CHAT_HEADS),
    "internlm2": ("InternLM2", internvl.internlm2, internvl.INTERNLM_HEADS),
    "qwen2_audio": ("Qwen2Audio", omni.hearing, omni.HEADS),
    "voxtral": ("Voxtral", omni.hearing, omni.HEADS),
    "qwen2_5_omni": ("Qwen2_5Omni", omni_voices.omni, omni_voices.HEADS),
    "qwen3_omni_moe": ("Qwen3OmniMoe", omni_voices.omni, omni_voices.HEADS[:1]),
    "qwen2_5_omni_thinker": ("Qwen2_5OmniThinker", omni.thinker, omni.HEADS),
    "qwen3_omni_moe_thinker": ("Qwen3OmniMoeThinker", omni.thinker, omni.HEADS),
    "mllama": ("Mllama", mllama.mllama, mllama.HEADS),
    "mllama_text_model": ("Mllama", mllama.text_alone, mllama.TEXT_HEADS),
    "ernie4_5_moe": ("Ernie4_5_Moe", llamas.llama, decoders.CAUSAL_HEADS[:2]),
    "rwkv": ("Rwkv", recurrent.rwkv, recurrent.HEADS),
    "paligemma": ("PaliGemma", multimodal.paligemma, multimodal.HEADS),
    "llava_next": ("LlavaNext", multimodal.llava, multimodal.HEADS),
    "llava_onevision": ("LlavaOnevision", multimodal.llava, multimodal.HEADS),
    "llava_next_video": ("LlavaNextVideo", multimodal.llava, multimodal.HEADS),
    "vipllava": ("VipLlava", bridged.vipllava, bridged.HEADS),
    "video_llava": ("VideoLlava", bridged.video_llava, bridged.HEADS),
    "aya_vision": ("AyaVision", bridged.merged, bridged.HEADS),
    "cohere2_vision": ("Cohere2Vision", bridged.merged, bridged.HEADS),
    "lfm2-vl": ("Lfm2Vl", bridged.merged, bridged.HEADS),  # as transformers 4 writes it
    "lfm2_vl": ("Lfm2Vl", bridged.merged, bridged.HEADS),
    "colpali": ("ColPali", bridged.retriever, bridged.RETRIEVER_HEADS),
    "colqwen2": ("ColQwen2", bridged.retriever, bridged.RETRIEVER_HEADS),
    "glm4v": ("Glm4v", bridged.glm4v, bridged.HEADS),
    "glm4v_moe": ("Glm4vMoe", bridged.glm4v, bridged.HEADS),
    "llava": ("Llava", multimodal.llava, multimodal.HEADS),
    "gemma3": ("Gemma3", multimodal.gemma3, multimodal.HEADS),
    "qwen2_vl": ("Qwen2VL", multimodal.qwen_vl, multimodal.HEADS),
    "qwen2_5_vl": ("Qwen2_5_VL", multimodal.qwen_vl, multimodal.HEADS),
    "qwen3_vl": ("Qwen3VL", multimodal.qwen_vl, multimodal.HEADS),
}


_GPT = {"hidden_size": "n_embd", "max_position_embeddings": "n_positions",
        "num_attention_heads": "n_head", "num_hidden_layers": "n_layer"}  # fmt: skip
_T5 = {"hidden_size": "d_model", "num_attention_heads": "num_heads",
       "num_hidden_layers": "num_layers", "head_dim": "d_kv"}  # fmt: skip
_BART = {"hidden_size": "d_model"}
# The fields that a type's configuration has by a second name too (its `attribute_map`).
SECOND_NAMES: dict[str, dict[str, str]] = {
    **dict.fromkeys(("gpt2", "openai-gpt", "gpt_bigcode", "codegen", "gptj"), _GPT),
    **dict.fromkeys(("t5", "mt5", "umt5", "longt5"), _T5),
    **dict.fromkeys(
        ("bart", "mbart", "pegasus", "marian", "m2m_100", "plbart", "mvp", "led", "blenderbot",
         "blenderbot-small", "whisper", "detr", "table-transformer",
         "conditional_detr", "deformable_detr", "rt_detr", "rt_detr_v2"),
        _BART,
    ),
    "distilbert": {"hidden_size": "dim", "num_attention_heads": "n_heads",
                   "num_hidden_layers": "n_layers"},
    "bloom": {"num_hidden_layers": "n_layer", "num_attention_heads": "n_head"},
    "mpt": {"num_attention_heads": "n_heads", "hidden_size": "d_model",
            "num_hidden_layers": "n_layers"},
    "gpt_neo": {"num_attention_heads": "num_heads", "num_hidden_layers": "num_layers"},
    "lfm2": {"tie_embedding": "tie_word_embeddings", "block_ff_dim": "intermediate_size"},
    "xglm": {"num_attention_heads": "attention_heads", "hidden_size": "d_model",
             "num_hidden_layers": "num_layers"},
    "mask2former": {"hidden_size": "hidden_dim"},
    "xlnet": {"n_token": "vocab_size", "hidden_size": "d_model", "num_attention_heads": "n_head",
              "num_hidden_layers": "n_layer"},
}  # fmt: skip


# Two hundred names and more are no help.
_INSTEAD = "give its weights instead (a .safetensors file, or their index), or names and shapes"


def build_config(fields: Fields) -> Architecture:
    """Return the model that a configuration's `model_type` and `architectures` describe.

    Raises:
        UnreadableFileError: an unknown model or class, or a malformed field.
    """
    kind = fields.text("model_type", "")
    if kind not in MODEL_TYPES:
        near = nearest_names(kind[:40], MODEL_TYPES)
        hint = f"did you mean {near[0]!r}" if near else _INSTEAD
        raise UnreadableFileError(fields.path, f"unknown model_type {kind[:40]!r}; {hint}")
    fields = fields.renamed(SECOND_NAMES.get(kind, {}))
    _refuse_switches(fields)
    name, rule, heads = MODEL_TYPES[kind]
    head = _head(fields, name, heads)
    net = rule(fields, head)
    return replace(net, class_name=name + head, notes=(*net.notes, *frozen_notes(kind, net)))


# Types whose layers may attend to another model's output, or always do where they write.
_READ_ANOTHER = frozenset(
    {"bert", "roberta", "xlm-roberta", "camembert", "ernie", "data2vec-text", "gpt2", "trocr",
     "mbart", "bart", "pegasus", "marian"}
)  # fmt: skip


def _refuse_switches(fields: Fields) -> None:
    """Refuse what no rule here follows, and any class may read.

    These are an attention to another model's output in most of them, an encoder that is the decoder
    too, and BERT's tables of distances between words; transformers 5 has the last two no more.

    Raises:
        UnreadableFileError: a part has one.
    """
    parts = (fields.part(name) for name, part in fields.values.items() if isinstance(part, dict))
    for each in (fields, *parts):
        each.require("tie_encoder_decoder", value=False)
        if each.text("model_type", "") not in _READ_ANOTHER:
            each.require("add_cross_attention", value=False)
        positions = each.values.get("position_embedding_type")
        if positions in {"relative_key", "relative_key_query"}:
            raise each.wrong("position_embedding_type", positions, "'absolute'")


def _head(fields: Fields, name: str, heads: tuple[str, ...]) -> str:
    """Return the head that `architectures` names, or the first one where it names none."""
    listed = fields.values.get("architectures")
    if not listed:
        # transformers 4 saves the name of a Qwen2-VL among the fields of its language model.
        text = fields.values.get("text_config")
        within = text.get("architectures") if isinstance(text, dict) else None
        return next((head for head in heads if within == [name + head]), heads[0])
    full = listed[0] if isinstance(listed, list) else listed
    for head in heads:
        if full == name + head:
            return head
    known = ", ".join(name + head for head in heads)
    raise fields.wrong("architectures", full, f"one of {known}")
