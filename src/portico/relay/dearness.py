"""What one deployment costs beside another: a million tokens in and a million out, at the prices of a day.

Enough to say which of two models is the dearer; what a call is charged is another matter (`metering.charge`).
"""

import math
from datetime import date
from typing import Final

from portico.catalog import Model
from portico.catalog.books import PriceBooks
from portico.core.usage import Usage
from portico.metering.charge import charge
from portico.routing import Deployment

_SAMPLE: Final = Usage(input_uncached={"text": 1_000_000}, output_visible={"text": 1_000_000})


def dearness(books: PriceBooks, model: Model, deployment: Deployment, on: date) -> float:
    """In nano-dollars; infinite where no price is known, since that may be any."""
    rates = books.rates(
        model=model,
        provider=deployment.provider.name,
        provider_kind=deployment.provider.kind.name,
        upstream_model=deployment.upstream_model,
        account="",
        on=on,
    )
    return charge(_SAMPLE, {}, rates).nanos if rates.known or rates.free else math.inf
