"""Configurations of providers, and a service account that no one else has ever seen."""

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from portico.config import Config, load_config
from portico.providers import Provider

ENVIRONMENT: Mapping[str, str] = {
    f"{name}_API_KEY": f"sample-{name.lower()}"
    for name in ("GEMINI", "VERTEX", "OPENAI", "ANTHROPIC", "AZURE_OPENAI", "GROQ", "OPENROUTER", "DEEPSEEK", "MISTRAL")
}


@functools.cache
def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(form, pkcs8, serialization.NoEncryption()).decode()


def service_account(at: str = "http://127.0.0.1:9/token", **more: Any) -> str:
    """The document of one, spread over lines as Google's is."""
    document = {
        "type": "service_account",
        "project_id": "sample-project",
        "private_key_id": "sample",
        "private_key": private_key(),
        "client_email": "portico@sample-project.iam.gserviceaccount.com",
        "client_id": "1",
        "token_uri": at,
        **more,
    }
    return json.dumps({key: value for key, value in document.items() if value is not None}, indent=2)


def configured(folder: Path, text: str, environment: Mapping[str, str] = ENVIRONMENT) -> Config:
    (folder / "portico.toml").write_text(text)
    return load_config(environment, folder=folder)


def configure(
    folder: Path, text: str, environment: Mapping[str, str] = ENVIRONMENT
) -> Callable[[str], Sequence[Provider]]:
    """For `House`: the providers of a text in which ADDRESS stands for where the scripted one is."""
    return lambda address: configured(folder, text.replace("ADDRESS", address), environment).providers
