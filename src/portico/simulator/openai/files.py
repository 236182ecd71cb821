"""OpenAI's files: brought as a form, listed, shown, given back and deleted. Each key is a project of its own.

Facts (OpenAI's reference of the Files API; [K] where words are from memory): purposes that hold what a caller brought for a
model to read are not given back; a list is of the newest first, 10,000 at most.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote

from portico.simulator.openai import refusal
from portico.simulator.openai.door import key_of
from portico.simulator.openai.refusal import Refused
from portico.simulator.refusal import Json
from portico.simulator.stats import Stats
from portico.wire import multipart
from portico.wire.http import Exchange, HttpRequest
from portico.wire.jsontext import encode

_PATH = re.compile(r"(?P<azure>/openai)?(?:/v1)?/files(?:/(?P<id>[^/]+?)(?P<content>/content)?)?$")
_PURPOSES = ("fine-tune", "assistants", "batch", "user_data", "responses", "vision", "evals")
_GIVEN_BACK = frozenset({"batch", "fine-tune", "evals"})
_FIELDS = frozenset({"file", "purpose", "expires_after[anchor]", "expires_after[seconds]"})
_BIRTHDAY = 1_767_225_600
_MOST_KEPT = 10_000
_JSON = "application/json"


@dataclass(frozen=True)
class Kept:
    """One file. Times are seconds since 1970."""

    id: str
    purpose: str
    filename: str
    data: bytes
    created: int
    expires: int | None

    def described(self) -> Json:
        """The object on the wire."""
        return {
            "id": self.id,
            "object": "file",
            "bytes": len(self.data),
            "created_at": self.created,
            "expires_at": self.expires,
            "filename": self.filename,
            "purpose": self.purpose,
            "status": "processed",
            "status_details": None,
        }


class FilesDoor:
    """Answers the requests that are about OpenAI's files. `now` gives seconds since 1970; without it time stands still."""

    def __init__(self, stats: Stats, *, seed: int, now: Callable[[], float] | None, max_body_bytes: int) -> None:
        self._stats = stats
        self._seed = seed
        self._now = now
        self._max_body_bytes = max_body_bytes
        self._kept: dict[tuple[str, str], Kept] = {}
        self._made = 0

    def takes(self, request: HttpRequest) -> tuple[str, str] | None:
        """(id, verb) of a request that is for this door: the way the key comes tells it from others' files."""
        match = _PATH.fullmatch(unquote(request.path))
        others = ("x-goog-api-key", "x-api-key", "anthropic-version")
        if match is None or any(name in request.headers for name in others):
            return None
        return match["id"] or "", "files"

    async def serve(self, exchange: Exchange) -> None:
        """Answers one exchange that this door takes."""
        request = exchange.request
        match = _PATH.fullmatch(unquote(request.path))
        if match is None:
            raise ValueError("a request of another door")
        try:
            key = key_of(request, azure=bool(match["azure"]))
            if not key or key.startswith("bad-key"):
                raise refusal.bad_key(key, azure=bool(match["azure"]))
            if len(request.body) > self._max_body_bytes:
                raise Refused("Maximum content size limit exceeded.", status=413)
            kind, data = self._answer(request, key, match["id"] or "", content=bool(match["content"]))
        except Refused as refused:
            self._stats.refused += 1
            self._send(exchange, refused.status, _JSON, encode(refused.body()))
        else:
            self._stats.answered += 1
            self._send(exchange, 200, kind, data)

    def _send(self, exchange: Exchange, status: int, kind: str, data: bytes) -> None:
        self._stats.bytes_written += len(data)
        exchange.send(status, [("content-type", kind), ("x-portico-simulated", "1")], data)

    def _answer(self, request: HttpRequest, key: str, id_: str, *, content: bool) -> tuple[str, bytes]:
        match request.method, bool(id_):
            case "POST", False:
                return _JSON, encode(self._create(request, key).described())
            case "GET", False:
                return _JSON, encode(self._listed(request, key))
            case "GET", True:
                return self._content(key, id_) if content else (_JSON, encode(self._find(key, id_).described()))
            case "DELETE", True if not content:
                self._find(key, id_)
                del self._kept[key, id_]
                return _JSON, encode({"id": id_, "object": "file", "deleted": True})
        raise Refused(f"Not allowed to {request.method} on {request.path}.", status=405)

    @property
    def _time(self) -> int:
        return _BIRTHDAY if self._now is None else int(self._now())

    def _create(self, request: HttpRequest, key: str) -> Kept:
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            raise Refused("Missing required parameter: 'file'.", param="file", code="missing_required_parameter")
        try:
            found = {field.name: field for field in multipart.fields(request.body)}
        except multipart.NotMultipart:
            raise Refused("Could not parse multipart form") from None
        for name in found:
            if name not in _FIELDS:
                raise refusal.unknown(name)
        for name in ("file", "purpose"):
            if name not in found:
                raise refusal.missing(name)
        file, purpose = found["file"], found["purpose"].value(request.body).decode("utf-8", "replace")
        if file.filename is None:
            raise Refused("Invalid file data: 'file' must be of type File.", param="file")
        if purpose not in _PURPOSES:
            raise Refused(f"'{purpose}' is not one of {list(_PURPOSES)} - 'purpose'")
        lasts = found.get("expires_after[seconds]")
        expires = None if lasts is None else self._time + int(lasts.value(request.body))
        self._made += 1
        mark = hashlib.sha256(f"{self._seed} {key} {self._made}".encode()).hexdigest()
        kept = Kept(f"file-{mark[:24]}", purpose, file.filename, file.value(request.body), self._time, expires)
        self._kept[key, kept.id] = kept
        if len(self._kept) > _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        return kept

    def _find(self, key: str, id_: str) -> Kept:
        kept = self._kept.get((key, id_))
        if kept is None or (kept.expires is not None and kept.expires <= self._time):
            raise Refused(f"No such File object: {id_}", param="id", status=404)
        return kept

    def _content(self, key: str, id_: str) -> tuple[str, bytes]:
        kept = self._find(key, id_)
        if kept.purpose not in _GIVEN_BACK:
            raise Refused(f"Not allowed to download files of purpose: {kept.purpose}")
        return "application/octet-stream", kept.data

    def _listed(self, request: HttpRequest, key: str) -> Json:
        said = {name: values[-1] for name, values in parse_qs(request.query).items()}
        mine = [one for (owner, _), one in reversed(self._kept.items()) if owner == key]
        mine = [one for one in mine if said.get("purpose") in (None, one.purpose)]
        if (after := said.get("after")) is not None:
            ids = [one.id for one in mine]
            mine = mine[ids.index(after) + 1 :] if after in ids else []
        size = min(int(said.get("limit", "10000")), 10_000)
        page = [one.described() for one in mine[:size]]
        return {
            "object": "list",
            "data": page,
            "first_id": page[0]["id"] if page else None,
            "last_id": page[-1]["id"] if page else None,
            "has_more": len(mine) > size,
        }
