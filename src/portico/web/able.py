"""What a model can do for callers of each dialect, found by translating: `asks.py` asks, and what comes out is looked at.

    yes       it is asked for, and nothing of it is lost
    lossy     it is asked for, or told in words, with the losses that the caller is told too
    no        the model cannot (as the catalog knows), the dialect has no words, it is refused, or it is left out

The steps are those of serving (`relay/asked.py`). Nothing is asked of a provider. What was found is kept: another model, or
another catalog, is another question.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec

from portico.core.dialect import Dialect, Rendered, Reply
from portico.core.errors import InvalidRequest
from portico.core.loss import UNSEEN
from portico.core.parts import Media, Text
from portico.core.request import Message, Request, Role, Thinking, is_hint
from portico.core.response import Candidate, Finish, FinishReason, Response
from portico.core.target import Capabilities, Target, ThinkingControl
from portico.providers import KINDS, ProviderKind
from portico.relay.asked import Asking, asking_of
from portico.relay.prepare import held_target
from portico.relay.translate import DIALECTS
from portico.web.asks import CALLERS, PLAIN, THINGS, Thing
from portico.web.showroom import Offer
from portico.wire import jsontext

EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
MAX_KEPT: Final = 512
_TOLD: Final = frozenset({"text", "image", "audio"})
"""What answers of chat are made of."""
_IN_MEMORY: Final = frozenset({"2.4:skip_signature", "2.4:foreign_signature"})
"""A conversation that the gateway has not seen lacks its seals; it keeps those of every one that it has seen."""


class Answer(StrEnum):
    YES = "yes"
    LOSSY = "lossy"
    NO = "no"


class Why(StrEnum):
    """Why the answer is no."""

    MODEL = "model"
    WORDS = "words"
    REFUSED = "refused"
    LEFT_OUT = "left out"
    PROVIDER = "provider"
    """The bytes pass, and the model is known not to take it in this dialect."""


class Found(msgspec.Struct, frozen=True):
    """One answer, with the codes of what is lost."""

    answer: Answer
    why: Why | None = None
    losses: tuple[str, ...] = ()


class Ability(msgspec.Struct, frozen=True):
    """One thing, for callers of each dialect."""

    name: str
    found: Mapping[str, Found]


class Effort(msgspec.Struct, frozen=True):
    """What a word for how hard to think becomes: a level, or a budget in tokens."""

    asked: str
    level: str | None = None
    budget: int | None = None
    exact: bool = True
    """False: it is another amount than was asked for, and that is told."""


class Able(msgspec.Struct, frozen=True):
    """All of it, of one model at one kind of provider."""

    asked_in: Mapping[str, str]
    """By the caller's dialect, that of the provider."""
    abilities: tuple[Ability, ...]
    efforts: tuple[Effort, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        """Every loss in it, in the order in which they come."""
        told = (one for ability in self.abilities for found in ability.found.values() for one in found.losses)
        return tuple(dict.fromkeys(told))


def able_of(offer: Offer, able: Capabilities) -> Able | None:
    """What a model can do where it is offered; None: it is not asked in any dialect of chat."""
    key = (offer.kind, offer.dialects, offer.upstream_model)
    kept = _KEPT.get(key)
    if kept is not None and kept[0] is able:
        return kept[1]
    made = _made(offer, able)
    if len(_KEPT) >= MAX_KEPT:
        _KEPT.clear()
    _KEPT[key] = (able, made)
    return made


_KEPT: Final[dict[tuple[Any, ...], tuple[Capabilities, Able | None]]] = {}
"""By where a model is offered: the abilities that were looked at, and what was found."""


def _made(offer: Offer, able: Capabilities) -> Able | None:
    kind = KINDS.get(offer.kind)
    if kind is None or able.output_modalities.isdisjoint(_TOLD):
        return None
    if offer.dialects:
        kind = kind.as_declared(offer.dialects)
    ways = {name: asking_of(DIALECTS[name], kind, able, offer.upstream_model) for name in CALLERS}
    if not all(one.to.receives for one in ways.values()):
        return None
    always = {name: _always(one) for name, one in ways.items()}
    abilities = tuple(
        [
            Ability(thing.name, {name: _found(thing, one, always[name]) for name, one in ways.items()})
            for thing in THINGS
        ]
    )
    return Able(
        {name: one.to.name for name, one in ways.items()}, abilities, _efforts(kind, able, offer.upstream_model)
    )


def _always(one: Asking) -> frozenset[str]:
    """What a request loses that asks for nothing."""
    request = _read(one.caller, PLAIN[one.caller.name])
    return frozenset(loss.code for loss in one.rendered(request, one.held if one.own else one.target).losses)


def _read(dialect: Dialect, body: Any, *, streamed: bool = False) -> Request:
    return dialect.parse_request(body, model="model", stream=True if streamed else None)


def _found(thing: Thing, one: Asking, always: frozenset[str]) -> Found:
    if not thing.able(one.able):
        return Found(Answer.NO, Why.MODEL)
    body = thing.asks.get(one.caller.name)
    if body is None or (one.caller.name in thing.unasked and "text" in one.able.output_modalities):
        return Found(Answer.NO, Why.WORDS)
    request = _read(one.caller, body, streamed=thing.streamed)
    target = one.target_of(jsontext.encode(body))
    if target is None:
        return _passing(thing, one, request)
    try:
        rendered = one.rendered(request, target)
    except InvalidRequest:
        return Found(Answer.NO, Why.REFUSED)
    losses, told = rendered.losses, True
    if thing.made is not None:
        answer = _answered(thing.made, one.caller)
        losses, told = [*losses, *answer.losses], (thing.made.data or "").encode() in jsontext.encode(answer.body)
    codes = tuple(dict.fromkeys([loss.code for loss in losses if loss.code not in UNSEEN | _IN_MEMORY | always]))
    if not told or thing.fatal in codes or not _still_says(thing, one, request, rendered.body):
        return Found(Answer.NO, Why.LEFT_OUT, codes)
    return Found(Answer.LOSSY, None, codes) if codes else Found(Answer.YES)


def _passing(thing: Thing, one: Asking, request: Request) -> Found:
    """Of a body that goes as it is: whether it still asks for the thing, if it is held to what its model takes there."""
    if not thing.alone(one.able):
        return Found(Answer.NO, Why.PROVIDER)
    try:
        rendered = one.to.render_request(request, one.held)
    except InvalidRequest:
        return Found(Answer.NO, Why.PROVIDER)
    return Found(Answer.YES) if _still_says(thing, one, request, rendered.body) else Found(Answer.NO, Why.PROVIDER)


def _still_says(thing: Thing, one: Asking, request: Request, body: Any) -> bool:
    """Whether a rendered body asks for the thing, or tells it in words."""
    again = one.read_again(jsontext.decode(jsontext.encode(body)), request)
    return thing.said(again) or any(map(_is_told_in_words, again.messages))


def _is_told_in_words(message: Message) -> bool:
    """Whether the gateway asks for it in a text of its own."""
    return message.role is Role.SYSTEM and any(isinstance(part, Text) and is_hint(part.text) for part in message.parts)


def _answered(made: Media, caller: Dialect) -> Rendered:
    """An answer that holds it, as the caller is told."""
    candidate = Candidate(0, (Text("Here it is."), made), Finish(FinishReason.STOP))
    return caller.render_response(Response("answer", "model", (candidate,)), Reply("answer", 0))


def _efforts(kind: ProviderKind, able: Capabilities, upstream_model: str) -> tuple[Effort, ...]:
    """What each effort becomes where a request is translated, by what the body then says; nothing of a model that is not
    steered, and of one of which nobody knows how it is."""
    if able.thinking.control not in (ThinkingControl.BUDGET, ThinkingControl.LEVEL):
        return ()
    dialect = kind.for_model(able).dialect
    target = held_target(Target(upstream_model, kind.name, able), able)
    made = []
    for effort in EFFORTS:
        request = msgspec.structs.replace(
            _read(DIALECTS[CALLERS[0]], PLAIN[CALLERS[0]]), thinking=Thinking(effort=effort)
        )
        rendered = dialect.render_request(request, target)
        body = jsontext.decode(jsontext.encode(rendered.body))
        told = dialect.parse_request(body, model=upstream_model, stream=False).thinking
        exact = all(loss.code not in ("1.7:thinking", "1.7:none") for loss in rendered.losses)
        made.append(Effort(effort, told.level or told.effort, told.budget, exact))
    return tuple(made)
