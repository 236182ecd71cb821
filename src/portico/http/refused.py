"""Addresses of providers' APIs at which this gateway has nothing, and what to use instead: told in place of a bare 404.

Nothing here is a route. What is looked for in vain among the routes is looked for here once more, before anybody has shown
a key: so no pattern may search a long path over and over, hence `(?>`.
"""

import re
from typing import Final

from portico.core.errors import NotOffered

_HERE: Final = r"(?:/v1(?:(?:alpha|beta)\d*)?)?(?:/openai)?"
_BATCHES: Final = (
    "Send the calls one by one, at most as many at a time as your key allows; the prices are the ordinary ones."
)

_TABLE: Final = (
    (r"/messages/batches(?:/.*)?", "Batches are not offered.", "Use POST /v1/messages. " + _BATCHES),
    (r"/(?:batches|batchJobs)(?:/.*)?", "Batches are not offered.", _BATCHES),
    (
        r"(?>.*?/models/).+:(?:batchGenerateContent|asyncBatchEmbedContent|batchPredict)",
        "Batches are not offered.",
        "Use :generateContent or :batchEmbedContents. " + _BATCHES,
    ),
    (
        r"(?>.*?/models/).+:(?:predict|predictLongRunning|generateVideos)",
        "Models that are asked by :predict (Imagen, Veo) are not offered.",
        "Pictures are made by models with image output, with :generateContent or POST /v1/images/generations.",
    ),
    (
        r"(?>.*?/models/).+:bidiGenerateContent|(?>.*?/ws/).*|/(?:realtime|live)(?:/.*)?",
        "Live sessions are not offered.",
        "Use a streamed call: POST /v1/responses, /v1/chat/completions or :streamGenerateContent.",
    ),
    (r"/audio/voices(?:/.*)?", "Voices of your own are not offered.", "POST /v1/audio/speech has the providers' own."),
    (
        r"/images/variations",
        "Variations were made by DALL-E 2 alone, which OpenAI has retired.",
        "Ask for one at /v1/images/edits, in words.",
    ),
    (r"/(?:videos|video)(?:/.*)?", "Videos are not offered.", ""),
    (
        r"/(?:fine_tuning|fine-tunes|tunedModels|tuningJobs)(?:/.*)?",
        "Fine-tuning is not offered.",
        "Tune a model at its provider; it can then be named in [[models]].",
    ),
    (
        r"/(?:assistants|threads)(?:/.*)?",
        "Assistants and threads are not offered.",
        "Use POST /v1/responses, with previous_response_id for what came before.",
    ),
    (
        r"/conversations(?:/.*)?",
        "Conversations are not offered.",
        "Use POST /v1/responses, with previous_response_id for what came before.",
    ),
    (
        r"/interactions(?:/.*)?",
        "Interactions are not offered.",
        "Use :generateContent, or POST /v1/responses with previous_response_id.",
    ),
    (
        r"/responses/compact",
        "Compaction of a conversation is not offered.",
        "Send less of it as input to POST /v1/responses, or a summary that a model was asked for.",
    ),
    (
        r"/responses/[^/]+/cancel",
        "Background responses are not offered, so that there is none to cancel.",
        "Close the connection of a response to end it.",
    ),
    (r"/uploads(?:/.*)?", "Uploads in parts are not offered.", "Use POST /v1/files."),
    (
        r"/(?:vector_stores|fileSearchStores|corpora)(?:/.*)?",
        "Stores of files are not offered.",
        "Send files with a call, or name those of POST /v1/files.",
    ),
    (r"/cachedContents(?:/.*)?", "Explicit caches are not offered.", "Providers cache long prompts by themselves."),
    (r"/containers(?:/.*)?", "Containers are not offered.", "Code runs in those that a call makes by itself."),
    (r"/skills(?:/.*)?", "Skills are not offered.", ""),
    (r"/moderations", "Moderation is not offered.", "Models' own filters tell why they refuse (finish_reason)."),
    (r"/evals(?:/.*)?", "Evals are not offered.", ""),
    (r"/(?:completions|engines/.+)", "Completions without a chat are not offered.", "Use POST /v1/chat/completions."),
    (r"/complete", "Text completions are not offered.", "Use POST /v1/messages."),
    (r"/(?:organization|organizations)(?:/.*)?", "Administration of a provider's account is not offered.", ""),
)
_ROWS: Final = tuple([(re.compile(f"{_HERE}(?:{path})", re.DOTALL), says, instead) for path, says, instead in _TABLE])


def not_offered(path: str) -> NotOffered | None:
    """What is told at an unescaped path; None if it is no API's that anybody knows here."""
    for row, says, instead in _ROWS:
        if row.fullmatch(path):
            return NotOffered(f"{says} {instead}".strip())
    return None
