"""Rules of `messages`: who speaks when, calls and their results, thinking, texts that say nothing."""

from dataclasses import dataclass, field

from portico.simulator.anthropic import pictures, seals
from portico.simulator.anthropic.blocks import SERVER_RESULTS
from portico.simulator.anthropic.models import Model
from portico.simulator.anthropic.refusal import Refused, at
from portico.simulator.anthropic.seals import Seals
from portico.simulator.refusal import Json

_DOCS = "https://docs.claude.com/en/docs/build-with-claude/extended-thinking"
_ASSISTANT_ONLY = {
    *("tool_use", "thinking", "redacted_thinking", "server_tool_use", "mcp_tool_use", "mcp_tool_result", "compaction"),
    *("fallback", *SERVER_RESULTS),
}
_USER_ONLY = {"tool_result", "image", "document"}
_THOUGHTS = ("thinking", "redacted_thinking")
_SERVED = ("server_tool_use", "mcp_tool_use", *SERVER_RESULTS, "mcp_tool_result")


@dataclass
class Turn:
    """Adjacent messages of one role: (path, block) each. `first` is the number of the first message."""

    role: str
    first: int
    blocks: list[tuple[str, Json]] = field(default_factory=list)
    last: int = 0

    def having(self, *kinds: str) -> list[tuple[str, Json]]:
        return [(path, block) for path, block in self.blocks if block["type"] in kinds]


def blocks_of(content: object) -> list[Json]:
    """Content as blocks: a string is one text."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return list(content) if isinstance(content, list) else []


def effort_of(one: Json) -> str:
    """What a body, or a message of it, says of effort; "": nothing."""
    return (one.get("output_config") or {}).get("effort") or ""


def says_effort_alone(message: Json) -> bool:
    """Whether it is a system message of nothing but an effort, which may stand anywhere."""
    return message["role"] == "system" and bool(effort_of(message)) and not blocks_of(message["content"])


def turns(messages: list[Json]) -> list[Turn]:
    """The conversation, adjacent messages of one role joined, as Anthropic joins them."""
    made: list[Turn] = []
    for number, message in enumerate(messages):
        role = message["role"]
        if says_effort_alone(message):
            continue
        if not made or made[-1].role != role:
            made.append(Turn(role, number))
        made[-1].last = number
        named = isinstance(message["content"], list)
        for place, block in enumerate(blocks_of(message["content"])):
            path = f"messages.{number}.content.{place}" if named else f"messages.{number}.content"
            made[-1].blocks.append((path, block))
    return made


def check(body: Json, model: Model, sealer: Seals, *, lenient: bool) -> None:
    """Raises `Refused` for messages that Anthropic refuses."""
    messages = body["messages"]
    if not messages:
        raise at("messages", "at least one message is required")
    _roles(messages, model)
    for number, message in enumerate(messages):
        last = number == len(messages) - 1 and message["role"] == "assistant"
        if not blocks_of(message["content"]) and not last and not says_effort_alone(message):
            raise at(
                f"messages.{number}",
                "all messages must have non-empty content except for the optional final assistant message",
            )
    conversation = turns(messages)
    for turn in conversation:
        for path, block in turn.blocks:
            _block(turn, path, block, sealer, lenient=lenient)
    spoken = [turn for turn in conversation if turn.role != "system"]
    _calls(spoken)
    _ending(spoken[-1], model, thinks=(body.get("thinking") or {}).get("type") in ("enabled", "adaptive"))
    if (body.get("thinking") or {}).get("type") == "enabled":
        _thinking_first(spoken)


def _roles(messages: list[Json], model: Model) -> None:
    for number, message in enumerate(messages):
        role = message["role"]
        if role not in ("user", "assistant", "system"):
            raise at(f"messages.{number}.role", "Input should be 'user' or 'assistant'")
        if role != "system" or says_effort_alone(message):
            continue
        if not model.system:
            raise at(
                "messages",
                'Unexpected role "system". The Messages API accepts a top-level `system` parameter, not "system" as an '
                "input message role.",
            )
        before = next((one for one in reversed(messages[:number]) if not says_effort_alone(one)), None)
        after = next((one for one in messages[number + 1 :] if not says_effort_alone(one)), None)
        served = before and before["role"] == "assistant" and _ends_served(blocks_of(before["content"]))
        if before is None or not (before["role"] == "user" or served):
            raise at(f"messages.{number}", "a `system` message must follow a `user` message")
        if after is not None and after["role"] != "assistant":
            raise at(f"messages.{number}", "a `system` message must be last or be followed by an `assistant` message")
        for place, block in enumerate(blocks_of(message["content"])):
            if block["type"] not in ("text", "tool_addition", "tool_removal"):
                raise at(f"messages.{number}.content.{place}", "`system` messages may only contain text")
    if messages[0]["role"] != "user":
        raise at("messages", 'first message must use the "user" role')


def _ends_served(blocks: list[Json]) -> bool:
    return bool(blocks) and blocks[-1]["type"] in _SERVED


def _block(turn: Turn, path: str, block: Json, sealer: Seals, *, lenient: bool) -> None:
    kind = block["type"]
    if turn.role == "user" and kind in _ASSISTANT_ONLY:
        raise at(path, f"`{kind}` blocks can only be in `assistant` messages")
    if turn.role == "assistant" and kind in _USER_ONLY:
        raise at(path, f"`{kind}` blocks can only be in `user` messages")
    if kind == "text":
        _text(block, path, by_user=turn.role == "user")
    elif kind in ("image", "document"):
        _media(block, path, lenient=lenient)
    elif kind == "tool_result" and isinstance(block.get("content"), list):
        for place, inner in enumerate(block["content"]):
            inside = f"{path}.tool_result.content.{place}"
            if inner["type"] == "text":
                _text(inner, inside, by_user=False)
            elif inner["type"] in ("image", "document"):
                _media(inner, inside, lenient=lenient)
    if not lenient:
        _sealed(block, path, sealer)


def _text(block: Json, path: str, *, by_user: bool) -> None:
    if not block["text"]:
        if block.get("cache_control"):
            raise at(f"{path}.text", "cache_control cannot be set for empty text blocks")
        raise at("messages", "text content blocks must be non-empty")
    if by_user and not block["text"].strip():  # recorded: beside a call, an assistant's may be blank
        raise at("messages", "text content blocks must contain non-whitespace text")


def _media(block: Json, path: str, *, lenient: bool) -> None:
    source = block["source"]
    if block["type"] == "image":
        pictures.check_image(source, f"{path}.image.source", lenient=lenient)
        return
    pictures.check_document(source, f"{path}.pdf.source")
    if source["type"] == "content" and isinstance(source["content"], list):
        for place, inner in enumerate(source["content"]):
            inside = f"{path}.document.source.content.content.{place}"
            if inner["type"] == "image":
                pictures.check_image(inner["source"], f"{inside}.image.source", lenient=lenient)
            else:
                _text(inner, inside, by_user=True)


def _sealed(block: Json, path: str, sealer: Seals) -> None:
    match block["type"]:
        case "thinking":
            if not sealer.holds(seals.THINKING, block["signature"], block["thinking"]):
                raise at(path, "Invalid `signature` in `thinking` block")
        case "redacted_thinking":
            if not sealer.holds(seals.REDACTED, block["data"], ""):
                raise at(path, "Invalid `data` in `redacted_thinking` block")
        case "web_search_tool_result" if isinstance(block["content"], list):
            for one in block["content"]:
                if not sealer.holds(seals.RESULT, one["encrypted_content"], one["url"]):
                    raise at(path, "Invalid `encrypted_content` in `search_result` block")
        case "text":
            for cited in block.get("citations") or ():
                index = cited.get("encrypted_index")
                if index is not None and not sealer.holds(seals.INDEX, index, cited.get("url", "")):
                    raise at(path, "Invalid `encrypted_index` in citation")


def _calls(conversation: list[Turn]) -> None:
    """Every call is answered in the next message, results first; every result answers a call; ids are unique."""
    seen: set[str] = set()
    for number, turn in enumerate(conversation):
        before = conversation[number - 1] if number else None
        asked = [block["id"] for _, block in before.having("tool_use")] if before and before.role == "assistant" else []
        results = turn.having("tool_result")
        if turn.role == "user":
            _answered(turn, results, asked, before)
        else:
            for _, block in turn.having("tool_use", "server_tool_use", "mcp_tool_use"):
                if block["id"] in seen:
                    raise at("messages", "`tool_use` ids must be unique")
                seen.add(block["id"])
            _served(turn)
    last = conversation[-1]
    if last.role == "assistant" and (open_ := last.having("tool_use")):
        raise _unanswered(last, [block["id"] for _, block in open_])


def _answered(turn: Turn, results: list[tuple[str, Json]], asked: list[str], before: Turn | None) -> None:
    answered: set[str] = set()
    for path, block in results:
        name = block["tool_use_id"]
        if name not in asked:
            raise at(
                path,
                f"unexpected `tool_use_id` found in `tool_result` blocks: {name}. Each `tool_result` block must have a "
                "corresponding `tool_use` block in the previous message.",
            )
        if name in answered:
            raise at(
                path, f"each tool_use must have a single result. Found multiple `tool_result` blocks with id: {name}"
            )
        answered.add(name)
    missing = [name for name in asked if name not in answered]
    leading = [block["type"] for _, block in turn.blocks[: len(results)]]
    if before is not None and (missing or any(kind != "tool_result" for kind in leading)):
        raise _unanswered(before, missing or asked)


def _unanswered(turn: Turn, names: list[str]) -> Refused:
    return at(
        f"messages.{turn.last}",
        f"`tool_use` ids were found without `tool_result` blocks immediately after: {', '.join(names)}. Each `tool_use` "
        "block must have a corresponding `tool_result` block in the next message.",
    )


def _served(turn: Turn) -> None:
    """Results of tools that Anthropic ran belong to a call of the same turn."""
    asked: set[str] = set()
    for path, block in turn.blocks:
        kind = block["type"]
        if kind in ("server_tool_use", "mcp_tool_use"):
            asked.add(block["id"])
        elif (
            kind in SERVER_RESULTS
            and block["tool_use_id"].startswith("srvtoolu_")
            and block["tool_use_id"] not in asked
        ):
            name = block["tool_use_id"]
            raise at(
                path,
                f"unexpected `tool_use_id` found in `{kind}` blocks: {name}. Each `{kind}` block must have a corresponding "
                "`server_tool_use` block before it.",
            )


def _ending(last: Turn, model: Model, *, thinks: bool) -> None:
    """An answer that was begun by the caller: taken by older models, while they do not think."""
    if last.role != "assistant":
        return
    blocks = [block for _, block in last.blocks]
    if _ends_served(blocks):
        return  # a turn that was paused goes on
    if not model.prefill or thinks:
        raise Refused(
            "This model does not support assistant message prefill. The conversation must end with a user message."
            if not model.prefill
            else "When thinking is enabled, a final assistant message cannot be prefilled."
        )
    if blocks and blocks[-1]["type"] == "text" and blocks[-1]["text"] != blocks[-1]["text"].rstrip():
        raise at("messages", "final assistant content cannot end with trailing whitespace")
    if blocks and blocks[-1]["type"] in _THOUGHTS:
        raise at(f"messages.{last.last}", "The final block in an assistant message cannot be `thinking`.")


def _thinking_first(conversation: list[Turn]) -> None:
    """The first turn of the tool loop in hand starts with its thinking."""
    start = next(
        (
            number
            for number in range(len(conversation) - 1, -1, -1)
            if conversation[number].role == "user" and not conversation[number].having("tool_result")
        ),
        -1,
    )
    loop = [turn for turn in conversation[start + 1 :] if turn.role == "assistant" and turn.having("tool_use")]
    if not loop:
        return
    path, first = loop[0].blocks[0]
    if first["type"] in _THOUGHTS:
        return
    raise at(
        f"{path}.type",
        f"Expected `thinking` or `redacted_thinking`, but found `{first['type']}`. When `thinking` is enabled, a final "
        "`assistant` message must start with a thinking block (preceeding the lastmost set of `tool_use` and `tool_result` "
        "blocks). We recommend you include thinking blocks from previous turns. To avoid this requirement, disable "
        f"`thinking`. Please consult our documentation at {_DOCS}",
    )
