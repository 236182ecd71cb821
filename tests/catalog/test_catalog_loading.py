"""The file is read fast, checked wholly, and extended by what an operator writes."""

from importlib import resources

import pytest

from portico.catalog import Catalog, CatalogError, ModelTarget, OperatorModel, load_catalog, parse_catalog

CATALOG = load_catalog()
TEXT = resources.files("portico.catalog").joinpath("data", "google.toml").read_text("utf-8")


def test_the_shipped_file_is_read_once_per_process() -> None:
    assert load_catalog() is load_catalog()


# What is replaced in the shipped file, with what, and where the error says it is.
MISTAKES = [
    ('title = "Gemini 2.5 Pro"', 'titel = "Gemini 2.5 Pro"', "models.gemini-2.5-pro", "titel"),
    ('title = "Gemini 2.5 Pro"', 'title = " "', "models.gemini-2.5-pro.title", "empty"),
    ('title = "Gemini 2.5 Pro"\n', "", "models.gemini-2.5-pro", "title"),
    ('input = "1.25", cached', "input = 1.25, cached", "models.gemini-2.5-pro.prices[0].input", "float"),
    ('input = "1.25", cached', 'input = "1,25", cached', "models.gemini-2.5-pro.prices[0].input", "dollar amount"),
    ('input = "1.25", cached', 'inptu = "1.25", cached', "models.gemini-2.5-pro.prices[0]", "inptu"),
    ('input = "0.75", cached', 'input = "0.000000001", cached', "models.gemini-3.8-flash.prices", "not whole"),
    ('prices = [{ input = "0.15" }]', "prices = [{}]", "models.gemini-embedding-001.prices[0]", "no price"),
    ('prices = "free"', 'prices = "gratis"', "models.gemma-4-31b-it.prices", "gratis"),
    ('thinking = "3-pro"', 'thinking = "3-por"', "].capabilities.thinking", "'3-por' is not"),
    ('like = "image-2.5"\nfamily', 'like = "image-9"\nfamily', "nano-banana-2.1.capabilities.like", "image-9"),
    ('family = "gemini-3"\ngen', 'like = "gemini-4"\ngen', "models.gemini-4-argon.capabilities.like", "circle"),
    ("penalties = true\nmax", "penaltees = true\nmax", "models.gemini-2.5-pro.capabilities", "penaltees"),
    ("penalties = true\nmax", 'penalties = "yes"\nmax', "models.gemini-2.0-flash.capabilities.penalties", "bool"),
    ("none = 128", "none = 64", "thinking.2.5-pro.effort.none", "128..32768"),
    ("none = 128, ", "", "thinking.2.5-pro.effort", "must name none"),
    ('default = "off"', 'default = "maybe"', "thinking.2.5-flash-lite.default", "maybe"),
    ('levels = ["low", "high"]', 'levels = ["LOW", "high"]', "thinking.3-pro.effort.none", "'low' is not one of"),
    ('successor = "gemini-3-pro-image"', 'successor = "gemini-9"', "image-preview.successor", "gemini-9"),
    ('successor = "gemini-3-pro-image"', 'successor = "gemini-3-pro-image-preview"', "image-preview.successor", "circle"),
    ("shutdown = { vertex = 2027-05-19 }", "shutdown = { azure = 2027-05-19 }", "gemini-3.5-flash.shutdown", "azure"),
    ('aliases = ["gemini-flash-latest"]', 'aliases = ["gemini-2.5-PRO"]', "models.gemini-2.5-pro", "already means"),
    ('aliases = ["gemini-flash-latest"]', 'aliases = ["readme.md"]', "models.gemini-3.8-flash.aliases", "readme.md"),
    ('aliases = ["gemini-flash-latest"]', 'aliases = ["compare"]', "models.gemini-3.8-flash.aliases", "compare"),
    ('fees = "2.5-pro"', 'fees = "2.6-pro"', "models.gemini-2.5-pro.fees", "'2.6-pro' is not"),
    ('usd = "0.035", unit = "prompt"', 'usd = "0.035", unit = "promt"', "fees.2.5-flash.web_search.unit", "promt"),
    ('usd = "0.035", unit = "prompt"', 'usd = "3,5c", unit = "prompt"', "fees.2.5-flash.web_search.usd", "dollar amount"),
    ('flex = { input = "0.5"', 'flex = { input = "half"', "tiers.flex", "factor"),
    ('vendor = "google"', 'vendor = "google', "google.toml", "line 9"),
    ("web_search = { input_billed = false }", "web_search = {}", "tools.web_search", "input_billed"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "mistake", "where", "why"), MISTAKES)
def test_a_mistake_is_told_with_file_model_and_key(written: str, mistake: str, where: str, why: str) -> None:
    assert written in TEXT
    with pytest.raises(CatalogError) as caught:
        parse_catalog(TEXT.replace(written, mistake, 1), "google.toml")
    told = str(caught.value)
    assert told.startswith("google.toml"), told
    assert where in told, told
    assert why in told, told


def with_models(*entries: tuple[str, str]) -> Catalog:
    return CATALOG.with_models(OperatorModel(name, target) for name, target in entries)


def test_an_operators_name_takes_over_what_is_known_of_its_model() -> None:
    catalog = with_models(("fast", "studio/gemini-2.5-flash"))
    model, known = catalog.resolve("fast").model, CATALOG.models["gemini-2.5-flash"]
    assert model.targets == (ModelTarget("studio", "gemini-2.5-flash"),)
    assert (model.capabilities, model.prices, model.description) == (
        known.capabilities,
        known.prices,
        known.description,
    )
    assert model.aliases == ()
    assert catalog.resolve("gemini-2.5-flash").model == known
    assert catalog.resolve("fast-thinking").name == "fast"
    assert "fast" in {row.id for row in catalog.listing()}


def test_an_operators_name_overrides_a_model_of_the_file() -> None:
    model = with_models(("gemini-3-pro-preview", "eu/gemini-3-pro-preview")).resolve("gemini-3-pro-preview").model
    assert model.targets == (ModelTarget("eu", "gemini-3-pro-preview"),)
    assert not model.retired


def test_an_operators_name_overrides_an_alias() -> None:
    catalog = with_models(("gemini-flash-latest", "studio/gemini-3.6-flash"))
    assert catalog.resolve("gemini-flash-latest").model.capabilities == CATALOG.models["gemini-3.6-flash"].capabilities
    assert catalog.resolve("gemini-flash-latest").name == "gemini-flash-latest"
    assert catalog.models["gemini-3.8-flash"].aliases == ()
    ids = [row.id for row in catalog.listing()]
    assert len(ids) == len(set(ids))


def test_several_entries_of_one_name_are_several_targets() -> None:
    model = with_models(("mine", "a/gemini-2.5-pro"), ("mine", "b/gemini-2.5-flash")).resolve("mine").model
    assert model.targets == (ModelTarget("a", "gemini-2.5-pro"), ModelTarget("b", "gemini-2.5-flash"))


def test_an_unknown_upstream_model_is_unpriced_and_not_free() -> None:
    model = with_models(("house", "local/org/llama-7b")).resolve("house").model
    assert model.targets == (ModelTarget("local", "org/llama-7b"),)
    assert (model.prices.rows, model.prices.free) == ((), False)
    assert model.owned_by == "local"
    assert with_models(("next", "studio/gemini-3.9-flash")).resolve("next").model.capabilities.generation == (3, 9)


def test_extending_leaves_the_shipped_catalog_alone() -> None:
    with_models(("gemini-2.5-flash", "studio/other"))
    assert CATALOG.resolve("gemini-2.5-flash").model.targets == ()


@pytest.mark.parametrize(
    ("name", "target", "where"),
    [
        ("mine", "gemini-2.5-pro", "models.mine.target"),
        ("mine", "/gemini-2.5-pro", "models.mine.target"),
        ("mine", "studio/", "models.mine.target"),
        ("", "studio/x", "models..name"),
        ("gemini", "studio/x", "models.gemini.name"),
        ("notes.json", "studio/x", "models.notes.json.name"),
        ("two\nlines", "studio/x", "name"),
        (" padded", "studio/x", "name"),
    ],
)
def test_an_entry_that_cannot_work_is_refused(name: str, target: str, where: str) -> None:
    with pytest.raises(CatalogError) as caught:
        with_models((name, target))
    assert where in str(caught.value)
