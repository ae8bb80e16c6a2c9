"""Whole pipelines of a few thousand random weights: real classes, real files, pictures of noise, 0.1 s to build.

The tokenizers are made here too (an alphabet is vocabulary enough), so nothing is downloaded and nothing is committed.
"""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers

HIDDEN = 32


def _alphabet() -> list[str]:
    """The 256 symbols that stand for bytes in GPT-2's and CLIP's vocabularies."""
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [n for n in range(256) if n not in printable]
    return [chr(n) for n in printable] + [chr(256 + i) for i, _ in enumerate(others)]


def clip_tokenizer() -> Any:
    letters = _alphabet()
    words = [*letters, *(letter + "</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    return transformers.CLIPTokenizer(vocab={w: i for i, w in enumerate(words)}, merges=[], model_max_length=77)


def clip_encoder(tokenizer: Any, *, projected: bool) -> Any:
    config = transformers.CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=HIDDEN,
        intermediate_size=37,
        projection_dim=HIDDEN,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=77,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return (transformers.CLIPTextModelWithProjection if projected else transformers.CLIPTextModel)(config)


def sdxl(folder: Path) -> Path:
    """SDXL with both text encoders, 8 pixels a latent as the real one."""
    torch.manual_seed(0)
    tokenizer, tokenizer_2 = clip_tokenizer(), clip_tokenizer()
    pipe = diffusers.StableDiffusionXLPipeline(
        unet=diffusers.UNet2DConditionModel(
            sample_size=8,
            in_channels=4,
            out_channels=4,
            block_out_channels=(32, 64),
            layers_per_block=1,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            attention_head_dim=(2, 4),
            use_linear_projection=True,
            addition_embed_type="text_time",
            addition_time_embed_dim=8,
            transformer_layers_per_block=(1, 2),
            projection_class_embeddings_input_dim=6 * 8 + HIDDEN,
            cross_attention_dim=2 * HIDDEN,
            norm_num_groups=16,
        ),
        vae=diffusers.AutoencoderKL(
            in_channels=3,
            out_channels=3,
            latent_channels=4,
            block_out_channels=(16, 16, 32, 32),
            norm_num_groups=8,
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            sample_size=64,
        ),
        scheduler=diffusers.EulerDiscreteScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            timestep_spacing="leading",
            steps_offset=1,
        ),
        text_encoder=clip_encoder(tokenizer, projected=False),
        text_encoder_2=clip_encoder(tokenizer_2, projected=True),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer_2,
        add_watermarker=False,
    )
    pipe.save_pretrained(folder)
    return folder


def _t5() -> tuple[Any, Any]:
    pieces = ["<pad>", "</s>", "<unk>", "\u2581", *string.ascii_letters, *string.digits, *string.punctuation]
    tokenizer = transformers.T5TokenizerFast(vocab=[(p, -float(i)) for i, p in enumerate(pieces)], extra_ids=0)
    config = transformers.T5Config(
        vocab_size=len(tokenizer),
        d_model=32,
        d_kv=8,
        d_ff=37,
        num_layers=2,
        num_heads=4,
        pad_token_id=0,
        eos_token_id=1,
    )
    return tokenizer, transformers.T5EncoderModel(config)


def flux(folder: Path, *, kontext: bool = False) -> Path:
    """FLUX.1 with CLIP and T5; the same parts make Kontext."""
    torch.manual_seed(0)
    tokenizer = clip_tokenizer()
    tokenizer_2, text_encoder_2 = _t5()
    cls = diffusers.FluxKontextPipeline if kontext else diffusers.FluxPipeline
    pipe = cls(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
        vae=diffusers.AutoencoderKL(
            in_channels=3,
            out_channels=3,
            latent_channels=4,
            block_out_channels=(8, 8, 16, 16),
            norm_num_groups=8,
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            sample_size=64,
            shift_factor=0.1159,
            scaling_factor=0.3611,
            use_quant_conv=False,
            use_post_quant_conv=False,
        ),
        text_encoder=clip_encoder(tokenizer, projected=False),
        tokenizer=tokenizer,
        text_encoder_2=text_encoder_2,
        tokenizer_2=tokenizer_2,
        transformer=diffusers.FluxTransformer2DModel(
            patch_size=1,
            in_channels=16,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=32,
            pooled_projection_dim=32,
            axes_dims_rope=(4, 4, 8),
            guidance_embeds=True,
        ),
    )
    pipe.save_pretrained(folder)
    return folder


def klein(folder: Path) -> Path:
    """FLUX.2 klein with a Qwen3 of 27 layers: the pipeline reads the 9th, 18th and 27th."""
    torch.manual_seed(0)
    letters = _alphabet()
    tokenizer = transformers.Qwen2TokenizerFast(
        vocab={w: i for i, w in enumerate([*letters, "<|endoftext|>"])},
        merges=[],
        unk_token="<|endoftext|>",
        eos_token="<|endoftext|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=["<|im_start|>", "<|im_end|>"],
    )
    tokenizer.chat_template = (
        "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    hidden = 16
    encoder = transformers.Qwen3ForCausalLM(
        transformers.Qwen3Config(
            vocab_size=len(tokenizer),
            hidden_size=hidden,
            intermediate_size=32,
            num_hidden_layers=27,
            num_attention_heads=2,
            num_key_value_heads=1,
            head_dim=8,
            pad_token_id=tokenizer.pad_token_id,
            eos_token_id=tokenizer.eos_token_id,
            bos_token_id=None,
        )
    )
    pipe = diffusers.Flux2KleinPipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
        vae=diffusers.AutoencoderKLFlux2(
            in_channels=3,
            out_channels=3,
            latent_channels=4,
            block_out_channels=(8, 8, 16, 16),
            norm_num_groups=8,
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            sample_size=64,
            patch_size=(2, 2),
        ),
        text_encoder=encoder,
        tokenizer=tokenizer,
        transformer=diffusers.Flux2Transformer2DModel(
            patch_size=1,
            in_channels=16,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=3 * hidden,
            axes_dims_rope=(4, 4, 4, 4),
            guidance_embeds=False,
        ),
        is_distilled=True,
    )
    pipe.save_pretrained(folder)
    return folder


def peft_lora(model: Path, part: str, file: Path, *, rank: int = 4, strength: float = 0.3, seed: int = 1) -> Path:
    """A LoRA over every attention projection of ``part``, with PEFT's names."""
    from safetensors.torch import save_file

    torch.manual_seed(seed)
    save_file(
        {
            f"{part}.{name}.lora_{half}.weight": strength * torch.randn(shape)
            for name, module in _projections(model, part)
            for half, shape in (("A", (rank, module.in_features)), ("B", (module.out_features, rank)))
        },
        str(file),
    )
    return file


def kohya_lora(model: Path, file: Path, *, rank: int = 4) -> Path:
    """A LoRA over SDXL's U-Net with the names of kohya's trainer, as pixel-art-xl has them."""
    from safetensors.torch import save_file

    torch.manual_seed(2)
    weights = {}
    for name, module in _projections(model, "unet"):
        key = f"lora_unet_{name.replace('.', '_')}"
        weights[f"{key}.lora_down.weight"] = 0.3 * torch.randn(rank, module.in_features)
        weights[f"{key}.lora_up.weight"] = 0.3 * torch.randn(module.out_features, rank)
        weights[f"{key}.alpha"] = torch.tensor(float(rank))
    save_file(weights, str(file))
    return file


def _projections(model: Path, part: str) -> list[tuple[str, Any]]:
    cls = getattr(diffusers, json.loads((model / "model_index.json").read_text())[part][1])
    module = cls.from_pretrained(model / part)
    ends = ("to_q", "to_k", "to_v", "to_out.0", "to_qkv_mlp_proj")
    return [(n, m) for n, m in module.named_modules() if n.endswith(ends) and isinstance(m, torch.nn.Linear)]
