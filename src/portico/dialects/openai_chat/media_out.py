"""Images and audio of an answer, in the forms that Chat clients read (mapping.md 2.8).

- `markdown` (the default): an image is `![image](data:…)` inside the content, which every client prints;
- `images`: `message.images` beside the text;
- `parts`: content is a list of parts.
"""

from typing import Any, Final

from portico.core.parts import Media
from portico.dialects.openai_chat.content import data_uri
from portico.dialects.openai_chat.extra_content import extra_content

AUDIO_LIFE_S: Final = 3600


def is_audio(part: Media) -> bool:
    return bool(part.mime and part.mime.startswith("audio/") and part.data is not None)


def markdown_image(part: Media) -> str:
    """An image as markdown, on lines of its own."""
    return f"\n\n![image]({data_uri(part)})\n\n"


def image_entry(part: Media, index: int) -> dict[str, Any]:
    """One entry of `images`; extras and a signature of bearable size ride in `extra_content`."""
    more: dict[str, Any] = {"thought": True} if part.thought else {}
    if part.name:
        more["display_name"] = part.name
    link: dict[str, Any] = {"url": data_uri(part)}
    if part.uri is not None and part.mime is not None:
        link["mime_type"] = part.mime
    return {
        "type": "image_url",
        "image_url": link,
        "index": index,
        **extra_content(part.signature, part.ext, more),
    }


def audio_entry(part: Media, answer_id: str, created: int) -> dict[str, Any]:
    """`message.audio`. Gemini's speech is raw PCM (`audio/L16;codec=pcm;rate=24000`): `mime_type` says so."""
    return {
        "id": f"audio_{answer_id}",
        "data": part.data,
        "expires_at": created + AUDIO_LIFE_S,
        "transcript": "",
        "mime_type": part.mime,
        **extra_content(part.signature, part.ext),
    }
