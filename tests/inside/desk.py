"""A browser without a screen, against the app behind the door on a database of its own: cookies, tokens, forms.

house = Rooms(bench)                         # the app, and the commands of `admin.local.Bench`
ada = house.person("ada@example.com", account="acme", role="owner")      # signed in
page = ada.get("/console/keys")              # Answer: status, headers, text, json, page
page = ada.post("/console/keys/new", name="laptop")     # carries the token of its session; follows no redirect
Client(house).get("/sign-in")                # somebody who has not signed in
"""

import asyncio
from collections.abc import Mapping
from http.cookies import SimpleCookie
from random import SystemRandom
from typing import Any, Final
from urllib.parse import urlencode

from admin.local import Bench
from portico.accounts import people, sessions
from portico.accounts.people import User
from portico.core.ids import random_token
from portico.core.storage import Db
from portico.web.doors import ROOMS, Doors
from portico.web.house import House
from portico.web.inside import guard
from portico.web.inside.app import Inside
from portico.web.inside.asked import ONCE_FIELD
from portico.web.inside.backstage import Backstage
from portico.web.showroom import Showroom
from web.rooms import READER, ROOM, Answer, scope_of

RNG: Final = SystemRandom()


class Rooms:
    """The whole web app on a bench."""

    def __init__(
        self,
        bench: Bench,
        *,
        showroom: Showroom = ROOM,
        signup: str = "closed",
        extras: Mapping[str, Any] | None = None,
    ) -> None:
        self.bench = bench
        self.backstage = Backstage(
            showroom=showroom,
            reading=bench.reading,
            office=bench.office,
            rng=RNG,
            signup=signup,
            extras=extras or {},
        )
        self.app = Doors(House(showroom), Inside(self.backstage, ROOMS))

    def person(
        self,
        email: str = "ada@example.com",
        *,
        account: str | None = None,
        role: str = "owner",
        operator: bool = False,
        kind: str = "prepaid",
    ) -> "Client":
        """Somebody who has signed in; the account is made if there is none of that name."""

        def make(db: Db) -> User:
            user = people.create_user(db, RNG, email=email)
            return people.set_operator(db, user.id, True) if operator else user

        user = self.bench.reading.at_once(make)
        if account is not None:
            if not self.bench.rows("SELECT 1 FROM accounts WHERE name = ?", account):
                self.bench.do("accounts create", name=account, kind=kind)
            self.bench.do("memberships add", account=account, user=user.id, role=role)
        client = Client(self)
        client.user = user
        client.sign_in(user)
        return client


class Client:
    """One browser."""

    user: User

    def __init__(self, rooms: Rooms, *, scheme: str = "http", headers: Mapping[str, str] | None = None) -> None:
        self.rooms = rooms
        self.scheme = scheme
        self.cookies: dict[str, str] = {}
        self.headers = READER | dict(headers or {})

    def sign_in(self, user: User) -> None:
        """As the sign-in pages do it, without their password."""
        secret = self.rooms.bench.reading.at_once(lambda db: sessions.open_session(db, RNG, user, agent="a test"))
        self.cookies[guard.cookie_name(guard.SESSION, secure=self.scheme == "https")] = secret

    @property
    def secret(self) -> str:
        """What its session cookie holds, else the one of who has not signed in."""
        secure = self.scheme == "https"
        names = [guard.cookie_name(name, secure=secure) for name in (guard.SESSION, guard.VISITOR)]
        return next((self.cookies[name] for name in names if self.cookies.get(name)), "")

    @property
    def token(self) -> str:
        return guard.token_of(self.secret)

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        return self._ask("GET", path, b"", dict(headers or {}))

    def post(self, path: str, fields: Mapping[str, Any] | None = None, /, **more: Any) -> Answer:
        """A form with the token and a mark that a page would have put into it. A value that is a list comes several
        times."""
        marks = {guard.TOKEN_FIELD: self.token, ONCE_FIELD: random_token(RNG)}
        return self.post_raw(path, {**marks, **(fields or {}), **more})

    def post_raw(self, path: str, fields: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Answer:
        """A form as it is given, with no token of ours."""
        kind = {"content-type": "application/x-www-form-urlencoded"}
        return self._ask("POST", path, urlencode(fields, doseq=True).encode(), kind | dict(headers or {}))

    def send(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Anything else."""
        return self._ask("POST", path, body, dict(headers))

    def _ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        told = {**self.headers, **headers}
        if self.cookies:
            told["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items() if value)
        answer, cookies = asyncio.run(self._answered(scope_of(method, path, told, scheme=self.scheme), body))
        for text in cookies:
            for name, morsel in SimpleCookie(text).items():
                self.cookies[name] = morsel.value
                if morsel["max-age"] == "0":
                    del self.cookies[name]
        return answer

    async def _answered(self, scope: dict[str, Any], body: bytes) -> tuple[Answer, list[str]]:
        sent: list[Any] = []
        asked: list[bool] = []

        async def receive() -> Any:
            if asked:
                await asyncio.Event().wait()  # it stays, and says no more
            asked.append(True)
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.rooms.app(scope, receive, send)
        fields = [(name.decode(), value.decode("latin-1")) for name, value in sent[0]["headers"]]
        whole = b"".join(one.get("body", b"") for one in sent[1:])
        cookies = [value for name, value in fields if name == "set-cookie"]
        self.set_cookies = cookies
        return Answer(sent[0]["status"], dict(fields), whole), cookies
