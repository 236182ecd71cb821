"""A strict, deterministic stand-in for Google Gemini's native API, for demos, tests and benchmarks.

It refuses what Google refuses and answers what Google would, marked `[simulated]`. It is written from recorded traffic and
shares nothing with the dialects, since it judges them.
"""

from portico.simulator.app import Simulator
from portico.simulator.stats import Seen, Stats

__all__ = ["Seen", "Simulator", "Stats"]
