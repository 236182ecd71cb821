"""LiteLLM as a client, through its routes to three vendors' dialects: `scripts/with_litellm.py`."""

from clients.client import CLAUDE, GPT, Api, Client, Dialect, Pip, Said, Seat, Turn

_OTHERS = (GPT, CLAUDE)


def _ask(seat: Seat, turn: Turn) -> Said:
    return seat.script("with_litellm.py", turn, within_s=180, LITELLM_LOCAL_MODEL_COST_MAP="True")


CLIENTS = (
    Client(
        name="litellm",
        title="LiteLLM",
        install=Pip("litellm", "litellm"),
        apis=(
            Api("openai", Dialect.CHAT, also=_OTHERS),
            Api("gemini", Dialect.GEMINI, also=_OTHERS),
            Api("anthropic", Dialect.MESSAGES, also=_OTHERS),
        ),
        ask=_ask,
        tool="Call write_file with path='{file}' and content='{content}'.",
        streams="asked",
        library=True,
    ),
)
