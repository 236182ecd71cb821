"""Every page of the house. Order matters: the first pattern that matches an address is the page."""

from typing import Final

from portico.web.page import Page
from portico.web.site import (
    benchmarks,
    catalog,
    changes,
    compare,
    conformance,
    docs,
    landing,
    legal,
    models,
    pricing,
    receipts,
    status,
)

PAGES: Final[tuple[Page, ...]] = (
    *landing.PAGES,
    *catalog.PAGES,
    *compare.PAGES,
    *models.PAGES,
    *pricing.PAGES,
    *status.PAGES,
    *conformance.PAGES,
    *benchmarks.PAGES,
    *receipts.PAGES,
    *changes.PAGES,
    *legal.PAGES,
    *docs.PAGES,
)
