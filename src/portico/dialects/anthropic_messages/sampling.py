"""Sampling and limits as a Claude model takes them (mapping.md 7.1, 7.5)."""

from typing import Any, Final

from portico.core.loss import Loss
from portico.core.request import Request
from portico.core.target import Target

DEFAULT_MAX_TOKENS: Final = 32_000
"""Anthropic wants a limit, and a caller who gave none has none in mind: what a model can write at most would have to be
held for. What current agents ask for (clients.md 5)."""


def render_sampling(
    request: Request, target: Target, losses: list[Loss], *, thinks: bool, budget: int | None
) -> dict[str, Any]:
    """`max_tokens` and what says how tokens are drawn. `budget`: of thoughts, which count inside the limit."""
    sampling, able, where = request.sampling, target.capabilities, request.where
    limit = _max_tokens(request, target, losses, budget)
    body: dict[str, Any] = {} if limit is None else {"max_tokens": limit}
    drawn = {"temperature": sampling.temperature, "top_p": sampling.top_p, "top_k": sampling.top_k}
    drawn = {name: value for name, value in drawn.items() if value is not None}
    if able.judged:
        drawn = _held(drawn, request, target, losses, thinks=thinks)
    body |= drawn
    if sampling.stop:
        body |= _stops(request, target, losses)
    for name, lost, code in (
        ("seed", sampling.seed is not None, "1.1:seed"),
        ("presence_penalty", bool(sampling.presence_penalty), "1.1:penalties"),
        ("frequency_penalty", bool(sampling.frequency_penalty), "1.1:penalties"),
        ("logprobs", bool(sampling.logprobs or sampling.top_logprobs), "1.1:logprobs"),
        ("n", (sampling.n or 1) > 1, "1.1:n"),
    ):
        if lost:
            losses.append(Loss(code, where.field(name), f"Anthropic has nothing for {name}"))
    return body


def _max_tokens(request: Request, target: Target, losses: list[Loss], budget: int | None) -> int | None:
    asked, able = request.sampling.max_tokens, target.capabilities
    most = able.max_output_tokens
    if asked is None:
        if not able.judged:
            return None
        room = min(DEFAULT_MAX_TOKENS + (budget or 0), most)
        losses.append(
            Loss("1.1:max_tokens", request.where.field("max_tokens"), f"Anthropic wants a limit: {room} tokens")
        )
        return room
    if able.judged and asked > most:
        losses.append(
            Loss("1.1:max_tokens", request.where.field("max_tokens"), f"this model writes at most {most} tokens")
        )
        return most
    return asked


def _held(
    drawn: dict[str, Any], request: Request, target: Target, losses: list[Loss], *, thinks: bool
) -> dict[str, Any]:
    able, where = target.capabilities, request.where
    if not able.sampling or (thinks and not able.sampling_while_thinking):
        losses += [Loss("1.1:sampling", where.field(name), f"this model takes no {name} here") for name in drawn]
        return {}
    if "temperature" in drawn and drawn["temperature"] > able.temperature_max:
        most = able.temperature_max
        losses.append(Loss("1.1:sampling", where.field("temperature"), f"a temperature is at most {most:g} here"))
        drawn = {**drawn, "temperature": most}
    if not able.temperature_with_top_p and "temperature" in drawn and "top_p" in drawn:
        losses.append(Loss("1.1:sampling", where.field("top_p"), "this model takes a temperature or top_p, not both"))
        drawn = {name: value for name, value in drawn.items() if name != "top_p"}
    return drawn


def _stops(request: Request, target: Target, losses: list[Loss]) -> dict[str, Any]:
    stops, able = request.sampling.stop, target.capabilities
    if not able.judged:
        return {"stop_sequences": list(stops)}
    kept = [text for text in stops if text.strip()][: able.stop_max]
    if len(kept) < len(stops):
        losses.append(Loss("7.5:stop", request.where.field("stop"), "white space is no stop sequence at Anthropic"))
    return {"stop_sequences": kept} if kept else {}
