"""LlamaIndex on Chat Completions, with the LLM that it has for servers like OpenAI's: `scripts/with_llama_index.py`."""

from clients.client import CLAUDE, GPT, Api, Client, Dialect, Pip, Said, Seat, Turn


def _ask(seat: Seat, turn: Turn) -> Said:
    return seat.script("with_llama_index.py", turn, within_s=180)


CLIENTS = (
    Client(
        name="llama-index",
        title="LlamaIndex",
        install=Pip("llama-index", "llama-index-llms-openai-like"),
        apis=(Api("openai-like", Dialect.CHAT, also=(GPT, CLAUDE)),),
        ask=_ask,
        tool="Call write_file with path='{file}' and content='{content}'.",
        streams="asked",
        library=True,
    ),
)
