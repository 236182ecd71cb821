"""One listener for calls and pages: which path goes where, and what pages of other origins may do."""

import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

import portico
from edges.sockets import Caller, Reply, settle
from portico.http import cors
from portico.http.asgi import AsgiBridge
from portico.http.front import Front
from portico.http.limits import Limits
from portico.http.routes import is_call_path, methods_at
from portico.http.server import Server, render_error
from portico.wire.http import Exchange

Serve = Callable[..., Awaitable[Server]]
Call = Callable[[Server], Awaitable[Caller]]

CALLS = [
    "/v1/chat/completions",
    "/chat/completions",
    "/v1beta/openai/chat/completions",
    "/v1/models",
    "/models",
    "/models/gemini-3.5-flash",
    "/v1beta/models/gemini-3.5-flash:generateContent",
    "/models/gemini-3.5-flash:streamGenerateContent",
    "/v1/projects/p/locations/l/publishers/google/models/m:countTokens",
    "/%76%31/chat/completions",
    "/v1/nothing/of/ours",
    "/v1beta",
    "/v1alpha/",
]
PAGES = ["/", "/v1x", "/v2/models", "/admin/keys", "/console", "/docs/models", "/x/v1/models", "/metrics", "*"]


async def gateway(exchange: Exchange) -> None:
    request = exchange.request
    if request.path.endswith("/stream"):
        exchange.start(200, [("x-by", "gateway")])
        exchange.write(b"piece")
        exchange.finish()
    elif request.path.endswith("/fail"):
        raise RuntimeError("a secret detail")
    elif "authorization" not in request.headers:
        exchange.send(401, [("x-by", "gateway")], b"who?")
    else:
        exchange.send(200, [("x-by", "gateway")], request.body or b"call")


async def page(_: Request) -> PlainTextResponse:
    return PlainTextResponse("page", headers={"x-by": "web"})


WEB = Starlette(routes=[Route("/{path:path}", page, methods=["GET", "POST", "OPTIONS"])])


@pytest.fixture
def house(serve: Serve) -> Callable[..., Awaitable[Server]]:
    async def start(*, web: bool, limits: Limits | None = None) -> Server:
        front = Front(gateway, render_error, AsgiBridge(WEB) if web else None)
        return await serve(front, limits, front.render_protocol_error)

    return start


def ask(method: str, path: str, headers: Mapping[str, str] | None = None, body: str = "") -> bytes:
    fields = {"Host": "a", "Authorization": "Bearer x", **(headers or {})}
    lines = [f"{method} {path} HTTP/1.1", *[f"{name}: {value}" for name, value in fields.items()]]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", body]).encode()


def of_cors(reply: Reply) -> dict[str, str]:
    return {name: value for name, value in reply.headers.items() if name.startswith("access-control-")}


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_calls_go_to_the_gateway_and_every_other_path_to_the_web_app(
    house: Serve, call: Call, method: str
) -> None:
    caller = await call(await house(web=True))
    for path in CALLS:
        assert (await caller.ask(ask(method, path))).headers["x-by"] == "gateway", path
        assert is_call_path(path)
    for path in PAGES:
        assert (await caller.ask(ask(method, path))).headers.get("x-by") != "gateway", path
        assert not is_call_path(path)


async def test_without_a_web_app_every_path_is_the_gateways(house: Serve, call: Call) -> None:
    caller = await call(await house(web=False))
    for path in CALLS + PAGES:
        assert (await caller.ask(ask("GET", path))).headers["x-by"] == "gateway", path


async def test_calls_and_pages_take_their_turns_on_one_connection(house: Serve, call: Call) -> None:
    caller = await call(await house(web=True))
    pair = ask("POST", "/v1/x", body="hello") + ask("GET", "/") + ask("GET", "/v1/stream")
    caller.send(pair)
    bodies = [(await caller.reply()).body for _ in range(3)]
    for at in range(len(pair)):
        caller.send(pair[at : at + 1])
        await settle()
    assert [(await caller.reply()).body for _ in range(3)] == bodies == [b"hello", b"page", b"piece"]


# -- pages of other origins ------------------------------------------------------------------------------------------

ORIGIN = {"Origin": "https://page.example"}
ANSWERED = {"access-control-allow-origin": "*", "access-control-expose-headers": ", ".join(cors.EXPOSED)}
ASKED = {"Access-Control-Request-Method": "POST"}


@pytest.mark.parametrize("web", [False, True])
async def test_a_page_may_read_any_answer_to_a_call(house: Serve, call: Call, *, web: bool) -> None:
    server = await house(web=web)
    caller = await call(server)
    for message, status in (
        (ask("POST", "/v1/chat/completions", ORIGIN, "hello"), 200),
        (ask("GET", "/v1/models", ORIGIN), 200),
        (ask("GET", "/v1/stream", ORIGIN), 200),
        (ask("GET", "/v1/fail", ORIGIN), 500),
        (ask("GET", "/v1/models", ORIGIN).replace(b"Authorization", b"X-Other"), 401),
        (ask("OPTIONS", "/v1/models", ORIGIN), 200),
    ):
        reply = await caller.ask(message)
        assert (reply.status, of_cors(reply), reply.headers["vary"]) == (status, ANSWERED, "Origin")


@pytest.mark.parametrize(
    ("message", "status"),
    [
        (b"POST /v1/x HTTP/1.1\r\nHost: a\r\nOrigin: null\r\nContent-Length: 99\r\n\r\n", 413),
        (b"POST /v1/x HTTP/1.1\r\nHost: a\r\nOrigin: null\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
        (b"POST /v1/x HTTP/1.1\r\nHost: a\r\nOrigin: null\r\nContent-Length: 9\r\n\r\nslow", 408),
    ],
)
async def test_a_page_may_read_why_its_call_was_not_even_heard(
    house: Serve, call: Call, message: bytes, status: int
) -> None:
    server = await house(web=True, limits=Limits(max_body_bytes=10, body_timeout_s=0.05))
    for told, expected in ((message, ANSWERED), (message.replace(b"/v1/x", b"/page"), {})):
        reply = await (await call(server)).ask(told)
        assert (reply.status, of_cors(reply)) == (status, expected)
    other = await (await call(server)).ask(message.replace(b"Origin", b"Other"))
    assert (other.status, of_cors(other)) == (status, {})


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/v1/chat/completions", "POST"),
        ("/v1beta/models/m:generateContent", "POST, GET, HEAD"),  # a name may hold a colon
        ("/v1/models", "GET, HEAD"),
        ("/v1/models/m", "GET, HEAD"),
        ("/v1beta/models/m:tuned", "POST, GET, HEAD"),
        ("/v1/nothing", "POST, GET, HEAD, DELETE"),
    ],
)
async def test_a_preflight_is_answered_without_a_key(house: Serve, call: Call, path: str, methods: str) -> None:
    caller = await call(await house(web=True))
    headers = {**ORIGIN, **ASKED, "Access-Control-Request-Headers": "authorization,X-Stainless-Lang , content-type"}
    reply = await caller.ask(ask("OPTIONS", path, headers).replace(b"Authorization: Bearer x\r\n", b""))
    assert (reply.status, reply.body) == (204, b"")
    assert of_cors(reply) == {
        "access-control-allow-origin": "*",
        "access-control-allow-methods": methods,
        "access-control-allow-headers": "authorization, x-stainless-lang, content-type",
        "access-control-max-age": "86400",
    }
    assert reply.headers["vary"] == "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
    assert ", ".join(methods_at(path)) == methods


@pytest.mark.parametrize(
    "names", ["", " , ", "a b", "authorization, <script>", "x" * 5000, ", ".join(f"x-{n}" for n in range(65))]
)
async def test_what_is_no_list_of_names_is_not_echoed(house: Serve, call: Call, names: str) -> None:
    caller = await call(await house(web=True))
    reply = await caller.ask(ask("OPTIONS", "/v1/models", {**ORIGIN, **ASKED, "Access-Control-Request-Headers": names}))
    assert reply.status == 204
    assert "access-control-allow-headers" not in reply.headers


@pytest.mark.parametrize("web", [False, True])
@pytest.mark.parametrize("path", PAGES)
async def test_no_other_path_says_anything_of_other_origins(house: Serve, call: Call, path: str, *, web: bool) -> None:
    caller = await call(await house(web=web))
    for method, headers in (("GET", ORIGIN), ("POST", ORIGIN), ("OPTIONS", {**ORIGIN, **ASKED})):
        assert of_cors(await caller.ask(ask(method, path, headers))) == {}


async def test_who_has_no_origin_is_told_nothing_but_what_a_cache_must_know(house: Serve, call: Call) -> None:
    caller = await call(await house(web=True))
    reply = await caller.ask(ask("POST", "/v1/chat/completions", body="hello"))
    assert reply.headers == {"x-by": "gateway", "content-length": "5"}
    reply = await caller.ask(ask("GET", "/v1/models"))
    assert reply.headers == {"x-by": "gateway", "vary": "Origin", "content-length": "4"}
    assert of_cors(await caller.ask(ask("OPTIONS", "/v1/models", ASKED))) == {}


def test_every_header_of_ours_can_be_read_by_a_page() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in Path(portico.__file__).parent.rglob("*.py"))
    asked = {"x-portico-exclude", "x-portico-image-form", "x-portico-providers", "x-portico-strict"}
    asked |= {"x-portico-key", "x-portico-token"}  # of our own pages
    assert set(re.findall(r'"(x-portico-[a-z-]+)"', source)) - asked <= set(cors.EXPOSED)
