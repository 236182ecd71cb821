"""Every page of the house. Order matters: the first pattern that matches an address is the page."""

from typing import Final

from portico.web.page import Page
from portico.web.site import conformance, docs, landing, models, pricing, status

PAGES: Final[tuple[Page, ...]] = (
    *landing.PAGES,
    *models.PAGES,
    *pricing.PAGES,
    *status.PAGES,
    *conformance.PAGES,
    *docs.PAGES,
)
