"""`portico simulate`: the simulator on a port of its own."""

import contextlib
import sys
import time
from pathlib import Path

from portico.cli.listen import listen
from portico.cli.loop import listen_for_stop, run, run_until_stopped
from portico.http.server import Server
from portico.simulator import Simulator
from portico.simulator.recording import Recording
from portico.wire.http import App


def run_simulate(*, host: str, port: int, seed: int, pace_s: float, lenient: bool, record: Path | None) -> int:
    """Serves until interrupted. What it is asked is added to the file `record`."""
    app: App = Simulator(seed, lenient, pace_s, now=time.time)
    with contextlib.ExitStack() as ends:
        if record is not None:
            try:
                file = ends.enter_context(record.open("ab", buffering=0))
            except OSError as error:
                print(f"Cannot write to {record}: {error.strerror or error}", file=sys.stderr)
                return 1
            app = Recording(app, file.write)
        return _serve(app, host, port)


def _serve(app: App, host: str, port: int) -> int:
    async def main() -> int:
        server = Server(app)
        try:
            await server.start(sock=listen(host, port))
        except OSError as error:
            print(f"Cannot listen on {host}:{port}: {error.strerror or error}", file=sys.stderr)
            return 1
        base = f"http://{host}:{server.port}"
        print(f"Simulating Google Gemini's native API on {base}/v1beta", flush=True)
        print(f"  curl -H 'x-goog-api-key: any' {base}/v1beta/models", flush=True)
        print(f"Simulating OpenAI's Chat Completions and Responses on {base}/v1", flush=True)
        print(f"  curl -H 'authorization: Bearer any' {base}/v1/models", flush=True)
        print(f"Simulating Anthropic's Messages on {base}/v1", flush=True)
        print(f"  curl -H 'x-api-key: any' -H 'anthropic-version: 2023-06-01' {base}/v1/models", flush=True)
        print("Stop with Ctrl-C.", flush=True)
        await run_until_stopped(listen_for_stop())
        await server.stop(grace_s=1.0)
        return 0

    return run(main)
