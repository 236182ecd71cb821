"""`portico serve` as an operator sees it: signals, workers that die, draining, TLS, a web app beside the calls."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import ssl
import sys
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from databases import started_books
from edges.certificates import make_pair
from gateway.commands import Command, catches, has_open, portico, run
from gateway.house import PATIENCE_S, Answer, Wire, as_bytes, chat, soon, until

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at processes through /proc")

SIGNALS = [signal.SIGINT, signal.SIGTERM]
KEY = {"PORTICO_API_KEY": "sk-sample"}
LONG = "[[sim:words=2000]][[sim:slow=0.02]]"
SHORT = "[[sim:words=40]][[sim:slow=0.02]]"


async def connect(port: int, tls: ssl.SSLContext | None = None) -> Wire:
    name = None if tls is None else "localhost"
    return Wire(*await soon(asyncio.open_connection("127.0.0.1", port, ssl=tls, server_hostname=name)))


async def ask(port: int, path: str = "/v1/models", *, tls: ssl.SSLContext | None = None, **headers: str) -> Answer:
    wire = await connect(port, tls)
    fields = {"host": "x", "authorization": "Bearer sk-sample", "connection": "close"}
    wire.request("GET", path, {**fields, **{name.replace("_", "-"): value for name, value in headers.items()}}, b"")
    try:
        return await wire.rest()
    finally:
        wire.drop()


@contextlib.asynccontextmanager
async def streaming(port: int, text: str) -> AsyncIterator[Wire]:
    """A stream that has begun."""
    wire = await connect(port)
    body = as_bytes(chat(text, stream=True))
    wire.request("POST", "/v1/chat/completions", {"host": "x", "authorization": "Bearer sk-sample"}, body)
    assert await wire.head() == 200
    yield wire
    wire.drop()


def serving(
    folder: Path, workers: int = 1, env: dict[str, str] | None = None
) -> contextlib.AbstractAsyncContextManager[Command]:
    started_books(folder)
    arguments = ("serve", "--simulate", "--port", "0", "--workers", str(workers))
    return portico(*arguments, folder=folder, env={**KEY, **(env or {})})


# -- ends ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("first", SIGNALS)
@pytest.mark.parametrize("second", SIGNALS)
async def test_a_second_signal_ends_everything_at_once(
    tmp_path: Path, first: signal.Signals, second: signal.Signals, workers: int
) -> None:
    async with serving(tmp_path, workers) as command:
        port = await command.port()
        async with streaming(port, LONG) as wire:
            command.send(first)
            await until_refused(port)
            assert await wire.chunk()
            command.send(second)
            code, _, err = await command.end()
            assert (code, err) == (-second, "")
            await until(lambda: command.left == [])


async def until_refused(port: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                (await connect(port)).drop()
            except ConnectionError:
                return
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_manager_that_signals_every_process_lets_a_stream_finish_all_the_same(
    tmp_path: Path, workers: int
) -> None:
    async with serving(tmp_path, workers) as command:
        port = await command.port()
        async with streaming(port, SHORT) as wire:
            command.send_to_all(signal.SIGTERM)
            rest = await wire.rest()
            assert Answer(200, {}, rest.body).events.done
        assert (await command.end())[::2] == (0, "")
        assert command.left == []


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_call_that_outlasts_the_grace_is_cut_and_the_end_is_clean(tmp_path: Path, workers: int) -> None:
    async with serving(tmp_path, workers, {"PORTICO_GRACE_S": "0.2"}) as command:
        async with streaming(await command.port(), LONG) as wire:
            command.send(signal.SIGTERM)
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await wire.rest()
        assert (await command.end())[::2] == (0, "")
        assert command.left == []


async def test_who_drains_goes_on_answering_until_it_was_noticed(tmp_path: Path) -> None:
    async with serving(tmp_path, env={"PORTICO_DRAIN_DELAY_S": "3"}) as command:
        port = await command.port()
        assert (await ask(port)).status == 200
        command.send(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_S):
            while (await ask(port, "/readyz")).json() == {"status": "ready"}:
                pass
        assert (await ask(port)).status == 200
        await until_refused(port)
        assert (await command.end())[::2] == (0, "")


async def test_workers_do_not_outlive_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    async with serving(tmp_path, workers=2) as command:
        port = await command.port()
        await command.has_workers(2)
        async with streaming(port, SHORT) as wire:
            command.send(signal.SIGKILL)
            assert Answer(200, {}, (await wire.rest()).body).events.done
        await until(lambda: command.left == [])


async def test_a_worker_that_dies_again_and_again_is_replaced_later_and_later(tmp_path: Path) -> None:
    async with serving(tmp_path, workers=2) as command:
        port = await command.port()
        await command.has_workers(2)
        steady, _ = command.children
        for _ in range(3):
            await command.has_workers(2)
            (newest,) = set(command.children) - {steady}
            os.kill(newest, signal.SIGKILL)
            await until(lambda newest=newest: newest not in command.children)  # type: ignore[misc]
            assert (await ask(port)).status == 200  # the other one
        await command.complains(r"3rd time.*\n")  # the kernel tells of a child's end before the supervisor does
        command.send(signal.SIGTERM)
        code, _, err = await command.end()
        told = [line.partition(" ended ")[2] for line in err.splitlines()]
        assert code == 0
        assert told == [
            "(killed by SIGKILL); starting another in 0.5 s.",
            "(killed by SIGKILL) for the 2nd time in a row; starting another in 1 s.",
            "(killed by SIGKILL) for the 3rd time in a row; starting another in 2 s.",
        ]
        assert command.left == []


# -- TLS -------------------------------------------------------------------------------------------------------------


def configured(folder: Path, certificate: Path, key: Path) -> None:
    text = f'[server]\ntls_certificate = "{certificate.name}"\ntls_key = "{key.name}"\n'
    (folder / "portico.toml").write_text(text, encoding="utf-8")


async def shown(port: int, trusted: ssl.SSLContext, *, in_a_row: int = 12) -> None:
    """Waits until the server's certificate is trusted so often in a row that no worker shows another one."""
    good = 0
    async with asyncio.timeout(PATIENCE_S):
        while good < in_a_row:
            try:
                good = good + 1 if (await ask(port, tls=trusted)).status == 200 else 0
            except ssl.SSLError:
                good = 0


async def test_a_worker_that_starts_anew_shows_the_certificate_of_today(tmp_path: Path) -> None:
    certificate, key = make_pair(tmp_path, "server")
    configured(tmp_path, certificate, key)
    async with serving(tmp_path, 2) as command:
        port = await command.port()
        await command.has_workers(2)
        for source, target in zip(make_pair(tmp_path, "other"), (certificate, key), strict=True):
            shutil.copy(source, target)
        before = command.children
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        await until(lambda: len(set(command.children) - set(before)) == 2)
        await shown(port, ssl.create_default_context(cafile=certificate))


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_new_certificate_is_taken_on_sighup_by_every_worker_and_drops_no_connection(
    tmp_path: Path, workers: int
) -> None:
    certificate, key = make_pair(tmp_path, "server")
    configured(tmp_path, certificate, key)
    old = ssl.create_default_context(cafile=certificate)
    log = tmp_path / "access.log"
    async with serving(tmp_path, workers, {"PORTICO_LOG_ACCESS": str(log)}) as command:
        port = await command.port()
        assert f"Address    https://127.0.0.1:{port}/v1" in command.said
        assert (await ask(port, tls=old)).status == 200
        kept = await connect(port, old)
        await command.has_workers(workers)
        serve = command.children or [command.pid]
        await until(lambda: all(catches(pid, signal.SIGHUP) and has_open(pid, log) for pid in serve))
        log.rename(tmp_path / "old.log")
        for source, target in zip(make_pair(tmp_path, "other"), (certificate, key), strict=True):
            shutil.copy(source, target)
        new = ssl.create_default_context(cafile=certificate)
        command.send(signal.SIGHUP)
        await until(lambda: all(has_open(pid, log) for pid in serve))  # each has heard it
        await shown(port, new)
        kept.request(
            "GET", "/v1/models", {"host": "x", "authorization": "Bearer sk-sample", "connection": "close"}, b""
        )
        assert (await kept.rest()).status == 200
        kept.drop()
        key.unlink()
        command.send(signal.SIGHUP)
        assert (await ask(port, tls=new)).status == 200
        await command.complains(rf"(The certificate stays as it was: {key} cannot be read.*\n){{{workers}}}")
        command.send(signal.SIGTERM)
        assert (await command.end())[0] == 0


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_hangup_with_nothing_to_read_again_ends_nothing(tmp_path: Path, workers: int) -> None:
    async with serving(tmp_path, workers) as command:
        port = await command.port()
        await command.has_workers(workers)
        await until(lambda: all(catches(pid, signal.SIGHUP) for pid in [command.pid, *command.children]))
        before = command.children
        async with streaming(port, SHORT) as wire:
            command.send_to_all(signal.SIGHUP)
            assert Answer(200, {}, (await wire.rest()).body).events.done
        assert (await ask(port)).status == 200
        assert command.children == before
        command.send(signal.SIGTERM)
        assert (await command.end())[::2] == (0, "")


async def test_what_is_wrong_with_a_certificate_is_said_by_check_and_at_the_start(tmp_path: Path) -> None:
    certificate, key = make_pair(tmp_path)
    for wrong, words in (
        ((tmp_path / "nowhere.pem", key), "server.tls_certificate: "),
        ((certificate, make_pair(tmp_path, "other")[1]), "server.tls_key: "),
        (make_pair(tmp_path, "old", days=-1), "has expired"),
    ):
        configured(tmp_path, *wrong)
        for command in (("check",), ("serve", "--simulate", "--port", "0")):
            code, out, err = await run(*command, folder=tmp_path, env=KEY)
            assert code == 1
            assert f"{tmp_path / 'portico.toml'}: server.tls_" in err
            assert words in err
            assert "Traceback" not in err
            assert "Address" not in out


async def test_a_key_that_everybody_can_read_is_warned_of(tmp_path: Path) -> None:
    certificate, key = make_pair(tmp_path)
    key.chmod(0o644)
    configured(tmp_path, certificate, key)
    _, _, err = await run("check", folder=tmp_path)
    assert f"{key} can be read by everybody" in err
    _, out, _ = await run("check", "--json", folder=tmp_path)
    assert "can be read by everybody" in json.loads(out)["warnings"][0]
    async with serving(tmp_path) as command:
        port = await command.port()
        assert (await ask(port, tls=ssl.create_default_context(cafile=certificate))).status == 200
        command.send(signal.SIGTERM)
        code, _, err = await command.end()
        assert code == 0
        assert err.startswith(f"Careful: {key} can be read by everybody")


SCARCE = """
    import errno, os, sys
    from itertools import count
    from portico.cli import main

    fork, tries = os.fork, count()

    def scarce():
        if next(tries) in (1, 3):
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        return fork()

    os.fork = scarce
    sys.exit(main())
"""


async def test_a_worker_that_there_is_no_room_for_is_tried_again_and_the_others_serve(tmp_path: Path) -> None:
    path = tmp_path / "scarce.py"
    path.write_text(textwrap.dedent(SCARCE), encoding="utf-8")
    arguments = ("serve", "--simulate", "--port", "0", "--workers", "2")
    env = {**KEY, "PORTICO_ADMIN_KEY": "admin-sample-key"}
    async with portico(*arguments, folder=tmp_path, env=env, program=[str(path)]) as command:
        port = await command.port()
        assert (await ask(port)).json()["object"] == "list"
        await command.has_workers(2)
        assert await restarts(port) == 0
        killed = command.children[0]
        os.kill(killed, signal.SIGKILL)
        await until(lambda: len(set(command.children) - {killed}) == 2)
        async with asyncio.timeout(PATIENCE_S):
            while not (counted := await restarts(port)):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert counted == 1
        command.send(signal.SIGTERM)
        code, _, err = await command.end()
        assert code == 0
        assert err.splitlines() == [
            "A worker cannot be started (Resource temporarily unavailable); trying again in 0.5 s.",
            f"Worker {killed} ended (killed by SIGKILL); starting another in 0.5 s.",
            "A worker cannot be started (Resource temporarily unavailable); trying again in 1 s.",
        ]


async def restarts(port: int) -> float:
    """How many workers took the place of one that died."""
    answer = await ask(port, "/metrics", authorization="Bearer admin-sample-key")
    lines = answer.body.decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("portico_worker_restarts_total"))


# -- a web app -------------------------------------------------------------------------------------------------------

WEB = """
    import contextlib, sys
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Route
    from portico.cli.serve import run_serve

    @contextlib.asynccontextmanager
    async def lifespan(app):
        if "fail" in sys.argv:
            raise RuntimeError("the cupboard is bare")
        print("opened", flush=True)
        yield
        print("closed", flush=True)

    async def page(request):
        return JSONResponse([request.client.host, request.url.scheme, request.url.path])

    app = Starlette(routes=[Route("/{path:path}", page)], lifespan=lifespan)
    workers = int(sys.argv[1])
    sys.exit(run_serve(config=None, overrides={"port": 0, "workers": workers}, simulate=True, web=app))
"""


def program(folder: Path) -> list[str]:
    path = folder / "with_web.py"
    path.write_text(textwrap.dedent(WEB), encoding="utf-8")
    return [str(path)]


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_web_app_is_served_beside_the_calls(tmp_path: Path, workers: int) -> None:
    (tmp_path / "portico.toml").write_text('[server]\ntrusted_proxies = ["127.0.0.1"]\n', encoding="utf-8")
    async with portico(str(workers), folder=tmp_path, env=KEY, program=program(tmp_path)) as command:
        port = await command.port()
        await command.read_until(rf"(opened[^\0]*){{{workers}}}")
        page = await ask(port, "/console?x=1", x_forwarded_for="203.0.113.9", x_forwarded_proto="https")
        assert page.json() == ["203.0.113.9", "https", "/console"]
        assert (await ask(port)).json()["object"] == "list"
        assert (await ask(port, "/v1/nothing")).json()["error"]["message"].startswith("Unknown request URL")
        command.send(signal.SIGTERM)
        code, out, err = await command.end()
        assert (code, err) == (0, "")
        assert (out.count("opened"), out.count("closed")) == (workers, workers)


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_web_app_that_cannot_start_stops_the_start(tmp_path: Path, workers: int) -> None:
    code, _, err = await run(str(workers), "fail", folder=tmp_path, env=KEY, program=program(tmp_path))
    assert code == 1
    assert "The web app could not start" in err
    assert "the cupboard is bare" in err
    assert "starting another" not in err
