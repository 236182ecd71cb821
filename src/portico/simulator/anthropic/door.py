"""The Anthropic door of the simulator: who may ask, what is asked, and the answer put on the wire.

Whole answers are one JSON object; streams are frames of `event: name` and `data: {json}` with LF. Every answer has a
`request-id`, and every one that was let in tells its limits.
"""

import hashlib
import re
from collections.abc import Callable
from random import Random
from urllib.parse import parse_qs

from portico.simulator import mind
from portico.simulator.answer import seal
from portico.simulator.anthropic import hearing, models, refusal, request, rules
from portico.simulator.anthropic.counting import Prefixes, segments
from portico.simulator.anthropic.events import events
from portico.simulator.anthropic.models import Model
from portico.simulator.anthropic.refusal import Refused
from portico.simulator.anthropic.routes import Route, route
from portico.simulator.anthropic.seals import Seals
from portico.simulator.anthropic.telling import Reply
from portico.simulator.once import Once
from portico.simulator.refusal import Json
from portico.simulator.sending import JSON, Sender
from portico.simulator.signatures import canonical
from portico.simulator.stats import Stats
from portico.simulator.turns import last_words, turns
from portico.wire.http import Exchange, Headers, HttpRequest
from portico.wire.jsontext import NotJson, decode, encode

_MOST_BYTES = 32 * 1024 * 1024
_VERSION = re.compile(r"20\d\d-\d\d-\d\d")
_RESET = "2026-01-01T00:01:00Z"
_LIMITS = {"requests": 1000, "tokens": 500_000, "input-tokens": 400_000, "output-tokens": 100_000}


class Door:
    """Answers the requests that are Anthropic's."""

    def __init__(
        self,
        stats: Stats,
        *,
        seed: int,
        lenient: bool,
        pace_s: float,
        now: Callable[[], float] | None,
        max_body_bytes: int,
    ) -> None:
        self.stats = stats
        self.seed = seed
        self.lenient = lenient
        self.pace_s = pace_s
        self.max_body_bytes = min(max_body_bytes, _MOST_BYTES)
        self._once = Once()
        self._seals = Seals(seed)
        self._prefixes = Prefixes(now)

    def takes(self, request: HttpRequest) -> tuple[str, str] | None:
        """(model, verb) of a request that is for this door, None for one that is not."""
        where = route(request)
        return None if where is None else (where.id, where.call)

    async def serve(self, exchange: Exchange) -> None:
        """Answers one exchange that this door takes."""
        asked = exchange.request
        where = route(asked)
        if where is None:
            raise ValueError("a request of another vendor")
        mark = hashlib.sha256(seal(self.seed, asked.path, asked.body)).hexdigest()
        prefix = "req_vrtx_01" if where.vertex else "req_01"
        name = f"{prefix}{mark[:22]}"
        sender = Sender(exchange, self.stats, _headers(name), self.pace_s)
        try:
            self._admit(asked, where)
            await self._call(asked, where, sender)
        except RecursionError:
            self._refuse(sender, Refused("The request body is not valid JSON: nested too deeply"), name)
        except Refused as refused:
            self._refuse(sender, refused, name)
        else:
            self.stats.answered += 1

    def _refuse(self, sender: Sender, refused: Refused, name: str) -> None:
        self.stats.refused += 1
        sender.send(refused.status, JSON, encode(refused.body(name)), refused.headers)

    def _admit(self, asked: HttpRequest, where: Route) -> None:
        key = key_of(asked, vertex=where.vertex)
        if not key:
            raise Refused("x-api-key header is required", status=401)
        if key.startswith("bad-key"):
            raise Refused("invalid x-api-key", status=401)
        version = asked.headers.get("anthropic-version", "")
        if not where.vertex and not version:
            raise Refused("anthropic-version: header is required")
        if version and not where.vertex and not _VERSION.fullmatch(version):
            raise Refused(f'anthropic-version: "{version}" is not a valid version')
        if not where.allowed:
            raise Refused("Method Not Allowed", status=405)
        if len(asked.body) > self.max_body_bytes:
            raise Refused("Request exceeds the maximum size", status=413)

    async def _call(self, asked: HttpRequest, where: Route, sender: Sender) -> None:
        match where.call:
            case "models":
                sender.send(200, JSON, encode(self._listing(asked)))
            case "model":
                sender.send(200, JSON, encode(models.entry(self._model(where.id))))
            case "count_tokens":
                body, model, _ = self._read(asked, where)
                rules.check(body, model, self._seals, lenient=self.lenient)
                told = {"input_tokens": sum(piece.size for piece in segments(body))}
                sender.send(200, JSON, encode(told))
            case _:
                await self._answer(asked, where, sender)

    def _listing(self, asked: HttpRequest) -> Json:
        query = {key: values[-1] for key, values in parse_qs(asked.query).items()}
        size = query.get("limit", "20")
        if not re.fullmatch(r"\d{1,4}", size) or not 1 <= int(size) <= 1000:
            raise refusal.at("limit", "Input should be between 1 and 1000")
        known = [model for model in models.MODELS.values() if self.lenient or not model.retired]
        names = [model.name for model in known]
        after, before = query.get("after_id"), query.get("before_id")
        for cursor in (after, before):
            if cursor is not None and cursor not in names:
                raise Refused(f"model: {cursor}", status=404)
        if before is not None:
            shown = known[: names.index(before)][-int(size) :]
            more = names.index(before) > len(shown)
        else:
            start = names.index(after) + 1 if after is not None else 0
            shown = known[start : start + int(size)]
            more = start + len(shown) < len(known)
        return {
            "data": [models.entry(model) for model in shown],
            "first_id": shown[0].name if shown else None,
            "last_id": shown[-1].name if shown else None,
            "has_more": more,
        }

    def _model(self, name: str) -> Model:
        model = models.find(name, lenient=self.lenient)
        if model is None:
            raise refusal.no_model(name)
        return model

    def _read(self, asked: HttpRequest, where: Route) -> tuple[Json, Model, tuple[str, ...]]:
        """The body of the right form, its model, and the betas it is read with."""
        try:
            body = decode(asked.body)
        except NotJson as error:
            raise Refused(f"The request body is not valid JSON: {error}") from None
        names = request.betas(asked.headers.get("anthropic-beta", ""))
        counts = where.call == "count_tokens"
        if where.vertex and isinstance(body, dict):
            if not counts:
                if body.get("model") is not None:
                    raise refusal.at("model", "Extra inputs are not permitted")
                body = body | {"model": where.id}
            given = body.get("anthropic_beta")
            names += tuple(one for one in given if isinstance(one, str)) if isinstance(given, list) else ()
        checked = request.check(body, names, counts=counts, vertex=where.vertex)
        return checked, self._model(checked["model"]), names

    async def _answer(self, asked: HttpRequest, where: Route, sender: Sender) -> None:
        body, model, names = self._read(asked, where)
        rules.check(body, model, self._seals, lenient=self.lenient)
        ask = hearing.heard(body, model, names)
        wished = self._once.wishes(last_words(turns(ask.said)), asked.headers.get("x-sim-fault", ""))
        if error := refusal.wished(wished, model.context):
            raise error
        key = key_of(asked, vertex=where.vertex)
        told = seal(self.seed, "messages", canonical({name: body[name] for name in body if name != "stream"}))
        dice = Random(int.from_bytes(told[:8]))
        made = mind.answer(ask, wished, dice)
        spent = self._prefixes.count(body, model, key)
        if spent.total > model.context:
            raise Refused(f"prompt is too long: {spent.total} tokens > {model.context} maximum")
        reply = Reply(body, model, made, wished, spent, told.hex(), dice, self._seals, where.vertex)
        if body.get("stream"):
            broken = frame(refusal.OVERLOADED)
            await sender.frames((frame(event) for event in events(reply)), wished, broken)
        else:
            await sender.whole(encode(reply.whole()), wished)


def key_of(asked: HttpRequest, *, vertex: bool = False) -> str:
    """The key of a request: `x-api-key`, or a bearer token, which Anthropic takes too (and Vertex only)."""
    bearer = asked.headers.get("authorization", "")
    token = bearer[7:].strip() if bearer.lower().startswith("bearer ") else ""
    return token if vertex else asked.headers.get("x-api-key", "") or token


def frame(event: Json) -> bytes:
    """One SSE frame, under the name that its type is."""
    return f"event: {event['type']}\ndata: ".encode() + encode(event) + b"\n\n"


def _headers(name: str) -> Headers:
    """Anthropic's, and the mark that this is not Anthropic."""
    told: list[tuple[str, str]] = [
        ("request-id", name),
        ("anthropic-organization-id", "00000000-0000-4000-8000-000000000000"),
    ]
    for what, limit in _LIMITS.items():
        told += [
            (f"anthropic-ratelimit-{what}-limit", str(limit)),
            (f"anthropic-ratelimit-{what}-remaining", str(limit - 1)),
            (f"anthropic-ratelimit-{what}-reset", _RESET),
        ]
    return [*told, ("x-portico-simulated", "1")]
