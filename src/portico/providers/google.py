"""Vertex AI: where it is, and the service accounts that are asked for a token first (mapping.md 0).

A credential is either the JSON document of a service account, which `google-auth` exchanges for an access token of an
hour, or an API key, which is sent as it is. Without a project a key is one of express mode, and its paths name neither
project nor location.
"""

import json
import re
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from datetime import UTC
from typing import Any, Final

import msgspec

SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
GLOBAL: Final = "global"
PROJECT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._-]{0,99}")
LOCATION: Final = re.compile(r"[a-z][a-z0-9-]{0,62}")
"""Goes into the name of a host."""
_MULTI_REGIONS: Final = frozenset({"us", "eu"})
_FIELDS: Final = ("client_email", "private_key", "token_uri")
"""What the document of a service account must hold."""


class NoToken(Exception):
    """A credential could not be exchanged for a token; the message says why, and shows nothing of it."""


class Token(msgspec.Struct, frozen=True):
    """An access token, and when it ends, in seconds since 1970."""

    value: str
    expires: float

    def __repr__(self) -> str:
        return f"Token(until {self.expires:.0f})"


class TokenAnswer(msgspec.Struct, frozen=True):
    """What a token endpoint answered."""

    status: int
    headers: Mapping[str, str]
    data: bytes


Post = Callable[[str, str, bytes, Mapping[str, str]], "Future[TokenAnswer]"]
"""(method, url, body, headers) -> the answer, waited for in a thread."""


def host_of(location: str) -> str:
    """The address of Vertex AI in a location."""
    if location == GLOBAL:
        return "https://aiplatform.googleapis.com"
    if location in _MULTI_REGIONS:
        return f"https://aiplatform.{location}.rep.googleapis.com"
    return f"https://{location}-aiplatform.googleapis.com"


def is_document(credential: str) -> bool:
    """Whether a credential is a JSON document, and no key."""
    return credential.lstrip().startswith("{")


def document_fault(credential: str) -> str | None:
    """What keeps a document from being one of a service account; None if nothing does. Repeats nothing of it."""
    try:
        document = json.loads(credential)
    except ValueError:
        return "is no JSON document: a service account's key is downloaded as one, and is used whole"
    if not isinstance(document, dict) or document.get("type") != "service_account":
        return "is a JSON document, but none of a service account"
    missing = [field for field in _FIELDS if not isinstance(document.get(field), str) or not document[field]]
    return f"lacks {', '.join(missing)}" if missing else None


def project_in(credential: str) -> str:
    """The project that a document names; empty if none."""
    try:
        document = json.loads(credential) if is_document(credential) else {}
    except ValueError:
        return ""
    project = document.get("project_id") if isinstance(document, dict) else None
    return project if isinstance(project, str) and PROJECT.fullmatch(project) else ""


def place_of(project: str, location: str, credential: str) -> str:
    """What stands before `/publishers/google/models/…`. Google refuses a document without any project."""
    project = project or project_in(credential)
    return f"/projects/{project}/locations/{location or GLOBAL}" if project else ""


def exchanged(credential: str, post: Post) -> Token:
    """A document for a token. Takes a round trip: to be called in a thread. Raises `NoToken`."""
    from google.auth import exceptions  # noqa: PLC0415 - dear, and most houses have no service account
    from google.oauth2 import service_account  # noqa: PLC0415 - as above

    try:
        made = service_account.Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
            json.loads(credential), scopes=[SCOPE]
        )
    except (ValueError, KeyError, AttributeError, exceptions.GoogleAuthError):
        raise NoToken("the document is none of a service account, or its private key cannot be read") from None

    def send(
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **more: Any,
    ) -> TokenAnswer:
        del more
        return post(method, url, body or b"", headers or {}).result(timeout)

    try:
        made.refresh(send)
    except exceptions.GoogleAuthError as error:
        raise NoToken(_why(error)) from None
    if not made.token or made.expiry is None:
        raise NoToken("the answer of the token endpoint holds no token")
    return Token(made.token, made.expiry.replace(tzinfo=UTC).timestamp())


def _why(error: Exception) -> str:
    """What the token endpoint said, short."""
    said = str(error.args[0]) if error.args else type(error).__name__
    return " ".join(said.split())[:300]
