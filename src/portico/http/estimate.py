"""POST /v1/estimate: what would be held for a request, and what that is made up of.

The body is the request's own, in any dialect: one with `contents` is Gemini's, whose model stands in the query (`?model=…`)
or beside the contents; one with `input` is Responses'; one that comes with `anthropic-version` is Messages'; one with
`prompt` is for pictures, with `voice` for speech; a form is for a transcript.
`?dialect=` says it where that does not tell. Nothing is sent, nothing fetched (a file that is named by its address is
counted as one), nothing held.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from portico.accounts import Caller
from portico.accounts.statement import dollars
from portico.catalog.price import PriceRow
from portico.core.dialect import Dialect
from portico.core.errors import BodyNotJson, InvalidRequest
from portico.http.query import Query
from portico.http.routes import (
    ANTHROPIC_VERSION,
    CHAT,
    GEMINI,
    IMAGES,
    MESSAGES,
    RESPONSES,
    SPEECH,
    TRANSCRIPTIONS,
    TRANSLATIONS,
)
from portico.providers import Verb
from portico.relay.quote import Quote, Quoted
from portico.relay.relay import Relay
from portico.relay.report import Report
from portico.wire import jsontext
from portico.wire.http import Exchange
from portico.wire.multipart import is_multipart
from portico.wire.wrapped import Wrapped

DIALECTS: Final[Mapping[str, Dialect]] = {
    one.name: one for one in (CHAT, RESPONSES, MESSAGES, GEMINI, IMAGES, SPEECH, TRANSCRIPTIONS, TRANSLATIONS)
}
_SHOWN: Final = {"contents": GEMINI, "voice": SPEECH, "input": RESPONSES, "prompt": IMAGES}
"""What only bodies of one dialect have."""
_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Estimates:
    """Answers from a relay whose tabs are `QuoteTab`s and that fetches nothing."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    async def __call__(self, exchange: Exchange, query: Query, caller: Caller) -> dict[str, Any]:
        """Raises what the request itself would be refused with."""
        anthropic = ANTHROPIC_VERSION in exchange.request.headers
        dialect, model, body = _asked(exchange.request.take_body(), query, anthropic=anthropic)
        report = Report()
        verb = Verb.GENERATE if model is not None else None
        try:
            await self._relay.serve(_Asking(exchange, body), dialect, caller, model=model, verb=verb, report=report)
        except Quoted as quoted:
            return _told(quoted.quote, report.asked, report.model)
        raise RuntimeError("a call was made instead of being quoted")


class _Asking(Wrapped):
    """The exchange with the request that is asked about: nothing of its own answer comes through here."""

    def __init__(self, exchange: Exchange, body: bytes) -> None:
        super().__init__(exchange)
        self.send, self.start, self.write = exchange.send, exchange.start, exchange.write
        self.request = msgspec.structs.replace(exchange.request, body=body, query="")


def _asked(body: bytes, query: Query, *, anthropic: bool) -> tuple[Dialect, str | None, bytes]:
    """The dialect of a body, and for Gemini the model and the body without it."""
    if is_multipart(body):
        return _named(query.parameters.get("dialect") or TRANSCRIPTIONS.name), None, body
    try:
        members = _MEMBERS.decode(body.removeprefix(jsontext.BOM))
    except jsontext.NOT_DECODED as error:
        raise BodyNotJson(f"The request body is not a JSON object: {jsontext.fault(body, error)}") from None
    shown = MESSAGES if anthropic else CHAT
    shown = next((dialect for name, dialect in _SHOWN.items() if name in members), shown)
    dialect = _named(query.parameters.get("dialect") or shown.name)
    if dialect is not GEMINI:
        return dialect, None, body
    beside = members.pop("model", None)
    model = query.parameters.get("model") or _text(beside)
    if not model:
        raise InvalidRequest('Say which model: ?model=…, or "model" beside the contents.', param="model")
    return dialect, model.removeprefix("models/"), body if beside is None else msgspec.json.encode(members)


def _named(dialect: str) -> Dialect:
    found = DIALECTS.get(dialect)
    if found is None:
        raise InvalidRequest(f"dialect: one of {', '.join(DIALECTS)}.", param="dialect")
    return found


def _text(raw: msgspec.Raw | None) -> str:
    try:
        return "" if raw is None else msgspec.json.decode(raw, type=str)
    except msgspec.MsgspecError:
        raise InvalidRequest("model: a name.", param="model") from None


def _told(quote: Quote, asked: str, model: str) -> dict[str, Any]:
    ask, most, rates = quote.ask, quote.ceiling, quote.rates
    return {
        "object": "estimate",
        "model": asked,
        "priced_as": model,
        "currency": "USD",
        "ceiling": dollars(most.nanos),
        "ceiling_nanos": most.nanos,
        "input_tokens": most.input_tokens,
        "output_tokens": most.output_tokens,
        "priced": rates.known,
        "made_up_of": {
            "text_bytes": ask.text_bytes,
            "media": dict(ask.media),
            "media_bytes": dict(ask.media_bytes),
            "tools": sorted(ask.tools),
            "metered": dict(ask.metered),
            "candidates": ask.candidates,
            "max_output_tokens": ask.max_output_tokens,
            "longest_output_tokens": quote.longest_output,
            "calls": quote.times,
        },
        "rates": [_rate(row, rates.markup_permille) for row in rates.sale],
    }


def _rate(row: PriceRow, permille: int) -> dict[str, Any]:
    """A row of the sale book with the markup on it: what the caller is charged by, rounded up where that is not whole."""
    nanos = -(-row.rate_nanos * permille // 1000)
    told: dict[str, Any] = {"kind": row.kind, "unit": row.unit, "usd": dollars(nanos), "tier": row.tier}
    if row.kind != "use":
        told |= {"modality": row.modality, "cached": row.cached}
    if row.item:
        told["item"] = row.item
    return told | ({"above_tokens": row.above_tokens} if row.above_tokens else {})
