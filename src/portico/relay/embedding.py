"""Embeddings, asked in any dialect that asks for them, of any provider that has them (mapping.md 5.1).

A caller of the provider's own dialect has its question passed on. For others the texts are split into as many calls as the
provider takes texts at a time, each a lane of its own, and the vectors are put together in their order. Where nothing is
reported of what was used, a token is counted for four characters, and the receipt says so.
"""

import msgspec

from portico.core.embedding import Embedded, EmbeddingCall, joined
from portico.core.errors import UpstreamBadGateway, UpstreamModelNotFound
from portico.core.parts import Text
from portico.core.request import Request
from portico.core.target import Target
from portico.core.usage import Usage, added
from portico.metering.estimate import CHARACTERS_A_TOKEN
from portico.relay.attempts import decoded
from portico.relay.call import Aim, Attempt, Call
from portico.relay.fanout import Lane, Used
from portico.wire import jsontext


def lanes(call: Call, aim: Aim) -> list[Lane]:
    """The calls to a provider that a call is made of."""
    facet = aim.spoken.dialect.embedding
    return call.whole.split(call.whole.count if facet is None else facet.most(_target(aim)))


def question(call: Call, aim: Aim, lane: Lane) -> EmbeddingCall:
    """What a provider is asked for the texts of a lane."""
    facet = aim.spoken.dialect.embedding
    if facet is None:
        raise UpstreamModelNotFound(f"{aim.provider.name} has no embeddings.")
    return facet.render(_texts_of(call.request, lane), _target(aim))


def _target(aim: Aim) -> Target:
    """With what the model can do, also for who speaks the provider's own dialect: it decides which call is made."""
    return msgspec.structs.replace(aim.target, capabilities=aim.candidate.deployment.capabilities)


def _texts_of(request: Request, lane: Lane) -> Request:
    return msgspec.structs.replace(request, messages=request.messages[lane.first : lane.first + lane.count])


def take(call: Call, attempt: Attempt, body: bytes) -> None:
    """Takes a provider's answer for a lane. Raises `UpstreamBadGateway` for what is none."""
    facet, lane = attempt.dialect.embedding, attempt.lane
    answer = Embedded(()) if facet is None else facet.read(decoded(body))
    if len(answer.vectors) != lane.count:
        message = f"The provider gave {len(answer.vectors)} vectors for {lane.count} texts."
        raise UpstreamBadGateway(message)
    call.embedded.append((lane, answer))
    call.counts = True
    call.prompts += 1
    used = answer.usage
    if used is None:
        call.guessed = True
        most = attempt.aim.candidate.deployment.capabilities.max_input_tokens
        used = Usage(input_uncached={"text": _estimated(_texts_of(call.request, lane), most)})
    call.used[lane.first] = Used(used)
    call.counted = used if call.counted is None else added(call.counted, used)


def _estimated(request: Request, most: int) -> int:
    """Tokens by the rule; of a text that is longer than a model reads, only what it reads."""
    texts = [[part.text for part in message.parts if isinstance(part, Text)] for message in request.messages]
    return sum([min(sum(map(len, text)), most * CHARACTERS_A_TOKEN) for text in texts]) // CHARACTERS_A_TOKEN


def told(call: Call) -> bytes:
    """The vectors of all lanes, as the caller reads them."""
    facet = call.dialect.embedding
    if facet is None:
        raise UpstreamBadGateway(f"A {call.dialect.name} caller cannot be told embeddings.")
    answer = joined([one for _, one in sorted(call.embedded, key=lambda pair: pair[0].first)])
    answer = msgspec.structs.replace(answer, usage=call.counted)
    call.seen = msgspec.structs.replace(call.seen, model=answer.model, usage=call.counted, raw_usage=answer.raw_usage)
    return jsontext.encode(facet.tell(answer, call.request))
