"""Every page of the house. Order matters: the first pattern that matches an address is the page."""

from typing import Final

from portico.web.page import Page
from portico.web.site import catalog, changes, compare, conformance, docs, landing, models, pricing, status

PAGES: Final[tuple[Page, ...]] = (
    *landing.PAGES,
    *catalog.PAGES,
    *compare.PAGES,
    *models.PAGES,
    *pricing.PAGES,
    *status.PAGES,
    *conformance.PAGES,
    *changes.PAGES,
    *docs.PAGES,
)
