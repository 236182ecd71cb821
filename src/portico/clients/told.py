"""What a client is told of: where Portico is, with which key, and which models are there."""

from decimal import Decimal
from typing import Final

import msgspec

KEY_VARIABLE: Final = "PORTICO_API_KEY"
"""Where a client that can read its key from any variable is told to look for it."""
LONGEST_ANSWER: Final = 32_768
"""Portico holds money for the longest answer that is asked for; this is enough for nearly everything an agent writes."""


class Api(msgspec.Struct, frozen=True):
    """A way in which a client can be pointed at Portico."""

    name: str
    """The client's own word for it, as `--api` takes it."""
    dialect: str
    """What it then speaks, as Portico calls it (`openai_chat` …); empty: each model is asked by its vendor's own."""
    path: str = ""
    """What the client wants behind the root of the address: `/v1`, `/v1beta`, or nothing."""
    key_variable: str = KEY_VARIABLE
    """Where the client then looks for the key if no file of its own holds it."""


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A model, as clients are told of it. Prices are what this caller pays, in dollars per million tokens."""

    id: str
    title: str
    owner: str
    context_tokens: int
    output_tokens: int
    """The longest answer, thoughts included."""
    inputs: tuple[str, ...] = ("text",)
    outputs: tuple[str, ...] = ("text",)
    efforts: tuple[str, ...] = ()
    """The reasoning efforts that make a difference, from least to most; empty: it does not think, or cannot be told how."""
    input_usd: Decimal | None = None
    cached_usd: Decimal | None = None
    cache_write_usd: Decimal | None = None
    output_usd: Decimal | None = None
    base: str = ""
    """The model's own name, where the id is another one that it answers under."""

    @property
    def thinks(self) -> bool:
        return bool(self.efforts)

    @property
    def chats(self) -> bool:
        """Whether it answers text with text, which is what all of these clients want."""
        return "text" in self.inputs and self.outputs == ("text",)


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """All that a client's settings are a function of."""

    base_url: str
    """The root, without a slash at its end."""
    key: str | None
    """None: it is not ours to write down, and whoever reads the settings has to bring it."""
    model: Card
    """What is asked where nobody chooses."""
    small: Card
    """What is asked for titles, summaries and other small work, where a client has a second model for that."""
    models: tuple[Card, ...]
    api: Api

    @property
    def address(self) -> str:
        """The base URL in the form that the client wants."""
        return self.base_url + self.api.path


def number(usd: Decimal) -> int | float:
    """Dollars as files of settings have them."""
    return int(usd) if usd == usd.to_integral_value() else float(usd)
