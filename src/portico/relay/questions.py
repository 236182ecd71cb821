"""What is asked of a model beside an answer: how many tokens a request has, and embeddings.

Both go the way of every call (`relay/relay.py`): candidates, tries, holds, receipts. Here stands what is different.
"""

from portico.core.dialect import Reading
from portico.core.ids import Mint
from portico.core.loss import Loss
from portico.providers import EMBEDDING, Verb
from portico.relay import counting, embedding
from portico.relay.call import Aim, Attempt, Call
from portico.relay.fanout import Lane
from portico.relay.report import Try


def asked(call: Call, aim: Aim, lane: Lane, mint: Mint, tried: Try) -> tuple[Attempt, list[Loss]]:
    """The attempt that asks a provider of another dialect, and what it could not be told."""
    if call.verb in EMBEDDING:
        question = embedding.question(call, aim, lane)
        made = Attempt(aim, lane, question.body, Reading(mint), tried=tried, verb=Verb(question.verb))
        return made, question.losses
    rendered = aim.spoken.dialect.render_request(call.request, aim.target)
    content = counting.question(aim.spoken.dialect, rendered.body, aim.target)
    return Attempt(aim, lane, content, Reading(mint), tried=tried), []


def answered(call: Call, attempt: Attempt, body: bytes) -> None:
    """Takes what the provider said. Raises `UpstreamBadGateway` for what is no answer."""
    if call.verb in EMBEDDING:
        embedding.take(call, attempt, body)
    else:
        call.passed, call.counts = counting.answer(call, attempt, body), True
