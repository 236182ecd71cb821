"""One call, from request to answer: the control flow of the gateway on one page.

    parse -> resolve -> restore what the vault kept -> fetch remote media -> plan
      -> for each candidate: render -> send -> read … until something is worth showing: COMMITTED
      -> write to the caller -> keep what the next turn needs

Until an answer is committed nothing has been promised: errors are real HTTP statuses and another candidate may be
tried. After it, never. Everything called here is pure or behind a port. Cancelling the task (the caller went away)
closes the provider's connection, which stops generation.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from random import Random
from typing import Final, Protocol

import msgspec

from portico.catalog import Catalog, Model
from portico.core.dialect import Dialect, Reading, Rendered, Reply
from portico.core.errors import (
    PorticoError,
    UpstreamBadGateway,
    UpstreamEmpty,
    UpstreamError,
    UpstreamMalformedOutput,
    UpstreamModelNotFound,
    UpstreamRejected,
    UpstreamSignatureRejected,
)
from portico.core.events import Failed
from portico.core.ids import call_ids, random_token
from portico.core.loss import Loss, changes_header
from portico.core.request import Request
from portico.core.target import Target
from portico.providers import Provider, upstream_url
from portico.relay.downstream import Downstream
from portico.relay.media import with_media
from portico.relay.ports import MediaFetcher, Upstream, UpstreamRequest, UpstreamResponse
from portico.relay.prepare import (
    in_words_of,
    parse_body,
    reading_for,
    reply_for,
    resolve,
    successor,
    successor_loss,
    target_at,
)
from portico.relay.pump import Pump
from portico.relay.verdict import fault_of_response, is_unexplained, tells_error
from portico.routing import Candidate, deployments_of, plan
from portico.vault import TurnRecorder, Vault, keys_of_request, restore, without_unknown_signatures
from portico.wire import jsontext
from portico.wire.http import Exchange, Headers
from portico.wire.sse import SseDecoder

MAX_ERROR_BYTES: Final = 1024 * 1024
_HEADER_TEXT: Final = re.compile(r"[!-~]{1,256}")
RETRIED_ONCE: Final = (UpstreamMalformedOutput, UpstreamEmpty)
"""Faults of chance: the same candidate is tried once more, silently, and then the caller hears of it (tries cost)."""


class Settings(msgspec.Struct, frozen=True):
    """What an operator may set about calls."""

    commit_after_s: float = 15.0
    keep_alive_s: float = 10.0
    connect_timeout_s: float = 10.0
    first_byte_timeout_s: float = 600.0
    idle_timeout_s: float = 300.0


class Call(msgspec.Struct):
    """One call while it is served."""

    exchange: Exchange
    dialect: Dialect
    tenant: str
    model: Model
    """The model that was asked for."""
    request: Request
    reply: Reply
    losses: list[Loss] = []
    """What could not be honoured: told in a header before the first byte."""
    headers: dict[str, str] = {}

    def note_model(self, name: str | None) -> None:
        """The name the provider answered with goes into a header: the body echoes the name that was asked (1.8)."""
        if name and _HEADER_TEXT.fullmatch(name):
            self.headers["x-portico-upstream-model"] = name

    def answer_headers(self) -> Headers:
        headers = list(self.headers.items())
        if self.losses:
            headers.append(("x-portico-changes", changes_header(self.losses)))
        return headers


class Attempt(msgspec.Struct, frozen=True):
    """One try of one candidate: what was rendered for it, and how its answer is read."""

    candidate: Candidate
    target: Target
    rendered: Rendered
    reading: Reading

    @property
    def dialect(self) -> Dialect:
        return self.candidate.deployment.provider.kind.dialect


class AttemptOne(Protocol):
    """How one attempt is made: whole or streamed. `last`: there is no silent second try."""

    async def __call__(self, call: Call, attempt: Attempt, *, last: bool) -> None: ...


class Relay:
    """Serves calls. Holds what all calls share; a call's own state is in `Call`."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        providers: Sequence[Provider],
        upstream: Upstream,
        vault: Vault,
        rng: Random,
        now: Callable[[], float],
        settings: Settings | None = None,
        fetcher: MediaFetcher | None = None,
    ) -> None:
        """`fetcher` gets remote media; without one an address is left to the provider."""
        self._fetcher = fetcher
        self._catalog = catalog
        self._providers: Mapping[str, Provider] = {provider.name: provider for provider in providers}
        self._upstream = upstream
        self._vault = vault
        self._rng = rng
        self._now = now
        self._settings = settings or Settings()
        self._mint = call_ids(rng)

    async def serve(
        self, exchange: Exchange, dialect: Dialect, tenant: str, *, model: str | None = None, stream: bool | None = None
    ) -> None:
        """Answers one call on its exchange. Raises what went wrong before anything was sent."""
        asked = parse_body(dialect, exchange.request.body, model=model, stream=stream)
        prepared = resolve(asked, self._catalog)
        request = prepared.request
        found = await self._vault.find(tenant, keys_of_request(request))
        request = restore(request, found)
        if self._fetcher is not None:
            request = await with_media(request, self._fetcher)
        reply = reply_for(request, answer_id=random_token(self._rng), created=int(self._now()))
        call = Call(exchange, dialect, tenant, prepared.resolved.model, request, reply)
        if request.stream:
            await self._stream(call)
        else:
            await self._try_each(call, self._whole)

    # -- candidates

    async def _try_each(self, call: Call, attempt_one: AttemptOne) -> None:
        """Tries candidates in order until one commits. Raises the last failure when none does."""
        last: UpstreamError | None = None
        queue = [(call.model, candidate) for candidate in self._plan(call.model)]
        missing: set[str] = set()
        while queue:
            model, candidate = queue.pop(0)
            try:
                return await self._twice_if_faulty(call, model, candidate, attempt_one)
            except UpstreamError as error:
                last = in_words_of(call.request, error)
                if not error.fails_over or isinstance(error, RETRIED_ONCE):
                    raise
            if isinstance(last, UpstreamModelNotFound) and model.name not in missing:
                missing.add(model.name)
                kind = candidate.deployment.provider.kind.name
                follower = successor(self._catalog, model, self._today(), kind, gone=True)
                queue += [(follower, candidate) for candidate in self._plan(follower)] if follower else []
        raise last or UpstreamModelNotFound(f"No configured provider serves {call.model.name}.")

    def _plan(self, model: Model) -> list[Candidate]:
        return plan(deployments_of(model, self._providers), rng=self._rng)

    def _today(self) -> date:
        return datetime.fromtimestamp(self._now(), UTC).date()

    async def _twice_if_faulty(self, call: Call, model: Model, candidate: Candidate, attempt_one: AttemptOne) -> None:
        try:
            await attempt_one(call, self._attempt(call, model, candidate), last=False)
        except RETRIED_ONCE:
            await attempt_one(call, self._attempt(call, model, candidate), last=True)
        except UpstreamSignatureRejected:
            if (request := without_unknown_signatures(call.request)) is None:
                raise
            call.request = request  # the skip value stands in for what the client sent, and the losses say so
            await attempt_one(call, self._attempt(call, model, candidate), last=True)

    def _attempt(self, call: Call, model: Model, candidate: Candidate) -> Attempt:
        """Renders the request for a candidate, or for the model that has taken its model's place."""
        deployment = candidate.deployment
        kind = deployment.provider.kind
        if (follower := successor(self._catalog, model, self._today(), kind.name)) is not None:
            model, candidate = follower, _pointed_at(follower, candidate)
            deployment = candidate.deployment
        target = target_at(call.dialect, kind.dialect, deployment.upstream_model, kind.name, deployment.capabilities)
        rendered = kind.dialect.render_request(call.request, target)
        passed_on = [successor_loss(call.request, call.model, model)] if model.name != call.model.name else []
        call.losses = [*passed_on, *rendered.losses]
        return Attempt(candidate, target, rendered, reading_for(call.request, rendered, target, self._mint))

    async def _send(self, call: Call, attempt: Attempt) -> UpstreamResponse:
        """The provider's answer, its status good. Raises what its error body says otherwise."""
        candidate, settings = attempt.candidate, self._settings
        provider = candidate.deployment.provider
        response = await self._upstream.send(
            UpstreamRequest(
                url=upstream_url(provider, attempt.target.model, stream=call.request.stream),
                headers=[
                    provider.kind.auth_header(candidate.credential.reveal()),
                    ("content-type", "application/json"),
                ],
                body=jsontext.encode(attempt.rendered.body),
                connect_timeout_s=settings.connect_timeout_s,
                first_byte_timeout_s=settings.first_byte_timeout_s,
                idle_timeout_s=settings.idle_timeout_s,
            )
        )
        if response.headers.get("x-portico-simulated"):
            call.headers["x-portico-simulated"] = "1"
        if response.status == 200:
            return response
        try:
            body = await response.read(MAX_ERROR_BYTES)
        finally:
            response.close()
        raise attempt.dialect.parse_error(response.status, body)

    # -- whole answers

    async def _whole(self, call: Call, attempt: Attempt, *, last: bool) -> None:
        upstream = await self._send(call, attempt)
        try:
            body = await upstream.read()
        finally:
            upstream.close()
        answer = _decoded(body)
        if tells_error(answer):  # some front ends answer 200 all the same
            raise attempt.dialect.parse_error(0, body)
        response = attempt.dialect.parse_response(answer, attempt.reading)
        if (fault := fault_of_response(response)) is not None:
            raise fault
        if is_unexplained(response) and not last:
            raise UpstreamEmpty
        recorder = TurnRecorder(attempt.target.signer)
        recorder.feed_response(response)
        self._keep(call, recorder)
        call.note_model(response.model)
        rendered = call.dialect.render_response(response, call.reply)
        call.losses += rendered.losses
        headers = [("content-type", "application/json"), *call.answer_headers()]
        call.exchange.send(200, headers, jsontext.encode(rendered.body))

    def _keep(self, call: Call, recorder: TurnRecorder) -> None:
        """What the next turn needs, kept before the answer's last byte leaves."""
        for keys, record in recorder.records():
            self._vault.keep(call.tenant, keys, record)

    # -- streams

    async def _stream(self, call: Call) -> None:
        settings = self._settings
        downstream = Downstream(
            call.exchange,
            call.dialect,
            call.answer_headers,
            commit_after_s=settings.commit_after_s,
            keep_alive_s=settings.keep_alive_s,
        )

        async def attempt_one(call: Call, attempt: Attempt, *, last: bool) -> None:
            await self._stream_one(call, attempt, downstream, last=last)

        try:
            await self._try_each(call, attempt_one)
        except PorticoError as error:
            if not downstream.open:
                raise
            failure = error if isinstance(error, UpstreamError) else UpstreamRejected(error.message, param=error.param)
            await downstream.send(call.dialect.writer(call.reply).feed(Failed(failure)))
        finally:
            downstream.release()
        downstream.finish()

    async def _stream_one(self, call: Call, attempt: Attempt, downstream: Downstream, *, last: bool) -> None:
        """Reads one candidate's stream. Raises while nothing was shown; afterwards a failure is an event."""
        upstream = await self._send(call, attempt)
        pump = Pump(call.dialect, call.reply, attempt.dialect.reader(attempt.reading), attempt.target.signer, last=last)
        decoder = SseDecoder()
        try:
            async for data in upstream:
                out = pump.feed(decoder.feed(data))
                if out:
                    call.note_model(pump.model)
                    await downstream.send(out)
            out = pump.close(decoder.close())
        except UpstreamError as error:
            if not pump.committed:
                raise
            out = pump.fail(error)
        finally:
            upstream.close()
            self._keep(call, pump.recorder)
        call.note_model(pump.model)
        await downstream.send(out)


def _decoded(body: bytes) -> object:
    try:
        return jsontext.decode(body)
    except jsontext.NotJson as error:
        raise UpstreamBadGateway(f"The provider's answer is not JSON: {error}") from None


def _pointed_at(model: Model, candidate: Candidate) -> Candidate:
    """The candidate with another model behind it."""
    kind = candidate.deployment.provider.kind.name
    deployment = msgspec.structs.replace(
        candidate.deployment, upstream_model=model.name, capabilities=model.capabilities_at(kind)
    )
    return msgspec.structs.replace(candidate, deployment=deployment)
