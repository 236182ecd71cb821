"""Google's files: brought in pieces to an address that is given for each, listed, shown and deleted (mapping.md 5.7).

Facts: a file lasts 48 hours and is its project's (here: its key's) alone; one that is not there, or another's, is a 403;
pieces come in order, and the last says so; what was brought is not given back. The address for the pieces wants no key.
"""

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote

from portico.simulator.caches import rfc3339
from portico.simulator.refusal import Json, Refused, bad_key, no_key
from portico.simulator.stats import Stats
from portico.wire.http import Exchange, Headers, HttpRequest
from portico.wire.jsontext import NotJson, decode, encode

_PATH = re.compile(
    r"(?P<upload>/upload)?/(?P<version>v1(?:(?:alpha|beta)\d*)?)/files(?:/(?P<id>[^/:]+)(?P<load>:download)?)?$"
)
_NAME = re.compile(r"files/[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_BIRTHDAY = 1_767_225_600.0
_LASTS_S = 48 * 3600.0
_MOST_KEPT = 10_000
_GRANULARITY = 262_144
_JSON = "application/json; charset=UTF-8"


@dataclass
class _Coming:
    """A file on its way."""

    key: str
    name: str
    display_name: str
    mime: str
    size: int | None
    data: bytearray = field(default_factory=bytearray)


@dataclass(frozen=True)
class Kept:
    """One file. Times are seconds since 1970."""

    name: str
    display_name: str
    mime: str
    size: int
    sha256: bytes
    created: float
    root: str

    def described(self) -> Json:
        """The object on the wire."""
        told: Json = {
            "name": self.name,
            "mimeType": self.mime,
            "sizeBytes": str(self.size),
            "createTime": rfc3339(self.created),
            "updateTime": rfc3339(self.created),
            "expirationTime": rfc3339(self.created + _LASTS_S),
            "sha256Hash": base64.b64encode(self.sha256.hex().encode()).decode(),
            "uri": f"{self.root}/{self.name}",
            "state": "ACTIVE",
            "source": "UPLOADED",
        }
        return told | ({"displayName": self.display_name} if self.display_name else {})


class UploadsDoor:
    """Answers the requests that are about Google's files. `now` gives seconds since 1970; without it time stands still."""

    def __init__(self, stats: Stats, *, seed: int, now: Callable[[], float] | None) -> None:
        self._stats = stats
        self._seed = seed
        self._now = now
        self._kept: dict[tuple[str, str], Kept] = {}
        self._coming: dict[str, _Coming] = {}
        self._made = 0

    def takes(self, request: HttpRequest) -> tuple[str, str] | None:
        """(id, verb) of a request that is for this door."""
        match = _PATH.fullmatch(unquote(request.path))
        if match is None or (
            not match["upload"] and match["version"] == "v1" and "x-goog-api-key" not in request.headers
        ):
            return None
        return match["id"] or "", "files"

    async def serve(self, exchange: Exchange) -> None:
        """Answers one exchange that this door takes."""
        request = exchange.request
        match = _PATH.fullmatch(unquote(request.path))
        if match is None:
            raise ValueError("a request of another door")
        try:
            told, more = self._answer(request, match)
        except Refused as refused:
            self._stats.refused += 1
            self._send(exchange, refused.code, encode(refused.body()), ())
        else:
            self._stats.answered += 1
            self._send(exchange, 200, encode(told) if told is not None else b"", more)

    def _send(self, exchange: Exchange, status: int, data: bytes, more: Headers) -> None:
        self._stats.bytes_written += len(data)
        exchange.send(status, [("content-type", _JSON), ("x-portico-simulated", "1"), *more], data)

    def _answer(self, request: HttpRequest, match: re.Match[str]) -> tuple[Json | None, Headers]:
        said = {name: values[-1] for name, values in parse_qs(request.query).items()}
        if match["upload"] and "upload_id" in said:
            return self._piece(request, said["upload_id"])
        key = request.headers.get("x-goog-api-key", "")
        if not key:
            raise no_key()
        if key.startswith("bad-key"):
            raise bad_key()
        if match["upload"]:
            return self._begin(request, key)
        name = f"files/{match['id']}"
        if match["load"]:
            self._find(key, name)
            raise Refused("Only generated files can be downloaded.", code=400)
        match request.method, bool(match["id"]):
            case "GET", True:
                return self._find(key, name).described(), ()
            case "GET", False:
                return self._listed(key, said), ()
            case "DELETE", True:
                self._find(key, name)
                del self._kept[key, name]
                return {}, ()
        raise Refused(f"{request.method} is not taken at {request.path}.", code=404)

    @property
    def _time(self) -> float:
        return _BIRTHDAY if self._now is None else self._now()

    def _begin(self, request: HttpRequest, key: str) -> tuple[Json | None, Headers]:
        said = {name.removeprefix("x-goog-upload-"): value for name, value in request.headers.items()}
        if said.get("protocol") != "resumable" or said.get("command") != "start":
            raise Refused("Only resumable uploads are played here.")
        try:
            body = decode(request.body) if request.body else {}
        except NotJson as error:
            raise Refused(f"Invalid JSON payload received. {error}") from None
        file = body.get("file", {}) if isinstance(body, dict) else {}
        if not isinstance(file, dict) or (odd := file.keys() - _FIELDS):
            name = min(odd) if isinstance(file, dict) else ""
            raise Refused(f"Invalid JSON payload received. Unknown name \"{name}\" at 'file': Cannot find field.")
        name = file.get("name") or ""
        if name and not _NAME.fullmatch(name):
            raise Refused(f"* CreateFileRequest.file.name: Invalid file name: {name}\n")
        if name and any(kept == name for _, kept in self._kept):
            raise Refused(f"File {name} already exists.", code=409)
        self._made += 1
        mark = hashlib.sha256(f"{self._seed} {key} {self._made}".encode()).hexdigest()
        mime = said.get("header-content-type") or file.get("mimeType") or file.get("mime_type") or ""
        if not mime:
            raise Refused("Mime type must be set.")
        size = said.get("header-content-length", "")
        shown = file.get("displayName") or file.get("display_name") or ""
        coming = _Coming(key, name or f"files/{mark[:12]}", shown, mime, int(size) if size.isdecimal() else None)
        self._coming[mark] = coming
        host = request.headers.get("host", "localhost")
        address = f"{request.scheme}://{host}{request.path}?upload_id={mark}&upload_protocol=resumable"
        return None, [
            ("x-goog-upload-status", "active"),
            ("x-goog-upload-url", address),
            ("x-goog-upload-chunk-granularity", str(_GRANULARITY)),
        ]

    def _piece(self, request: HttpRequest, mark: str) -> tuple[Json | None, Headers]:
        coming = self._coming.get(mark)
        if coming is None:
            raise Refused("The upload was not found.", code=404)
        commands = {one.strip() for one in request.headers.get("x-goog-upload-command", "").split(",")}
        if "query" in commands:
            return None, [("x-goog-upload-status", "active"), ("x-goog-upload-size-received", str(len(coming.data)))]
        if not commands <= {"upload", "finalize"} or not commands:
            raise Refused("The upload command is not known.")
        if "upload" in commands:
            if int(request.headers.get("x-goog-upload-offset", "-1")) != len(coming.data):
                raise Refused(f"The offset must be {len(coming.data)}.")
            if "finalize" not in commands and len(request.body) % _GRANULARITY:
                raise Refused(f"A piece has a multiple of {_GRANULARITY} bytes, but for the last.")
            coming.data += request.body
        if "finalize" not in commands:
            return None, [("x-goog-upload-status", "active")]
        if coming.size is not None and coming.size != len(coming.data):
            raise Refused(f"{coming.size} bytes were announced, and {len(coming.data)} came.")
        del self._coming[mark]
        root = f"https://generativelanguage.googleapis.com/{request.path.split('/')[2]}"
        digest = hashlib.sha256(coming.data).digest()
        kept = Kept(coming.name, coming.display_name, coming.mime, len(coming.data), digest, self._time, root)
        self._kept[coming.key, kept.name] = kept
        if len(self._kept) > _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        return {"file": kept.described()}, [("x-goog-upload-status", "final")]

    def _find(self, key: str, name: str) -> Kept:
        kept = self._kept.get((key, name))
        if kept is None or kept.created + _LASTS_S <= self._time:
            plain = name.removeprefix("files/")
            raise Refused(f"You do not have permission to access the File {plain} or it may not exist.", code=403)
        return kept

    def _listed(self, key: str, said: dict[str, str]) -> Json:
        mine = [one for (owner, _), one in self._kept.items() if owner == key]
        size = min(int(said.get("pageSize", "10")), 100)
        start = int(said.get("pageToken", "0"))
        page: Json = {"files": [one.described() for one in mine[start : start + size]]} if mine else {}
        if start + size < len(mine):
            page["nextPageToken"] = str(start + size)
        return page


_FIELDS = frozenset({"name", "displayName", "display_name", "mimeType", "mime_type", "sizeBytes", "size_bytes"})
