"""What calls to providers carry to show who calls: headers that never change, or a token that is fetched anew each hour.

Headers that never change are worked out once for each credential. A token is kept until five minutes before its end; many
callers who need a new one wait for the same fetch, and while the old one is still good nobody is refused for a fetch that
failed.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from typing import Final

from portico.core.errors import UpstreamAuthFailed, UpstreamError
from portico.providers import Provider, Secret, Spoken
from portico.providers.google import NoToken, Token, TokenAnswer, exchanged
from portico.relay.ports import Upstream, UpstreamRequest
from portico.wire.http import Headers

EARLY_S: Final = 300.0
"""A token is not used in the last five minutes of its life: a call and a wrong clock have room in them."""
PATIENCE_S: Final = 30.0
MAX_ANSWER_BYTES: Final = 1024 * 1024

log = logging.getLogger("portico.providers")


class Signer:
    """Knows the headers of every credential. `now`: seconds since 1970."""

    def __init__(self, upstream: Upstream, now: Callable[[], float]) -> None:
        self._upstream = upstream
        self._now = now
        self._fixed: dict[tuple[str, str, str], Headers] = {}
        self._tokens: dict[Secret, Token] = {}
        self._fetching: dict[Secret, asyncio.Task[Token]] = {}

    def serve(self, providers: Iterable[Provider]) -> None:
        """From now on these providers are asked: nothing is kept of credentials that nobody has any longer."""
        alive = {secret for provider in providers for secret in provider.keys}
        self._fixed.clear()
        self._tokens = {secret: token for secret, token in self._tokens.items() if secret in alive}

    def ready(self, provider: Provider, spoken: Spoken, credential: Secret) -> Headers | None:
        """The headers of a call, if nothing has to be fetched for them."""
        key = (provider.name, spoken.dialect.name, credential.mark)
        found = self._fixed.get(key)
        if found is None:
            found = provider.fixed_headers(spoken, credential)
            if found is not None:
                self._fixed[key] = found
        return found

    async def headers(self, provider: Provider, spoken: Spoken, credential: Secret) -> Headers:
        """The headers of a call. Raises `UpstreamAuthFailed` where no token can be had."""
        fixed = self.ready(provider, spoken, credential)
        if fixed is not None:
            return fixed
        token = await self._token(provider.name, credential)
        return provider.headers_with(spoken, (("authorization", f"Bearer {token.value}"),))

    def refused(self, credential: Secret) -> None:
        """The provider does not take the token of a credential (any longer): the next call asks for another."""
        self._tokens.pop(credential, None)

    async def _token(self, provider: str, credential: Secret) -> Token:
        known = self._tokens.get(credential)
        if known is not None and self._now() < known.expires - EARLY_S:
            return known
        fetching = self._fetching.get(credential)
        if fetching is None:
            fetching = self._fetching[credential] = asyncio.create_task(self._fetched(credential))
            fetching.add_done_callback(lambda _: self._fetching.pop(credential, None))
        try:
            return await asyncio.shield(fetching)
        except NoToken as error:
            log.warning("%s: no token for the credential from %s: %s", provider, credential.source, error)
            if known is not None and self._now() < known.expires:
                return known
            raise UpstreamAuthFailed(
                "The gateway could not get a token with its credential for this provider. The operator has to mend it.",
                reason=str(error),
            ) from None

    async def _fetched(self, credential: Secret) -> Token:
        loop = asyncio.get_running_loop()

        def post(method: str, url: str, body: bytes, headers: Mapping[str, str]) -> "Future[TokenAnswer]":
            return asyncio.run_coroutine_threadsafe(self._asked(method, url, body, headers), loop)

        token = await asyncio.to_thread(exchanged, credential.reveal(), post)
        self._tokens[credential] = token
        return token

    async def _asked(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> TokenAnswer:
        """One request to a token endpoint, the way that providers are asked. Raises `NoToken`."""
        request = UpstreamRequest(
            url=url,
            headers=tuple(headers.items()),
            body=body,
            method=method,
            first_byte_timeout_s=PATIENCE_S,
            idle_timeout_s=PATIENCE_S,
        )
        try:
            response = await self._upstream.send(request)
            try:
                return TokenAnswer(response.status, response.headers, await response.read(MAX_ANSWER_BYTES))
            finally:
                response.close()
        except UpstreamError as error:
            raise NoToken(f"the token endpoint: {error.message}") from None
