"""The simulator as an app: who may ask, what is asked, and the answer put on the wire.

The rule kept: nothing depends on a clock or on what was asked before, but for `once:` faults, which remember their text,
and for cached contents and marked prefixes, which are made to be remembered.
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from portico.simulator import embeddings, grammar, tokens, validate
from portico.simulator.answer import Reply, blocked, seal
from portico.simulator.anthropic.door import Door as Anthropic
from portico.simulator.caches import Cached, Caches, named_by, rfc3339, token
from portico.simulator.delivery import Delivery
from portico.simulator.faults import Wishes, refusal, wishes
from portico.simulator.models import MODELS, Model, describe, find
from portico.simulator.openai.door import Door as OpenAI
from portico.simulator.openai.files import FilesDoor
from portico.simulator.plan import draft, spoil
from portico.simulator.refusal import (
    Json,
    Refused,
    bad_key,
    field_violations,
    no_key,
    no_model,
    no_publisher_model,
    no_token,
)
from portico.simulator.routes import Route, route
from portico.simulator.signatures import Signer, canonical
from portico.simulator.stats import Seen, Stats
from portico.simulator.turns import last_words, turns
from portico.simulator.uploads import UploadsDoor
from portico.wire.http import Exchange, HttpRequest
from portico.wire.jsontext import NotJson, decode

_MEGABYTE = 1024 * 1024
_REMEMBERED = 10_000
_LOGGED_BYTES = _MEGABYTE


class Simulator:
    """An App that plays the providers: Google itself, the others through their doors.

    `lenient` takes signatures made elsewhere and retired models. `pace_s` is the time between events of a stream.
    `now` gives epoch seconds; without it no answer carries a time. Body limits are in bytes.
    """

    def __init__(
        self,
        seed: int = 0,
        lenient: bool = False,
        pace_s: float = 0.0,
        *,
        now: Callable[[], float] | None = None,
        max_body_bytes: int = 100 * _MEGABYTE,
        max_vertex_body_bytes: int = 20 * _MEGABYTE,
    ) -> None:
        self.seed = seed
        self.lenient = lenient
        self.pace_s = pace_s
        self.now = now
        self.max_body_bytes = max_body_bytes
        self.max_vertex_body_bytes = max_vertex_body_bytes
        self.stats = Stats()
        self._signer = Signer(seed)
        self._caches = Caches(seed, now)
        self._once: dict[bytes, None] = {}
        self._doors = (
            UploadsDoor(self.stats, seed=seed, now=now),
            FilesDoor(self.stats, seed=seed, now=now, max_body_bytes=max_body_bytes),
            Anthropic(self.stats, seed=seed, lenient=lenient, pace_s=pace_s, now=now, max_body_bytes=max_body_bytes),
            OpenAI(self.stats, seed=seed, lenient=lenient, pace_s=pace_s, now=now, max_body_bytes=max_body_bytes),
        )

    @property
    def models(self) -> Sequence[Json]:
        """The entries of `GET /models`."""
        return [describe(model) for model in MODELS.values() if self.lenient or not model.retired]

    async def __call__(self, exchange: Exchange) -> None:
        """Answers one exchange."""
        self.stats.requests += 1
        try:
            await self._serve(exchange)
        except asyncio.CancelledError:
            self.stats.cancelled += 1
            raise

    async def _serve(self, exchange: Exchange) -> None:
        request = exchange.request
        for door in self._doors:
            if (asked := door.takes(request)) is not None:
                self._log(request, *asked)
                await door.serve(exchange)
                return
        where = route(request)
        out = Delivery(exchange, where, self.stats, self.pace_s)
        self._log(request, *((where.model, where.verb) if where else ("", "")))
        if where is None:
            out.html(404, "Not Found", f"The requested URL <code>{request.path}</code> was not found on this server.")
            return
        try:
            self._admit(request, where)
            if where.verb in ("list", "get"):
                out.json(self._listing(where))
            elif where.caches:
                out.json(self._cache(request, where))
            else:
                await self._call(request, where, out)
        except RecursionError:
            self.stats.refused += 1
            out.refuse(Refused("Invalid JSON payload received. The message is nested too deeply."))
        except Refused as refused:
            self.stats.refused += 1
            out.refuse(refused)
        else:
            self.stats.answered += 1

    def _log(self, request: HttpRequest, model: str, verb: str) -> None:
        body = None
        if request.body and len(request.body) <= _LOGGED_BYTES:
            try:
                body = decode(request.body)
            except NotJson:
                body = None
        if not model and isinstance(body, dict) and isinstance(body.get("model"), str):
            model = body["model"]
        key = _key(request)
        self.stats.seen.append(
            Seen(request.method, request.path, request.query, model, verb, key, dict(request.headers), body)
        )

    def _admit(self, request: HttpRequest, where: Route) -> None:
        key = _key(request)
        if not key:
            raise no_token() if where.vertex else no_key()
        if where.verb == "predict" and not request.headers.get("authorization"):
            raise no_token("API keys are not supported by this API.")
        if key.startswith("bad-key"):
            raise bad_key()
        limit = self.max_vertex_body_bytes if where.vertex else self.max_body_bytes
        if len(request.body) > limit:
            raise Refused(f"Request payload size exceeds the limit: {limit} bytes.")

    def _listing(self, where: Route) -> Json:
        entries = self.models
        if where.verb == "get":
            found = find(where.model, lenient=self.lenient)
            if found is None:
                raise no_model(where.model, where.version, "GetModel")
            return describe(found)
        names = [entry["name"] for entry in entries]
        size, start = _page_size(where), named_by(where.query.get("pageToken", ""))
        if start and start not in names:
            raise Refused("* ListModelsRequest.page_token: page token is invalid\n")
        first = names.index(start) if start else 0
        page: Json = {"models": entries[first : first + size]}
        if first + size < len(entries):
            page["nextPageToken"] = token(names[first + size])
        return page

    def _cache(self, request: HttpRequest, where: Route) -> Json:
        key, name = _key(request), f"{where.parent}cachedContents/{where.model}"
        match where.verb:
            case "listCachedContents":
                start = named_by(where.query.get("pageToken", ""))
                return self._caches.listed(key, where.parent, _page_size(where), start)
            case "getCachedContent":
                return self._caches.get(key, name, vertex=where.vertex).described()
            case "deleteCachedContent":
                return self._caches.delete(key, name, vertex=where.vertex)
        body = grammar.read("CachedContent", _json(request), vertex=where.vertex)
        if where.verb == "updateCachedContent":
            mask = where.query.get("updateMask") or where.query.get("update_mask") or ""
            return self._caches.update(key, name, body, mask, vertex=where.vertex)
        asked = body.get("model", "").rpartition("/")[2]
        model = find(asked, lenient=self.lenient)
        if model is None or model.makes == "embedding":
            raise no_model(asked, where.version, where.verb)
        return self._caches.create(body, model, key, where.parent, vertex=where.vertex, lenient=self.lenient)

    async def _call(self, request: HttpRequest, where: Route, out: Delivery) -> None:
        model = find(where.model, lenient=self.lenient)
        embeds = where.verb.lower().endswith(_EMBED_VERBS)
        if model is None or (where.verb != "countTokens" and (model.makes == "embedding") is not embeds):
            if where.vertex:
                raise no_publisher_model(request.path.lstrip("/").partition("/")[2].rpartition(":")[0])
            raise no_model(where.model, where.version, where.verb)
        body = _json(request)
        match where.verb:
            case "countTokens":
                out.json(self._count(request, body, model, where))
            case "predict":
                out.json(embeddings.predict(grammar.read("PredictRequest", body, vertex=True), model))
            case "embedContent":
                one = grammar.read("EmbedContentRequest", body, vertex=where.vertex)
                embeddings.check(one, model)
                out.json({"embedding": {"values": embeddings.vector(one, model)}} | embeddings.usage([one], model))
            case "batchEmbedContents":
                batch = grammar.read("BatchEmbedContentsRequest", body, vertex=where.vertex)
                embeddings.check_batch(batch, model)
                vectors = [{"values": embeddings.vector(one, model)} for one in batch["requests"]]
                out.json({"embeddings": vectors} | embeddings.usage(batch["requests"], model))
            case _:
                await self._generate(request, body, model, where, out)

    def _count(self, request: HttpRequest, body: Any, model: Model, where: Route) -> Json:
        message = "VertexCountTokensRequest" if where.vertex else "CountTokensRequest"
        asked = grammar.read(message, body, vertex=where.vertex)
        inner = asked.get("generateContentRequest")
        if inner is not None and asked.get("contents"):
            raise Refused("* CountTokensRequest: only one of contents and generate_content_request may be set\n")
        if inner is not None and inner.get("model") != f"models/{model.name}" and not self.lenient:
            raise Refused("* CountTokensRequest.generate_content_request.model: unexpected model name format\n")
        counted = asked if inner is None else inner
        if not counted.get("contents") and not counted.get("instances"):
            raise Refused("* CountTokensRequest.contents: contents is not specified\n")
        if not where.vertex and not self.lenient:
            _no_ids(counted, "" if inner is None else "generate_content_request.")
        held = self._held(request, counted, model, where)
        read = tokens.prompt(counted, model, held.tokens if held else ())
        result: Json = {"totalTokens": read.total, "promptTokensDetails": read.details}
        if held:
            result["cachedContentTokenCount"] = held.total
        if where.vertex:
            texts = [part.get("text", "") for one in counted.get("contents", []) for part in one.get("parts", [])]
            result["totalBillableCharacters"] = sum(len("".join(text.split())) for text in texts)
        return result

    def _held(self, request: HttpRequest, asked: Json, model: Model, where: Route) -> Cached | None:
        name = asked.get("cachedContent")
        if not name:
            return None
        return self._caches.used(_key(request), name, model, vertex=where.vertex, lenient=self.lenient)

    async def _generate(self, request: HttpRequest, body: Any, model: Model, where: Route, out: Delivery) -> None:
        asked = grammar.read("GenerateContentRequest", body, vertex=where.vertex)
        role = validate.Where(model, where.vertex, self.lenient, self._signer)
        validate.generate(asked, role)
        held = self._held(request, asked, model, where)
        wished = self._wishes(request, asked)
        error = refusal(wished, model.name, vertex=where.vertex)
        if error is not None:
            try:
                raise error
            finally:
                del error  # which keeps this frame
        mark = seal(self.seed, model.name, canonical(asked))
        effective = held.before(asked) if held else asked
        config = asked.get("generationConfig", {})
        calling = effective.get("toolConfig", {}).get("functionCallingConfig", {})
        drafts = []
        for index in range(config.get("candidateCount", 1)):
            dice = Random(int.from_bytes(mark[:8]) + index)
            made = draft(effective, model, wished, dice, vertex=where.vertex, index=index)
            drafts.append(spoil(made, wished))
        tier = asked.get("serviceTier", "STANDARD").lower().removeprefix("service_tier_")
        reply = Reply(
            role,
            tokens.prompt(asked, model, held.tokens if held else ()),
            drafts,
            mark,
            tier.replace("unspecified", "standard"),
            "" if self.now is None else rfc3339(self.now()),
            config.get("logprobs", 0) if config.get("responseLogprobs") else None,
            bool(model.modern and calling.get("streamFunctionCallArguments")),
        )
        if "block" in wished:
            first = blocked(reply, wished.asked["block"])
            await out.events(iter([first]), wished) if where.stream else await out.whole(first, wished)
        elif where.stream:
            await out.events(reply.events(), wished)
        else:
            await out.whole(reply.whole(), wished)

    def _wishes(self, request: HttpRequest, asked: Json) -> Wishes:
        header = request.headers.get("x-sim-fault", "")
        text = last_words(turns(asked["contents"]))
        wished = wishes(text, header)
        if not wished.once:
            return wished
        mark = seal(text, header)
        if mark in self._once:
            return wished.without(wished.once)
        self._once[mark] = None
        if len(self._once) > _REMEMBERED:
            del self._once[next(iter(self._once))]
        return wished


_EMBED_VERBS = ("embedcontent", "embedcontents", "predict")


_KEYS = ("x-goog-api-key", "x-api-key", "api-key")


def _key(request: HttpRequest) -> str:
    header = next((value for name in _KEYS if (value := request.headers.get(name))), "")
    bearer = request.headers.get("authorization", "")
    return header or (bearer[7:].strip() if bearer.lower().startswith("bearer ") else "")


def _json(request: HttpRequest) -> Any:
    try:
        return decode(request.body)
    except NotJson as error:
        raise Refused(f"Invalid JSON payload received. {error}") from None


def _page_size(where: Route) -> int:
    """The asked page size: 50 unless told, at most 1000."""
    text = where.query.get("pageSize") or "0"
    if not re.fullmatch(r"\d{1,9}", text):
        raise field_violations([("page_size", f"Invalid value at 'page_size' (TYPE_INT32), \"{text}\"")])
    return min(1000, int(text)) or 50


def _no_ids(counted: Json, path: str) -> None:
    """The Gemini API counts no calls or results that carry an id (mapping.md 5.6)."""
    wrong = []
    for number, content in enumerate(counted.get("contents", [])):
        for place, part in enumerate(content.get("parts", [])):
            for key, snake in (("functionCall", "function_call"), ("functionResponse", "function_response")):
                if "id" in part.get(key, {}):
                    at = f"{path}contents[{number}].parts[{place}].{snake}"
                    text = f"Invalid JSON payload received. Unknown name \"id\" at '{at}': Cannot find field."
                    wrong.append((at, text))
    if wrong:
        raise field_violations(wrong)
