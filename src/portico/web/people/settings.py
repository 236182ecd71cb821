"""A person's own: what they are called, their password, language and theme, where they are signed in, and which accounts
they are in. Of those they leave whichever they want; who else is in one, and as what, is told in `members.py`.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from portico.accounts import attempts, passwords, sessions
from portico.accounts.sessions import Session
from portico.admin import door
from portico.core.errors import Conflict, InvalidRequest, NotFound
from portico.core.storage import Db
from portico.web.addresses import Locale
from portico.web.house import LANGUAGE
from portico.web.inside.asked import Asked, Led, Reply, Shown
from portico.web.people import oidc
from portico.web.people.door import SIGN_IN, as_typed
from portico.web.people.members import ROLE_NAMES

HERE: Final = "/console/settings"
_YEAR_S: Final = 31_536_000
_THEMES: Final = ("light", "dark")


async def look(asked: Asked) -> Reply:
    return await _page(asked)


async def act(asked: Asked) -> Reply:
    """Which of the page's forms it is stands in `do`."""
    what = _ACTS.get(asked.said("do"))
    if what is None:
        raise InvalidRequest("This page has no such form.", param="do")
    return await what(asked)


async def _profile(asked: Asked) -> Reply:
    visitor = asked.visitor
    if asked.said("name") != visitor.user.name:
        try:
            await asked.do("users set", user=visitor.user.id, name=asked.said("name"))
        except InvalidRequest as error:
            return await _page(asked, errors={"name": error.message})
    chosen = {locale.value for locale in Locale} & {asked.said("language")}
    theme = asked.said("theme")
    kept = (
        f"theme={theme}; Path=/; Max-Age={_YEAR_S}; SameSite=Lax" if theme in _THEMES else "theme=; Path=/; Max-Age=0"
    )
    to = f"{HERE}?{LANGUAGE}={chosen.pop()}" if chosen else HERE
    return Led(to=to, done="saved", headers={"set-cookie": kept})


async def _password(asked: Asked) -> Reply:
    """The old one is asked for, where there is one: a browser that was left open is not enough."""
    user, reading = asked.visitor.user, asked.backstage.reading
    tried = {"address": asked.peer, "email": user.email}
    if wait := await reading.work(lambda db: attempts.wait_s(db, **tried)):
        return await _page(asked, status=429, wait_minutes=-(-wait // 60))
    stored = await reading.read(lambda db: passwords.stored_hash(db, user.id))
    if stored is not None and not (await passwords.check(as_typed(asked, "current"), stored)).good:
        return await _page(asked, errors={"current": "This is not your password."})
    await reading.work(lambda db: attempts.give_back(db, **tried))
    fields = {
        "user": user.id,
        "email": user.email,
        "session": asked.visitor.session.id,
        "password": as_typed(asked, "password"),
    }
    try:
        await asked.backstage.office.do(door.PASSWORD, door.PASSWORD.read(fields), actor=asked.visitor.actor)
    except InvalidRequest as error:
        return await _page(asked, errors={"password": error.message})
    return Led(to=HERE, done="password-set")


async def _end(asked: Asked) -> Reply:
    visitor, session = asked.visitor, asked.said("session")
    await asked.do("sessions end", user=visitor.user.id, session=session)
    if session in ("", visitor.session.id):
        return Led(to=SIGN_IN, done="signed-out", sign_in="")
    return Led(to=HERE, done="session-ended")


async def _leave(asked: Asked) -> Reply:
    """One of their accounts, whichever is looked at."""
    visitor, account_id = asked.visitor, asked.said("account")
    name = visitor.account_names.get(account_id)
    if name is None:
        raise NotFound("There is no such account.")
    try:
        asked.require_name(name)
        await asked.do("memberships remove", account=account_id, user=visitor.user.id)
    except (Conflict, InvalidRequest) as error:
        return await _page(asked, errors={"leave": error.message}, status=409 if isinstance(error, Conflict) else 422)
    return Led(to=HERE, done="left")


_ACTS: Final[Mapping[str, Callable[[Asked], Awaitable[Reply]]]] = {
    "profile": _profile,
    "password": _password,
    "end": _end,
    "leave": _leave,
    "disconnect": oidc.disconnect,
}


_BROWSERS: Final = (
    *(("Edg/", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser/", "Samsung Internet"), ("Firefox/", "Firefox")),
    *(("FxiOS/", "Firefox"), ("CriOS/", "Chrome"), ("Chrome/", "Chrome"), ("Version/", "Safari")),
)
"""Each says that it is those behind it, too."""
_SYSTEMS: Final = (
    *(("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows")),
    *(("CrOS", "ChromeOS"), ("Mac OS X", "macOS"), ("Linux", "Linux")),
)


def browser_of(agent: str) -> str:
    """What people call it, of what a browser says it is: `Chrome 156, Linux`. Empty where that is not clear."""
    for mark, name in _BROWSERS:
        before, found, rest = agent.partition(mark)
        if found and before:
            system = next((name for word, name in _SYSTEMS if word in agent), "")
            version = rest.partition(".")[0]
            return f"{name} {version if version.isdigit() else ''}".strip() + (f", {system}" if system else "")
    return ""


async def _page(
    asked: Asked, *, errors: Mapping[str, str] | None = None, status: int | None = None, wait_minutes: int = 0
) -> Shown:
    user = asked.visitor.user

    def ask(db: Db) -> tuple[list[Session], bool]:
        return sessions.sessions_of(db, user.id), passwords.stored_hash(db, user.id) is not None

    open_ones, has_password = await asked.backstage.reading.read(ask)
    return Shown(
        template="people/settings",
        title="Settings",
        status=status or (422 if errors else 200),
        errors=errors or {},
        headers={"retry-after": str(wait_minutes * 60)} if wait_minutes else {},
        data={
            "name": asked.said("name") if "name" in (errors or {}) else user.name,
            "sessions": open_ones,
            "browsers": {one.id: browser_of(one.agent) for one in open_ones},
            "has_password": has_password,
            "wait_minutes": wait_minutes,
            "oidc": asked.backstage.extras.get("oidc"),
            "connections": await oidc.connections(asked),
            "connect_token": oidc.connect_token(asked),
            "leaving": asked.said("account"),
            "role_names": ROLE_NAMES,
        },
    )
