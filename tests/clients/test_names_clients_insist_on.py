"""Names that clients ask for whatever they are told: each means a model of the catalog, and one that is meant to serve it.

What stands here was seen in requests of the clients, or in their own lists of what they ask for when nobody chooses: a
router, a summary, a model for small work. A client that is answered 404 to one of them fails though nobody did wrong.
"""

from typing import Final

import pytest

from portico.catalog import load_catalog

CATALOG: Final = load_catalog()
NAMES: Final[dict[str, dict[str, str]]] = {
    "codex 0.169.0": {
        "gpt-6.1-sol": "the first of its own list: asked where nobody chooses",
        "gpt-6-astra": "of its own list, and of the work that it hands on",
        "gpt-6.1-terra": "of its own list",
        "gpt-6-sol": "of its own list",
        "gpt-6-luna": "of its own list",
        "gpt-5.6-sol": "of its own list",
        "gpt-5.6-terra": "of its own list",
        "gpt-5.6-luna": "of its own list",
        "gpt-5.5": "of its own list",
        "codex-auto-review": "reviews commands, where that is switched on",
    },
    "claude-code 2.1.330": {
        "claude-opus-5-5": "stands for opus",
        "claude-sonnet-5-5": "stands for sonnet",
        "claude-haiku-5-5": "stands for haiku",
        "claude-fable-5-2": "stands for fable",
        "claude-haiku-4-5-20251001": "small work: titles, summaries of pages",
        "claude-opus-4-5-20251101": "of its own list, by the name at its first party",
        "claude-sonnet-4-5-20250929": "of its own list",
        "claude-opus-4-1-20250805": "of its own list",
        "claude-sonnet-4-20250514": "of its own list",
        "claude-opus-4-20250514": "of its own list",
        "claude-3-7-sonnet-20250219": "of its own list",
        "claude-3-5-haiku-20241022": "of its own list",
        "claude-3-5-sonnet-20241022": "of its own list",
    },
    "gemini-cli 0.61.0": {
        "gemini-3.8-flash": "what it makes of gemini-3.5-flash",
        "gemini-3.5-flash-lite": "the router that it asks first where nobody chooses",
        "gemini-3.1-pro-preview": "what the router decides for",
        "gemini-3.1-pro-preview-customtools": "the same beside tools of its user's",
        "gemini-3-pro-preview": "looks twice whether a conversation goes round in circles; compresses it",
        "gemini-3-flash-preview": "searches the web, reads pages, mends edits",
        "gemini-3-flash": "its flash for accounts without a newer one",
        "gemini-3.1-flash-lite": "summaries, titles",
        "gemini-3.1-flash-lite-preview": "of its own list",
        "gemini-2.5-pro": "compresses its own conversations",
        "gemini-2.5-flash": "the same",
        "gemini-2.5-flash-lite": "the same",
        "gemma-4-31b-it": "of its own list",
        "gemma-4-26b-a4b-it": "of its own list",
        "gemini-embedding-001": "embeddings",
    },
    "llm 0.36 and llm-gemini 0.35": {
        "gpt-4o-mini": "asked where nobody chooses",
        "gemini-4-argon": "of the plugin's list, which is all that it asks for",
        "gemini-3.8-flash": "of the plugin's list",
        "gemini-3.7-flash": "of the plugin's list",
        "gemini-3.6-flash": "of the plugin's list",
        "gemini-3.5-flash": "of the plugin's list",
        "gemini-3.1-flash-lite-preview": "of the plugin's list",
        "gemini-flash-latest": "of the plugin's list",
        "gemini-flash-lite-latest": "of the plugin's list",
        "gemini-embedding-2": "of the plugin's list",
    },
    "aider 0.86.2": {
        "gpt-4o": "asked where a key of OpenAI is all that it was given",
        "gemini/gemini-2.5-pro-exp-03-25": "the same with a key of Gemini",
        "claude-sonnet-4-5": "the same with a key of Anthropic",
        "gemini/gemini-2.5-flash-preview-04-17": "its weak model beside that of Gemini",
        "gemini/gemini-2.5-flash": "its weak model beside newer ones of Gemini",
        "gpt-4o-mini": "its weak model beside gpt-4o",
        "openai/gpt-5-nano-2025-08-07": "its weak model beside those of GPT-5",
        "openai/gpt-4.1-mini": "its weak model beside o3 and gpt-4.1",
        "gpt-5.1-codex-mini": "its weak model beside gpt-5.1-codex-max",
        "claude-haiku-4-5": "its weak model beside those of Claude",
    },
}
"""Client -> name -> what it asks that for. OpenClaw, opencode, cline, Continue and Qwen Code, pointed at a server of their
user's, ask for the models that they are told of and for no others."""


SERVED_AS: Final[dict[str, str]] = {
    # The day of a release is left out of the model's own name.
    "claude-haiku-4-5-20251001": "claude-haiku-4-5",
    "claude-sonnet-4-5-20250929": "claude-sonnet-4-5",
    "claude-opus-4-5-20251101": "claude-opus-4-5",
    "claude-opus-4-1-20250805": "claude-opus-4-1",
    "claude-sonnet-4-20250514": "claude-sonnet-4-0",
    "claude-opus-4-20250514": "claude-opus-4-0",
    "openai/gpt-5-nano-2025-08-07": "gpt-5-nano",
    # Names that move on.
    "gemini-flash-latest": "gemini-3.8-flash",
    "gemini-flash-lite-latest": "gemini-3.5-flash-lite",
    # By another stage of the same model.
    "gemini-3-flash": "gemini-3-flash-preview",
    "gemini-3.1-flash-lite-preview": "gemini-3.1-flash-lite",
    # By another model, for the reason that stands beside its aliases in the catalog.
    "codex-auto-review": "gpt-5.6-luna",
    "gemini/gemini-2.5-pro-exp-03-25": "gemini-2.5-pro",
    "gemini/gemini-2.5-flash-preview-04-17": "gemini-2.5-flash",
    # Behind the name of a route.
    "gemini/gemini-2.5-flash": "gemini-2.5-flash",
    "openai/gpt-4.1-mini": "gpt-4.1-mini",
}
"""Name -> the model that is asked and charged; every other name above is that of its model."""


@pytest.mark.parametrize(("client", "name"), [(client, name) for client, names in NAMES.items() for name in names])
def test_a_name_that_a_client_insists_on_is_served_by_the_model_that_is_meant(client: str, name: str) -> None:
    resolved = CATALOG.resolve(name)
    assert resolved is not None, f"{client} asks for {name}: {NAMES[client][name]}"
    assert resolved.asked == name
    assert resolved.model.name == SERVED_AS.get(name, name)


def test_every_name_that_another_model_serves_is_one_that_a_client_insists_on() -> None:
    assert {*SERVED_AS} <= {name for names in NAMES.values() for name in names}
