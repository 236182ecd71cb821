"""Models and what clients are told of them, for tests."""

from decimal import Decimal

from portico.clients import CLIENTS, Api, Card, Client, Told

FLASH = Card(
    id="gemini-3.8-flash",
    title="Gemini 3.8 Flash",
    owner="google",
    context_tokens=1_048_576,
    output_tokens=65_536,
    inputs=("text", "image", "audio", "video", "document"),
    efforts=("low", "medium", "high"),
    input_usd=Decimal("0.75"),
    cached_usd=Decimal("0.075"),
    output_usd=Decimal("3.75"),
)
GPT = Card(
    id="gpt-5.5",
    title="GPT-5.5",
    owner="openai",
    context_tokens=1_050_000,
    output_tokens=128_000,
    inputs=("text", "image"),
    efforts=("none", "low", "medium", "high", "xhigh"),
    input_usd=Decimal(5),
    output_usd=Decimal(30),
)
CLAUDE = Card(
    id="claude-sonnet-5-5",
    title="Claude Sonnet 5.5",
    owner="anthropic",
    context_tokens=1_000_000,
    output_tokens=128_000,
    inputs=("text", "image"),
    efforts=("low", "medium", "high", "xhigh", "max"),
)
LLAMA = Card(id="local/llama", title="local/llama", owner="elsewhere", context_tokens=128_000, output_tokens=4_096)
CARDS = (FLASH, GPT, CLAUDE, LLAMA)
KEY = "sk-portico-0123456789abcdefghijABCDEFGHIJ"
WAYS = [(client, api) for client in CLIENTS for api in client.apis]
NAMES = [f"{client.name}-{api.name}" for client, api in WAYS]


def told(api: Api, *, key: str | None = KEY, model: Card = FLASH, base_url: str = "http://127.0.0.1:8080") -> Told:
    models = (model, *(card for card in CARDS if card.id != model.id))
    return Told(base_url=base_url, key=key, model=model, small=model, models=models, api=api)


def named(name: str) -> Client:
    return next(client for client in CLIENTS if client.name == name)
