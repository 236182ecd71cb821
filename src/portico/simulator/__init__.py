"""A strict, deterministic stand-in for the providers, for demos, tests and benchmarks.

It refuses what a provider refuses and answers what it would, marked `[simulated]`: Google's native API here, the others
each in a folder behind a door of its own. It is written from recorded traffic and shares nothing with the dialects, since
it judges them.
"""

from portico.simulator.app import Simulator
from portico.simulator.stats import Seen, Stats

__all__ = ["Seen", "Simulator", "Stats"]
