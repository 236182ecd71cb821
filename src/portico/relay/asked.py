"""How callers of a dialect ask a model: in what, and for which target, without a call. The bytes pass, or are translated.

What serving decides of a deployment (`relay/served.py`) is decided here of a model and a kind of provider, so that pages
and laws can say what becomes of a request before anybody sends it.
"""

from typing import Any

import msgspec

from portico.catalog import Model
from portico.core.dialect import Dialect, Rendered
from portico.core.request import Request
from portico.core.target import Capabilities, Target
from portico.providers import KINDS, ProviderKind
from portico.relay.fanout import lane_of, share
from portico.relay.prepare import held_target, target_at


class Asking(msgspec.Struct, frozen=True):
    """One dialect's callers before one model at one kind of provider."""

    caller: Dialect
    to: Dialect
    """What the model is asked in."""
    target: Target
    held: Target
    """The target of a body that asks of the model what it refuses."""
    able: Capabilities

    @property
    def own(self) -> bool:
        """Whether its provider speaks the callers' dialect."""
        return self.caller.name == self.to.name

    def target_of(self, body: bytes) -> Target | None:
        """What a body is rendered for; None: its bytes pass as they are."""
        passing = self.caller.passing
        if not self.own or passing is None:
            return self.target
        if passing.beyond is not None and passing.beyond(body, self.able):
            return self.held
        return None if passing.may_pass(body) else self.target

    def rendered(self, request: Request, target: Target) -> Rendered:
        """The first of the calls that are made of a request. Raises `InvalidRequest`."""
        first = lane_of(request).split(target.capabilities.max_candidates)[0]
        return self.to.render_request(share(request, first), target)

    def read_again(self, body: Any, request: Request) -> Request:
        """A rendered body as its provider reads it."""
        return self.to.parse_request(body, model=self.target.model, stream=request.stream)


def asking_of(caller: Dialect, kind: ProviderKind, able: Capabilities, upstream_model: str) -> Asking:
    """How a model is asked at a kind of provider."""
    to = kind.for_model(able).to(caller).dialect
    target = target_at(caller, to, upstream_model, kind.name, able)
    return Asking(caller, to, target, held_target(target, able), able)


def home_of(model: Model) -> ProviderKind | None:
    """The kind of provider that is its vendor's own; None: there is none."""
    return next((kind for kind in KINDS.values() if model.vendor in kind.vendors), None)
