"""One call while it is served: what was asked, and what is known of it so far. The control flow is in relay.py."""

import asyncio
import contextlib
import math
import re
from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from portico.accounts import Caller
from portico.catalog import Model
from portico.core.ask import Ask
from portico.core.dialect import Dialect, Passing, Reading, Reply, Seen
from portico.core.embedding import Embedded
from portico.core.loss import Loss, changes_header
from portico.core.parts import Media
from portico.core.request import Request
from portico.core.response import Response
from portico.core.target import Target
from portico.core.usage import Usage, added
from portico.providers import EMBEDDING, GENERATING, Provider, Spoken, Verb
from portico.relay.fanout import Lane, Used, lane_of
from portico.relay.hedge import Runner
from portico.relay.learned import NOTHING
from portico.relay.owned import Pins
from portico.relay.passthrough import is_beyond, takes
from portico.relay.pump import Teller
from portico.relay.report import ATTEMPTS_HEADER, Report, Try, tries_header
from portico.relay.verdict import delivered_bytes
from portico.routing import Candidate, Deployment
from portico.wire import jsontext
from portico.wire.http import Exchange, Headers

if TYPE_CHECKING:
    from portico.relay.paying import Paying
    from portico.relay.stored import Continuation

JSON: Final = "application/json"
_HEADER_TEXT: Final = re.compile(r"[!-~]{1,256}")


class Call(msgspec.Struct):
    """One call while it is served."""

    exchange: Exchange
    dialect: Dialect
    caller: Caller
    model: Model
    """The model that was asked for."""
    request: Request
    reply: Reply
    verb: Verb
    passing: Passing | None = None
    """How the caller's own body goes to a provider of its dialect; None: it is always rendered."""
    unread: bool = False
    """`request` only stands for a body that nobody has had to understand yet."""
    in_path: bool = False
    """The path names its model and verb, and the body does not."""
    translated: bool = False
    """It was last rendered for a provider, and not passed on."""
    continuation: "Continuation | None" = None
    """What it goes on from and leaves behind, in a dialect that knows of such a thing."""
    seen: Seen = Seen()
    """What the answer told of itself."""
    media_losses: list[Loss] = []
    """What was lost of its media on the way to any provider."""
    lane_losses: dict[int, list[Loss]] = {}
    """What could not be said of the request, by the first number of the lane it was rendered for."""
    losses: list[Loss] = []
    """What could not be said of the answer. All losses are told in a header before the first byte."""
    headers: dict[str, str] = {}
    strict: bool = False
    """Nothing of the request may be lost."""
    beyond: dict[tuple[str, str], bool] = {}
    """(provider, upstream model) -> whether the body asks there, in the provider's own dialect, for what is refused."""
    dropped: dict[tuple[str, str], frozenset[str]] = {}
    """(provider, upstream model) -> fields that it refused, and is asked once more without."""
    of_value: frozenset[str] = NOTHING
    """Those of them of which only a value was refused."""
    gone: bool = False
    """A provider said that it has the model no more, and another follows it."""
    slots: asyncio.Semaphore | None = None
    """One for each upstream call at a time, where a call is made of several."""
    answers: list[tuple[Lane, Response]] = []
    """Whole answers, as the lanes bring them."""
    embedded: list[tuple[Lane, Embedded]] = []
    """The same, where vectors were asked for."""
    passed: bytes = b""
    """A whole answer that passes as it is."""
    content_type: str = JSON
    """Of the whole answer."""
    teller: Teller | None = None
    """Tells a streamed answer; None while there is none, and where the stream passes as it is."""
    report: Report = msgspec.field(default_factory=Report)
    """What the observer will be told."""
    paying: "Paying | None" = None
    """The money side of it; None where nothing is charged."""
    counts: bool = False
    """There is an answer to be charged: something was shown, or the caller's own limit or a filter ended it."""
    used: dict[int, Used] = {}
    """The same of each lane, by the first number of it; nothing of an answer that passes."""
    prompts: int = 0
    """Upstream calls that what was used is the sum of."""
    counted: Usage | None = None
    """What the whole answers of it used that count."""
    guessed: bool = False
    """Some of that was not reported, and is what a rule says."""
    shown: int = 0
    """Bytes of text that were delivered, for an estimate where nothing is reported: by no lane, or not by theirs."""
    pictures: int = 0
    """Pictures that were."""
    heard_s: float = 0.0
    """Seconds of sound that were written down, where nothing is reported."""
    spoken_s: float = 0.0
    """Seconds of speech that were delivered."""
    counted_uses: dict[str, int] = {}
    """Tools that they used."""
    pins: Pins = ()
    """What the call may be sent with, where it names files or caches at a provider."""
    settling: list[Awaitable[None]] = []
    """What the next turn needs, on its way to where every worker finds it."""

    @property
    def generates(self) -> bool:
        return self.verb in GENERATING

    @property
    def whole(self) -> Lane:
        """All that is asked for: answers, or where it is embedded and not passed on, texts."""
        if self.verb in EMBEDDING and not self.unread:
            return Lane(0, max(1, len(self.request.messages)))
        return lane_of(self.request)

    def uses(self) -> Mapping[str, int]:
        """Priced uses of tools -> how often."""
        return self.seen.uses if self.verb is Verb.STREAM or self.passed else self.counted_uses

    def charged_usage(self) -> Usage | None:
        """What the answers used that count; None: nobody said."""
        return self.seen.usage if self.verb is Verb.STREAM or self.passed else self.counted

    def count(self, lane: Lane, response: Response) -> None:
        """Notes what a whole answer is charged for."""
        self.counts = True
        used = self.used[lane.first] = Used(response.usage, response.uses, response.service_tier)
        if response.usage is not None:
            self.prompts += 1
            self.counted = response.usage if self.counted is None else added(self.counted, response.usage)
        for tool, count in response.uses.items():
            self.counted_uses[tool] = self.counted_uses.get(tool, 0) + count
        if response.usage is None:
            for part in [part for candidate in response.candidates for part in candidate.parts]:
                used.shown += delivered_bytes(part, thoughts=self.reply.thoughts)
                used.pictures += isinstance(part, Media) and not part.thought
            self.shown += used.shown
            self.pictures += used.pictures

    def note_stream(self, seen: Seen, prompts: int) -> None:
        """Notes what the streams of all lanes told so far, and how many of them told it."""
        self.seen, self.prompts = seen, max(self.prompts, prompts)

    def note_shown(self) -> None:
        """Notes what was delivered of a stream so far by lanes that reported nothing."""
        if (teller := self.teller) is not None:
            self.shown, self.pictures = teller.shown, teller.pictures

    def note_seen(self, seen: Seen) -> None:
        """Notes what was delivered of an answer that passes, for an estimate where nothing is reported."""
        if seen.usage is None:
            self.shown, self.pictures = seen.shown, seen.pictures
        self.heard_s, self.spoken_s = seen.heard_s, seen.spoken_s
        self.guessed = self.guessed or seen.guessed

    def note_model(self, name: str | None) -> None:
        """The name the provider answered with goes into a header: the body echoes the name that was asked (1.8)."""
        if name and _HEADER_TEXT.fullmatch(name):
            self.headers["x-portico-upstream-model"] = name

    async def settled(self) -> None:
        """Every worker finds what the next turn needs, or has been waited for long enough: the answer may end."""
        while self.settling:
            await self.settling.pop()

    def passes_to(self, deployment: Deployment) -> bool:
        """Whether the caller's bytes go there as they are."""
        kind = deployment.provider.kind
        if self.passing is None or not kind.speaks(self.dialect) or self.verb not in kind.to(self.dialect).paths:
            return False
        return not self.is_beyond(deployment)

    def is_beyond(self, deployment: Deployment) -> bool:
        """Whether the caller speaks the dialect that is spoken there, and asks for what the model is known to refuse. Found
        out while the body is still there."""
        key = (deployment.provider.name, deployment.upstream_model)
        found = self.beyond.get(key)
        if found is None:
            found = is_beyond(self.dialect, self.verb, self.exchange.request.body, deployment)
            self.beyond[key] = found
        return found

    def goes_to(self, provider: Provider) -> bool:
        """Whether this provider can be asked this, as it is or translated."""
        return takes(provider.kind, self.dialect, self.verb, passes=self.passing is not None)

    def commit(self, attempt: "Attempt") -> None:
        """The attempt has something to show, so that its lane asks nobody else, and gives up who was beside it. What
        was asked may be long and the answer take its time: it is not kept. (Other lanes may still have to ask.)"""
        if attempt.runner is not None and attempt.runner.wins():
            attempt.stands_for(self)
        if self.paying is not None and not attempt.has_lost:
            self.paying.answers(attempt)
        attempt.asked = None
        if attempt.lane.count == lane_of(self.request).count:
            self.request = msgspec.structs.replace(self.request, messages=())
            self.exchange.request.take_body()

    def all_losses(self) -> list[Loss]:
        """Of the request and of the answer so far, each once."""
        lanes = self.lane_losses
        if not self.losses and not self.media_losses and (len(lanes) == 1 and not lanes.get(0)):
            return []
        asked = [loss for _, losses in sorted(lanes.items()) for loss in losses]
        fetched = self.media_losses if self.translated else []
        return list(dict.fromkeys([*fetched, *asked, *self.losses]))

    def answer_headers(self) -> Headers:
        headers = list(self.headers.items())
        if self.paying is not None:
            headers += self.paying.headers()
        tries = self.report.tries
        if len(tries) > 1:
            headers.append((ATTEMPTS_HEADER, tries_header(tries)))
        if told := self.all_losses():
            headers.append(("x-portico-changes", changes_header(told)))
        return headers


ANY_NUMBER: Final = contextlib.nullcontext()
"""Where nothing bounds the upstream calls of a call that are made at a time: `async with call.slots or ANY_NUMBER`."""


class Aim(msgspec.Struct, frozen=True):
    """Whom a candidate asks: the model that answers, and what is known of it there."""

    model: Model
    candidate: Candidate
    target: Target
    spoken: Spoken
    """The dialect it is asked in."""
    dropped: frozenset[str] = NOTHING
    """Fields that were refused in this call, and that it now does without."""
    gone: bool = False
    """The model that was asked for is no longer served, and that is why another answers."""

    @property
    def provider(self) -> Provider:
        return self.candidate.deployment.provider


class Attempt(msgspec.Struct):
    """One try of one candidate for a lane: what is sent to it, and how its answer is read, unless it passes as it is."""

    aim: Aim
    lane: Lane
    content: Any
    """A body to be encoded, or the bytes of one that passes; None once it was taken to be sent."""
    reading: Reading
    passing: Passing | None = None
    unfences: bool = False
    """JSON may come in a Markdown fence."""
    tried: Try = msgspec.field(default_factory=Try)
    """What the observer will be told of it."""
    verb: Verb | None = None
    """What the provider is asked, if that is not what the caller asked."""
    asked: Request | None = None
    """What was rendered; None once the attempt is committed."""
    losses: list[Loss] = []
    """What of it could not be said."""
    size: Ask | None = None
    """What of its body decides its price; None before it is sent, and where nothing is charged."""
    times: int = 1
    """How many such attempts the call is made of, which all are held for."""
    runner: Runner | None = None
    """Whose attempt it is, where two candidates may be asked beside each other."""
    patience_s: float = math.inf
    """How long its first byte is waited for, if that is less than what the operator allows: others could be asked."""

    @property
    def has_lost(self) -> bool:
        """Another one has answered: nothing of this is told."""
        return self.runner is not None and self.runner.has_lost

    def stands_for(self, call: Call) -> None:
        """What the call's answer will be told with is what this one asked."""
        call.lane_losses[self.lane.first] = self.losses
        call.translated = self.passing is None

    def take_body(self) -> bytes:
        """The body to send, which is not kept here."""
        content, self.content = self.content, None
        return content if isinstance(content, bytes) else jsontext.encode(content)

    @property
    def dialect(self) -> Dialect:
        return self.aim.spoken.dialect

    def ask(self, body: bytes, content: Any) -> Ask:
        """The sizes of its body, once it is encoded, and what of it changes the price. Raises `BodyNotJson`."""
        return self.dialect.ask(content, len(body)) if self.passing is None else self.passing.ask(body)


class AttemptOne(Protocol):
    """How one attempt is made: whole or streamed. `last`: there is no silent second try."""

    def __call__(self, call: Call, attempt: Attempt, *, last: bool) -> Awaitable[None]: ...


class BrokenOff(Exception):
    """A stream broke off after part of it was shown: it has been told so, and no other lane need go on."""
