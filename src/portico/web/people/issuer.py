"""A provider of identities, asked as OpenID Connect has it: authorization code with PKCE, and an ID token that is checked.

Its libraries are loaded when somebody first signs in that way. What it says of itself and its keys is kept for an hour; a
token that names a key that is not known yet has the keys asked for once more.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol, cast

import msgspec

from portico.core.errors import PorticoError
from portico.core.lines import is_line
from portico.providers import Secret

SCOPE: Final = "openid email profile"
KEPT_S: Final = 3600.0
TIMEOUT_S: Final = 10.0
LEEWAY_S: Final = 60
_MAX_BYTES: Final = 1_000_000
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures by a key that only the provider has."""


class NotConfirmed(PorticoError):
    """The provider did not confirm who you are. Try again; if it stays so, tell whoever runs this Portico."""

    status = 502
    code = "identity_not_confirmed"


class Registered(Protocol):
    """What this Portico is at the provider (`config.oidc`)."""

    @property
    def issuer(self) -> str: ...
    @property
    def client_id(self) -> str: ...
    @property
    def label(self) -> str: ...
    def may_come(self, email: str) -> bool: ...
    def is_operator(self, email: str) -> bool: ...


class Told(msgspec.Struct, frozen=True):
    """What an ID token says of somebody."""

    issuer: str
    subject: str
    email: str
    verified: bool
    name: str


class Leading(Protocol):
    """A proxy."""

    @property
    def url(self) -> str: ...
    @property
    def authorization(self) -> Secret | None:
        """The value of Proxy-Authorization, if it wants one."""


Proxies = Callable[[str], Leading | None]
"""Which proxy leads to an address, if one does. Raises `ValueError` for what is none."""


class Issuer:
    """One provider. On the loop that asks it."""

    def __init__(
        self,
        registered: Registered,
        client_secret: str | None,
        *,
        proxies: Proxies = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._proxies = proxies
        self.registered = registered
        self._secret = client_secret
        self._clock = clock
        self._kept: dict[str, tuple[float, Any]] = {}

    @property
    def label(self) -> str:
        return self.registered.label

    async def where(self, *, state: str, nonce: str, verifier: str, back: str) -> str:
        """Where somebody is led to say who they are. Raises `NotConfirmed`."""
        async with self._client() as client:
            about = await self._about(client)
            address, _ = client.create_authorization_url(
                about["authorization_endpoint"], state=state, nonce=nonce, code_verifier=verifier, redirect_uri=back
            )
        return str(address)

    async def who(self, code: str, *, nonce: str, verifier: str, back: str) -> Told:
        """Who came back with this code. Raises `NotConfirmed`."""
        async with self._client() as client:
            about = await self._about(client)
            methods = about.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
            if self._secret is not None and "client_secret_basic" not in methods:
                client.token_endpoint_auth_method = "client_secret_post"  # noqa: S105 - a word of OAuth's
            answer = await _asked(
                client.fetch_token(
                    about["token_endpoint"],
                    code=code,
                    code_verifier=verifier,
                    redirect_uri=back,
                    grant_type="authorization_code",
                )
            )
            token = answer.get("id_token")
            if not isinstance(token, str):
                raise NotConfirmed
            return self._read(await self._opened(client, about, token), nonce)

    # -- tokens

    async def _opened(self, client: Any, about: Mapping[str, Any], token: str) -> Mapping[str, Any]:
        """The claims of a token with a good signature."""
        from joserfc import jwt  # noqa: PLC0415 - as `_client`
        from joserfc.errors import JoseError  # noqa: PLC0415
        from joserfc.jwk import KeySet  # noqa: PLC0415

        for anew in (False, True):
            keys = await self._fetched(client, about["jwks_uri"], anew=anew)
            try:
                return dict(
                    jwt.decode(token, KeySet.import_key_set(cast("Any", keys)), algorithms=list(ALGORITHMS)).claims
                )
            except (JoseError, ValueError, KeyError, TypeError):
                if anew:
                    raise NotConfirmed from None
        raise NotConfirmed

    def _read(self, claims: Mapping[str, Any], nonce: str) -> Told:
        """OpenID Connect Core, 3.1.3.7. The signature is good; this is about whom and for whom."""
        client_id, now = self.registered.client_id, time.time()
        audience = claims.get("aud")
        audiences = [audience] if isinstance(audience, str) else audience
        expires, begins = claims.get("exp"), claims.get("iat")
        subject = claims.get("sub")
        good = (
            claims.get("iss") == self.registered.issuer
            and isinstance(audiences, list)
            and client_id in audiences
            and (len(audiences) == 1 or claims.get("azp") == client_id)
            and claims.get("azp", client_id) == client_id
            and isinstance(expires, (int, float))
            and now < expires + LEEWAY_S
            and isinstance(begins, (int, float))
            and begins < now + LEEWAY_S
            and claims.get("nonce") == nonce
            and isinstance(subject, str)
            and 0 < len(subject) <= 255
        )
        if not good:
            raise NotConfirmed
        email, name = claims.get("email"), claims.get("name")
        return Told(
            issuer=self.registered.issuer,
            subject=str(subject),
            email=email if isinstance(email, str) and len(email) <= 254 else "",
            verified=claims.get("email_verified") is True or claims.get("email_verified") == "true",
            name=name[:200] if isinstance(name, str) and is_line(name) else "",
        )

    # -- asking

    def _client(self) -> Any:
        from authlib.integrations.httpx_client import AsyncOAuth2Client  # noqa: PLC0415 - dear, and most have no [oidc]

        from portico.web.people.ways import Ways  # noqa: PLC0415

        return AsyncOAuth2Client(
            self.registered.client_id,
            self._secret,
            token_endpoint_auth_method="none" if self._secret is None else "client_secret_basic",
            scope=SCOPE,
            code_challenge_method="S256",
            timeout=TIMEOUT_S,
            follow_redirects=False,
            transport=Ways(self._proxies),
            trust_env=False,
        )

    async def _about(self, client: Any) -> Mapping[str, Any]:
        """What the provider says of itself. It must be the one that was meant."""
        issuer = self.registered.issuer
        about = await self._fetched(client, f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        wanted = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        if about.get("issuer") != issuer or not all(isinstance(about.get(name), str) for name in wanted):
            self._kept.clear()
            raise NotConfirmed
        return about

    async def _fetched(self, client: Any, address: str, *, anew: bool = False) -> Mapping[str, Any]:
        kept = self._kept.get(address)
        if kept is not None and not anew and self._clock() < kept[0]:
            found: Mapping[str, Any] = kept[1]
            return found
        answer = await _asked(client.request("GET", address, withhold_token=True))
        if answer.status_code != 200 or len(answer.content) > _MAX_BYTES:
            raise NotConfirmed
        try:
            told = msgspec.json.decode(answer.content, type=dict[str, Any])
        except msgspec.DecodeError:
            raise NotConfirmed from None
        self._kept[address] = (self._clock() + KEPT_S, told)
        return told


async def _asked(answer: Any) -> Any:
    """What comes of asking the provider. Raises `NotConfirmed`."""
    import httpx2  # noqa: PLC0415 - as `_client`
    from authlib.common.errors import AuthlibBaseError  # noqa: PLC0415

    try:
        return await answer
    except (httpx2.HTTPError, httpx2.InvalidURL, AuthlibBaseError, ValueError) as error:
        raise NotConfirmed from error
