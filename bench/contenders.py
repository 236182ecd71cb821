"""The gateways that are measured: how each is installed, configured, started and asked.

In Portico everything is on that there is; in the peers everything optional is off. A peer lives in a folder of its own
below `bench/.cache`, which git ignores, at the version written here; nothing of it touches the project's environment.
"""

import getpass
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from bench import ours
from bench.load import Ask, Line
from bench.machine import GATEWAY_CORE, Command, started, stop, wait_until
from bench.ours import KEY
from bench.workloads import Body, encoded, small, small_to_gemini

ROOT: Final = Path(__file__).parent.parent
CACHE: Final = Path(os.environ.get("PORTICO_BENCH_CACHE") or Path(__file__).parent / ".cache").absolute()
"""Where peers are installed; outside a checkout when several share it, for environments know their own path."""
MODEL: Final = "gemini-3.5-flash"
ADDRESS: Final = "address"
"""The file in which a gateway that picks its own port says where it listens."""


class Contender(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway. `start` takes (folder, own port, upstream port); `headers` go with each request, and take `{upstream}`.

    `between` says which API is spoken in front and behind. `rows`: the rows it is in, all when empty. `connections` for
    whole answers are fewer where answers are slow, so that those still open when the time is up weigh little. `quick`
    gateways start fast enough to be started more than once. One that stands `apart` is no gateway that anybody could
    use, and not on the page.
    """

    name: str
    between: str
    start: Callable[[Path, int, int], Command]
    version: Callable[[], str]
    install: Callable[[], None] = lambda: None
    needs: tuple[str, ...] = ()
    model: str = MODEL
    path: str = "/v1/chat/completions"
    stream_path: str = ""
    headers: Mapping[str, str] = msgspec.field(default_factory=lambda: {"Authorization": f"Bearer {KEY}"})
    body: Callable[[str], Body] | None = None
    rows: tuple[str, ...] = ()
    connections: int = 16
    quick: bool = True
    patience_s: float = 30.0
    picks_its_port: bool = False
    apart: bool = False


class Running:
    """A started gateway, ready to answer; `ready_s` is the time from its start to the end of its first answer."""

    def __init__(self, contender: Contender, folder: Path, port: int, upstream_port: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ADDRESS).unlink(missing_ok=True)
        command, env = contender.start(folder, port, upstream_port)
        self.contender, self.port, self._folder, self._upstream_port = contender, port, folder, upstream_port
        self._said = "nothing"
        self.process = started(command, core=GATEWAY_CORE, env=env, log=folder / "output.log")
        self.pid = self.process.pid
        with ExitStack() as unless_ready:
            unless_ready.callback(self.stop)
            try:
                self.ready_s = wait_until(self._answers, contender.patience_s)
            except TimeoutError:
                raise TimeoutError(f"no answer within {contender.patience_s:.0f} s; last: {self._said}") from None
            unless_ready.pop_all()

    def ask(self, made: Callable[[str], Body], *, stream: bool = False, like: Contender | None = None) -> Ask:
        """A question to this gateway (as it is put to the contender `like`); one with a body of its own asks that."""
        contender = like or self.contender
        body = (contender.body or made)(contender.model)
        if stream and contender.body is None:
            body["stream"] = True
        path = contender.stream_path if stream and contender.stream_path else contender.path
        headers = {name: value.format(upstream=self._upstream_port) for name, value in contender.headers.items()}
        return Ask(self.port, path, headers, encoded(body))

    def _answers(self) -> bool:
        if self.process.poll() is not None:
            log = (self._folder / "output.log").read_text(errors="replace").strip().splitlines()[-1:]
            raise RuntimeError(f"ended with {self.process.returncode}: {''.join(log)}")
        if self.contender.picks_its_port:
            address = self._folder / ADDRESS
            if not address.exists():
                return False
            self.port = urlsplit(address.read_text()).port or 0
        line = Line(self.ask(small))
        try:
            line.answer()
        except (OSError, RuntimeError) as error:
            self._said = str(error)
            return False
        finally:
            line.close()
        return True

    def stop(self) -> None:
        stop(self.process)


# -- the floor -------------------------------------------------------------------------------------------------------


def _nginx(folder: Path, port: int, upstream_port: int) -> Command:
    config = folder / "nginx.conf"
    user = f"user {getpass.getuser()};" if os.geteuid() == 0 else ""
    config.write_text(
        f"""
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log; {user}
events {{ worker_connections 8192; }}
http {{
  access_log off; client_max_body_size 64m; client_body_buffer_size 64m; client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  keepalive_requests 10000000;
  upstream provider {{ server 127.0.0.1:{upstream_port}; keepalive 2048; keepalive_requests 10000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=2048;
    location / {{
      proxy_pass http://provider; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
    }}
  }}
}}
"""
    )
    return ["nginx", "-c", str(config), "-p", str(folder), "-e", str(folder / "error.log")], {}


def _nginx_version() -> str:
    return subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr.strip().rpartition("/")[2]


def _bare(_folder: Path, port: int, upstream_port: int) -> Command:
    return [sys.executable, "-m", "bench.bare", str(port), str(upstream_port)], {"PYTHONPATH": str(ROOT)}


# -- Portico ---------------------------------------------------------------------------------------------------------


def portico_at(checkout: Path, name: str = "portico") -> Contender:
    """Portico as it is in a checkout."""
    return Contender(
        name=name,
        between="OpenAI -> Gemini",
        start=partial(ours.command, checkout),
        version=partial(ours.version, checkout),
    )


def _compile() -> None:
    ours.compiled(ROOT, CACHE)


def portico_compiled() -> Contender:
    """This checkout after `make compile`, in a copy of its own."""
    return Contender(
        name="portico-compiled",
        between="OpenAI -> Gemini",
        start=lambda folder, port, upstream: ours.command(ours.compiled(ROOT, CACHE), folder, port, upstream),
        version=partial(ours.version, ROOT),
        install=_compile,
        needs=("cc",),
    )


# -- peers -----------------------------------------------------------------------------------------------------------

VERSIONS: Final = {"litellm": "1.108.7", "tensorzero": "2026.6.0", "portkey": "1.15.2"}
"""Raised by hand. LiteLLM's is the newest whose own requirements could all be installed when it was written."""


def _installed(name: str) -> str:
    mark = CACHE / name / "version"
    return mark.read_text() if mark.exists() else ""


def _install(name: str, *commands: list[str]) -> None:
    """Runs what installs a peer in its folder, unless it is there at that version."""
    home = CACHE / name
    if _installed(name) == VERSIONS[name]:
        return
    print(f"installing {name} {VERSIONS[name]} …", file=sys.stderr, flush=True)
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    for command in commands:
        done = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"cannot be installed: {(done.stderr or done.stdout).strip().splitlines()[-1:]}")
    (home / "version").write_text(VERSIONS[name])


def _install_python(name: str, package: str) -> None:
    pip = [str(CACHE / name / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _install(name, [sys.executable, "-m", "venv", "."], [*pip, f"{package}=={VERSIONS[name]}"])


def _install_portkey() -> None:
    npm = ["npm", "install", "--silent", "--no-fund", "--no-audit", f"@portkey-ai/gateway@{VERSIONS['portkey']}"]
    (CACHE / "portkey").mkdir(parents=True, exist_ok=True)
    _install("portkey", npm)


def _litellm(folder: Path, port: int, upstream_port: int) -> Command:
    # JSON is YAML.
    model = {
        "model": f"gemini/{MODEL}",
        "api_base": f"http://127.0.0.1:{upstream_port}/v1beta",
        "api_key": "bench-upstream-key",
    }
    config = folder / "config.yaml"
    config.write_text(
        json.dumps(
            {
                "model_list": [{"model_name": MODEL, "litellm_params": model}],
                "general_settings": {"master_key": KEY},
                "litellm_settings": {"telemetry": False},
            }
        )
    )
    env = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
    binary = CACHE / "litellm" / "bin" / "litellm"
    return [str(binary), "--config", str(config), "--host", "127.0.0.1", "--port", str(port), "--num_workers", "1"], env


def _tensorzero(folder: Path, _port: int, upstream_port: int) -> Command:
    config = folder / "tensorzero.toml"
    config.write_text(
        f"""
[gateway]
observability.enabled = false
[object_storage]
type = "disabled"
[models.bench]
routing = ["stand_in"]
[models.bench.providers.stand_in]
type = "openai"
model_name = "bench"
api_base = "http://127.0.0.1:{upstream_port}/v1/"
api_key_location = "none"
"""
    )
    script = folder / "serve.py"
    script.write_text(_TENSORZERO_SCRIPT)
    command = [str(CACHE / "tensorzero" / "bin" / "python"), str(script), str(config), str(folder / ADDRESS)]
    return command, {"TENSORZERO_DISABLE_PSEUDONYMOUS_USAGE_ANALYTICS": "1"}


_TENSORZERO_SCRIPT: Final = """
import pathlib, sys, time
from tensorzero import _start_http_gateway
gateway = _start_http_gateway(
    config_file=sys.argv[1], clickhouse_url=None, postgres_url=None, valkey_url=None, async_setup=False
)
pathlib.Path(sys.argv[2]).write_text(gateway.base_url)
while True:
    time.sleep(3600)
"""
"""Its package embeds the HTTP gateway, which picks a port of its own and says which."""


def _portkey(_folder: Path, port: int, _upstream_port: int) -> Command:
    server = CACHE / "portkey" / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js"
    return ["node", str(server), f"--port={port}", "--headless"], {}


_GEMINI_PATH: Final = f"/v1beta/models/{MODEL}:generateContent"
_GEMINI_STREAM_PATH: Final = f"/v1beta/models/{MODEL}:streamGenerateContent?alt=sse"

CONTENDERS: Final[dict[str, Contender]] = {
    contender.name: contender
    for contender in (
        Contender(
            name="nginx",
            between="bytes",
            start=_nginx,
            version=_nginx_version,
            needs=("nginx",),
            path=_GEMINI_PATH,
            stream_path=_GEMINI_STREAM_PATH,
        ),
        Contender(
            name="bare",
            between="bytes, in Python",
            start=_bare,
            version=lambda: f"Python {platform.python_version()}",
            path=_GEMINI_PATH,
            stream_path=_GEMINI_STREAM_PATH,
            rows=("small", "agent", "agent_stream", "event", "answer", "latency"),
            apart=True,
        ),
        portico_at(ROOT),
        portico_compiled(),
        msgspec.structs.replace(
            portico_at(ROOT, "portico-gemini"),
            between="Gemini -> Gemini",
            path=_GEMINI_PATH,
            stream_path=_GEMINI_STREAM_PATH,
            body=lambda _: small_to_gemini(),
            rows=("small", "event"),
        ),
        Contender(
            name="tensorzero",
            between="OpenAI -> OpenAI",
            start=_tensorzero,
            version=partial(_installed, "tensorzero"),
            install=partial(_install_python, "tensorzero", "tensorzero"),
            model="tensorzero::model_name::bench",
            path="/openai/v1/chat/completions",
            patience_s=60,
            picks_its_port=True,
        ),
        Contender(
            name="portkey",
            between="OpenAI -> Gemini",
            start=_portkey,
            version=partial(_installed, "portkey"),
            install=_install_portkey,
            needs=("node", "npm"),
            headers={
                "Authorization": "Bearer bench-upstream-key",
                "x-portkey-provider": "google",
                "x-portkey-custom-host": "http://127.0.0.1:{upstream}/v1beta",
            },
            connections=4,
        ),
        Contender(
            name="litellm",
            between="OpenAI -> Gemini",
            start=_litellm,
            version=partial(_installed, "litellm"),
            install=partial(_install_python, "litellm", "litellm[proxy]"),
            connections=4,
            quick=False,
            patience_s=240,
        ),
    )
}
