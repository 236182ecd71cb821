"""What `portico connect` asks a Portico, by whatever proxy this machine has; and the words for why it did not answer."""

import http.client
import json
import re
import socket
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, Final, NoReturn

from portico import __version__

TIMEOUT_S: Final = 15.0
AGENT: Final = f"portico-connect/{__version__}"
MARK: Final = "x-portico-request-id"
"""Every answer of a Portico's has it."""
_UNFIT: Final = re.compile(r"[\s\x00-\x1f\"'`${}<>\\^|]")
"""What no address has, and some file of settings would take for something else."""
_LONGEST: Final = 16 * 2**20
_KEY_HEADERS: Final = frozenset({"authorization", "x-api-key", "x-goog-api-key"})


class NoAnswer(Exception):
    """A Portico did not answer as one; the text says why, and what to do."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


def root_of(address: str) -> str:
    """The root of an address as people give it: without a slash, a version or a path of one dialect. Raises ValueError."""
    wrong = ValueError(f"{address!r} is not the address of a Portico, such as http://127.0.0.1:8080")
    text = address.strip()
    if _UNFIT.search(text):
        raise wrong
    try:
        parts = urllib.parse.urlsplit(text if "://" in text else f"http://{text}")
        _ = parts.port
    except ValueError:
        raise wrong from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise wrong
    if parts.query or parts.fragment or parts.username is not None:
        raise ValueError(f"{address!r}: an address has no query, no fragment and no name with a password here")
    path = parts.path.rstrip("/")
    for end in ("/v1beta", "/v1"):
        path = path.removesuffix(end)
    return f"{parts.scheme}://{parts.netloc}{path}"


def models_of(root: str, key: str | None) -> list[dict[str, Any]]:
    """The rows of `GET /v1/models`. Raises `NoAnswer`."""
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    with asked(f"{root}/v1/models", headers) as answer:
        content = answer.read(_LONGEST)
    try:
        rows = json.loads(content)["data"]
        return [row for row in rows if isinstance(row, dict)]
    except (ValueError, KeyError, TypeError):
        raise NoAnswer(
            f"{root}/v1/models does not answer with a list of models: is that a Portico? Say where it is with --url."
        ) from None


@contextmanager
def asked(
    url: str, headers: Mapping[str, str], body: bytes | None = None, *, timeout_s: float = TIMEOUT_S
) -> Iterator[http.client.HTTPResponse]:
    """A request's answer, if it is a good one. Raises `NoAnswer`, also for what breaks while it is read."""
    try:
        request = urllib.request.Request(  # noqa: S310 - `root_of` lets nothing but http and https through
            url, body, {"user-agent": AGENT, "accept-encoding": "identity", **headers}
        )
        with closing(urllib.request.build_opener(_Stays).open(request, timeout=timeout_s)) as answer:
            yield answer
    except urllib.error.HTTPError as error:
        with closing(error):
            raise NoAnswer(_refused(error, url, has_key=not _KEY_HEADERS.isdisjoint(headers)), error.code) from None
    except (urllib.error.URLError, OSError, http.client.HTTPException, ValueError) as error:
        raise NoAnswer(_unreached(error, url)) from None


class _Stays(urllib.request.HTTPRedirectHandler):
    """Goes nowhere else: a key is for the address that was given."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> NoReturn:
        del code, msg, headers
        fp.close()
        parts = urllib.parse.urlsplit(newurl)
        root = f"{parts.scheme}://{parts.netloc}{parts.path.partition('/v1')[0].rstrip('/')}"
        raise NoAnswer(
            f"{_host(req.full_url)} sends one on to {newurl}, where nothing was sent: if Portico is there, say "
            f"--url {root}, and connect again."
        )


def _refused(error: urllib.error.HTTPError, url: str, *, has_key: bool) -> str:
    """Why an answer is an error, told by Portico or by whoever stands before it."""
    said = _message(error)
    if MARK not in error.headers:
        between = f"{_host(url)} answered {error.code}, and it is not Portico who says so"
        server = error.headers.get("server")
        return (
            f"{between}{f' but {server!r}' if server else ''}: is a proxy in between, or is the "
            "address another's? Say where Portico is with --url." + (f" It says: {said}" if said else "")
        )
    if error.code == 401 and not has_key:
        return _NO_KEY
    advice = _ADVICE.get(error.code, "")
    return f"Portico answered {error.code}: {said or error.reason}" + (f" {advice}" if advice else "")


_NO_KEY: Final = (
    "Portico answered 401: no key was given. Give one by --key or in $PORTICO_API_KEY; `portico keys create` and the "
    "console make one."
)
_ADVICE: Final = {
    401: "The key is wrong, expired or revoked: make one with `portico keys create` or in the console, and connect again.",
    402: "The balance cannot bear the call: top up the account, or ask for a shorter answer.",
    403: "The key may not do that: see its policy in the console.",
    404: "`portico connect` lists what this key may ask for.",
    429: "A limit is reached; it passes by itself.",
    503: "No provider answers at the moment; `portico check` tries their keys.",
}


def _message(error: urllib.error.HTTPError) -> str:
    try:
        content = error.read(65_536)
        told = json.loads(content)
    except (OSError, ValueError, http.client.HTTPException):
        return ""
    found = told.get("error", told) if isinstance(told, dict) else None
    text = found.get("message") if isinstance(found, dict) else found
    return text if isinstance(text, str) else ""


def _unreached(error: Exception, url: str) -> str:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    host = _host(url)
    scheme = url.partition(":")[0]
    via = urllib.request.getproxies().get(scheme)
    if via and urllib.request.proxy_bypass(urllib.parse.urlsplit(url).hostname or ""):
        via = None
    through = f" (through the proxy {_host(via)}, as {scheme.upper()}_PROXY says)" if via else ""
    match reason:
        case ssl.SSLCertVerificationError():
            why = (
                f"its certificate is not trusted here: {reason.verify_message}. If it is yours, set SSL_CERT_FILE to it, "
                "or to its authority's; a client on Node.js wants the same in NODE_EXTRA_CA_CERTS."
            )
        case ssl.SSLError():
            why = f"TLS fails: {reason.reason or reason}. Is it http:// rather than https://?"
        case ConnectionResetError() if scheme == "http":
            why = "it hangs up. Is it https:// rather than http://?"
        case socket.gaierror():
            why = "nobody knows that name."
        case ConnectionRefusedError():
            why = "nothing listens there. Start Portico with `portico serve`, or say where it is with --url."
        case TimeoutError():
            why = "it does not answer in time."
        case http.client.HTTPException():
            why = f"what answers does not speak HTTP as it should ({type(reason).__name__})."
        case _:
            why = f"{str(reason) or type(reason).__name__}."
    return f"{host} is not reached{through}: {why}"


def _host(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    return parts.netloc.rpartition("@")[2] or url
