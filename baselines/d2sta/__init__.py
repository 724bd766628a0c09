"""D2STA with its grouping and its measures of motion, and D2STA-plus, the zoo's own on its idea."""

from baselines.d2sta.model import D2STA
from baselines.d2sta.plus import D2STAPlus

__all__ = ["D2STA", "D2STAPlus"]
