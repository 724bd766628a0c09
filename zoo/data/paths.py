"""Where prepared datasets live."""

import os
from pathlib import Path

import platformdirs


def data_root(explicit: str | Path | None = None) -> Path:
    """The folder that holds one folder per prepared dataset; it need not exist yet.

    Args:
        explicit: what the user named; wins.

    Returns:
        `explicit`, else the environment variable ``ZOO_DATA``, else ``skeleton-zoo`` in the
        platform's folder for user data.
    """
    if explicit is not None:
        return Path(explicit).expanduser()
    named = os.environ.get("ZOO_DATA")
    if named:
        return Path(named).expanduser()
    return Path(platformdirs.user_data_dir("skeleton-zoo", appauthor=False))
