"""pydantic-ai, through its models of all four dialects: `scripts/with_pydantic_ai.py`."""

from clients.client import CLAUDE, GPT, Api, Client, Dialect, Pip, Said, Seat, Turn

_OTHERS = (GPT, CLAUDE)


def _ask(seat: Seat, turn: Turn) -> Said:
    return seat.script("with_pydantic_ai.py", turn, within_s=180)


CLIENTS = (
    Client(
        name="pydantic-ai",
        title="pydantic-ai",
        install=Pip("pydantic-ai", "pydantic-ai-slim"),
        apis=(
            Api("openai-chat", Dialect.CHAT, also=_OTHERS),
            Api("openai-responses", Dialect.RESPONSES, also=_OTHERS),
            Api("google", Dialect.GEMINI, also=_OTHERS),
            Api("anthropic", Dialect.MESSAGES, also=_OTHERS),
        ),
        ask=_ask,
        tool="Call write_file with path='{file}' and content='{content}'.",
        streams="asked",
        library=True,
    ),
)
