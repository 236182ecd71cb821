"""What an operator sees of a running gateway: one line a request, and numbers to scrape.

Nothing here knows a prompt, an answer, a key or a query: it is told of requests by `relay.report`, which holds none.
"""

from portico.telemetry.lines import LineWriter
from portico.telemetry.logs import AccessLog
from portico.telemetry.metrics import Metrics
from portico.telemetry.observing import Observing
from portico.telemetry.sampling import Sampler

__all__ = ["AccessLog", "LineWriter", "Metrics", "Observing", "Sampler"]
