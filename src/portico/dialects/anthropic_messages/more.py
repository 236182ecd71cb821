"""What nearly every event of Anthropic's stream is, so that one typed look finds it. Whatever has anything else fails."""

from typing import Final, Literal

import msgspec


class _MoreText(msgspec.Struct, tag_field="type", tag="text_delta", forbid_unknown_fields=True, gc=False):
    text: str
    block = "text"


class _MoreThinking(msgspec.Struct, tag_field="type", tag="thinking_delta", forbid_unknown_fields=True, gc=False):
    text: str = msgspec.field(name="thinking")
    block = "thinking"


class _MoreInput(msgspec.Struct, tag_field="type", tag="input_json_delta", forbid_unknown_fields=True, gc=False):
    text: str = msgspec.field(name="partial_json")
    block = "tool_use"


class More(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """More of a block. Each delta knows of which kind of block it is."""

    type: Literal["content_block_delta"]
    delta: _MoreText | _MoreThinking | _MoreInput
    index: int = 0


MORE: Final = msgspec.json.Decoder(More)
