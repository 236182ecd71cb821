"""The door: who is let in, once, and with which cookie."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from admin.local import Bench, on_sqlite
from inside.desk import RNG, Client, Rooms
from portico.accounts import attempts, identities, links, passwords, people
from portico.web.inside import guard
from web.rooms import Answer

GOOD = "correct horse battery"


def known(rooms: Rooms, email: str = "ada@example.com", password: str = GOOD, *, account: str | None = "acme") -> str:
    """Somebody with a password, who has not signed in."""
    user = rooms.person(email, account=account).user
    kept = asyncio.run(passwords.hash_of(password))
    rooms.bench.reading.at_once(lambda db: passwords.keep_hash(db, user.id, kept))
    rooms.bench.run("DELETE FROM sessions")
    return user.id


def browser(rooms: Rooms, path: str = "/sign-in", scheme: str = "http") -> Client:
    """Somebody who has looked at the page, and so has a cookie for its form."""
    client = Client(rooms, scheme=scheme)
    client.get(path)
    return client


def signed_in(client: Client, password: str = GOOD, **more: str) -> Answer:
    return client.post("/sign-in", email="ada@example.com", password=password, **more)


def link_of(path: str) -> str:
    return path.rpartition("/")[2]


@pytest.fixture(params=["closed", "invite", "open"])
def by_mode(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rooms]:
    reading = on_sqlite(tmp_path / "books.db")
    yield Rooms(Bench(reading), signup=request.param)
    reading.connection.close()


@pytest.fixture
def open_rooms(tmp_path: Path) -> Iterator[Rooms]:
    reading = on_sqlite(tmp_path / "books.db")
    yield Rooms(Bench(reading), signup="open")
    reading.connection.close()


# -- signing in --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("/console/keys/new", "/sign-in?to=%2Fconsole%2Fkeys%2Fnew&done=not-signed-in"),
        ("/console/account", "/sign-in?done=not-signed-in"),
    ],
)
def test_who_sends_a_form_when_their_session_is_over_is_told_and_led_back(rooms: Rooms, path: str, there: str) -> None:
    stranger = browser(rooms)
    led = stranger.post(path, title="laptop")
    assert (led.status, led.headers["location"]) == (303, there)
    assert "You were no longer signed in. Nothing was changed." in stranger.get(there).text


def test_the_right_password_signs_in_and_leads_to_what_was_wanted(rooms_anywhere: Rooms) -> None:
    known(rooms_anywhere)
    client = browser(rooms_anywhere)
    answer = signed_in(client, to="/console/usage?by=day")
    assert (answer.status, answer.headers["location"]) == (303, "/console/usage?by=day")
    assert "ada@example.com" in client.get("/console/settings").text
    assert guard.VISITOR not in client.cookies
    assert client.get("/sign-in").headers["location"] == "/console"


@pytest.mark.parametrize("email", ["ada@example.com", "nobody@example.com", "no address", ""])
def test_what_was_wrong_is_not_told(rooms: Rooms, email: str) -> None:
    known(rooms)
    answer = browser(rooms).post("/sign-in", email=email, password="not that one")
    assert answer.status == 422
    assert "The address or the password is not right." in answer.text
    assert "not that one" not in answer.text


def test_a_disabled_user_is_out_at_once_and_not_let_in(rooms: Rooms) -> None:
    known(rooms)
    client = browser(rooms)
    signed_in(client)
    rooms.bench.do("users remove", user="ada@example.com")
    assert client.get("/console/settings").headers["location"].startswith("/sign-in")
    assert signed_in(browser(rooms)).status == 422


def test_a_sign_in_is_a_new_session_whatever_cookie_came_with_it(rooms: Rooms) -> None:
    known(rooms)
    client = browser(rooms)
    client.cookies[guard.SESSION] = "x" * 43  # somebody else planted it
    client.get("/sign-in")
    answer = client._ask("GET", "/sign-in", b"", {})
    assert answer.status == 200
    visitor = client.cookies[guard.VISITOR]
    fields = {"email": "ada@example.com", "password": GOOD, guard.TOKEN_FIELD: guard.token_of(visitor)}
    assert client.post_raw("/sign-in", fields).status == 303
    assert client.cookies[guard.SESSION] != "x" * 43
    before = client.secret
    assert signed_in(client).status == 303
    assert client.secret != before
    assert rooms.bench.rows("SELECT COUNT(*) FROM sessions") == [(1,)]  # the one before is over


def test_a_form_of_another_session_is_refused(rooms: Rooms) -> None:
    known(rooms)
    bob = rooms.person("bob@example.com")
    client = browser(rooms)
    signed_in(client)
    fields = {"do": "end", "session": "", guard.TOKEN_FIELD: bob.token}
    assert client.post_raw("/console/settings", fields).status == 403
    assert client.post_raw("/console/settings", {"do": "end", "session": ""}).status == 403
    assert rooms.bench.rows("SELECT COUNT(*) FROM sessions") == [(2,)]
    stranger = browser(rooms)
    assert stranger.post_raw("/sign-in", {"email": "ada@example.com", "password": GOOD}).status == 403
    other = {guard.TOKEN_FIELD: client.token, "email": "ada@example.com", "password": GOOD}
    assert stranger.post_raw("/sign-in", other).status == 403


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_a_form_that_another_site_sent_is_refused(rooms: Rooms, origin: str) -> None:
    known(rooms)
    client = browser(rooms)
    fields = {guard.TOKEN_FIELD: client.token, "email": "ada@example.com", "password": GOOD}
    assert client.post_raw("/sign-in", fields, {"origin": origin}).status == 403
    assert client.post_raw("/sign-in", fields, {"sec-fetch-site": "cross-site"}).status == 403


@pytest.mark.parametrize("to", ["/models?q=模型", "/models?q=%E6%A8%A1", "/reset/é"])
def test_an_address_of_ours_is_led_to_whatever_letters_it_has(rooms: Rooms, to: str) -> None:
    known(rooms)
    led = signed_in(browser(rooms), to=to).headers["location"]
    assert unquote(led) == unquote(to)
    assert led.isascii()


@pytest.mark.parametrize(
    "path",
    [
        *[f"/invite/{one}?language=en" for one in ("%0d%0aset-cookie:x", "%E2%82%AC", "a%3Fb", "%25")],
        *[f"/console/keys/{one}/" for one in ("%0d%0aset-cookie:x", "%E2%82%AC", "a%3Fb", "%25")],
    ],
)
def test_no_address_ends_a_header_or_leads_elsewhere(rooms: Rooms, path: str) -> None:
    answer = Client(rooms).get(path)
    assert answer.status in (303, 308)
    led = answer.headers["location"]
    assert led.isascii()
    assert led.isprintable()
    assert led.startswith("/")
    assert "?" not in led


@pytest.mark.parametrize(
    "to",
    ["https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil", "javascript:alert(1)", "/\n/evil", ""],
)
def test_nobody_is_led_to_another_site(rooms: Rooms, to: str) -> None:
    known(rooms)
    client = browser(rooms)
    assert "evil" not in client.get(f"/sign-in?to={to.replace(chr(10), '%0A')}").text
    assert signed_in(client, to=to).headers["location"] == "/console"


def test_too_many_tries_are_told_when_to_come_back_even_with_the_right_password(rooms_anywhere: Rooms) -> None:
    known(rooms_anywhere)
    client = browser(rooms_anywhere)
    for _ in range(attempts.BY_EMAIL):
        assert signed_in(client, "wrong wrong wrong").status == 422
    answer = signed_in(client)
    assert answer.status == 429
    assert 0 < int(answer.headers["retry-after"]) <= 900
    assert "Too many tries. Wait" in answer.text
    rooms_anywhere.bench.reading.now_us += attempts.WINDOW_US
    assert signed_in(client).status == 303


def test_a_password_that_was_changed_while_it_was_checked_lets_nobody_in(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = known(rooms)
    check = passwords.check

    async def slow(password: str, stored: str | None) -> passwords.Checked:
        found = await check(password, stored)
        await rooms.backstage.reading.work(lambda db: passwords.keep_hash(db, user, "another"))
        return found

    monkeypatch.setattr(passwords, "check", slow)
    assert signed_in(browser(rooms)).status == 422


# -- cookies -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_cookies_are_for_us_alone_and_by_tls_for_tls_alone(rooms: Rooms, scheme: str) -> None:
    known(rooms)
    client = browser(rooms, scheme=scheme)
    told = list(client.set_cookies)
    assert signed_in(client).status == 303
    told += client.set_cookies
    assert len(told) == 3  # the visitor's, the session's, and the visitor's taken away
    for cookie in told:
        assert "; HttpOnly" in cookie
        assert "; SameSite=Lax" in cookie
        assert "; Path=/" in cookie
        assert "domain" not in cookie.lower()
        assert ("; Secure" in cookie) is (scheme == "https")
        assert cookie.startswith("__Host-") is (scheme == "https")


# -- signing out -------------------------------------------------------------------------------------------------------


def test_who_signs_out_is_out_everywhere_that_cookie_is(rooms: Rooms) -> None:
    known(rooms)
    client = browser(rooms)
    signed_in(client)
    thief = Client(rooms)
    thief.cookies = dict(client.cookies)
    assert client.post("/sign-out").headers["location"] == "/sign-in?done=signed-out"
    assert guard.SESSION not in client.cookies
    assert thief.get("/console/settings").status == 303
    assert client.get("/sign-out").status == 405


# -- signing up --------------------------------------------------------------------------------------------------------


def test_only_where_it_is_open_somebody_makes_an_account(by_mode: Rooms) -> None:
    client = browser(by_mode, "/sign-up")
    page = client.get("/sign-up")
    assert ('name="password"' in page.text) is (by_mode.backstage.signup == "open")
    answer = client.post("/sign-up", email="Ada@example.com", name="Ada", password=GOOD)
    made = by_mode.bench.rows("SELECT email FROM users")
    if by_mode.backstage.signup != "open":
        assert (answer.status, made) == (403, [])
        return
    assert (answer.status, answer.headers["location"]) == (303, "/console?done=welcome")
    assert made == [("ada@example.com",)]
    sql = "SELECT a.kind, a.posted_nanos, m.role FROM accounts a JOIN memberships m ON m.account_id = a.id"
    assert by_mode.bench.rows(sql) == [("prepaid", 0, "owner")]
    assert "Sign out" in client.get("/console/settings").text
    assert GOOD not in json.dumps(by_mode.bench.do("audit"))
    again = browser(by_mode, "/sign-up").post("/sign-up", email="ada@example.com", password="another password")
    assert again.status == 422
    assert "Somebody has this address already" in again.text


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"email": "nonsense", "password": GOOD}, "An address is written as name@host."),
        ({"email": "ada@example.com", "password": "short"}, "A password has at least 10 characters."),
        ({"email": "ada@example.com", "password": "ada@example.com"}, "Your e-mail address is no password."),
    ],
)
def test_what_is_wrong_with_a_form_is_told_in_it_and_nothing_is_made(
    open_rooms: Rooms, fields: dict[str, str], told: str
) -> None:
    answer = browser(open_rooms, "/sign-up").post("/sign-up", fields)
    assert answer.status == 422
    assert told in answer.text
    assert open_rooms.bench.rows("SELECT COUNT(*) FROM users") == [(0,)]


# -- links -------------------------------------------------------------------------------------------------------------


def test_the_first_start_makes_whoever_runs_it_once(rooms_anywhere: Rooms) -> None:
    rooms, bench = rooms_anywhere, rooms_anywhere.bench
    bench.reading.at_once(_default_account)
    path = bench.reading.at_once(lambda db: links.offer_first_start(db, RNG))
    assert path is not None
    client, late = browser(rooms, path), browser(rooms, path)
    answer = client.post(path, email="ada@example.com", name="Ada", password=GOOD)
    assert answer.headers["location"] == "/console?done=welcome"
    ada = bench.reading.at_once(lambda db: people.show_user(db, "ada@example.com"))
    assert (ada.name, ada.operator) == ("Ada", 1)
    assert bench.reading.at_once(lambda db: people.role_of(db, "default", ada.id)) == "owner"
    assert late.post(path, email="bob@example.com", password=GOOD).status == 404
    assert late.get(path).status == 404
    assert bench.rows("SELECT COUNT(*) FROM users") == [(1,)]
    for secret in (GOOD, link_of(path)):
        assert secret not in json.dumps(bench.do("audit"))
    assert bench.do("audit")["data"][0]["command"] == "door first-start"


def test_whoever_begins_shares_their_user_with_nobody_who_came_first(rooms: Rooms) -> None:
    """Where everybody may sign up, somebody may have done so with the address of whoever runs it."""
    bench = rooms.bench
    bench.reading.at_once(_default_account)
    early = rooms.person("ada@example.com")
    connect = identities.connect
    assert bench.reading.at_once(lambda db: connect(db, "https://idp.example", "mallory", early.user.id))
    path = bench.reading.at_once(lambda db: links.offer_first_start(db, RNG))
    assert path is not None
    assert browser(rooms, path).post(path, email="ada@example.com", password=GOOD).status == 303
    assert bench.reading.at_once(lambda db: identities.identities_of(db, early.user.id)) == []
    assert early.get("/console/settings").headers["location"].startswith("/sign-in")


def test_an_invitation_makes_a_user_who_is_in_the_account(rooms_anywhere: Rooms) -> None:
    rooms, bench = rooms_anywhere, rooms_anywhere.bench
    rooms.person("owner@example.com", account="acme")
    path = bench.do("users invite", email="ada@example.com", account="acme", role="viewer")["path"]
    client = browser(rooms, path)
    assert "ada@example.com" in client.get(path).text
    assert client.post(path, password="short").status == 422
    answer = client.post(path, password=GOOD, email="mallory@example.com")
    assert answer.headers["location"] == "/console?done=welcome"
    found = {one["email"]: one["role"] for one in bench.do("memberships list", account="acme")["data"]}
    assert found == {"owner@example.com": "owner", "ada@example.com": "viewer"}
    assert browser(rooms, path).post(path, password=GOOD).status == 404
    assert signed_in(browser(rooms)).status == 303


def test_an_invitation_is_no_way_past_the_password_of_who_is_known(rooms: Rooms) -> None:
    known(rooms, account=None)
    rooms.person("owner@example.com", account="acme")
    path = rooms.bench.do("users invite", email="ada@example.com", account="acme", role="member")["path"]
    stranger = browser(rooms, path)
    assert 'name="password"' not in stranger.get(path).text
    assert f"/sign-in?to={path}" in stranger.get(path).text
    assert stranger.post(path, password="another password").status == 422
    bob = rooms.person("bob@example.com")
    assert bob.post(path).status == 200
    assert "You are signed in as bob@example.com" in bob.get(path).text
    ada = browser(rooms)
    assert signed_in(ada, to=path).headers["location"] == path
    assert ada.post(path).headers["location"] == "/console?done=joined"
    members = {one["email"] for one in rooms.bench.do("memberships list", account="acme")["data"]}
    assert members == {"owner@example.com", "ada@example.com"}


def test_who_was_invited_to_run_it_and_came_otherwise_does_once_they_join(rooms: Rooms) -> None:
    path = rooms.bench.do("users invite", email="ada@example.com", operator=True)["path"]
    ada = rooms.person("ada@example.com")
    assert ada.get("/admin").status == 403
    assert ada.post(path).status == 303
    assert ada.get("/admin").status == 200


def test_a_link_for_another_password_sets_it_and_signs_everybody_else_out(rooms_anywhere: Rooms) -> None:
    rooms = rooms_anywhere
    known(rooms)
    old = browser(rooms)
    signed_in(old)
    path = rooms.bench.do("users reset", user="ada@example.com")["path"]
    client = browser(rooms, path)
    assert "ada@example.com" in client.get(path).text
    assert client.post(path, password="ada@example.com").status == 422
    assert client.post(path, password="quite another one").status == 303
    assert old.get("/console/settings").status == 303
    assert client.get("/console/settings").status == 200
    assert signed_in(browser(rooms)).status == 422
    assert signed_in(browser(rooms), "quite another one").status == 303
    assert browser(rooms, path).post(path, password="quite another one").status == 404


@pytest.mark.parametrize("path", ["/invite/nothing", "/reset/nothing", "/first-start/nothing"])
def test_a_link_that_never_was_is_told_as_one_that_is_over(rooms: Rooms, path: str) -> None:
    client = browser(rooms, path)
    assert client.get(path).status == 404
    assert "This link is no longer good" in client.get(path).text
    assert client.post(path, email="ada@example.com", password=GOOD).status == 404


def _default_account(db: object) -> None:
    from portico.accounts.rows import ensure_default_account

    ensure_default_account(db)  # type: ignore[arg-type]
