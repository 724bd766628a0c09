"""Nearest names, for error messages."""

import difflib
from collections.abc import Iterable


def nearest(name: str, names: Iterable[str], count: int = 3, cutoff: float = 0.5) -> list[str]:
    """The known names closest to `name`, best first.

    Args:
        name: what was asked for.
        names: what exists.
        count: at most so many.
        cutoff: how like they are at least, from 0 to 1 (`difflib.get_close_matches`).
    """
    folded = {n.casefold().replace("-", "_"): n for n in names}
    close = difflib.get_close_matches(
        str(name).casefold().replace("-", "_"), list(folded), n=count, cutoff=cutoff
    )
    return [folded[c] for c in close]


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """A clause for an error message: the nearest names, or all of them when none is near."""
    known = sorted(names)
    close = nearest(name, known)
    if close:
        return f"Did you mean {' or '.join(repr(c) for c in close)}?"
    return f"Known: {', '.join(known)}." if known else "Nothing is registered."
