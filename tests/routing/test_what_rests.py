"""What rests after which failure, and for how long (mapping.md 4, the rows of 429 and of keys; complaint 18)."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws.corpus import FOLDER
from portico.core.errors import (
    UpstreamError,
    UpstreamOverloaded,
    UpstreamRateLimited,
    UpstreamRejected,
    UpstreamUnreachable,
)
from portico.core.quota import Quota, Window
from portico.dialects.gemini import DIALECT
from portico.routing import ALL_MODELS, FOREVER, Health, Rest, rests_after
from portico.routing.rest import FIRST_PAUSE_S, LONGEST_PAUSE_S, next_pacific_midnight
from portico.wire import jsontext
from routing.route_cases import candidate, google, info, quota, retry_in

NOON = datetime(2026, 11, 28, 12, 0, 30, tzinfo=UTC).timestamp()
MIDNIGHT = datetime(2026, 11, 29, 8, 0, tzinfo=UTC).timestamp()
"""In Los Angeles, where it is winter."""
PER_MINUTE = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"
PER_DAY = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
PLAN = "You exceeded your current quota, please check your plan and billing details."

CASES: dict[str, tuple[UpstreamError, str, float]] = {
    "a minute's quota rests as long as Google says": (
        google(429, PLAN, quota(PER_MINUTE), retry_in("34.4s")),
        "m",
        NOON + 34.4,
    ),
    "a minute's quota without a delay rests till the next minute": (google(429, "", quota(PER_MINUTE)), "m", NOON + 30),
    "a quota for all models rests all of them": (
        google(429, "", quota("GenerateRequestsPerMinutePerProject"), retry_in("5s")),
        ALL_MODELS,
        NOON + 5,
    ),
    "a quota that is counted by the model says so in its dimensions too": (
        google(429, "", quota("TokensPerMinute", quotaDimensions={"model": "m"}), retry_in("5s")),
        "m",
        NOON + 5,
    ),
    "a day's quota rests till midnight Pacific, whatever delay stands beside it": (
        google(429, PLAN, quota(PER_DAY, "50"), retry_in("12s")),
        "m",
        MIDNIGHT,
    ),
    "of a minute's and a day's the day's counts": (
        google(429, "", quota(PER_MINUTE), quota(PER_DAY), retry_in("5s")),
        "m",
        MIDNIGHT,
    ),
    "a limit of 0 is not offered to this account today": (
        google(429, "", quota(PER_MINUTE, "0"), retry_in("5s")),
        "m",
        MIDNIGHT,
    ),
    "a limit of 0 may stand in the sentence alone": (google(429, f"{PLAN} limit: 0, model: m"), "m", MIDNIGHT),
    "Google Cloud names its quota in ErrorInfo": (
        google(429, "", info("RATE_LIMIT_EXCEEDED", quota_limit="GenerateContentRequestsPerMinutePerProjectPerRegion")),
        ALL_MODELS,
        NOON + 30,
    ),
    "a plan whose quota is gone is a day's": (google(429, PLAN), "m", MIDNIGHT),
    "shared capacity says nothing": (
        google(429, "Resource exhausted. Please try again later."),
        "m",
        NOON + FIRST_PAUSE_S,
    ),
    "a spent balance rests for a while: it is filled up at the provider": (
        google(429, "Your prepayment credits are depleted."),
        ALL_MODELS,
        NOON + 600,
    ),
    "a suspended key rests till a person looks": (
        google(403, "Consumer has been suspended.", info("CONSUMER_SUSPENDED"), word="PERMISSION_DENIED"),
        ALL_MODELS,
        FOREVER,
    ),
    "a wrong key rests till a person looks": (
        google(400, "API key not valid.", info("API_KEY_INVALID"), word="INVALID_ARGUMENT"),
        ALL_MODELS,
        FOREVER,
    ),
    "a key that may not use one model rests for that model": (
        google(403, "Permission denied", info("IAM_PERMISSION_DENIED"), word="PERMISSION_DENIED"),
        "m",
        FOREVER,
    ),
    "a refused region rests for a while": (
        google(400, "User location is not supported for the API use.", word="FAILED_PRECONDITION"),
        ALL_MODELS,
        NOON + 600,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_rests(name: str) -> None:
    error, model, until = CASES[name]
    [rest] = rests_after(error, "m", NOON)
    assert rest.model == model
    assert rest.until == pytest.approx(until)
    assert rest.why.startswith(str(error.code))


@pytest.mark.parametrize(
    "error",
    [
        UpstreamRejected(),
        UpstreamOverloaded(),
        UpstreamUnreachable(),
        google(500, word="INTERNAL"),
        google(403, "The caller does not have permission", word="PERMISSION_DENIED"),
        google(403, "service-1@gcp-sa does not have storage.objects.get access.", word="PERMISSION_DENIED"),
    ],
    ids=repr,
)
def test_what_is_nobodys_quota_lets_nothing_rest(error: UpstreamError) -> None:
    assert rests_after(error, "m", NOON) == []


@pytest.mark.parametrize(
    ("at", "midnight"),
    [
        (datetime(2026, 7, 1, 6, 59, tzinfo=UTC), datetime(2026, 7, 1, 7, 0, tzinfo=UTC)),
        (datetime(2026, 7, 1, 7, 0, tzinfo=UTC), datetime(2026, 7, 2, 7, 0, tzinfo=UTC)),
        (datetime(2026, 3, 8, 9, 0, tzinfo=UTC), datetime(2026, 3, 9, 7, 0, tzinfo=UTC)),  # the clock goes forward
        (datetime(2026, 11, 1, 8, 0, tzinfo=UTC), datetime(2026, 11, 2, 8, 0, tzinfo=UTC)),  # and back
    ],
)
def test_midnight_is_that_of_los_angeles(at: datetime, midnight: datetime) -> None:
    assert next_pacific_midnight(at.timestamp()) == midnight.timestamp()


@given(st.floats(1.7e9, 2.5e9))
def test_midnight_is_always_ahead_and_within_25_hours(now: float) -> None:
    assert now < next_pacific_midnight(now) <= now + 25 * 3600


def test_what_is_not_said_is_waited_for_longer_each_time() -> None:
    error, now, waits = google(429, "Resource exhausted."), NOON, list[float]()
    rest: Rest | None = None
    for _ in range(9):
        [rest] = rests_after(error, "m", now, rest)
        waits.append(rest.until - now)
        now = rest.until
    assert waits == pytest.approx([min(2.0**n, LONGEST_PAUSE_S) for n in range(9)])
    [again] = rests_after(error, "m", now + LONGEST_PAUSE_S + 1, rest)
    assert again.until == now + LONGEST_PAUSE_S + 1 + FIRST_PAUSE_S


def test_keys_of_one_project_rest_together_and_others_do_not() -> None:
    projects = {"k1": "p", "k2": "p", "k3": "q"}
    health = Health(group_of=lambda _, secret: projects[secret.reveal()])
    first, same, other = (candidate(key=key) for key in projects)
    health.failed(first, google(429, "", quota(PER_MINUTE), retry_in("9s")), NOON)
    assert [health.resting(one, NOON + 8) is not None for one in (first, same, other)] == [True, True, False]
    assert [health.resting(one, NOON + 10) for one in (first, same, other)] == [None, None, None]
    assert health.resting(candidate(key="k2", model="other"), NOON) is None


def test_whose_quota_it_is_may_be_learned_from_the_provider() -> None:
    health = Health()
    limited = google(
        429, "", info("RATE_LIMIT_EXCEEDED", quota_limit="PerMinutePerProject", consumer="projects/7"), retry_in("9s")
    )
    first, second = candidate(key="k1"), candidate(key="k2")
    health.failed(first, limited, NOON)
    assert health.resting(second, NOON) is None  # nobody knows yet that it is of the same project
    health.failed(second, limited, NOON + 1)
    health.answered(second)
    assert health.group("a", first.credential) == health.group("a", second.credential) == "projects/7"
    assert "projects/7" not in limited.message


def test_whose_quota_was_learned_rests_at_a_worker_that_has_not_learned_it_and_after_a_restart() -> None:
    limited = google(
        429, "", info("RATE_LIMIT_EXCEEDED", quota_limit="PerDayPerProject", consumer="projects/7"), retry_in("9s")
    )
    unsaid = google(429, "", quota("GenerateRequestsPerDayPerProjectPerModel"))  # whose it is was said before
    told: dict[tuple[str, str, str], Rest] = {}
    health = Health(on_rest=lambda group, rest: told.__setitem__((*group, rest.model), rest))
    one, same = candidate(key="k1"), candidate(key="k2")
    for error in (limited, unsaid):
        told.clear()
        health.failed(one, error, NOON)
        for known in (health.rests(), told):
            other = Health()
            other.replace_rests(known)
            assert other.resting(one, NOON + 3600) is not None
            assert other.resting(same, NOON + 3600) is None  # it knows nothing of that one
    other.failed(same, limited, NOON + 1)
    other.replace_rests(health.rests())
    assert other.resting(same, NOON + 3600) is not None  # and now that it is of the same project


def test_keys_that_the_operator_put_together_rest_by_that_name_alone() -> None:
    health = Health(group_of=lambda *_: "project:a")
    limited = google(429, "", info("RATE_LIMIT_EXCEEDED", quota_limit="PerDayPerProject", consumer="projects/7"))
    health.failed(candidate(), limited, NOON)
    assert [group for _, group, _ in health.rests()] == ["project:a"]


def test_each_of_several_quotas_rests_by_its_own_clock() -> None:
    of_model, of_all = PER_DAY, "GenerateRequestsPerMinutePerProject"
    violations = [{"quotaId": of_model}, {"quotaId": of_all}, {"quotaId": PER_MINUTE}]
    told: list[Rest] = []
    health = Health(on_rest=lambda _, rest: told.append(rest))
    health.failed(
        candidate(), google(429, "", {"@type": "QuotaFailure", "violations": violations}, retry_in("20s")), NOON
    )
    model, other = candidate(), candidate(model="other")
    assert [health.resting(one, NOON + 19) is not None for one in (model, other)] == [True, True]
    assert [health.resting(one, NOON + 21) is not None for one in (model, other)] == [True, False]
    assert health.resting(model, MIDNIGHT) is None
    assert sorted((rest.model, rest.until) for rest in told) == [(ALL_MODELS, NOON + 20), ("m", MIDNIGHT)]


def test_a_refused_key_says_nothing_of_the_others_of_its_project() -> None:
    health = Health(group_of=lambda *_: "p")
    first, second = candidate(key="k1"), candidate(key="k2")
    health.failed(first, google(403, "suspended", info("CONSUMER_SUSPENDED"), word="PERMISSION_DENIED"), NOON)
    assert health.resting(first, NOON + 1e9) is not None
    assert health.resting(second, NOON) is None


def test_a_longer_rest_is_not_cut_short_by_a_shorter_one() -> None:
    health, one = Health(), candidate()
    health.failed(one, google(429, "", quota(PER_DAY)), NOON)
    health.failed(one, google(429, "", quota(PER_MINUTE), retry_in("3s")), NOON)
    rest = health.resting(one, NOON + 60)
    assert rest is not None
    assert rest.until == MIDNIGHT


RECORDED: dict[tuple[str, str], tuple[str, float]] = {
    ("gemini", "Resource exhausted. Please try again later. Please refer to https://cloud"): (
        "m",
        NOON + FIRST_PAUSE_S,
    ),
    ("gemini", "Resource has been exhausted (e.g. check quota)."): ("m", NOON + FIRST_PAUSE_S),
    ("gemini", "You exceeded your current quota, please check your plan."): ("m", NOON + 34.4),
    ("vertex", "Quota exceeded for quota metric 'Generate Content API requests per minute'"): (ALL_MODELS, MIDNIGHT),
}
"""(where, how its message begins) -> what rests, and till when. The last one's limit is 0."""


def recorded() -> list[tuple[str, Any]]:
    """Every 429 of Google's that was recorded, and where."""
    lines = [
        line for path in sorted(FOLDER.glob("*/*.jsonl")) for line in path.read_text(encoding="utf-8").splitlines()
    ]
    raws = [json.loads(line) for line in lines if '"status": 429' in line or '"status":429' in line]
    answers = [(raw["bucket"], raw["response"]) for raw in raws if raw["bucket"] in ("gemini", "vertex")]
    return [(bucket, response.get("body")) for bucket, response in answers if response["status"] == 429]


def test_what_every_recorded_429_lets_rest_and_how_long() -> None:
    if not (found := recorded()):
        pytest.skip(f"no recordings in {FOLDER}")
    met: set[tuple[str, str]] = set()
    for bucket, body in found:
        message = body["error"]["message"]
        [case] = [one for one in RECORDED if one[0] == bucket and message.startswith(one[1])]
        met.add(case)
        error = DIALECT.parse_error(429, jsontext.encode(body))
        assert isinstance(error, UpstreamRateLimited)
        [rest] = rests_after(error, "m", NOON)
        model, until = RECORDED[case]
        assert rest.model == model, message
        assert rest.until == pytest.approx(until), message
    assert met == set(RECORDED)


@given(
    st.lists(
        st.builds(
            Quota,
            st.sampled_from(Window),
            st.booleans(),
            st.sampled_from([None, 0, 5]),
            resets_at=st.none() | st.floats(0, 3e9),
        ),
        max_size=3,
    ),
    st.none() | st.floats(-5, 1e12),
    st.floats(1.7e9, 2.5e9),
)
def test_a_rest_ends_after_it_began(quotas: list[Quota], said: float | None, now: float) -> None:
    error = UpstreamRateLimited(retry_after_s=said)
    error.quotas = tuple(quotas)
    rests = rests_after(error, "m", now)
    if quotas and all(quota.window is Window.REQUEST for quota in quotas):
        assert rests == []  # it is the request that is too large
    else:
        assert rests
        assert all(rest.until >= now for rest in rests)
    assert len({rest.model for rest in rests}) == len(rests)
