"""Servers of OpenAI's dialect that many people use: where each is, and what is peculiar to it (`[[providers]] preset`).

Addresses and the names of variables are those of each provider's own documentation, read in November 2026; servers that one
runs at home are at the address that they have when nobody says otherwise.
"""

from collections.abc import Mapping
from typing import Final

import msgspec


class Preset(msgspec.Struct, frozen=True):
    """What a name stands for. An entry of the configuration wins over each of it."""

    base_url: str
    key_env: str = ""
    """Where its key is looked for; empty: it wants none."""
    models_path: str = "/models"
    """What to GET to see whether a key works, where the list of models is anybody's."""
    quirks: tuple[str, ...] = ()
    """Names of `providers/quirks.py`."""


PRESETS: Final[Mapping[str, Preset]] = {
    "cerebras": Preset("https://api.cerebras.ai/v1", "CEREBRAS_API_KEY"),
    "dashscope": Preset("https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "DASHSCOPE_API_KEY"),
    "deepinfra": Preset("https://api.deepinfra.com/v1/openai", "DEEPINFRA_API_KEY"),
    "deepseek": Preset("https://api.deepseek.com/v1", "DEEPSEEK_API_KEY"),
    "fireworks": Preset("https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY"),
    "groq": Preset("https://api.groq.com/openai/v1", "GROQ_API_KEY"),
    "huggingface": Preset("https://router.huggingface.co/v1", "HF_TOKEN"),
    "mistral": Preset("https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
    "moonshot": Preset("https://api.moonshot.ai/v1", "MOONSHOT_API_KEY"),
    "nvidia": Preset("https://integrate.api.nvidia.com/v1", "NVIDIA_API_KEY"),
    "openrouter": Preset("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY", models_path="/key"),
    "together": Preset("https://api.together.xyz/v1", "TOGETHER_API_KEY"),
    "xai": Preset("https://api.x.ai/v1", "XAI_API_KEY"),
    "zai": Preset("https://api.z.ai/api/paas/v4", "ZAI_API_KEY"),
    "llamacpp": Preset("http://127.0.0.1:8080/v1"),
    "lmstudio": Preset("http://127.0.0.1:1234/v1"),
    "ollama": Preset("http://127.0.0.1:11434/v1"),
    "sglang": Preset("http://127.0.0.1:30000/v1"),
    "vllm": Preset("http://127.0.0.1:8000/v1"),
}
