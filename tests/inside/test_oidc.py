"""Signing in with a provider of identities: there, back, and as whom; against a strict provider on loopback."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from admin.local import Bench, on_sqlite
from inside.desk import Client, Rooms
from inside.issuers import ADA, CLIENT_ID, CLIENT_SECRET, Provider, provider
from portico.accounts import identities, passwords
from portico.admin import outside
from portico.config.oidc import OidcConfig
from portico.http.address import parse_address
from portico.http.proxy import proxies_of
from portico.providers import Secret
from portico.web.inside import guard
from portico.web.people.issuer import Issuer
from portico.web.people.oidc import COOKIE
from web.rooms import Answer


@pytest.fixture(scope="module")
def one() -> Iterator[Provider]:
    with provider() as found:
        yield found


@pytest.fixture
def idp(one: Provider) -> Provider:
    one.claims, one.bent, one.signed_by, one.algorithm = dict(ADA), {}, None, "RS256"
    one.auth_methods, one.asked = ["client_secret_basic"], []
    return one


class House:
    def __init__(self, bench: Bench, idp: Provider) -> None:
        self.bench, self.idp = bench, idp
        self.said: dict[str, Any] = {"issuer": idp.url, "client_id": CLIENT_ID, "label": "Example"}
        self.rooms = self.with_()

    def with_(self, *, signup: str = "closed", **said: Any) -> Rooms:
        config = OidcConfig(client_secret=Secret(CLIENT_SECRET, "env:X"), **{**self.said, **said})
        return Rooms(self.bench, signup=signup, extras={"oidc": Issuer(config, CLIENT_SECRET)})


@pytest.fixture
def house(tmp_path: Path, idp: Provider) -> Iterator[House]:
    reading = on_sqlite(tmp_path / "books.db")
    yield House(Bench(reading), idp)
    reading.connection.close()


def came(client: Client, idp: Provider, query: str = "") -> Answer:
    """There and back."""
    gone = client.get(f"/auth/oidc/start{query}")
    assert gone.status == 303, gone.text
    return client.get(idp.came(gone.headers["location"]))


def refused(answer: Answer, why: str) -> None:
    assert answer.status == 403
    assert why in answer.page.prose.replace("\n", " ")


def test_the_way_there_is_a_link_and_no_form(house: House) -> None:
    page = Client(house.rooms).get("/sign-in?to=/console/usage")
    assert "/auth/oidc/start?to=%2Fconsole%2Fusage" in page.page.links
    assert "Go on with Example" in page.text
    assert "form-action 'self';" in page.headers["content-security-policy"]


def test_who_was_added_comes_in_and_is_known_from_then_on(house: House) -> None:
    house.bench.do("users add", email="ada@example.com")
    client = Client(house.rooms)
    answer = came(client, house.idp, "?to=/console/settings")
    assert (answer.status, answer.headers["location"]) == (303, "/console/settings")
    assert COOKIE not in client.cookies
    page = client.get("/console/settings").text
    assert "ada@example.com" in page
    assert house.idp.url in page
    house.idp.claims = {"sub": "ada-1", "email": "another@example.com", "email_verified": False}
    again = Client(house.rooms)
    assert came(again, house.idp).status == 303
    assert "ada@example.com" in again.get("/console/settings").text
    assert house.bench.rows("SELECT COUNT(*) FROM users") == [(1,)]


@pytest.mark.parametrize("to", ["/console/usage?q=" + "x" * 5000, "/console/usage?q=" + '"' * 1500])
def test_an_address_that_no_cookie_holds_costs_nobody_their_sign_in(house: House, to: str) -> None:
    house.bench.do("users add", email="ada@example.com")
    client = Client(house.rooms)
    gone = client.get(f"/auth/oidc/start?{urlencode({'to': to})}")
    assert len(client.set_cookies[0]) < 4096
    answer = client.get(house.idp.came(gone.headers["location"]))
    assert (answer.status, answer.headers["location"]) == (303, "/console/settings")


@pytest.mark.parametrize(
    ("signup", "allow", "email", "comes"),
    [
        ("closed", (), "ada@example.com", False),
        ("invite", (), "ada@example.com", False),
        ("open", (), "ada@example.com", True),
        ("closed", ("example.com",), "Ada@Example.com", True),
        ("closed", ("ada@example.com",), "ada@example.com", True),
        ("closed", ("example.com",), "ada@evil-example.com", False),
        ("closed", ("example.com",), "ada@example.com.evil.test", False),
        ("closed", ("example.com",), "ada@sub.example.com", False),
    ],
)
def test_who_is_nobody_yet_comes_in_where_they_may(
    house: House, signup: str, allow: tuple[str, ...], email: str, comes: bool
) -> None:
    house.idp.claims["email"] = email
    answer = came(Client(house.with_(signup=signup, allow=allow)), house.idp)
    if comes:
        assert answer.headers["location"] == "/console"
        assert house.bench.rows("SELECT kind FROM accounts") == [("prepaid",)]
    else:
        refused(answer, outside.NOT_INVITED)
        assert house.bench.rows("SELECT COUNT(*) FROM users") == [(0,)]


@pytest.mark.parametrize("verified", [False, None, "yes", 1])
def test_an_address_that_is_not_confirmed_is_nobodys(house: House, verified: object) -> None:
    house.bench.do("users add", email="ada@example.com")
    house.idp.claims["email_verified"] = verified
    refused(came(Client(house.with_(signup="open")), house.idp), outside.UNVERIFIED)
    assert house.bench.rows("SELECT COUNT(*) FROM identities") == [(0,)]


def test_an_address_is_no_way_into_a_user_with_a_password_or_another_identity(house: House) -> None:
    ada = house.rooms.person("ada@example.com")
    house.bench.reading.at_once(lambda db: passwords.keep_hash(db, ada.user.id, "any"))
    refused(came(Client(house.rooms), house.idp), outside.KNOWN_OTHERWISE)
    house.bench.run("DELETE FROM passwords")
    house.bench.reading.at_once(lambda db: identities.connect(db, house.idp.url, "who had the address", ada.user.id))
    refused(came(Client(house.rooms), house.idp), outside.KNOWN_OTHERWISE)


def test_who_is_signed_in_connects_and_disconnects(house: House) -> None:
    ada = house.rooms.person("ada@example.com", account="acme")
    house.bench.reading.at_once(lambda db: passwords.keep_hash(db, ada.user.id, "any"))
    house.idp.claims["email_verified"] = False
    link = next(link for link in ada.get("/console/settings").page.links if "connect=" in link)
    answer = came(ada, house.idp, link.removeprefix("/auth/oidc/start"))
    assert answer.headers["location"] == "/console/settings?done=connected"
    assert came(Client(house.rooms), house.idp).headers["location"] == "/console"
    bob = house.rooms.person("bob@example.com")
    link = next(link for link in bob.get("/console/settings").page.links if "connect=" in link)
    refused(came(bob, house.idp, link.removeprefix("/auth/oidc/start")), outside.ANOTHERS)
    fields = {"do": "disconnect", "issuer": house.idp.url, "subject": "ada-1"}
    assert bob.post("/console/settings", fields).status == 404
    assert ada.post("/console/settings", fields).headers["location"] == "/console/settings?done=disconnected"


def test_a_link_for_another_password_ends_what_others_connected(house: House) -> None:
    """Nobody proves that an address is theirs: who signed up with it may be another than whom an operator lets in."""
    ada = house.rooms.person("ada@example.com", account="acme")
    house.idp.claims |= {"sub": "mallory", "email": "mallory@example.com"}
    link = next(link for link in ada.get("/console/settings").page.links if "connect=" in link)
    came(ada, house.idp, link.removeprefix("/auth/oidc/start"))
    assert came(Client(house.rooms), house.idp).status == 303
    path = house.bench.do("users reset", user="ada@example.com")["path"]
    client = Client(house.rooms)
    client.get(path)
    assert client.post(path, password="quite another one").status == 303
    refused(came(Client(house.rooms), house.idp), outside.NOT_INVITED)


def test_the_last_way_in_is_not_disconnected(house: House) -> None:
    house.bench.do("users add", email="ada@example.com")
    ada = Client(house.rooms)
    came(ada, house.idp)
    fields = {"do": "disconnect", "issuer": house.idp.url, "subject": "ada-1"}
    assert ada.post("/console/settings", fields).status == 409
    assert house.bench.rows("SELECT COUNT(*) FROM identities") == [(1,)]


def test_another_site_connects_nothing(house: House) -> None:
    ada = house.rooms.person("ada@example.com")
    for forged in ("1", ada.token, guard.token_of("connect ")):
        assert ada.get(f"/auth/oidc/start?connect={forged}").status == 403


def test_who_is_invited_comes_in_and_into_the_account(house: House) -> None:
    house.rooms.person("owner@example.com", account="acme")
    path = house.bench.do("users invite", email="ada@example.com", account="acme", role="viewer")["path"]
    ada = Client(house.rooms)
    link = next(link for link in ada.get(path).page.links if link.startswith("/auth/oidc"))
    assert came(ada, house.idp, link.removeprefix("/auth/oidc/start")).headers["location"] == path
    assert ada.post(path).headers["location"] == "/console?done=joined"
    house.idp.claims |= {"sub": "eve-1", "email": "eve@example.com"}
    refused(came(Client(house.rooms), house.idp, f"?to={path}"), outside.NOT_INVITED)


def test_operators_of_the_configuration_are_made_so_by_a_confirmed_address(house: House) -> None:
    rooms = house.with_(operators=("ada@example.com",))
    assert came(Client(rooms), house.idp).headers["location"] == "/admin"
    assert house.bench.rows("SELECT operator FROM users") == [(1,)]
    house.idp.claims = {"sub": "eve-1", "email": "ada@example.com", "email_verified": False}
    refused(came(Client(rooms), house.idp), outside.UNVERIFIED)


def test_a_disabled_user_stays_out(house: House) -> None:
    house.bench.do("users add", email="ada@example.com")
    came(Client(house.rooms), house.idp)
    house.bench.do("users remove", user="ada@example.com")
    refused(came(Client(house.rooms), house.idp), outside.DISABLED)


def test_who_was_sent_by_somebody_else_is_not_signed_in(house: House) -> None:
    house.bench.do("users add", email="ada@example.com")
    mallory, ada = Client(house.rooms), Client(house.rooms)
    back = house.idp.came(mallory.get("/auth/oidc/start").headers["location"])
    refused(ada.get(back), "This was begun in another browser")  # no cookie of hers
    ada.get("/auth/oidc/start")
    refused(ada.get(back), "This was begun in another browser")  # hers, and another's state
    assert house.bench.rows("SELECT COUNT(*) FROM sessions") == [(0,)]


def test_a_code_works_once_and_what_goes_along_is_gone(house: House) -> None:
    house.bench.do("users add", email="ada@example.com")
    client = Client(house.rooms)
    back = house.idp.came(client.get("/auth/oidc/start").headers["location"])
    kept = dict(client.cookies)
    assert client.get(back).status == 303
    assert client.get(back).status == 403
    client.cookies = kept
    assert client.get(back).status == 502


def test_a_sign_in_that_the_provider_refused_says_so(house: House) -> None:
    client = Client(house.rooms)
    back = house.idp.came(client.get("/auth/oidc/start").headers["location"])
    state = back.rpartition("state=")[2]
    refused(client.get(f"/auth/oidc/callback?error=access_denied&state={state}"), "Your provider did not let you in.")


@pytest.mark.parametrize(
    "bent",
    [
        {"iss": "https://evil.example"},
        {"aud": "another client"},
        {"aud": [CLIENT_ID, "another"]},
        {"aud": None},
        {"azp": "another client"},
        {"exp": -3600},
        {"exp": None},
        {"iat": 3600},
        {"nonce": "another"},
        {"nonce": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 256},
    ],
    ids=str,
)
def test_a_token_that_is_not_for_us_now_proves_nothing(house: House, bent: dict[str, Any]) -> None:
    house.bench.do("users add", email="ada@example.com")
    times = {name: int(time.time()) + value for name, value in bent.items() if name in ("exp", "iat") and value}
    house.idp.bent = bent | times  # they count from now
    assert came(Client(house.rooms), house.idp).status == 502
    assert house.bench.rows("SELECT COUNT(*) FROM sessions") == [(0,)]


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS256"])
def test_a_token_that_somebody_else_signed_proves_nothing(house: House, algorithm: str) -> None:
    house.bench.do("users add", email="ada@example.com")
    house.idp.algorithm = algorithm
    house.idp.signed_by = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert came(Client(house.rooms), house.idp).status == 502
    assert house.bench.rows("SELECT COUNT(*) FROM sessions") == [(0,)]


def test_keys_that_were_exchanged_are_read_anew_and_otherwise_kept(house: House) -> None:
    house.bench.do("users add", email="ada@example.com")
    assert came(Client(house.rooms), house.idp).status == 303
    assert came(Client(house.rooms), house.idp).status == 303
    assert [house.idp.asked.count(path) for path in ("/.well-known/openid-configuration", "/keys")] == [1, 1]
    house.idp.rotate()
    assert came(Client(house.rooms), house.idp).status == 303
    assert house.idp.asked.count("/keys") == 2


def test_the_secret_is_given_as_the_provider_takes_it(house: House) -> None:
    house.bench.do("users add", email="ada@example.com")
    house.idp.auth_methods = ["client_secret_post"]
    assert came(Client(house.rooms), house.idp).status == 303


@pytest.mark.parametrize("issuer", ["http://127.0.0.1:9", "/elsewhere"])
def test_a_provider_that_is_away_or_another_than_was_meant_is_told(house: House, issuer: str) -> None:
    issuer = house.idp.url + issuer if issuer.startswith("/") else issuer
    answer = Client(house.with_(issuer=issuer)).get("/auth/oidc/start")
    assert answer.status == 502
    assert "The provider did not confirm who you are." in answer.text


def test_nobody_is_led_to_another_site_afterwards(house: House) -> None:
    house.bench.do("users add", email="ada@example.com")
    answer = came(Client(house.rooms), house.idp, "?to=//evil.example")
    assert answer.headers["location"] == "/console/settings"


def test_without_a_provider_there_is_no_such_page(rooms: Rooms) -> None:
    assert Client(rooms).get("/auth/oidc/start").status == 404
    assert Client(rooms).get("/auth/oidc/callback?code=1&state=2").status == 404


def test_its_libraries_are_loaded_by_nobody_who_has_no_use_for_them() -> None:
    dear = ("authlib", "httpx2", "joserfc", "argon2")
    text = f"import sys, portico.web.doors, portico.cli.worker; print([m for m in {dear} if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_what_goes_along_is_for_this_browser_alone(house: House) -> None:
    client = Client(house.rooms, scheme="https")
    client.get("/auth/oidc/start")
    (cookie,) = client.set_cookies
    assert cookie.startswith(f"__Host-{COOKIE}=")
    for said in ("; HttpOnly", "; Secure", "; SameSite=Lax", "; Max-Age=600"):
        assert said in cookie


async def test_a_provider_that_knows_us_without_a_secret_is_given_none(idp: Provider) -> None:
    config = OidcConfig(issuer=idp.url, client_id=CLIENT_ID, client_secret=None)
    issuer = Issuer(config, None)
    where = await issuer.where(state="s", nonce="n", verifier="v" * 43, back="http://localhost/auth/oidc/callback")
    assert "client_secret" not in where


async def test_each_of_its_addresses_is_reached_through_the_proxy_that_leads_there() -> None:
    back = "http://localhost/auth/oidc/callback"
    with provider() as idp:
        idp.url = "http://idp.test"  # which nobody can look up
        named, problems = proxies_of({"HTTP_PROXY": f"http://clerk:hunter2@127.0.0.1:{idp.port}"})
        config = OidcConfig(issuer=idp.url, client_id=CLIENT_ID, client_secret=None)
        issuer = Issuer(config, CLIENT_SECRET, proxies=lambda url: named.leading_to(parse_address(url).origin))
        where = await issuer.where(state="s", nonce="n", verifier="v" * 43, back=back)
        code = parse_qs(urlsplit(idp.came(where)).query)["code"][0]
        told = await issuer.who(code, nonce="n", verifier="v" * 43, back=back)
    assert problems == []
    assert told.subject == ADA["sub"]
    assert [address for address, _ in idp.handed] == [
        "http://idp.test/.well-known/openid-configuration",
        "http://idp.test/token",
        "http://idp.test/keys",
    ]
    assert {shown for _, shown in idp.handed} == {"Basic Y2xlcms6aHVudGVyMg=="}
