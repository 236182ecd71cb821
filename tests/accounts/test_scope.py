"""Which models a key may ask for."""

import pytest

from portico.accounts.scope import is_in_scope, require_in_scope
from portico.core.errors import ModelNotFound


@pytest.mark.parametrize(
    ("globs", "model", "asked", "inside"),
    [
        ((), "gemini-3.5-flash", "gemini-3.5-flash", True),
        (("gemini-3.5-flash",), "gemini-3.5-flash", "gemini-3.5-flash", True),
        (("gemini-3.5-flash",), "gemini-3.5-flash-lite", "gemini-3.5-flash-lite", False),
        (("gemini-3*",), "gemini-3.5-flash", "flash-latest", True),
        (("*-flash",), "gemini-3.5-pro", "gemini-3.5-pro", False),
        (("fast",), "gemini-3.5-flash", "fast", True),
        (("fast",), "gemini-3.5-flash", "gemini-3.5-flash", False),
        (("GEMINI-*",), "gemini-3.5-flash", "Gemini-3.5-Flash", True),
        (("gpt-*", "gemini-3.?-flash"), "gemini-3.5-flash", "gemini-3.5-flash", True),
        (("google/*",), "gemini-3.5-flash", "google/gemini-3.5-flash", True),
        (("google/*",), "gemini-3.5-flash", "gemini-3.5-flash", True),
        (("Google/Gemini-3*",), "gemini-3.5-flash", "models/gemini-3.5-flash", True),
        (("google/fast",), "gemini-3.5-flash", "fast", True),
        (("openai/*",), "gemini-3.5-flash", "openai/gemini-3.5-flash", False),
        (("models/*",), "gemini-3.5-flash", "models/gemini-3.5-flash", False),
        (("openai*", "gpt*"), "gemini-3.5-flash", "openrouter/openai/gemini-3.5-flash", False),
        (("fast",), "gemini-3.5-flash", "openrouter/google/fast", True),
        (("gemini-[!3]*",), "gemini-3.5-flash", "gemini-3.5-flash", False),
        (("gemini-3.5",), "gemini-3x5", "gemini-3x5", False),
    ],
)
def test_a_glob_holds_a_model_by_its_name_or_the_one_asked_for(
    globs: tuple[str, ...], model: str, asked: str, inside: bool
) -> None:
    assert is_in_scope(globs, model, "google", asked) is inside


def test_a_model_out_of_scope_is_told_as_one_that_is_not_there() -> None:
    with pytest.raises(ModelNotFound, match=r"The model 'x' does not exist or you do not have access to it\.") as told:
        require_in_scope(("gpt-*",), "gemini-3.5-flash", "google", "x")
    assert told.value.param == "model"
    with pytest.raises(ModelNotFound) as told:
        require_in_scope(("gpt-*",), "gemini-3.5-flash", "google", "y" * 5000)
    assert len(told.value.message) < 250
