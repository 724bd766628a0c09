"""signatures first"""
from dataclasses import dataclass


@dataclass(frozen=True)
class LeakageReport:
    """Who stands on both sides of a split (train + validation against test)."""
