"""What is true of a data file of any vendor, told once: each test module hands in its models."""

import json
import unicodedata
from datetime import date

from laws.corpus import FOLDER
from portico.catalog import Model, PriceKind, PriceRow, Rates, Tier, load_catalog
from portico.catalog.books import PriceBooks

CATALOG = load_catalog()
BOOKS = PriceBooks(CATALOG)
TODAY = date(2026, 11, 28)
MAINLAND_WORDS = (
    "視頻 默認 文件夾 信息 網頁端 質量 代碼 智能體 屏幕 音頻 文本 搜索 支付 賬單 響應 調用 鼠標 圖片 生成器 下線 緩存"
)
HONG_KONG_WORDS = "影片 预设 档案 讯息 质素 程式码 萤幕 声线 搜寻 收据 圖 檔 網"


def of_vendor(vendor: str) -> list[Model]:
    return [model for model in CATALOG.models.values() if model.vendor == vendor]


def rates_of(name: str, kind: str, *, tier: Tier = Tier.STANDARD, on: date = TODAY) -> Rates:
    """What a call of a model costs at a provider of that kind."""
    model = CATALOG.models[name]
    return BOOKS.rates(
        model=model, provider=kind, provider_kind=kind, upstream_model=name, account="acc_1", on=on, tier=tier
    )


def is_sourced(model: Model) -> bool:
    return bool(model.title and model.source.strip()) and date(2026, 10, 1) <= model.as_of <= TODAY


def has_limits(model: Model) -> bool:
    able = model.capabilities
    writes = able.max_output_tokens > 0 or "embedding" in able.output_modalities
    return 0 < able.max_input_tokens <= 2_000_000 and writes and able.max_output_tokens <= 272_000


def check_words(model: Model) -> None:
    """One line in each language, written and not converted."""
    for locale in ("en", "zh-CN", "zh-HK"):
        line = model.description.in_locale(locale)
        assert "\n" not in line
        assert not set("!！") & set(line)
        assert line.endswith("." if locale == "en" else "。")
        assert len(line) <= 125
    mainland, hong_kong = model.description.zh_cn, model.description.zh_hk
    mainland.encode("gb2312")  # has no traditional-only character
    hong_kong.encode("big5hkscs")  # has no simplified-only character
    assert not [word for word in MAINLAND_WORDS.split() if word in hong_kong]
    assert not [word for word in HONG_KONG_WORDS.split() if word in mainland]
    pairs = list(zip(mainland, hong_kong, strict=False))
    converted = all(a == b or (_is_ideograph(a) and _is_ideograph(b)) for a, b in pairs)
    assert len(mainland) != len(hong_kong) or not converted


def _is_ideograph(char: str) -> bool:
    return unicodedata.name(char, "").startswith("CJK UNIFIED")


def is_dearer_by_band(rows: tuple[PriceRow, ...], kind: PriceKind) -> bool:
    """A longer prompt is never cheaper by the token."""
    found = sorted((row.above_tokens, row.rate_nanos) for row in rows if row.kind is kind and not row.cached)
    return [rate for _, rate in found] == sorted(rate for _, rate in found)


def recorded_names(*kinds: str) -> set[str]:
    """Every model that a recorded request of these kinds asked for and was answered with 200."""
    names: set[str] = set()
    for path in sorted(path for kind in kinds for path in FOLDER.glob(f"{kind}/*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            for raw in map(json.loads, lines):
                request = raw.get("request")
                if isinstance(request, dict) and raw["response"].get("status") == 200:
                    names.add(str(request.get("model") or raw.get("model") or ""))
    return names - {""}
