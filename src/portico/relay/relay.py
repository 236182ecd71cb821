"""One call, from request to answer: the control flow of the gateway on one page.

    parse -> resolve -> restore what the vault kept -> fetch remote media -> plan
      -> for each candidate: render, or pass the body on -> send -> read … until something is worth showing: COMMITTED
      -> write to the caller -> keep what the next turn needs

Who is tried, one after the other or two beside each other, is told in trying.py. A model that gives fewer answers to
a call than were asked for is asked in several lanes, each with tries of its own; their answers come as one. An
optional field that a provider refuses is left out, and the candidate asked once more (1.6). Until an answer is
committed nothing has been promised: errors are real HTTP statuses and another candidate may be tried. After it,
never. Everything called here is pure or behind a port. Cancelling the task (the caller went away) closes the
provider's connection, which stops generation.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime
from random import Random
from typing import Final

import msgspec

from portico.accounts import Caller
from portico.catalog import Catalog, Model
from portico.catalog.books import PriceBooks, Rates
from portico.core.dialect import Dialect, Passing, RawBody, Seen
from portico.core.errors import (
    PorticoError,
    UpstreamEmpty,
    UpstreamError,
    UpstreamRejected,
)
from portico.core.ids import call_ids, timed_id
from portico.core.response import Response
from portico.providers import Provider, Verb, with_forwarded
from portico.providers.quirks import in_answer
from portico.relay import counting, embedding, making, piecewise, questions
from portico.relay.aiming import Aims
from portico.relay.attempts import decoded, last_of, note_failure, note_stream, pump_of
from portico.relay.call import ANY_NUMBER, Attempt, BrokenOff, Call
from portico.relay.dearness import Dearness, dearness
from portico.relay.defaults import Defaults
from portico.relay.downstream import Downstream
from portico.relay.fanout import merged
from portico.relay.files import Files
from portico.relay.owned import OwnedThings
from portico.relay.paying import COST_HEADER, Paying, dollars
from portico.relay.piping import Piping
from portico.relay.ports import MediaFetcher, Upstream, UpstreamRequest, UpstreamResponse
from portico.relay.prepare import successor
from portico.relay.presence import EndedByOperator
from portico.relay.pump import Teller
from portico.relay.reception import Reception
from portico.relay.report import Report
from portico.relay.router import Router, RoutingRules
from portico.relay.served import Served, answering
from portico.relay.signing import Signer
from portico.relay.strict import is_strict
from portico.relay.tab import Once, Tab
from portico.relay.till import Till
from portico.relay.trying import Tries
from portico.relay.unfence import not_json, unfenced
from portico.relay.verdict import fault_of_response, holds_something, is_unexplained, tells_error, words_of
from portico.routing import ANY, Deployment, Health
from portico.vault import Resources, TurnRecorder, Vault, hides_something
from portico.vault.responses import StoredResponses
from portico.wire import jsontext
from portico.wire.framing import EventFraming, Framing
from portico.wire.http import Exchange
from portico.wire.sse import Frame

JSON: Final = ("content-type", "application/json")


class Settings(msgspec.Struct, frozen=True):
    """What an operator may set about calls."""

    commit_after_s: float = 15.0
    keep_alive_s: float = 10.0
    connect_timeout_s: float = 10.0
    first_byte_timeout_s: float = 600.0
    idle_timeout_s: float = 300.0
    max_body_bytes: int = 64 * 1024 * 1024
    """Of a request, and of a file that comes in several."""


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
        clock: Callable[[], float],
        settings: Settings | None = None,
        defaults: Defaults | None = None,
        fetcher: MediaFetcher | None = None,
        till: Till | None = None,
        tab: type[Tab] = Tab,
        resources: Resources | None = None,
        responses: StoredResponses | None = None,
        rules: RoutingRules | None = None,
        health: Health | None = None,
    ) -> None:
        """`fetcher` gets remote media; without one an address is left to the provider. Without a till nothing is charged;
        `tab` is how calls are held for. `clock` is for reports, `resources` for who owns files and caches at providers,
        `responses` for answers that calls go on from. `rules`: who is asked, how often; `health`: what is known of them."""
        self._till, self._tab = till, tab
        self._clock = clock
        self._defaults = defaults or Defaults()
        self._catalog = catalog
        self._upstream = upstream
        self._vault = vault
        self._rng, self._now = rng, now
        self._settings = settings or Settings()
        self._listed = PriceBooks(catalog)
        self.health = health or Health(rules=(rules or RoutingRules()).breaker)
        self._router = Router(
            self.health,
            rules or RoutingRules(),
            followers=catalog.fallbacks_of,
            dearness=self._dearness,
            rng=rng,
            now=now,
        )
        self._aims = Aims(self._router, call_ids(rng))
        self._reception = Reception(
            vault=vault,
            responses=responses,
            owned=None if resources is None else OwnedThings(resources, providers),
            defaults=self._defaults,
            fetcher=fetcher,
            till=till,
            rng=rng,
            now=now,
        )
        self._tries = Tries(self._router, self._aims, self._reception, catalog)
        self._signer = Signer(upstream, now)
        most = self._settings.max_body_bytes
        self.files = (
            None if resources is None else Files(upstream, self._signer, resources, till=till, now=now, max_bytes=most)
        )
        """Files at providers; None where nobody knows whose they are."""
        self.serve_from(providers)

    def serve_from(self, providers: Sequence[Provider]) -> None:
        """From now on these providers are asked. Calls that have begun stay with those they began with."""
        by_name = {provider.name: provider for provider in providers}
        self._served = Served(self._catalog, by_name, self._defaults.small_max_tokens)
        self._router.served = self._reception.served = self._served
        self._signer.serve(providers)
        if self.files is not None:
            self.files.serve(providers)

    @property
    def charges(self) -> bool:
        """Whether calls are held for and charged."""
        return self._till is not None

    async def serve(
        self,
        exchange: Exchange,
        dialect: Dialect,
        caller: Caller,
        *,
        model: str | None = None,
        verb: Verb | None = None,
        framing: Framing | None = None,
        report: Report | None = None,
        once: Once | None = None,
    ) -> None:
        """Answers one call on its exchange. `model` and `verb` are given where the dialect puts them in the path, `framing`
        where a stream is to be framed otherwise than the dialect has it. `report` is told what becomes known of the call.
        `once` is given for a call with an idempotency key, and `Replayed` is raised if it was answered before. Raises what
        went wrong before anything was sent.
        """
        strict = is_strict(exchange.request.headers, default=caller.policy.strict)
        call = await self._reception.call(exchange, dialect, caller, model, verb)
        call.strict = strict
        if report is not None:
            call.report = report
            report.asked, report.model = call.request.model, call.model.name
            report.verb, report.stream = call.verb, call.verb is Verb.STREAM
        try:
            if self._till is not None:
                request_id = call.report.request_id or timed_id("req_", self._rng, self._now())
                call.paying = Paying(self._tab(self._till, caller, request_id, once=once), self._till, call, once)
            if call.verb is Verb.STREAM:
                answer = self._stream(call, framing or EventFraming(dialect.frame, dialect.keep_alive))
            else:
                answer = self._whole(call)
            await (answer if call.paying is None else call.paying.through(answer))
        finally:
            call.report.usage = call.seen.usage
            if call.paying is not None:
                call.paying.part()
                call.paying = None

    def serves(self, model: Model) -> bool:
        """Whether a call of the model can be sent anywhere today, were it to the one that follows it."""
        return self._served.serves(model, self._today())

    def deployments(self, model: Model) -> list[Deployment]:
        """Where a call of the model can be sent today, who comes first first."""
        today = self._today()
        there = [
            one
            for one in self._served.deployments(model)
            if model.successor is not None or not model.is_gone(today, one.provider.kind.name)
        ]
        return sorted(there, key=lambda one: one.priority)

    def rates(self, model: Model, on: date, *, account: str) -> Rates | None:
        """What an account is charged by for a call of the model that begins on a day, at whoever is asked first; None where
        it is not served."""
        served = self.deployments(model)
        if not served:
            return None
        model, first = answering(self._catalog, model, served[0], on)
        return self._books().rates(
            model=model,
            provider=first.provider.name,
            provider_kind=first.provider.kind.name,
            upstream_model=first.upstream_model,
            account=account,
            on=on,
        )

    def answers(self, model: Model, provider_kind: str, on: date) -> Model:
        """Who answers for a model at a kind of provider on a day: itself, or its successor where it is retired."""
        return successor(self._catalog, model, on, provider_kind) or model

    def _books(self) -> PriceBooks:
        return self._till.books() if self._till is not None else self._listed

    def _dearness(self, model: Model, deployment: Deployment | None, like: Model) -> Dearness:
        """What a model, or who answers in its place today, costs there if it is used like another, to compare them by."""
        books, today = self._books(), self._today()
        if deployment is not None:
            model, deployment = answering(self._catalog, model, deployment, today)
        return dearness(books, model, deployment, today, like=like)

    def _today(self) -> date:
        return datetime.fromtimestamp(self._now(), UTC).date()

    # -- one attempt

    async def _send(self, call: Call, attempt: Attempt) -> UpstreamResponse:
        """The provider's answer, its status good. Raises what its error body says otherwise."""
        aim, settings, paying = attempt.aim, self._settings, call.paying
        provider = aim.provider
        content = attempt.content
        body = attempt.take_body()
        if paying is not None:
            ask = paying.ask(attempt, body, content)
            if ask.tools:
                body, ask = paying.without_unpriced(attempt, body, ask)
            await paying.sending(attempt, ask, self._aims.elsewhere(call, aim))
        del content
        credential = aim.candidate.credential
        headers = self._signer.ready(provider, aim.spoken, credential)
        if headers is None:
            headers = await self._signer.headers(provider, aim.spoken, credential)
        if aim.spoken.forwarded and call.dialect is aim.spoken.dialect:
            headers = with_forwarded(headers, aim.spoken, call.exchange.request.headers)
        attempt.tried.sent = self._clock()
        response = await self._upstream.send(
            UpstreamRequest(
                url=self._served.url(provider, aim.spoken, aim.target.model, attempt.verb or call.verb, credential),
                headers=headers,
                body=body,
                connect_timeout_s=settings.connect_timeout_s,
                first_byte_timeout_s=min(settings.first_byte_timeout_s, attempt.patience_s),
                idle_timeout_s=settings.idle_timeout_s,
            )
        )
        attempt.tried.answered = self._clock()
        if response.headers.get("x-portico-simulated"):
            call.headers["x-portico-simulated"] = "1"
        if response.status == 200:
            self._aims.worked(call, aim)
            return response
        body = await words_of(response)
        if response.status == 401:
            self._signer.refused(credential)
        raise attempt.dialect.parse_error(response.status, credential.hidden_in(body), response.headers)

    def _nobody_counts(self, call: Call) -> bool:
        """Whether the model is served, and nobody who serves it counts tokens."""
        served = self._served.deployments(call.model)
        return bool(served) and not self._router.order(call, call.model, ANY).candidates

    # -- whole answers

    async def _whole(self, call: Call) -> None:
        if call.verb is Verb.COUNT_TOKENS and self._nobody_counts(call):
            estimate = counting.estimated(call)
            call.exchange.send(200, [JSON, *call.answer_headers()], estimate)
            return
        try:
            await self._tries.each(call, self._whole_one)
        except BrokenOff:
            call.counts = False
            call.exchange.abort()
            return
        if call.exchange.started:  # it has gone out in pieces
            if not call.passed:
                self._merged(call)
            await call.settled()
            call.exchange.finish()
            return
        body = call.passed or self._translated(call)
        if isinstance(body, RawBody):
            body = await _finished(call, body)
        if call.continuation is not None and call.generates:
            body = call.continuation.whole(call, body)
        if call.settling:
            await call.settled()
        call.note_model(call.seen.model)
        paying = call.paying
        if paying is not None and not paying.tab.durable_now:
            await paying.tab.durable()
        headers = [("content-type", call.content_type), *call.answer_headers()]
        if paying is not None and paying.tells_cost:
            headers.append((COST_HEADER, dollars(paying.cost())))
        call.exchange.send(200, headers, body)

    async def _whole_one(self, call: Call, attempt: Attempt, *, last: bool) -> None:
        try:
            async with call.slots or ANY_NUMBER:
                upstream = await self._send(call, attempt)
                try:
                    if attempt.verb is Verb.STREAM:
                        response = await piecewise.told(call, attempt, upstream)
                        call.answers.append((attempt.lane, self._judged(call, attempt, response, last=last)))
                        return
                    in_pieces = call.dialect.raw_answers
                    body = await (piecewise.passed(call, attempt, upstream) if in_pieces else upstream.read())
                finally:
                    upstream.close()
            if attempt.passing is not None:
                self._passed(call, attempt.passing, body, last=last)
            elif not call.generates:
                questions.answered(call, attempt, body)
            else:
                response = self._read(call, attempt, body, last=last)
                if call.request.picture is not None:
                    response = await making.in_format(response, call.request.picture)
                call.answers.append((attempt.lane, response))
        except UpstreamError as error:
            piecewise.never_twice(call, error)
            raise

    def _passed(self, call: Call, passing: Passing, body: bytes, *, last: bool) -> None:
        """Takes a whole answer that passes as it is. Raises what is wrong with it."""
        seen = counting.seen(call, passing, body)
        if call.generates:
            if seen.empty and call.paying is not None and not last:
                raise UpstreamEmpty
            call.note_seen(seen)
        call.seen, call.passed = seen, body
        call.counts = not (call.generates and seen.empty)

    def _read(self, call: Call, attempt: Attempt, body: bytes, *, last: bool) -> Response:
        """A whole answer of a provider's. Raises what is wrong with it."""
        answer = in_answer(attempt.aim.provider.quirks_in(attempt.aim.spoken), decoded(body))
        if tells_error(answer):  # some front ends answer 200 all the same
            raise attempt.dialect.parse_error(0, attempt.aim.candidate.credential.hidden_in(body))
        return self._judged(call, attempt, attempt.dialect.parse_response(answer, attempt.reading), last=last)

    def _judged(self, call: Call, attempt: Attempt, response: Response, *, last: bool) -> Response:
        """The same of an answer that is understood."""
        if attempt.unfences:
            response = unfenced(response)
        making.require(call.dialect.product, response)
        holds = holds_something(response)
        if not holds and (fault := fault_of_response(response)) is not None:
            raise fault
        if holds or not is_unexplained(response):
            call.count(attempt.lane, response)
            if call.paying is not None:
                call.paying.answers(attempt)
        elif not last:
            raise UpstreamEmpty
        if attempt.unfences:
            call.losses += not_json(response, call.request)
        if hides_something(response):
            recorder = TurnRecorder(attempt.aim.target.signer)
            recorder.feed_response(response)
            self._keep(call, recorder)
        return response

    def _merged(self, call: Call) -> Response:
        """The answers of all lanes as one, and what it told of itself noted."""
        response = merged(call.answers)
        used = (response.usage, response.service_tier, response.uses, response.raw_usage)
        call.seen = Seen(response.model, *used)
        return response

    def _translated(self, call: Call) -> bytes | RawBody:
        """The answers of all lanes in the caller's dialect."""
        if call.embedded:
            return embedding.told(call)
        rendered = call.dialect.render_response(self._merged(call), call.reply)
        if rendered.losses:
            call.losses += rendered.losses
        body = rendered.body
        return body if isinstance(body, RawBody) else jsontext.encode(body)

    def _keep(self, call: Call, recorder: TurnRecorder) -> None:
        """What the next turn needs, kept before the answer's last byte leaves."""
        if (settling := self._vault.keep_all(call.caller.tenant, recorder.records())) is not None:
            call.settling.append(settling)

    # -- streams

    async def _stream(self, call: Call, framing: Framing) -> None:
        settings = self._settings
        downstream = Downstream(
            call.exchange,
            framing,
            call.answer_headers,
            commit_after_s=settings.commit_after_s,
            keep_alive_s=settings.keep_alive_s,
            ready=None if call.paying is None else call.paying.tab.ready,
        )

        def attempt_one(call: Call, attempt: Attempt, *, last: bool) -> Awaitable[None]:
            one = self._stream_one if attempt.verb is None else self._stream_whole
            return one(call, attempt, downstream, last=last)

        try:
            await self._tries.each(call, attempt_one)
        except BrokenOff:
            pass
        except PorticoError as error:
            if not downstream.open:
                raise
            downstream.write(_failed(call, error))
        except asyncio.CancelledError:
            if call.paying is None or not call.paying.presence.was_ended():
                raise
            if not downstream.open:
                raise EndedByOperator from None
            downstream.write(_failed(call, EndedByOperator()))
        finally:
            downstream.release()
        downstream.finish()

    async def _stream_one(self, call: Call, attempt: Attempt, downstream: Downstream, *, last: bool) -> None:
        """Reads one candidate's stream. Raises while nothing was shown; afterwards a failure is an event."""
        async with call.slots or ANY_NUMBER:
            upstream = await self._send(call, attempt)
            pump = pump_of(call, attempt, last=last)
            try:
                out = await Piping(call, attempt, pump, downstream, self._clock).through(upstream)
            finally:
                upstream.close()
                self._keep(call, pump.recorder)
                note_stream(call, attempt, pump)
            out = last_of(call, out)
            call.note_model(pump.model)
            await call.settled()
            if call.paying is not None:
                await call.paying.tab.durable()
            downstream.write(out)
            await downstream.drain()
        if pump.failure is not None:
            note_failure(call, pump.failure)
        if call.teller is not None and call.teller.failed:
            raise BrokenOff

    async def _stream_whole(self, call: Call, attempt: Attempt, downstream: Downstream, *, last: bool) -> None:
        """Reads one candidate's whole answer, and goes on with the stream by it."""
        async with call.slots or ANY_NUMBER:
            upstream = await self._send(call, attempt)
            try:
                body = await upstream.read()
            finally:
                upstream.close()
            response = await making.in_format(self._read(call, attempt, body, last=last), call.request.picture)
            out = making.told(call, attempt, response)
            await call.settled()
            if call.paying is not None:
                await call.paying.tab.durable()
            downstream.write(out)
            await downstream.drain()


def _failed(call: Call, error: PorticoError) -> list[Frame]:
    """What a stream that is open says of it."""
    failure = error if isinstance(error, UpstreamError) else UpstreamRejected(error.message, param=error.param)
    teller = call.teller or Teller(call.dialect, call.reply, total=1)
    note_failure(call, failure)
    return teller.fail(failure)


async def _finished(call: Call, raw: RawBody) -> bytes:
    """An answer that is no JSON, once all of it that takes its time is done, beside everything else."""
    call.content_type = raw.content_type
    return raw.data if raw.finish is None else await asyncio.to_thread(raw.finish, raw.data)
