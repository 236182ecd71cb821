"""The Vercel AI SDK, through each of its packages that speaks one of the four dialects: `scripts/vercel_ai.mjs`."""

from clients.client import CLAUDE, GPT, Api, Client, Dialect, Npm, Said, Seat, Turn

_OTHERS = (GPT, CLAUDE)


def _ask(seat: Seat, turn: Turn) -> Said:
    return seat.script("vercel_ai.mjs", turn, within_s=180)


CLIENTS = (
    Client(
        name="vercel-ai",
        title="Vercel AI SDK",
        install=Npm("vercel-ai", "ai"),
        apis=(
            Api("openai-compatible", Dialect.CHAT, also=_OTHERS),
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
