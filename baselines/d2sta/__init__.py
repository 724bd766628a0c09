"""D2STA: the model, its grouping and its measures of motion."""

from baselines.d2sta.model import D2STA

__all__ = ["D2STA"]
