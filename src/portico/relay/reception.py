"""What a call is, before anybody is asked: its model, and its body read, or left unread where it may pass as it is.

A body passes where its dialect is spoken by a provider of its model. Which model that is stands in the path or at the top
of the body, which is looked at and not read. A body that passes is read all the same if a candidate turns up that speaks
another dialect (`understand`).
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from random import Random

import msgspec

from portico.accounts import Caller, require_in_scope
from portico.catalog import Model, Resolved
from portico.core.dialect import Dialect, Reply
from portico.core.errors import ModelNotFound
from portico.core.ids import random_token
from portico.core.request import Request
from portico.core.target import ThinkingControl
from portico.providers import EMBEDDING, GENERATING, Verb
from portico.relay import counting, stored
from portico.relay.able import EMBEDS, require_able
from portico.relay.admitting import admit
from portico.relay.call import Call
from portico.relay.convert import Converted, holds_media
from portico.relay.defaults import Defaults, of_key, with_defaults
from portico.relay.known import KnownLists
from portico.relay.media import image_form, with_media
from portico.relay.owned import OwnedThings, Pins
from portico.relay.passthrough import is_beyond, passes_whole, unread
from portico.relay.ports import MediaFetcher
from portico.relay.prepare import Prepared, parse_body, reply_for, resolve, resolve_name
from portico.relay.served import Served
from portico.relay.stored import Continuation
from portico.relay.till import Till
from portico.vault import Vault, keys_of_request, restore
from portico.vault.responses import StoredResponses
from portico.wire import raw
from portico.wire.http import Exchange


class Reception:
    """Receives calls. Holds what all calls share."""

    served: Served
    """Where models are served; set by whoever changes that."""

    def __init__(
        self,
        *,
        vault: Vault,
        responses: StoredResponses | None,
        owned: OwnedThings | None,
        defaults: Defaults,
        fetcher: MediaFetcher | None,
        till: Till | None,
        rng: Random,
        now: Callable[[], float],
    ) -> None:
        """`fetcher` gets remote media; without one an address is left to the provider. `responses`: answers that calls go
        on from; `owned`: whose files and caches at providers are; `till`: who may have something fetched."""
        self._till = till
        self._vault = vault
        self._responses = responses
        self._owned = owned
        self._defaults = defaults
        self._fetcher = fetcher
        self._rng, self._now = rng, now
        self._known = KnownLists("tools", random_token(rng))

    async def call(
        self, exchange: Exchange, dialect: Dialect, caller: Caller, model: str | None, verb: Verb | None
    ) -> Call:
        """The call on an exchange. `model` and `verb` are given as far as the path says them. Raises what is wrong."""
        continuation: Continuation | None = None
        beyond: dict[tuple[str, str], bool] = {}
        answer_id, created = random_token(self._rng), int(self._now())
        in_path = model is not None
        # Whether what a body says at its top may decide how it is served.
        looks = in_path or dialect.state is not None or self.served.is_spoken(dialect)
        named = self._named(exchange, dialect, model, verb) if looks else None
        if named is not None:
            asked, verb_asked = named
            resolved = self._resolved(dialect, asked, in_path=in_path)
            scope, of = caller.policy.models, resolved.model
            require_in_scope(scope, of.name, of.vendor, asked, param=_blamed(dialect, model))
            self._require_able(dialect, verb_asked, resolved.model, _blamed(dialect, model))
            verb_asked = _verb(dialect, resolved.model, verb_asked)
            if dialect.state is not None:
                continuation = await self._continued(exchange, dialect, caller, resolved, verb_asked)
            if self._passes(exchange, dialect, resolved, verb_asked, continuation, in_path=in_path):
                request = unread(dialect, asked, verb_asked)
                reply = self._reply(exchange, caller, request, answer_id, created)
                call = Call(exchange, dialect, caller, resolved.model, request, reply, verb_asked)
                call.passing, call.unread, call.in_path = dialect.passing, True, in_path
                call.continuation = continuation
                if self._owned is not None:
                    call.pins = await self._owned.pins_of_body(caller.tenant, exchange.request.body, dialect.name)
                return call
            beyond = self._beyond(dialect, resolved.model, verb_asked, exchange.request.body)
        call = await self._read(exchange, dialect, caller, model, verb, answer_id, created)
        call.beyond = beyond
        if continuation is not None:
            call.continuation, call.reply = continuation, _with_own_id(call.reply, continuation)
        return call

    def _named(
        self, exchange: Exchange, dialect: Dialect, model: str | None, verb: Verb | None
    ) -> tuple[str, Verb] | None:
        if model is not None:
            return None if verb is None else (model, verb)
        said = (raw.named if dialect.passing is None else dialect.passing.named)(exchange.request.body)
        if said is None:
            return None
        return said.model, verb or (Verb.STREAM if said.stream else Verb.GENERATE)

    def _require_able(self, dialect: Dialect, verb: Verb | None, model: Model, param: str | None) -> None:
        demands = dialect.demands
        if demands is None and verb not in EMBEDDING:
            return  # most calls
        at = self.served.deployments(model)
        if verb in EMBEDDING and at and not any(one.provider.kind.speaks(dialect) for one in at):
            demands = EMBEDS  # a provider that speaks the dialect says it itself
        if demands is not None:
            require_able(demands, model, at, self._able, param)

    def _able(self) -> Iterator[Model]:
        """The models that are served today."""
        today = datetime.fromtimestamp(self._now(), UTC).date()
        return (one for one in self.served.catalog.models.values() if self.served.serves(one, today))

    def _resolved(self, dialect: Dialect, asked: str, *, in_path: bool) -> Resolved:
        try:
            return resolve_name(asked, self.served)
        except ModelNotFound as error:
            if not in_path:
                error.param = dialect.where.field("model")
            raise

    def _passes(
        self,
        exchange: Exchange,
        dialect: Dialect,
        resolved: Resolved,
        verb: Verb,
        continuation: Continuation | None,
        *,
        in_path: bool,
    ) -> bool:
        if continuation is not None and not continuation.native:
            return False
        if not in_path and not self.served.is_spoken(dialect, resolved.model):
            return False  # it would have to be read at once
        body = exchange.request.body
        says_twice = raw.says_twice if dialect.passing is None else dialect.passing.says_twice
        return passes_whole(resolved, dialect, verb, body) and (in_path or not says_twice(body))

    def _beyond(self, dialect: Dialect, model: Model, verb: Verb, body: bytes) -> dict[tuple[str, str], bool]:
        """Where a model refuses what a body asks in the dialect spoken there: nobody can tell once the body is read."""
        now = self._now()
        places = [self.served.place(dialect, model, one, now).deployment for one in self.served.deployments(model)]
        return {(one.provider.name, one.upstream_model): is_beyond(dialect, verb, body, one) for one in places}

    async def _continued(
        self, exchange: Exchange, dialect: Dialect, caller: Caller, resolved: Resolved, verb: Verb
    ) -> Continuation | None:
        """What the call goes on from and leaves behind; its body stands alone from here on."""
        assert dialect.state is not None  # noqa: S101 - the caller has looked
        request, generates = exchange.request, verb in GENERATING
        begun = await stored.begin(self._responses, dialect.state, caller.tenant, request.body, generates=generates)
        if begun is not None:
            thinks = resolved.model.capabilities.thinking.control is not ThinkingControl.NONE
            asked_bytes = len(request.body)
            request.body = begun.body(request.body, thinks=thinks)
            exchange.take_room(max(0, len(request.body) - asked_bytes))
        return begun

    async def _read(
        self,
        exchange: Exchange,
        dialect: Dialect,
        caller: Caller,
        model: str | None,
        verb: Verb | None,
        answer_id: str,
        created: int,
    ) -> Call:
        """A call that is translated from the beginning."""
        stream = None if verb is None else verb is Verb.STREAM
        embeds = verb in EMBEDDING
        # Nobody else holds the body while it is read: a large one is not to be there more often than needed.
        read = parse_body(
            dialect,
            exchange.request.take_body() if verb is not Verb.COUNT_TOKENS else _counted(exchange, dialect),
            model=model,
            stream=stream,
            known=self._known,
            embeds=embeds,
        )
        prepared = resolve(read, self.served)
        model_asked, scope = prepared.resolved.model, caller.policy.models
        if scope:
            named = model_asked.name, model_asked.vendor, read.model
            require_in_scope(scope, *named, param=read.where.field("model"))
        if dialect.demands is not None or embeds:
            self._require_able(dialect, verb, model_asked, read.where.field("model"))
        pins: Pins = () if self._owned is None else await self._owned.pins(caller.tenant, prepared.request)
        media = await self._completed(exchange, caller, dialect, prepared)
        request = media.request
        reply = self._reply(exchange, caller, request, answer_id, created)
        verb = _verb(dialect, model_asked, verb or (Verb.STREAM if request.stream else Verb.GENERATE))
        return Call(exchange, dialect, caller, model_asked, request, reply, verb, media_losses=media.losses, pins=pins)

    async def understand(self, call: Call) -> None:
        """Reads a body that was going to pass: a candidate speaks another dialect."""
        asked, body = call.request, call.exchange.request.body
        if call.verb is Verb.COUNT_TOKENS:
            body = counting.asked(call.dialect, body)
        model, stream = (asked.model, asked.stream) if call.in_path else (None, None)
        read = parse_body(call.dialect, body, model=model, stream=stream, embeds=call.verb in EMBEDDING)
        prepared = resolve(read, self.served)
        media = await self._completed(call.exchange, call.caller, call.dialect, prepared)
        call.request, call.media_losses = media.request, media.losses
        reply = self._reply(call.exchange, call.caller, call.request, call.reply.id, call.reply.created)
        reply = msgspec.structs.replace(reply, cost=call.reply.cost)
        call.reply = _with_own_id(reply, call.continuation)
        call.unread = False

    def _reply(self, exchange: Exchange, caller: Caller, request: Request, answer_id: str, created: int) -> Reply:
        form = image_form(exchange.request.headers, caller.policy.image_form or self._defaults.image_form)
        slices = self._defaults.markdown_slice_bytes
        return reply_for(request, answer_id=answer_id, created=created, image_form=form, markdown_slice_bytes=slices)

    async def _completed(self, exchange: Exchange, caller: Caller, dialect: Dialect, prepared: Prepared) -> Converted:
        """The request with what the vault kept, and with media that its providers take."""
        request = prepared.request
        if keys := keys_of_request(request):
            request = restore(request, await self._vault.find(caller.tenant, keys))
        model = prepared.resolved.model
        request = with_defaults(request, of_key(self._defaults, caller.policy), model.capabilities.thinking)
        if not holds_media(request):
            return Converted(request)
        till = self._till
        admitted = None if till is None else partial(admit, till, caller, funded=True, counts=False)
        intakes = self.served.intakes(dialect, model)
        return await with_media(request, self._fetcher, intakes, admitted, exchange.take_room)


def _with_own_id(reply: Reply, continuation: Continuation | None) -> Reply:
    return reply if continuation is None else msgspec.structs.replace(reply, own_id=True)


def _verb(dialect: Dialect, model: Model, verb: Verb) -> Verb:
    """What is asked of a model. OpenAI's Whisper does not stream and answers whole to who asks it to (mapping.md 5.4)."""
    whole = verb is Verb.STREAM and dialect.raw_answers and not model.capabilities.streaming
    return Verb.GENERATE if whole else verb


def _counted(exchange: Exchange, dialect: Dialect) -> bytes:
    """The request whose tokens are to be counted."""
    return counting.asked(dialect, exchange.request.take_body())


def _blamed(dialect: Dialect, in_path: str | None) -> str | None:
    """What of the caller's is to blame for a model that is not there for it."""
    return None if in_path is not None else dialect.where.field("model")
