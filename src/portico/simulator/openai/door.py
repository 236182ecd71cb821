"""The OpenAI door of the simulator: who may ask, what is asked, and the answer put on the wire.

Whole answers are one JSON object; streams are `data: {json}` frames with LF, of Responses with an `event:` line before; the
stream of Chat Completions ends with `[DONE]`. No `obfuscation` is sent: callers may turn it off, so none may rely on it.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from random import Random
from typing import Any

from portico.simulator import mind
from portico.simulator.answer import seal
from portico.simulator.faults import Wishes
from portico.simulator.once import Once
from portico.simulator.openai import (
    chat_forms,
    chat_hearing,
    chat_rules,
    embeddings,
    form_data,
    images,
    models,
    refusal,
    responses_hearing,
    sounds,
    speech,
    transcripts,
)
from portico.simulator.openai.chat_telling import Reply
from portico.simulator.openai.forms import Form
from portico.simulator.openai.models import Model
from portico.simulator.openai.refusal import Refused
from portico.simulator.openai.responses import Responses
from portico.simulator.openai.responses import no_model as no_response_model
from portico.simulator.openai.responses_events import events
from portico.simulator.openai.routes import Route, route
from portico.simulator.refusal import Json
from portico.simulator.sending import JSON, Sender
from portico.simulator.signatures import canonical
from portico.simulator.stats import Stats
from portico.simulator.turns import last_words, turns
from portico.wire.http import Exchange, Headers, HttpRequest
from portico.wire.jsontext import NotJson, decode, encode

_BIRTHDAY = 1_767_225_600
"""2026-01-01: when everything was created, if there is no clock."""


class Door:
    """Answers the requests that are OpenAI's."""

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
        self.now = now
        self.max_body_bytes = max_body_bytes
        self._once = Once()
        self._responses = Responses(seed, lenient=lenient)

    def takes(self, request: HttpRequest) -> tuple[str, str] | None:
        """(model or id, verb) of a request that is for this door, None for one that is not."""
        where = route(request)
        return None if where is None else (where.deployment or where.id, where.call)

    async def serve(self, exchange: Exchange) -> None:
        """Answers one exchange that this door takes."""
        request = exchange.request
        where = route(request)
        if where is None:
            raise ValueError("a request of another vendor")
        mark = hashlib.sha256(seal(self.seed, request.path, request.body)).hexdigest()
        sender = Sender(exchange, self.stats, _headers(mark, azure=where.azure), self.pace_s)
        try:
            self._admit(request, where)
            await self._call(request, where, sender)
        except RecursionError:
            self._refuse(sender, refusal.no_json("nested too deeply"), where)
        except Refused as refused:
            self._refuse(sender, refused, where)
        else:
            self.stats.answered += 1

    def _refuse(self, sender: Sender, refused: Refused, where: Route) -> None:
        self.stats.refused += 1
        replaced = {name for name, _ in refused.headers}
        kept = [(name, value) for name, value in sender.headers if name not in replaced]
        body = encode(refused.body(azure=where.azure))
        replace(sender, headers=kept).send(refused.status, JSON, body, refused.headers)

    def _admit(self, request: HttpRequest, where: Route) -> None:
        if not where.versioned:
            raise refusal.no_path(request.method, request.path, azure=True)
        key = key_of(request, azure=where.azure)
        if not key or key.startswith("bad-key"):
            raise refusal.bad_key(key, azure=where.azure)
        if not where.allowed:
            raise Refused(f"Not allowed to {request.method} on {request.path}.", status=405)
        if len(request.body) > self.max_body_bytes:
            raise Refused("Maximum content size limit exceeded.", status=413)

    @property
    def created(self) -> int:
        return _BIRTHDAY if self.now is None else int(self.now())

    async def _call(self, request: HttpRequest, where: Route, sender: Sender) -> None:
        match where.call:
            case "models":
                data = [models.entry(name, _BIRTHDAY) for name in models.LISTED]
                sender.send(200, JSON, encode({"object": "list", "data": data}))
            case "model":
                if models.find(where.id) is None:
                    said = f"The model '{where.id}' does not exist"
                    raise Refused(said, param="model", code="model_not_found", status=404)
                sender.send(200, JSON, encode(models.entry(where.id, _BIRTHDAY)))
            case "embeddings":
                body = self._read(request, where, embeddings.REQUEST)
                model = self._model(body, where)
                embeddings.check(body, model)
                sender.send(200, JSON, encode(embeddings.answer(body, model)))
            case "images/generations" | "images/edits":
                await self._paint(request, where, sender)
            case "speech":
                await self._speak(request, where, sender)
            case "transcriptions" | "translations":
                await self._write_down(request, where, sender)
            case "chat":
                await self._chat(request, where, sender)
            case "responses":
                await self._respond(request, where, sender)
            case "tokens":
                body = self._read(request, where, self._responses.COUNT)
                sender.send(200, JSON, encode(self._responses.count(body)))
            case _:
                sender.send(200, JSON, encode(self._stored(request, where)))

    def _stored(self, request: HttpRequest, where: Route) -> Json:
        key = key_of(request, azure=where.azure)
        if where.call == "items":
            return self._responses.input_items(where.id, key)
        if request.method == "DELETE":
            return self._responses.store.delete(key, where.id)
        return self._responses.store.find(key, where.id).response

    async def _respond(self, request: HttpRequest, where: Route, sender: Sender) -> None:
        body, key = self._read(request, where, self._responses.REQUEST), key_of(request, azure=where.azure)
        model = self._model(body, where)
        conversation = self._responses.conversation(body, model, key)
        wished = self._wishes(request, responses_hearing.heard(body, conversation, model))
        if error := refusal.wished(wished, model.name, chat=False, azure=where.azure):
            raise error
        reply = self._responses.reply(body, model, conversation, wished, self.created)
        output = reply.output()
        self._responses.keep(reply, output, conversation, key)
        if body.get("stream"):
            frames = (frame(event, event["type"]) for event in events(reply, output))
            broken = {"type": "error", "sequence_number": int(wished.number("error-mid", 1))} | refusal.OVERLOADED
            await sender.frames(frames, wished, frame(broken, "error"))
        elif body.get("background"):
            await sender.whole(encode(reply.response(None) | {"status": "queued"}), wished)
        else:
            await sender.whole(encode(reply.response(output)), wished)

    async def _paint(self, request: HttpRequest, where: Route, sender: Sender) -> None:
        edit = where.call.endswith("edits")
        given: tuple[bytes, ...] = ()
        mask: bytes | None = None
        content_type = request.headers.get("content-type", "")
        if edit and form_data.is_form(content_type):
            body, files, over = images.of_form([*form_data.read(request.body, content_type)])
            body = body | {"model": where.deployment} if where.deployment else body
            images.EDIT(body, "")
            given, mask = tuple([one.data for one in files]), None if over is None else over.data
        else:
            body = self._read(request, where, images.EDIT if edit else images.GENERATION)
            given = images.of_names(body) if edit else ()
        if body.get("model") is None:
            raise refusal.missing("model")
        paint = images.check(body, self._model(body, where), given, mask, edit=edit)
        wished = self._once.wishes(paint.prompt, request.headers.get("x-sim-fault", ""))
        if "block" in wished:
            raise images.blocked()
        if error := refusal.wished(wished, paint.model.name, chat=False, azure=where.azure):
            raise error
        paint = images.without_marks(paint, wished.words)
        if body.get("stream"):
            told = (frame(event, event["type"]) for event in images.events(paint, self.created))
            await sender.frames(told, wished, frame({"type": "error", **refusal.OVERLOADED}, "error"))
        else:
            await sender.whole(encode(images.whole(paint, self.created)), wished)

    def _read(self, request: HttpRequest, where: Route, form: Form) -> Json:
        try:
            body = decode(request.body)
        except NotJson as error:
            raise refusal.no_json(error) from None
        if isinstance(body, dict) and where.deployment:
            body = body | {"model": where.deployment}
        form(body, "")
        result: Json = body
        return result

    def _model(self, body: Json, where: Route) -> Model:
        name = body["model"]
        model = models.deployed(name) if where.azure else models.find(name)
        if model is None:
            if where.azure:
                raise refusal.no_deployment()
            raise no_response_model(name) if where.call == "responses" else refusal.no_model(name)
        if model.retired and not self.lenient and where.call != "responses":
            link = "https://platform.openai.com/docs/deprecations"
            said = f"The model `{name}` has been deprecated, learn more here: {link}"
            raise Refused(said, status=404, code="model_not_found")
        return model

    async def _chat(self, request: HttpRequest, where: Route, sender: Sender) -> None:
        body = self._read(request, where, chat_forms.REQUEST)
        model = self._model(body, where)
        if not model.writes and model.shortens:
            raise Refused("You are not allowed to sample from this model", status=403)
        if not model.chat or not model.writes:
            said = (
                "This is not a chat model and thus not supported in the v1/chat/completions endpoint. Did you mean to use "
                "v1/completions?"
            )
            raise Refused(said, status=404, param="model")
        chat_rules.check(body, model)
        ask = chat_hearing.heard(body, model)
        wished = self._wishes(request, ask)
        if error := refusal.wished(wished, model.name, chat=True, azure=where.azure):
            raise error
        seed = seal(self.seed, "chat", canonical(_told(body)))
        dice = Random(int.from_bytes(seed[:8]))
        sane = wished.without(frozenset({"malformed"}))
        drafts = [mind.answer(ask, sane, dice, index=index) for index in range(body.get("n") or 1)]
        custom = frozenset(one["name"] for one in chat_rules.declared(body) if one["custom"])
        refuses, broken = "refuse" in wished, "malformed" in wished
        mark = seed.hex()
        reply = Reply(body, model, drafts, mark, dice, self.created, where.azure, refuses, custom, broken)
        if body.get("stream"):
            await sender.frames(_with_done(reply.chunks()), wished, frame(refusal.OVERLOADED))
        else:
            await sender.whole(encode(reply.whole()), wished)

    async def _speak(self, request: HttpRequest, where: Route, sender: Sender) -> None:
        body = self._read(request, where, speech.REQUEST)
        model = self._model(body, where)
        speech.check(body, model)
        wished = self._once.wishes(body["input"], request.headers.get("x-sim-fault", ""))
        if error := refusal.wished(wished, model.name, chat=False, azure=where.azure):
            raise error
        pcm = speech.sound(body)
        if body.get("stream_format") == "sse":
            frames = (frame(event) for event in speech.events(body, pcm))
            await sender.frames(frames, wished, frame({"type": "error", **refusal.OVERLOADED}))
        else:
            form = speech.format_of(body)
            await sender.whole(sounds.told(pcm, form), wished, sounds.TYPES[form])

    async def _write_down(self, request: HttpRequest, where: Route, sender: Sender) -> None:
        if not request.headers.get("content-type", "").startswith("multipart/form-data; boundary="):
            raise Refused("Could not parse multipart form: the request is not multipart/form-data with a boundary.")
        task = "transcribe" if where.call == "transcriptions" else "translate"
        form = transcripts.read(request.body, task)
        if where.deployment:
            form["model"] = where.deployment
        model = self._model(form, where)
        transcripts.check(form, model, task)
        wished = self._once.wishes(form.get("prompt", ""), request.headers.get("x-sim-fault", ""))
        if error := refusal.wished(wished, model.name, chat=False, azure=where.azure):
            raise error
        if transcripts.streams(form, model):
            frames = (frame(event) for event in transcripts.events(form, model))
            await sender.frames(frames, wished, frame({"type": "error", **refusal.OVERLOADED}))
        else:
            content_type, data = transcripts.whole(form, model, task)
            await sender.whole(data, wished, content_type)

    def _wishes(self, request: HttpRequest, ask: mind.Ask) -> Wishes:
        return self._once.wishes(last_words(turns(ask.said)), request.headers.get("x-sim-fault", ""))


def key_of(request: HttpRequest, *, azure: bool) -> str:
    """The key of a request: a bearer token, or Azure's own header."""
    bearer = request.headers.get("authorization", "")
    key = bearer[7:].strip() if bearer.lower().startswith("bearer ") else ""
    return key or (request.headers.get("api-key", "") if azure else "")


def _told(body: Json) -> Json:
    """What an answer depends on: a stream says what a whole answer says."""
    return {key: value for key, value in body.items() if key not in ("stream", "stream_options")}


def frame(event: Any, name: str = "") -> bytes:
    """One SSE frame."""
    head = b"event: " + name.encode() + b"\n" if name else b""
    return head + b"data: " + encode(event) + b"\n\n"


def _with_done(events: Iterable[Json]) -> Iterator[bytes]:
    for event in events:
        yield frame(event)
    yield b"data: [DONE]\n\n"


def _headers(mark: str, *, azure: bool) -> Headers:
    """OpenAI's, and the mark that this is not OpenAI."""
    told: list[tuple[str, str]] = [
        ("x-request-id", f"req_{mark[:32]}"),
        ("x-ratelimit-limit-requests", "500"),
        ("x-ratelimit-limit-tokens", "200000"),
        ("x-ratelimit-remaining-requests", "499"),
        ("x-ratelimit-remaining-tokens", "199000"),
        ("x-ratelimit-reset-requests", "120ms"),
        ("x-ratelimit-reset-tokens", "300ms"),
        ("x-portico-simulated", "1"),
    ]
    if azure:
        return [*told, ("apim-request-id", mark[32:]), ("x-ms-region", "Simulated")]
    return [
        *told,
        ("openai-organization", "org-simulated"),
        ("openai-processing-ms", "42"),
        ("openai-version", "2020-10-01"),
    ]
