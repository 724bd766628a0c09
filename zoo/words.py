"""Numbers and names as a reader wants to see them."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

T = TypeVar("T")

NOTHING = "–"
"""Stands where there is no number."""

_NO_TEXT = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
_UNITS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def score_digits(score_range: Sequence[float] | None) -> int:
    """Decimals of scores and errors: four where scores run over no more than 1, else two."""
    return 4 if score_range is not None and score_range[1] - score_range[0] <= 1 else 2


def fixed(value: float | None, digits: int = 2, sign: bool = False) -> str:
    """A number with so many decimals and a true minus sign."""
    if value is None or not math.isfinite(value):
        return NOTHING
    text = f"{value:{'+' if sign else ''}.{digits}f}"
    if not float(text):
        text = text.lstrip("+-")
    return text.replace("-", "−")


def interval(low: float | None, high: float | None, digits: int = 2) -> str:
    """``5.31–6.40``; with a word between where a dash could be read as a minus."""
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return ""
    between = "–" if low >= 0 else " to "
    return f"{fixed(low, digits)}{between}{fixed(high, digits)}"


def with_interval(
    value: float | None, low: float | None, high: float | None, digits: int = 2
) -> str:
    """``5.31 (4.90–6.12)``; without the brackets where there is no interval."""
    shown = fixed(value, digits)
    between = "" if shown == NOTHING else interval(low, high, digits)
    return f"{shown} ({between})" if between else shown


def percent(share: float) -> str:
    """A share in four digits at most: ``90%``, ``99.5%``, ``66.67%``."""
    return f"{100 * share:.4g}%"


def count(value: float | None) -> str:
    """A large number in three digits: ``617``, ``197 k``, ``2.01 M``."""
    if value is None:
        return NOTHING
    for size, unit in _UNITS:
        if value >= size * 0.9995:
            return f"{value / size:.3g} {unit}"
    return f"{value:.3g}"


def seconds(value: float | None) -> str:
    """A time: ``0.4 s``, ``3 min 05 s``."""
    if value is None:
        return NOTHING
    return f"{value:.1f} s" if value < 9.95 else duration(value)


def duration(seconds: float) -> str:
    """Seconds in words: ``8 s``, ``3 min 05 s``, ``2 h 10 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def milliseconds(value: float | None) -> str:
    """A latency: ``0.31 ms``, ``10.6 ms``."""
    if value is None:
        return NOTHING
    return f"{value:.2f} ms" if value < 1 else f"{value:.1f} ms"


def probability(value: float | None) -> str:
    """A p-value; very small ones only by their bound."""
    if value is None:
        return NOTHING
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def natural(text: str) -> tuple[int, int, str]:
    """A sort key that puts numbers in order: 2 before 10, numbers before words."""
    number = text.lstrip("0")
    return (0, len(number), number) if text.isdecimal() else (1, 0, text)


def some(names: Iterable[str], most: int = 3, between: str = ", ") -> str:
    """The first few of `names`, and how many more there are."""
    known = list(names)
    more = f" and {len(known) - most} more" if len(known) > most else ""
    return between.join(known[:most]) + more


def plain(value: T) -> T:
    """`value`, a tree of dataclasses and containers, with every character replaced that is no text.

    These are control codes, lone surrogates (undecodable file names) and the marks that turn the
    direction of writing, with which a name could look like another.
    """
    same: Any = value
    if type(value) in (float, int, bool, type(None)):  # most of a board
        return value
    if isinstance(value, str):
        same = _NO_TEXT.sub("�", value)
    elif isinstance(value, Mapping):
        same = {plain(key): plain(item) for key, item in value.items()}
    elif isinstance(value, list):
        same = [plain(item) for item in value]
    elif isinstance(value, tuple):
        items = [plain(item) for item in value]
        same = value._make(items) if hasattr(value, "_make") else tuple(items)
    elif is_dataclass(value) and not isinstance(value, type):
        same = replace(value, **{f.name: plain(getattr(value, f.name)) for f in fields(value)})
    return same
