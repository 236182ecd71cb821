"""What the SDKs talk to: a whole gateway before the simulator, on loopback, in a thread of its own.

What is in `suites/` is not collected: `test_langchain_suites.py` runs it elsewhere.

Async tests of a module share one loop, because SDKs keep their connections for longer than a test. Whatever would connect
to another host fails.
"""

import asyncio
import inspect
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gateway.house import PATIENCE_S, House, house_in_a_thread
from portico.http.server import Server
from portico.providers import KINDS
from portico.simulator import Simulator
from sdk import files
from sdk.inner import inner_results as inner_results
from sdk.loopback import only_this_machine as only_this_machine

_HERE = Path(__file__).parent
collect_ignore = ["suites"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if not isinstance(item, pytest.Function) or _HERE not in item.path.parents:
            continue
        if inspect.iscoroutinefunction(item.function):
            item.add_marker(pytest.mark.asyncio(loop_scope="module"), append=False)


_VENDORS = ("ANTHROPIC_", "OPENAI_", "GEMINI_", "GOOGLE_", "LANGCHAIN_", "LANGSMITH_")


@pytest.fixture(scope="module", autouse=True)
def bare_environment() -> Iterator[None]:
    """No proxy, key or address of whoever runs the tests, and no tracing."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.lower().endswith("_proxy") or name.startswith(_VENDORS):
                patch.delenv(name)
        patch.setenv("LANGSMITH_TRACING", "false")
        yield


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """Remote media may come from this machine, as `[media] allow` lets an operator say."""
    with house_in_a_thread(allow=["127.0.0.1"]) as house:
        yield house


@pytest.fixture(scope="session")
def simulated() -> Iterator[str]:
    """The address of a simulator alone, in a thread of its own."""
    ready, stop = threading.Event(), asyncio.Event()
    found: list[tuple[asyncio.AbstractEventLoop, int]] = []

    async def main() -> None:
        server = Server(Simulator())
        await server.start(host="127.0.0.1", port=0)
        found.append((asyncio.get_running_loop(), server.port))
        ready.set()
        await stop.wait()
        await server.stop(grace_s=0.1)

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    assert ready.wait(PATIENCE_S)
    loop, port = found[0]
    yield f"http://127.0.0.1:{port}"
    loop.call_soon_threadsafe(stop.set)
    thread.join(PATIENCE_S)


@pytest.fixture(scope="module")
def house_of_all() -> Iterator[House]:
    """The same before Gemini, OpenAI and Anthropic, all three played by the one simulator."""
    kinds = [KINDS["gemini"], KINDS["openai"], KINDS["anthropic"]]
    with house_in_a_thread(allow=["127.0.0.1"], kinds=kinds) as house:
        yield house


_SERVED = {
    "/cat.png": ("image/png", files.png()),
    "/report.pdf": ("application/pdf", files.pdf()),
    "/sound.wav": ("audio/wav", files.wav()),
}


class _Files(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        mime, data = _SERVED[self.path]
        self.send_response(200)
        self.send_header("content-type", mime)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    """The address of somebody's web server with `/cat.png`, `/report.pdf` and `/sound.wav`."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Files) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(PATIENCE_S)
