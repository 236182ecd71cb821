"""Every way a call can fail, as a tree.

    PorticoError
    ├── CallerError                 the caller's to mend; never tried elsewhere
    │   ├── InvalidRequest          400
    │   │   ├── UnsupportedParameter
    │   │   ├── BodyNotJson
    │   │   ├── IdempotencyKeyReused
    │   │   └── PreviousResponseNotFound
    │   ├── AuthenticationFailed    401
    │   ├── InsufficientFunds       402, only when the balance itself does not cover it
    │   ├── PermissionDenied        403, never on a call: clients shut a key out after one
    │   ├── ModelNotFound           404
    │   │   └── ModelNotPriced
    │   ├── NotFound                404
    │   ├── RouteNotFound           404
    │   │   └── NotOffered          a provider's API that the gateway has no part in
    │   ├── MethodNotAllowed        405
    │   ├── Conflict                409
    │   │   └── RequestInFlight
    │   ├── RequestTooLarge         413
    │   └── LimitReached            429, with the time to come back
    │       ├── FundsHeld
    │       └── BudgetSpent
    ├── GatewayBusy                 503, the gateway takes on no more for now
    ├── StorageUnavailable          503, the database does not answer
    └── UpstreamError               a provider's; tried elsewhere unless the request itself was rejected
        ├── UpstreamRejected        the provider's 400: it would be one anywhere
        │   ├── ContextLengthExceeded
        │   ├── UpstreamSignatureRejected   and …Missing
        │   ├── UpstreamFileNotFound
        │   ├── UpstreamRequestTooLarge
        │   └── UpstreamUnsupported
        ├── UpstreamModelNotFound   404
        ├── UpstreamAuthFailed      our own credential was refused
        ├── UpstreamRefusedAccount  our own account or region was refused
        ├── UpstreamRateLimited     429
        ├── UpstreamConflict        409
        ├── UpstreamInternal        500
        ├── UpstreamBadGateway      502, or an answer that is not the provider's format
        ├── UpstreamOverloaded      503
        ├── UpstreamTimeout         504, our patience is at its end
        │   └── UpstreamDeadlineExceeded  504, the provider's own
        ├── UpstreamUnreachable     no connection
        ├── UpstreamIncomplete      an answer that stopped before it was finished
        ├── UpstreamMalformedOutput the model wrote a call nobody can read
        └── UpstreamEmpty           an answer with nothing in it and no reason why

A class carries its HTTP status, its code and whether another candidate may be tried; its docstring is its message.
Domain code raises; one function (`Dialect.render_error`) turns an exception into a body in the caller's dialect.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from portico.core.quota import Quota


class PorticoError(Exception):
    """Something went wrong."""

    status: ClassVar[int] = 500
    code: ClassVar[str | None] = None
    worth_retrying: ClassVar[bool] = True
    """False where the same request would only cost once more: clients that would try again by themselves are told so."""
    retry_after_s: float | None = None
    """When it is worth coming back."""
    doc: str | None = None
    """Where it is explained, for whoever is told of it: an address, or a path of the gateway that tells it."""

    def __init__(self, message: str = "", *, param: str | None = None) -> None:
        self.message = message or (type(self).__doc__ or "").strip()
        self.param = param
        super().__init__(self.message)

    @property
    def http_status(self) -> int:
        """The status the caller sees."""
        return self.status


class CallerError(PorticoError):
    """The request cannot be served as it is."""

    status = 400


class InvalidRequest(CallerError):
    """The request is not valid."""

    code = "invalid_value"

    def under(self, prefix: str) -> "InvalidRequest":
        """The same error told one level further out: `prefix` is put before the path of the offending value.

        Inner functions name what they know (`.content`); whoever knows the index adds it on the way up. So no path is
        built unless something is wrong.
        """
        return type(self)(self.message, param=prefix + (self.param or ""))


class UnsupportedParameter(InvalidRequest):
    """The chosen model cannot honour this parameter."""

    code = "unsupported_parameter"


class BodyNotJson(InvalidRequest):
    """The request body is not valid JSON."""

    code = "invalid_json"


class PreviousResponseNotFound(InvalidRequest):
    """There is no such response to go on from."""

    code = "previous_response_not_found"


class AuthenticationFailed(CallerError):
    """Missing or wrong API key. Send it as 'Authorization: Bearer YOUR_KEY'."""

    status = 401
    code = "invalid_api_key"


class InsufficientFunds(CallerError):
    """The account's balance does not cover this request. Top it up, or ask for less."""

    status = 402
    code = "insufficient_funds"
    worth_retrying = False


class PermissionDenied(CallerError):
    """This key may not do that."""

    status = 403
    code = "permission_denied"


class ModelNotFound(CallerError):
    """The model does not exist or you do not have access to it."""

    status = 404
    code = "model_not_found"


class ModelNotPriced(ModelNotFound):
    """The model has no price, so a prepaid account cannot use it."""

    code = "model_not_priced"


class NotFound(CallerError):
    """There is no such thing."""

    status = 404
    code = "not_found"


class RouteNotFound(CallerError):
    """There is nothing at this address."""

    status = 404
    code = "unknown_url"


class NotOffered(RouteNotFound):
    """This gateway does not offer that."""

    code = "not_offered"


class MethodNotAllowed(CallerError):
    """This address does not answer to that method."""

    status = 405
    code = "method_not_allowed"

    def __init__(self, message: str = "", *, allow: str = "") -> None:
        super().__init__(message)
        self.allow = allow
        """The methods it does answer to."""


class Conflict(CallerError):
    """Another request stands in the way."""

    status = 409
    code = "conflict"


class IdempotencyKeyReused(InvalidRequest):
    """This idempotency key was used for another request. Use a new key for each request, and the same one to repeat it."""

    code = "idempotency_key_reused"


class RequestInFlight(Conflict):
    """The request of this idempotency key is still being answered. Ask again in a moment for its answer."""

    code = "request_in_flight"
    retry_after_s = 1.0


class RequestTooLarge(CallerError):
    """The request body is too large."""

    status = 413
    code = "request_too_large"


class LimitReached(CallerError):
    """The rate limit of this key is reached."""

    status = 429
    code = "rate_limit_exceeded"

    def __init__(
        self, message: str = "", *, retry_after_s: float = 1.0, headers: Sequence[tuple[str, str]] = ()
    ) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.headers = headers
        """What the limit has left, as `accounts.ratelimit` tells it."""


class FundsHeld(LimitReached):
    """The rest of the balance is held by requests that are still open. Try again when they are done."""

    code = "funds_held"


class BudgetSpent(LimitReached):
    """The budget of this key is spent."""

    code = "budget_exceeded"
    worth_retrying = False


class GatewayBusy(PorticoError):
    """The gateway is busy. Try again in a moment."""

    status = 503
    code = "overloaded"
    retry_after_s = 1.0


class StorageUnavailable(PorticoError):
    """The books cannot be reached right now. Nothing was charged; try again in a moment."""

    status = 503
    code = "storage_unavailable"
    retry_after_s = 2.0


class UpstreamError(PorticoError):
    """The provider could not answer."""

    status = 502
    code = "upstream_error"
    fails_over: ClassVar[bool] = True

    def __init__(
        self,
        message: str = "",
        *,
        param: str | None = None,
        retry_after_s: float | None = None,
        upstream_status: int | None = None,
        reason: str | None = None,
    ) -> None:
        super().__init__(message, param=param)
        self.retry_after_s = retry_after_s
        self.upstream_status = upstream_status
        self.reason = reason
        """The provider's own word for it (`RESOURCE_EXHAUSTED`, `API_KEY_INVALID`), for logs and receipts."""
        self.native: Mapping[str, Any] = {}
        """What its dialect says beside code and message, as far as it may be shown to callers who speak that dialect."""


class UpstreamRejected(UpstreamError):
    """The provider rejected the request."""

    status = 400
    code = "invalid_value"
    fails_over = False
    refused: str | None = None
    """The optional field that this model does not take, by the name it is learned under (mapping.md 1.6); None where the
    fault is another."""
    only_value: bool = False
    """Another value of the field may be taken: what one caller sent says nothing of what others send."""


class ContextLengthExceeded(UpstreamRejected):
    """The input is longer than the model can take."""

    code = "context_length_exceeded"


class UpstreamSignatureRejected(UpstreamRejected):
    """The provider could not read a thought signature of the history."""

    code = "invalid_thought_signature"


class UpstreamSignatureMissing(UpstreamSignatureRejected):
    """The model wants a thought signature that a call of the history has not."""


class UpstreamFileNotFound(UpstreamRejected):
    """A file or cached content that the request names does not exist at the provider."""

    code = "file_not_found"


class UpstreamContentRefused(UpstreamRejected):
    """The provider does not answer this: its content rules forbid it."""

    code = "content_filter"


class UpstreamRequestTooLarge(UpstreamRejected):
    """The request is larger than the provider accepts."""

    status = 413
    code = "request_too_large"


class UpstreamUnsupported(UpstreamRejected):
    """The provider does not implement this."""

    code = "unsupported"


class UpstreamModelNotFound(UpstreamError):
    """The provider does not serve this model."""

    status = 404
    code = "model_not_found"


class UpstreamAuthFailed(UpstreamError):
    """The provider refused the gateway's credential. The operator has to mend it."""

    status = 502
    code = "upstream_auth"
    of_model: bool = False
    """The credential is good, and may not use this model."""
    says_key: bool | None = None
    """Whether it is the credential itself, or its account, that is refused, by its words; None: they do not tell."""

    @property
    def of_key(self) -> bool:
        """Whether the credential is at fault. A 403 that does not say so may as well be about something that the request
        names, or come from a wall in front that took offence at its words: any caller can send such."""
        return self.upstream_status != 403 if self.says_key is None else self.says_key


class UpstreamRefusedAccount(UpstreamError):
    """The provider refuses the gateway's account or region. The operator has to mend it."""

    status = 503
    code = "upstream_unavailable"


class UpstreamRateLimited(UpstreamError):
    """The provider's rate limit is reached."""

    status = 429
    code = "rate_limit_exceeded"
    quotas: tuple[Quota, ...] = ()
    """Which were exceeded, as far as the provider says."""
    consumer: str | None = None
    """Whose they are, by the provider's own name of it (`projects/1234`): keys of one consumer share them. For the gateway
    alone, never told."""


class UpstreamConflict(UpstreamError):
    """The provider reports a conflict; try again."""

    status = 409
    code = "conflict"


class UpstreamInternal(UpstreamError):
    """The provider had an internal error."""

    status = 500
    code = "internal_error"


class UpstreamBadGateway(UpstreamError):
    """The provider's answer could not be understood."""

    status = 502
    code = "bad_gateway"


class UpstreamAnswerTooLarge(UpstreamBadGateway):
    """The provider's answer is larger than what is read of one."""

    fails_over = False
    """It is made and has to be paid for; another would be as large."""


class UpstreamOverloaded(UpstreamError):
    """The provider is overloaded."""

    status = 503
    code = "overloaded"


class UpstreamTimeout(UpstreamError):
    """The provider did not answer in time."""

    status = 504
    code = "upstream_timeout"
    worth_retrying = False


class UpstreamDeadlineExceeded(UpstreamTimeout):
    """The provider ran out of time."""

    code = "timeout"


class UpstreamUnreachable(UpstreamError):
    """No connection to the provider could be made."""

    status = 502
    code = "upstream_unreachable"


class UpstreamIncomplete(UpstreamError):
    """The provider's answer stopped before it was finished."""

    status = 502
    code = "upstream_incomplete"


class UpstreamMalformedOutput(UpstreamError):
    """The model produced output that cannot be read."""

    status = 502
    code = "upstream_malformed_output"
    worth_retrying = False


class UpstreamEmpty(UpstreamError):
    """The provider sent an answer with nothing in it."""

    status = 502
    code = "upstream_empty"
    worth_retrying = False
