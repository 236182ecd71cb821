"""How many tokens a request has, asked in any dialect of a provider of any other. Nothing of it is charged.

A caller of the provider's own dialect has its question passed on. For others the request is rendered as if it were to be
answered, and asked about in whatever dialect of the provider's has a question for it. Where none has, the number is an
estimate by the rule that unreported usage is charged by (money.md), and the answer says so in a header.
"""

from typing import Any, Final

from portico.core.dialect import Dialect, Passing, Seen
from portico.core.errors import BodyNotJson, UpstreamBadGateway
from portico.core.target import Target
from portico.metering.estimate import BYTES_A_TOKEN, PICTURE_TOKENS
from portico.providers import Verb
from portico.relay.attempts import decoded
from portico.relay.call import Attempt, Call
from portico.relay.verdict import tells_error
from portico.wire import jsontext

NO_COUNT: Final = "The provider's answer holds no count of tokens."
ESTIMATED_HEADER: Final = "x-portico-estimated"


def asked(dialect: Dialect, body: bytes) -> bytes:
    """The request that a question is about. Raises `BodyNotJson`."""
    if dialect.counting is None:
        return body
    try:
        return jsontext.encode(dialect.counting.asked(jsontext.decode(body)))
    except jsontext.NotJson as error:
        raise BodyNotJson(f"The request body is not valid JSON: {error}") from None


def question(dialect: Dialect, rendered: Any, target: Target) -> Any:
    """The body of a question about a rendered request."""
    return rendered if dialect.counting is None else dialect.counting.question(rendered, target)


def answer(call: Call, attempt: Attempt, body: bytes) -> bytes:
    """A provider's answer as the caller reads it. Raises `UpstreamBadGateway` for what is none."""
    theirs = attempt.dialect.counting
    number = None if theirs is None else theirs.read(decoded(body))
    if number is None:
        raise UpstreamBadGateway(NO_COUNT)
    return told(call.dialect, number)


def seen(call: Call, passing: Passing, body: bytes) -> Seen:
    """What a whole answer that passes tells, a count too. Raises `UpstreamError` for what is no answer."""
    dialect = call.dialect
    if call.verb is not Verb.COUNT_TOKENS or passing.model_in_path or dialect.counting is None:
        return passing.seen(body, call.exchange.request.body)
    value = decoded(body)
    if dialect.counting.read(value) is None:
        raise dialect.parse_error(0, body) if tells_error(value) else UpstreamBadGateway(NO_COUNT)
    return Seen()


def told(dialect: Dialect, number: int) -> bytes:
    """A count as the callers of a dialect read it."""
    if dialect.counting is None:
        raise UpstreamBadGateway(f"A {dialect.name} caller cannot be told a count.")
    return jsontext.encode(dialect.counting.tell(number))


def estimated(call: Call) -> bytes:
    """A count by rule, for a request that nobody can be asked about; the answer says that it is none."""
    if call.unread and call.passing is not None:
        ask = call.passing.ask(call.exchange.request.body)
    else:
        rendered = call.dialect.render_request(call.request, Target(call.model.name)).body
        ask = call.dialect.ask(rendered, len(jsontext.encode(rendered)))
    call.headers[ESTIMATED_HEADER] = "1"
    pictures = sum(ask.media.values())
    return told(call.dialect, -(-ask.text_bytes // BYTES_A_TOKEN) + PICTURE_TOKENS * pictures)
