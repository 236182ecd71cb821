"""What an operator lets rest is asked by nobody, whichever credential it is; and its callers are told so."""

from portico.core.errors import UpstreamOverloaded
from portico.core.target import Capabilities
from portico.providers import KINDS, Provider, Secret
from portico.relay.resting import nobody_asked
from portico.routing import ALL_GROUPS, FOREVER, Candidate, Deployment, Health, LeftOut, Rest

KEYS = (Secret("one", "env:ONE"), Secret("two", "env:TWO"))
PROVIDER = Provider.at("gemini", KINDS["gemini"], None, KEYS)


def candidate(model: str, key: Secret) -> Candidate:
    return Candidate(Deployment(PROVIDER, model, Capabilities()), key)


def test_every_credential_of_a_provider_rests_with_it() -> None:
    health = Health()
    health.replace_rests({("gemini", ALL_GROUPS, "flash"): Rest(FOREVER, "operator: ada", "flash")})
    for key in KEYS:
        assert health.resting(candidate("flash", key), 5.0) is not None
        assert health.resting(candidate("pro", key), 5.0) is None
    health.replace_rests({("gemini", ALL_GROUPS, ""): Rest(FOREVER, "operator: ada")})
    assert all(health.resting(candidate(model, key), 5.0) for model in ("flash", "pro") for key in KEYS)
    health.replace_rests({("openai", ALL_GROUPS, ""): Rest(FOREVER, "operator: ada")})
    assert not any(health.resting(candidate(model, key), 5.0) for model in ("flash", "pro") for key in KEYS)


def test_callers_are_told_that_an_operator_lets_it_rest() -> None:
    left = LeftOut(candidate("flash", KEYS[0]), "operator: they have an outage", FOREVER)
    told = nobody_asked([left], None)
    assert isinstance(told, UpstreamOverloaded)
    assert "outage" not in told.message
