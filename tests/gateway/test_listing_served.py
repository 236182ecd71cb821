"""What is listed is what somebody here serves."""

from datetime import date

import pytest

from portico.catalog import Model, OperatorModel, load_catalog
from portico.core.errors import ModelNotFound
from portico.http.listing import find_row, gemini_list, openai_list, openai_model
from portico.providers import KINDS, Provider, Secret
from portico.relay.served import Served

CATALOG = load_catalog()
DAY = date(2026, 11, 28)
GOOGLE = Provider("google", KINDS["gemini"], "http://127.0.0.1:1/v1beta", (Secret("sample-key", "a test"),))


def serves(model: Model) -> bool:
    return Served(CATALOG, {"google": GOOGLE}, 0).serves(model, DAY)


def test_a_house_with_a_key_of_googles_alone_lists_no_other_vendor() -> None:
    rows = openai_list(CATALOG, DAY, serves=serves)["data"]
    assert {row["owned_by"] for row in rows} == {"google"}
    assert {"gemini-3.8-flash", "gemini-3.8-flash-thinking", "gemini-flash-latest"} <= {row["id"] for row in rows}
    page = gemini_list(CATALOG, DAY, {"pageSize": "1000"}, serves=serves)
    assert {row["name"] for row in page["models"]} == {f"models/{row['id']}" for row in rows}


def test_nobody_asked_lists_every_vendor() -> None:
    owners = {row["owned_by"] for row in openai_list(CATALOG, DAY)["data"]}
    assert owners == {"google", "openai", "anthropic"}


@pytest.mark.parametrize("name", ["gpt-5.5", "openai/gpt-5.5", "claude-opus-5-5-thinking"])
def test_a_model_that_nobody_serves_has_no_page(name: str) -> None:
    with pytest.raises(ModelNotFound) as caught:
        openai_model(CATALOG, name, DAY, serves=serves)
    assert "no provider that serves it" in caught.value.message
    assert find_row(CATALOG, "gemini-3.8-flash", serves=serves).id == "gemini-3.8-flash"


def test_an_operators_own_name_is_listed_where_its_provider_is_configured() -> None:
    names = [OperatorModel("ours", "google/gemini-3.8-flash"), OperatorModel("theirs", "elsewhere/llama")]
    catalog = CATALOG.with_models(names)
    served = Served(catalog, {"google": GOOGLE}, 0)
    ids = {row["id"] for row in openai_list(catalog, DAY, serves=lambda model: served.serves(model, DAY))["data"]}
    assert "ours" in ids
    assert "theirs" not in ids


def test_a_model_gone_at_the_only_backend_there_is_and_followed_by_none_is_not_listed() -> None:
    assert not serves(CATALOG.models["gemini-2.0-flash"])
    assert serves(CATALOG.models["gemini-3-pro-preview"])  # calls go to the one that follows
