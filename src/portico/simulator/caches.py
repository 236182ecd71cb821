"""Cached contents: made once, used by name, gone when their time is over.

Facts (mapping.md 1.16, and recorded): what is too small is refused; an hour is the default life, and a time in the past is
taken; only the life can be changed; what is unknown, expired, deleted or of another project cannot be told apart. Each API
key is a project of its own. `cachedContents/simulated…` is always there, for every model.
"""

import base64
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from portico.simulator import toolrules
from portico.simulator.grammar import seconds_of
from portico.simulator.models import Model
from portico.simulator.refusal import Json, Refused
from portico.simulator.tokens import prompt

STANDING = "simulated"
"""How the ids begin that every model finds."""

_STILL_S = 1_767_225_600.0
"""The time, where nobody tells it: the first moment of 2026."""

_HOUR_S = 3_600.0
_LONGEST_S = 100 * 366 * 86_400.0
_MOST_PAGE = 1_000
_MOST_KEPT = 10_000


@dataclass(frozen=True)
class Cached:
    """One cached content. Times are epoch seconds; `content` is what a request that names it begins with."""

    name: str
    model: str
    content: Json
    tokens: tuple[tuple[str, int], ...]
    created_s: float
    updated_s: float
    expires_s: float
    display_name: str = ""

    @property
    def total(self) -> int:
        return sum(count for _, count in self.tokens)

    def described(self) -> Json:
        """The resource on the wire."""
        return {
            "name": self.name,
            "model": self.model,
            "createTime": rfc3339(self.created_s),
            "updateTime": rfc3339(self.updated_s),
            "expireTime": rfc3339(self.expires_s),
            "displayName": self.display_name,
            "usageMetadata": {"totalTokenCount": self.total},
        }

    def before(self, request: Json) -> Json:
        """The request with everything that was cached in its place."""
        held = {key: value for key, value in self.content.items() if key != "contents"}
        return request | held | {"contents": [*self.content.get("contents", []), *request["contents"]]}


class Caches:
    """The cached contents of every project. `now` gives epoch seconds; without it time stands still."""

    def __init__(self, seed: int, now: Callable[[], float] | None) -> None:
        self._seed = seed
        self._now = now or (lambda: _STILL_S)
        self._kept: dict[tuple[str, str], Cached] = {}
        self._made = 0

    def create(self, body: Json, model: Model, key: str, parent: str, *, vertex: bool, lenient: bool) -> Json:
        """A new cached content. Raises `Refused` for what Google does not cache."""
        if "createCachedContent" not in model.methods:
            raise Refused(f"models/{model.name} does not support cached content.", code=400)
        toolrules.check(body, model, vertex=vertex, lenient=lenient)
        counted = prompt(body, model)
        if counted.total < _least(model):
            sizes = f"total_token_count={counted.total}, min_total_token_count={_least(model)}"
            raise Refused(f"Cached content is too small. {sizes}")
        now = self._now()
        self._made += 1
        name = f"{parent}cachedContents/{self._id(key)}"
        content: Json = {
            one: body[one] for one in ("contents", "systemInstruction", "tools", "toolConfig") if one in body
        }
        expires = _expiry(body, now)
        cached = Cached(
            name,
            body["model"],
            content,
            counted.by_modality,
            now,
            now,
            now + _HOUR_S if expires is None else expires,
            body.get("displayName", ""),
        )
        self._kept[key, name] = cached
        if len(self._kept) > _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        return cached.described()

    def listed(self, key: str, parent: str, size: int, start: str) -> Json:
        """A page of the project's cached contents, the newest first."""
        place = f"{parent}cachedContents/"
        mine = [one for (owner, name), one in self._kept.items() if owner == key and name.startswith(place)]
        mine = [one for one in reversed(mine) if one.expires_s > self._now()]
        names = [one.name for one in mine]
        if start and start not in names:
            raise Refused("* ListCachedContentsRequest.page_token: page token is invalid\n")
        first = names.index(start) if start else 0
        size = min(size, _MOST_PAGE)
        page: Json = {"cachedContents": [one.described() for one in mine[first : first + size]]} if mine else {}
        if first + size < len(mine):
            page["nextPageToken"] = token(names[first + size])
        return page

    def get(self, key: str, name: str, *, vertex: bool) -> Cached:
        """The cached content of that name. Raises `Refused` (403, on Vertex 404) if there is none now."""
        cached = self._kept.get((key, name))
        if cached is None or cached.expires_s <= self._now():
            if vertex:
                raise Refused(f"Not found: cached content metadata for {name.rpartition('/')[2]}.", code=404)
            raise Refused("CachedContent not found (or permission denied)", code=403)
        return cached

    def update(self, key: str, name: str, body: Json, mask: str, *, vertex: bool) -> Json:
        """Changes how long a cached content lives; nothing else of it can change."""
        cached = self.get(key, name, vertex=vertex)
        named = {one.strip().replace("expire_time", "expireTime") for one in mask.split(",") if one.strip()}
        if (body.keys() - {"name"} or named) - {"ttl", "expireTime"} or named - {"ttl", "expireTime"}:
            raise Refused("* UpdateCachedContentRequest.cached_content: only ttl and expire_time can be updated\n")
        expires = _expiry(body, self._now())
        if expires is None:
            raise Refused("* UpdateCachedContentRequest.cached_content.expiration: ttl or expire_time must be set\n")
        self._kept[key, name] = cached = replace(cached, updated_s=self._now(), expires_s=expires)
        return cached.described()

    def delete(self, key: str, name: str, *, vertex: bool) -> Json:
        """Forgets a cached content."""
        self.get(key, name, vertex=vertex)
        del self._kept[key, name]
        return {}

    def used(self, key: str, name: str, model: Model, *, vertex: bool, lenient: bool) -> Cached:
        """The cached content that a request of this model names. Raises `Refused`."""
        known = (key, name) in self._kept
        if not known and (lenient or name.rpartition("/")[2].startswith(STANDING)):
            counts = (("TEXT", _least(model)),)
            return Cached(name, f"models/{model.name}", {}, counts, _STILL_S, _STILL_S, _STILL_S)
        cached = self.get(key, name, vertex=vertex)
        if cached.model.rpartition("/")[2] != model.name:
            raise Refused(
                f"Model used by GenerateContent request (models/{model.name}) and CachedContent "
                f"(models/{cached.model.rpartition('/')[2]}) has to be the same."
            )
        return cached

    def _id(self, key: str) -> str:
        digest = hashlib.sha256(f"{self._seed} {key} {self._made}".encode("utf-8", "surrogatepass")).digest()
        return base64.b32encode(digest)[:40].decode().lower()


def _least(model: Model) -> int:
    """The smallest number of tokens that is cached (mapping.md 6.2)."""
    if model.generation == (2, 5):
        return 2_048 if "-pro" in model.name else 1_024
    return 4_096


def _expiry(body: Json, now: float) -> float | None:
    if "ttl" in body:
        seconds = float(body["ttl"].removesuffix("s"))
        if not 0 < seconds <= _LONGEST_S:
            raise Refused(f"* CachedContent.ttl: must be in the range (0s, {_LONGEST_S:.0f}s]\n")
        return now + seconds
    return seconds_of(body["expireTime"]) if "expireTime" in body else None


def rfc3339(seconds: float) -> str:
    """The time as Google writes it, with microseconds where there are any."""
    whole, micros = divmod(round(seconds * 1e6), 10**6)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + (f".{micros:06d}Z" if micros else "Z")


def token(name: str) -> str:
    """A page token: where the next page begins."""
    return base64.urlsafe_b64encode(name.encode()).decode()


def named_by(token_text: str) -> str:
    """The name in a page token; a text no name is, if it is none."""
    try:
        return base64.b64decode(token_text, b"-_", validate=True).decode() if token_text else ""
    except ValueError:
        return "\0"
