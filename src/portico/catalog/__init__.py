"""Models, their names, capabilities and prices: data files and the code that reads them.

`load_catalog()` is the way in. What differs between models is in `data/*.toml`, not in branches.
"""

from portico.catalog.books import Markup, PriceBooks, Published, Rates, published, tier_of
from portico.catalog.catalog import Catalog
from portico.catalog.errors import CatalogError
from portico.catalog.load import load_catalog, parse_catalog
from portico.catalog.model import (
    Description,
    ListedModel,
    Model,
    ModelKind,
    ModelTarget,
    OperatorModel,
    Resolved,
)
from portico.catalog.price import (
    ANY,
    METERED,
    PriceKind,
    PriceList,
    PriceRow,
    PriceUnit,
    Tier,
    TierRule,
    fee_of,
    nanos_of_usd,
    rate_of,
    usd_of_nanos,
)
from portico.catalog.thinking import DYNAMIC, EFFORTS, completed

__all__ = [
    "ANY",
    "DYNAMIC",
    "EFFORTS",
    "METERED",
    "Catalog",
    "CatalogError",
    "Description",
    "ListedModel",
    "Markup",
    "Model",
    "ModelKind",
    "ModelTarget",
    "OperatorModel",
    "PriceBooks",
    "PriceKind",
    "PriceList",
    "PriceRow",
    "PriceUnit",
    "Published",
    "Rates",
    "Resolved",
    "Tier",
    "TierRule",
    "completed",
    "fee_of",
    "load_catalog",
    "nanos_of_usd",
    "parse_catalog",
    "published",
    "rate_of",
    "tier_of",
    "usd_of_nanos",
]
