"""A rehabilitation simulator: people of known faults perform exercises before a sensor."""

from zoo.data.simulator.faults import FAULTS, GROUPS, Truth, truth
from zoo.data.simulator.performance import Performance, Settings, perform, record

__all__ = ["FAULTS", "GROUPS", "Performance", "Settings", "Truth", "perform", "record", "truth"]
