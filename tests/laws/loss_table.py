"""Which losses a rendering into a dialect may declare, by the pair of dialects. Any other code breaks the law.

Who speaks the provider's own dialect loses nothing. `HELD_TO_ITS_MODEL` is for requests that are held to what the catalog
knows of a model, as those of every other dialect's callers are.
"""

HELD_TO_ITS_MODEL = {
    "0:gemini_only",
    "1.1:sampling",
    "1.1:max_tokens",
    "1.1:penalties",
    "1.1:seed",
    "1.1:n",
    "1.1:service_tier",
    "1.2:system_inline",
    "1.4:detail",
    "1.4:name",
    "1.7:none",
    "1.7:thinking",
    "1.10:format",
    "1.11:schema",
    "1.13:choice",
    "1.15:speech",
    "1.16:cached_content",
    "1.16:vertex_only",
    "2.4:skip_signature",
    "2.4:foreign_signature",
}

ALLOWED: dict[tuple[str, str], set[str]] = {
    ("gemini", "gemini"): set(),
    ("openai_chat", "gemini"): HELD_TO_ITS_MODEL
    | {
        "1.1:unsupported",
        "1.1:ignored",
        "1.2:name",
        "1.2:message_ext",
        "1.10:name",
        "1.12:strict",
        "1.12:validated",
        "1.12:grammar",
        "1.12:tool_ext",
        "1.13:parallel",
        "1.14:builtin",
        "9:small_max_tokens",
        "2.1:answer_ext",
        "2.1:refusal",
        "2.7:annotations",
        "2.10:logprobs",
    },
    ("gemini", "openai_chat"): {"1.2:order", "2.2:order", "2.2:draft", "2.4:text_signatures", "2.5:finish"},
    ("openai_chat", "openai_chat"): {"1.2:order", "2.2:order"},
}

AT_A_PROVIDER = {
    "1.1:sampling",
    "1.1:max_tokens",
    "1.1:penalties",
    "1.1:n",
    "1.1:logprobs",
    "1.2:opaque",
    "1.2:order",
    "1.4:detail",
    "1.4:name",
    "1.7:none",
    "1.7:thinking",
    "1.10:format",
    "1.12:validated",
    "1.13:choice",
    "1.15:speech",
    "2.4:foreign_signature",
    "7.1:builtin",
    "7.1:chat_modalities",
    "7.1:chat_stop",
    "7.1:media_type",
    "7.1:show",
    "7.4:thoughts",
}
"""Of a caller of another dialect whose request goes to OpenAI, or to a server that speaks its dialect."""
