"""The app of the house: what every answer carries, how a form is chosen, and what it makes of bad addresses."""

import asyncio
import gzip
import re
import threading

import brotli
import msgspec
import pytest

from gateway.house import patience
from portico.web import house, static
from portico.web.house import SECURITY, House, policy
from portico.web.kept import Answer, Kept
from portico.web.showroom import Showroom, Traffic
from web.rooms import ADDRESSES, HOUSE, ask, showroom


@pytest.mark.parametrize("path", ["/", "/models", "/nothing", "/llms.txt", "/robots.txt", "/favicon.ico", "/models.md"])
async def test_every_answer_carries_the_policy(path: str) -> None:
    answer = await ask(HOUSE, path)
    assert {name: answer.headers.get(name) for name in SECURITY} == dict(SECURITY)
    assert "unsafe" not in policy()


async def test_nothing_inline_stands_in_any_page() -> None:
    for path in ADDRESSES:
        page = (await ask(HOUSE, path)).page
        for tag, attrs in page.tags:
            assert "style" not in attrs, (path, tag, attrs)
            assert not [name for name in attrs if name.startswith("on")], (path, tag, attrs)
            assert tag != "style"
            assert tag != "script" or attrs.get("src", "").startswith("/s/")
            for name in ("src", "href", "action"):
                if tag in ("script", "link", "img", "form", "use") and name in attrs:
                    assert attrs[name].startswith(("/", "http://portico.example:8080")), (path, attrs)


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("text/html", "text/html; charset=utf-8"),
        ("*/*", "text/html; charset=utf-8"),
        ("text/markdown", "text/markdown; charset=utf-8"),
        ("text/markdown, text/html;q=0.9", "text/markdown; charset=utf-8"),
        ("text/html, text/markdown;q=0.5", "text/html; charset=utf-8"),
    ],
)
async def test_the_form_is_what_is_asked_for(accept: str, media_type: str) -> None:
    answer = await ask(HOUSE, "/pricing", {"accept": accept})
    assert answer.headers["content-type"] == media_type
    assert {"Accept", "Authorization"} <= set(re.split(r",\s*", answer.headers["vary"]))


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("/models/", "/models"),
        ("/zh-CN/", "/zh-CN"),
        ("/zh-HK/docs/?a=1", "/zh-HK/docs?a=1"),
        ("/models/gpt-5.5-2026-04-23", "/models/gpt-5.5"),
        ("/zh-CN/models/gpt-5.5-2026-04-23.md", "/zh-CN/models/gpt-5.5.md"),
        ("/clients/openclaw", "/openclaw"),
        ("/zh-HK/clients/OpenClaw.md", "/zh-HK/openclaw.md"),
        ("/clients/Claude-Code", "/clients/claude-code"),
        ("/zh-cn/pricing?in=1", "/zh-CN/pricing?in=1"),
        ("/zh-TW", "/zh-HK"),
        ("/zh/docs/chat.md", "/zh-CN/docs/chat.md"),
        ("/en/docs", "/docs"),
        ("/en", "/"),
    ],
)
async def test_other_addresses_of_a_page_lead_to_it(path: str, there: str) -> None:
    answer = await ask(HOUSE, path)
    assert (answer.status, answer.headers["location"]) == (308, there)


@pytest.mark.parametrize("path", ["//evil.example", "//evil.example/", "/\\evil.example/", "/%2F%2Fevil.example/"])
async def test_no_redirect_leads_out_of_the_house(path: str) -> None:
    answer = await ask(HOUSE, path)
    there = answer.headers.get("location", "/")
    assert there.startswith("/")
    assert not there.startswith(("//", "/\\"))


@pytest.mark.parametrize(
    "host",
    ["evil.example/x", "a b", '"><script>', "evil.example@x", "", "a" * 300 + "..", "x:99999999", "[::1", "ex\tample"],
)
async def test_a_host_that_is_none_is_not_repeated(host: str) -> None:
    answer = await ask(HOUSE, "/", {"host": host})
    assert answer.status == 200
    assert 'rel="canonical" href="http://localhost:8080/"' in answer.text
    assert not host or host not in answer.text.replace("a b", "")


async def test_the_operator_may_say_the_address_of_the_house() -> None:
    mine = House(showroom(public_url="https://models.example"))
    answer = await ask(mine, "/", {"host": "other.example"})
    assert 'rel="canonical" href="https://models.example/"' in answer.text
    assert "curl https://models.example/v1/chat/completions" in re.sub("<[^>]+>", "", answer.text)
    assert "other.example" not in answer.text


@pytest.mark.parametrize("form", ["", ".md", ".json"])
async def test_what_is_said_in_the_address_is_text(form: str) -> None:
    attack = "%3Cscript%3Ealert(1)%3C/script%3E%22%27"
    for path in (
        f"/models{form}?q={attack}&in={attack}&provider={attack}&sort={attack}",
        f"/pricing{form}?calls={attack}",
    ):
        answer = await ask(HOUSE, path)
        assert answer.status == 200
        assert "<script>alert" not in answer.text
    assert "<script>alert" not in (await ask(HOUSE, f"/models/{attack}")).text
    assert "<script>alert" not in (await ask(HOUSE, "/<script>alert(1)</script>")).text


async def test_a_theme_is_a_cookie_of_two_words() -> None:
    for said, told in (("dark", "dark"), ("light", "light"), ('"><b>', None), ("", None)):
        page = (await ask(HOUSE, "/", {"cookie": f"theme={said}"})).page
        assert next(page.all("html")).get("data-theme") == told


async def test_no_cookie_is_read_over_and_over() -> None:
    """The standard library's reader of quoted ones is quadratic in Python 3.11 up to 3.11.9 (CVE-2024-7592)."""
    with patience():
        answer = await ask(HOUSE, "/", {"cookie": 'theme="' + '\\"' * 60_000})
    assert answer.status == 200


async def test_a_program_is_told_what_to_mend_where_there_is_nothing() -> None:
    for headers, method in (({"authorization": "Bearer x"}, "GET"), ({"accept": "application/json"}, "POST")):
        answer = await ask(HOUSE, "/chat/completionss", headers, method=method)
        assert answer.status == 404
        assert answer.json["error"]["code"] == "unknown_url"
        assert "/v1" in answer.json["error"]["message"]
    answer = await ask(HOUSE, "/pricing", {"accept": "application/json"}, method="POST")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
    page = await ask(HOUSE, "/zh-HK/nothing")
    assert (page.status, next(page.page.all("html"))["lang"]) == (404, "zh-HK")


async def test_what_has_not_changed_is_not_sent_again() -> None:
    first = await ask(HOUSE, "/pricing")
    again = await ask(HOUSE, "/pricing", {"if-none-match": f'"other", {first.headers["etag"]}'})
    assert first.headers["etag"].startswith('W/"')
    assert (again.status, again.body, again.headers["etag"]) == (304, b"", first.headers["etag"])


async def test_files_are_kept_for_ever_under_their_hash_and_not_under_another() -> None:
    for name, body in static.contents().items():
        answer = await ask(HOUSE, static.address(name))
        assert (answer.status, answer.body) == (200, body)
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        older = await ask(HOUSE, f"/s/000000000000/{name}")
        assert (older.body, older.headers["cache-control"]) == (body, "no-cache")
    for path in ("/s/x/../house.py", "/s/x/../../config.py", "/s/x/%2e%2e/house.py", "/s/x", "/s/x/y/z"):
        assert (await ask(HOUSE, path)).status == 404


async def test_an_answer_is_compressed_for_who_takes_that() -> None:
    plain = await ask(HOUSE, "/pricing")
    for coding, decode in (("br", brotli.decompress), ("gzip", gzip.decompress)):
        answer = await ask(HOUSE, "/pricing", {"accept-encoding": f"deflate, {coding};q=0.8"})
        assert answer.headers["content-encoding"] == coding
        assert decode(answer.body) == plain.body
        assert int(answer.headers["content-length"]) == len(answer.body) < len(plain.body) / 3
        assert "Accept-Encoding" in answer.headers["vary"]


@pytest.mark.parametrize("accept", ["br;q=0, gzip; q=0.000", "identity", ""])
async def test_what_a_visitor_refuses_is_not_sent_compressed(accept: str) -> None:
    assert "content-encoding" not in (await ask(HOUSE, "/pricing", {"accept-encoding": accept})).headers


async def test_pages_are_made_beside_the_loop_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop carries streams: a page is rendered and compressed in a thread, one at a time, and kept."""
    threads: list[int] = []

    def made(room: Showroom, asked: house.Asked) -> Answer:
        threads.append(threading.get_ident())
        return real(room, asked)

    real = house.made
    monkeypatch.setattr(house, "made", made)
    mine = House(showroom())
    answers = await asyncio.gather(*(ask(mine, "/models", {"accept-encoding": "br"}) for _ in range(6)))
    assert len({answer.body for answer in answers}) == 1
    assert len(threads) == 1
    assert threading.get_ident() not in threads


async def test_what_is_kept_ends_with_the_price_books() -> None:
    version = ["a"]
    mine = House(msgspec.structs.replace(showroom(), version=lambda: version[0]))
    first = await ask(mine, "/pricing")
    assert (await ask(mine, "/pricing")).body == first.body
    assert len(mine._kept._answers) == 1
    version[0] = "b"
    assert (await ask(mine, "/pricing")).body == first.body
    assert len(mine._kept._answers) == 2


def test_what_is_kept_has_a_bound() -> None:
    kept = Kept(100_000)
    for number in range(100):
        kept.put(number, Answer(200, {}, bytes(8000)))
    assert [number for number in range(100) if kept.get(number) is not None] == list(range(91, 100))
    kept.put("large", Answer(200, {}, bytes(200_000)))
    assert kept.get("large") is None


@pytest.mark.parametrize("path", ["/models", "/models.md", "/nothing", "/docs"])
async def test_a_query_of_very_many_fields_is_as_none(path: str) -> None:
    answer = await ask(HOUSE, f"{path}?{'&'.join(f'a{n}=1' for n in range(150))}")
    assert answer.body == (await ask(HOUSE, path)).body


async def test_a_house_that_fails_says_so_with_its_headers() -> None:
    async def broken() -> dict[str, tuple[Traffic, ...]]:
        raise RuntimeError("the ledger is away")

    mine = House(msgspec.structs.replace(showroom(), traffic=broken))
    page = await ask(mine, "/zh-CN/models")
    assert (page.status, next(page.page.all("html"))["lang"]) == (500, "zh-CN")
    assert page.headers["content-security-policy"] == policy()
    assert "ledger" not in page.text
    told = await ask(mine, "/models", {"accept": "application/json"})
    assert (told.status, told.json["error"]["type"]) == (500, "server_error")


@pytest.mark.parametrize(
    "path",
    [
        "/docs/%2563hat",
        "/zh-CN/zh-HK/docs",
        "/.md",
        "/zh-CN/.md",
        "/docs.md.json",
        "/models.json.md",
        "/index",
        "/docs/.md",
    ],
)
async def test_an_address_is_read_once(path: str) -> None:
    assert (await ask(HOUSE, path)).status == 404


async def test_an_encoded_address_is_the_same() -> None:
    assert (await ask(HOUSE, "/docs/%63hat")).status == 200
    assert (await ask(HOUSE, "/zh-CN/index.md")).status == 200


async def test_a_client_of_anthropic_reads_the_error_too() -> None:
    answer = await ask(HOUSE, "/api/v1/messages", {"anthropic-version": "2023-06-01", "x-api-key": "k"}, method="POST")
    assert answer.status == 404
    assert answer.json["type"] == "error"
    assert answer.json["error"]["type"] == "not_found_error"


@pytest.mark.parametrize(
    "path", ["/llms.txt", "/robots.txt", "/favicon.ico", "/zh-HK/models.md", static.address("house.css")]
)
async def test_nothing_is_posted_to_a_file(path: str) -> None:
    answer = await ask(HOUSE, path, method="POST")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


async def test_without_a_provider_the_house_says_what_to_do() -> None:
    mine = House(showroom(vendors=()))
    for path in ("/", "/models", "/pricing", "/models/gemini", "/status"):
        answer = await ask(mine, path)
        assert answer.status == 200
        assert "empty" in answer.text
    assert "GEMINI_API_KEY" in (await ask(mine, "/models")).text
    assert (await ask(mine, "/models/gpt-5.5")).status == 404


async def test_a_written_page_that_is_kept_names_each_visitors_own_address() -> None:
    for path in ("/docs/quickstart", "/docs/chat", "/openclaw", "/docs/run/install"):
        first = (await ask(HOUSE, path, {"host": "first.example:8080"})).text
        second = (await ask(HOUSE, path, {"host": "second.example:8080"})).text
        assert "first.example" in first
        assert first.replace("first.example", "second.example") == second
        assert ".invalid" not in first
