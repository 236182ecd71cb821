"""From a candidate to what is sent to it: whom it asks, in what parts, each rendered for it or passed on as it is.

What a provider refused is left out: of this call, and of later ones for as long as `relay/learned.py` remembers it.
"""

import msgspec

from portico.catalog import Model
from portico.core.dialect import Reading
from portico.core.errors import UpstreamError, UpstreamRejected
from portico.core.ids import Mint
from portico.providers import EMBEDDING, GENERATING, Verb
from portico.providers.quirks import in_request
from portico.relay import embedding, making, piecewise, questions
from portico.relay.call import Aim, Attempt, Call
from portico.relay.fanout import Lane, lane_of, share
from portico.relay.learned import LOSSLESS, NOTHING, Learned, narrowed
from portico.relay.passthrough import body_for
from portico.relay.prepare import instead_loss, reading_for
from portico.relay.report import Try
from portico.relay.router import Router
from portico.relay.served import Wish, spoken_for, wish_of
from portico.relay.strict import refuse_losses
from portico.relay.unfence import may_be_fenced
from portico.routing import Candidate


class Aims:
    """What all calls share of it: who is served where, and what was learned of them."""

    def __init__(self, router: Router, mint: Mint) -> None:
        self._router = router
        self._mint = mint
        self._learned = Learned()

    def lanes(self, call: Call, aim: Aim, lane: Lane | None) -> list[Lane]:
        """In what parts the call, or a lane of it, is asked of a model that gives fewer answers at once."""
        if call.verb in EMBEDDING and not call.passes_to(aim.candidate.deployment):
            return embedding.lanes(call, aim) if lane is None else [lane]
        lane = lane or lane_of(call.request)
        if lane.count == 1 or call.passes_to(aim.candidate.deployment):
            return [lane]
        return lane.split(aim.target.capabilities.max_candidates)

    def drops(self, call: Call, aim: Aim, lane: Lane, error: UpstreamError) -> bool:
        """Whether the same candidate is asked once more: it refused a field that was sent and can be left out (1.6)."""
        if not isinstance(error, UpstreamRejected) or error.refused is None or call.passes_to(aim.candidate.deployment):
            return False
        if call.strict and error.refused not in LOSSLESS:
            return False
        field, request = frozenset({error.refused}), share(call.request, lane)
        render = aim.spoken.dialect.render_request
        if render(request, narrowed(aim.target, field)).body == render(request, aim.target).body:
            return False
        key = (aim.provider.name, aim.target.model)
        call.dropped[key] = call.dropped.get(key, NOTHING) | field
        if error.only_value:
            call.of_value |= field
        return True

    def aim(self, call: Call, model: Model, candidate: Candidate) -> Aim:
        """Whom a candidate asks, or the model that has taken its model's place; without what is refused there."""
        wish = wish_of(call.request) if call.passing is None else Wish.NOTHING
        served, now = self._router.served, self._router.now()
        place = served.place(call.dialect, model, candidate.deployment, now, wish=wish)
        foreign = place.foreign
        target = place.target if foreign or not call.is_beyond(place.deployment) else place.held
        if place.deployment is not candidate.deployment:
            candidate = Candidate(place.deployment, candidate.credential)
        key = (place.deployment.provider.name, target.model)
        dropped, learned = call.dropped.get(key, NOTHING), self._learned.fields(*key, now)
        if call.strict:
            learned &= LOSSLESS
            target = msgspec.structs.replace(target, small_max_tokens=0)  # what was asked, exactly
        spoken = place.spoken
        if call.verb not in GENERATING and (foreign or not call.passes_to(place.deployment)):
            spoken = spoken_for(place, call.verb)
        if learned or dropped:
            target = narrowed(target, learned | dropped)
        gone = call.gone or (model.name == call.model.name != place.model.name)
        return Aim(place.model, candidate, target, spoken, dropped, gone=gone)

    def attempt(self, call: Call, aim: Aim, lane: Lane) -> Attempt:
        """Renders what a lane asks for. Raises `UnsupportedParameter` if the call is strict and something is lost."""
        target, dialect = aim.target, aim.spoken.dialect
        deployment = aim.candidate.deployment
        provider = deployment.provider
        tried = Try(provider.name, target.model, streamed=call.verb is Verb.STREAM)
        losses = []
        if aim.model.name != call.model.name:
            losses.append(instead_loss(call.request, call.model, aim.model, gone=aim.gone))
        if call.passing is not None and call.passes_to(deployment):
            body = call.exchange.request.body
            content = body_for(call.passing, body, call.request.model, deployment, call.verb)
            attempt = Attempt(aim, lane, content, Reading(self._mint), call.passing, tried=tried)
        elif not call.generates:
            attempt, unsaid = questions.asked(call, aim, lane, self._mint, tried)
            losses += unsaid
        else:
            request = share(call.request, lane)
            rendered = dialect.render_request(request, target)
            losses += rendered.losses
            reading = reading_for(request, rendered, target, self._mint)
            fenced = may_be_fenced(request, target, rendered.losses)
            asked = in_request(provider.quirks_in(aim.spoken), rendered.body)
            attempt = Attempt(aim, lane, asked, reading, unfences=fenced, tried=tried)
            if call.dialect.product is not None and making.is_asked_whole(call):
                attempt.verb = Verb.GENERATE
            elif call.dialect.raw_writer is not None and piecewise.is_asked_in_pieces(call, aim):
                attempt.verb = Verb.STREAM
        if call.strict:
            refuse_losses([*call.media_losses, *losses])
        attempt.asked, attempt.losses = call.request, losses
        attempt.stands_for(call)
        return attempt

    def elsewhere(self, call: Call, aim: Aim) -> list[Aim]:
        """Where else the plan may send a call."""
        served, models = self._router.served, [call.model]
        if call.model.fallbacks:
            models += self._router.fallbacks(call)
        elif aim.model is call.model and len(served.deployments(call.model)) == 1:
            return []
        return [
            self.aim(call, model, Candidate(one, one.provider.keys[0]))
            for model in models
            for one in served.deployments(model)
            if (one.provider is not aim.provider or model is not call.model) and call.goes_to(one.provider)
        ]

    def worked(self, call: Call, aim: Aim) -> None:
        """It was asked without what it had refused, and answers."""
        if aim.dropped:
            fields = aim.dropped - call.of_value
            self._learned.remember(aim.provider.name, aim.target.model, fields, self._router.now())


def signing(aim: Aim) -> Aim:
    """The same, where calls without a signature get what the model demands, though its own dialect is spoken to it; where
    thoughts must come first and have not, it is not asked to think."""
    demands, able = aim.candidate.deployment.capabilities, aim.target.capabilities
    signatures, thoughts = demands.signatures_required, demands.thinking_block_required
    if able.signatures_required is signatures and able.thinking_block_required is thoughts:
        return aim
    able = msgspec.structs.replace(able, signatures_required=signatures, thinking_block_required=thoughts)
    return msgspec.structs.replace(aim, target=msgspec.structs.replace(aim.target, capabilities=able))
