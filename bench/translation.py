"""What the request half of a translation costs, step by step: from a caller's bytes to those for the provider.

    python -m bench.translation [--rounds 300] [--profile small|agent|kept]

The steps are those of `relay/relay.py`, in its order, without sockets. Each is timed alone, many times; the least is shown,
in microseconds of CPU, since everything above it is somebody else's work. `kept` is `agent` with the 20 calls found in the
vault, signed. Nothing here is asserted.
"""

import argparse
import cProfile
import pstats
from collections.abc import Callable
from random import Random
from time import process_time_ns
from typing import Any, Final, NamedTuple

from bench.workloads import agent, encoded, small
from portico.catalog import load_catalog
from portico.core.parts import Signature, ToolCall
from portico.core.request import Request
from portico.core.response import Candidate, Response
from portico.dialects.openai_chat import DIALECT as CHAT
from portico.providers import KINDS, Provider, Secret
from portico.relay.call import Aim
from portico.relay.defaults import Defaults, with_defaults
from portico.relay.fanout import lane_of, share
from portico.relay.known import KnownLists
from portico.relay.media import intakes_of, with_media
from portico.relay.prepare import Prepared, parse_body, resolve, target_at
from portico.routing import Health, deployments_of, plan
from portico.vault import MemoryVault, TurnRecorder, keys_of_request, restore
from portico.wire import jsontext

MODEL: Final = "gemini-3.5-flash"
TENANT: Final = "bench"
KIND: Final = KINDS["gemini"]
PROVIDERS: Final = {"gemini": Provider.at("gemini", KIND, None, (Secret("sample", "the bench"),))}
DEFAULTS: Final = Defaults()
RNG: Final = Random(1)
BATCH: Final = 5
"""Runs between two looks at the clock, which is no finer than a microsecond."""


class Measured(NamedTuple):
    """A step's name and the least it took, in microseconds."""

    name: str
    least_us: float


def at_once(coroutine: Any) -> Any:
    """The result of what never waits."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waited")


class Way:
    """The way of one request, as the relay leads it."""

    def __init__(self, body: bytes, *, kept: bool = False) -> None:
        self.body = body
        self.catalog = load_catalog()
        self.vault = MemoryVault(lambda: 0.0)
        self.known = KnownLists("tools", "stand-in of the bench")
        if kept:
            self._keep(parse_body(CHAT, body))

    def _keep(self, request: Request) -> None:
        """Every call of the request as an answer of its own, signed by the model that is asked."""
        signer = self.aim(resolve(request, self.catalog)).target.signer
        for message in request.messages:
            calls = [part for part in message.parts if isinstance(part, ToolCall)]
            if calls:
                signed = [_signed(call, signer) for call in calls]
                recorder = TurnRecorder(signer)
                recorder.feed_response(Response(None, None, (Candidate(0, tuple(signed), None),)))
                for keys, record in recorder.records():
                    self.vault.keep(TENANT, keys, record)

    # -- the steps

    def parse(self) -> Request:
        return parse_body(CHAT, self.body, known=self.known)

    def resolve(self, request: Request) -> Prepared:
        return resolve(request, self.catalog)

    def find(self, prepared: Prepared) -> Any:
        return at_once(self.vault.find(TENANT, keys_of_request(prepared.request)))

    def restore(self, prepared: Prepared, found: Any) -> Request:
        return with_defaults(restore(prepared.request, found), DEFAULTS)

    def media(self, prepared: Prepared, request: Request) -> Any:
        kinds = [one.provider.kind for one in deployments_of(prepared.resolved.model, PROVIDERS)]
        return at_once(with_media(request, None, intakes_of(CHAT, kinds)))

    def aim(self, prepared: Prepared) -> Aim:
        model = prepared.resolved.model
        candidate = plan(deployments_of(model, PROVIDERS), Health(), now=0.0, rng=RNG).candidates[0]
        deployment = candidate.deployment
        kind = deployment.provider.kind
        spoken = kind.to(CHAT)
        target = target_at(CHAT, spoken.dialect, deployment.upstream_model, kind.name, deployment.capabilities)
        return Aim(model, candidate, target, spoken)

    def render(self, request: Request, aim: Aim) -> Any:
        lane = lane_of(request).split(aim.target.capabilities.max_candidates)[0]
        return aim.spoken.dialect.render_request(share(request, lane), aim.target)

    def whole(self) -> bytes:
        """All of it."""
        prepared = self.resolve(self.parse())
        request = self.media(prepared, self.restore(prepared, self.find(prepared))).request
        return jsontext.encode(self.render(request, self.aim(prepared)).body)

    def steps(self) -> list[tuple[str, Callable[[], Any]]]:
        """Each step by itself, given what those before it made."""
        self.parse()
        value = self.known.decode(self.body)
        prepared = self.resolve(self.parse())
        found = self.find(prepared)
        request = self.media(prepared, self.restore(prepared, found)).request
        aim = self.aim(prepared)
        body = self.render(request, aim).body
        return [
            ("decode, tools known", lambda: self.known.decode(self.body)),
            ("parse, decoded", lambda: CHAT.parse_request(value)),
            ("decode and parse", self.parse),
            ("resolve", lambda: self.resolve(prepared.request)),
            ("find what is kept", lambda: self.find(prepared)),
            ("restore, defaults", lambda: self.restore(prepared, found)),
            ("media", lambda: self.media(prepared, request)),
            ("plan, target", lambda: self.aim(prepared)),
            ("render", lambda: self.render(request, aim)),
            ("encode", lambda: jsontext.encode(body)),
            ("bytes to bytes", self.whole),
        ]


def _signed(call: ToolCall, signer: str) -> ToolCall:
    signature = Signature("google", "c2FtcGxl" * 79, signer)  # as long as half of the recorded ones are at most
    return ToolCall(call.id, call.name, call.arguments, upstream_id=call.id, signature=signature)


WAYS: Final[dict[str, Callable[[], Way]]] = {
    "small": lambda: Way(encoded(small(MODEL))),
    "agent": lambda: Way(encoded(agent(MODEL))),
    "kept": lambda: Way(encoded(agent(MODEL)), kept=True),
}


def least_us(step: Callable[[], Any], rounds: int) -> float:
    """The least CPU time of a step, in microseconds."""
    best = 10**12
    for _ in range(rounds):
        start = process_time_ns()
        for _ in range(BATCH):
            step()
        best = min(best, process_time_ns() - start)
    return best / BATCH / 1000


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m bench.translation", description=(__doc__ or "").split("\n", 1)[0])
    options.add_argument("--rounds", type=int, default=300)
    options.add_argument("--profile", choices=list(WAYS), help="say where the time of one way goes, by function")
    asked = options.parse_args()
    if asked.profile:
        way = WAYS[asked.profile]()
        profile = cProfile.Profile()
        profile.enable()
        for _ in range(asked.rounds):
            way.whole()
        profile.disable()
        pstats.Stats(profile).sort_stats("tottime").print_stats(40)
        return
    table = {
        name: [Measured(step, least_us(run, asked.rounds)) for step, run in make().steps()]
        for name, make in WAYS.items()
    }
    print(f"{'us of CPU, best of ' + str(asked.rounds):24}" + "".join([f"{name:>9}" for name in table]))
    for row in zip(*table.values(), strict=True):
        print(f"{row[0].name:24}" + "".join([f"{one.least_us:9.1f}" for one in row]))


if __name__ == "__main__":
    main()
