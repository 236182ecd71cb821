"""Strict calls: `x-portico-strict: true` asks that nothing of the request be dropped or changed (mapping.md 9).

What a renderer could not say is then the caller's 400, before anything is sent. Losses of the answer fail no call.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from portico.core.errors import InvalidRequest, UnsupportedParameter
from portico.core.loss import UNSEEN, Loss

HEADER: Final = "x-portico-strict"
MAX_LISTED: Final = 20
MAX_SENTENCE: Final = 200
_WORDS: Final = {"true": True, "1": True, "false": False}


def is_strict(headers: Mapping[str, str], *, default: bool = False) -> bool:
    """Whether a call is strict; `default` where it says nothing. Raises `InvalidRequest` for a header that is neither."""
    said = headers.get(HEADER)
    if said is None:
        return default
    word = _WORDS.get(said.strip().lower())
    if word is None:
        raise InvalidRequest(f"{HEADER} is either true or false.", param=HEADER)
    return word


def refuse_losses(losses: Iterable[Loss]) -> None:
    """Raises `UnsupportedParameter` for losses that the answer would show: at the path of the first, telling them all."""
    found = list(dict.fromkeys([loss for loss in losses if loss.code not in UNSEEN]))
    if not found:
        return
    told = [f"{_cut(loss.path)}: {_cut(loss.message)}" for loss in found[:MAX_LISTED]]
    if len(found) > MAX_LISTED:
        told.append(f"and {len(found) - MAX_LISTED} more")
    message = "The request cannot be honoured exactly, and was asked to be: " + "; ".join(told) + "."
    raise UnsupportedParameter(message, param=found[0].path)


def _cut(text: str) -> str:
    return text if len(text) <= MAX_SENTENCE else text[:MAX_SENTENCE] + "…"
