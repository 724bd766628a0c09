"""A package of one's own to start from: a folder of `zoo/templates` under a new name.

A template is a real package, called ``my_model`` or ``my_dataset``; a new one is a copy of it in
which that name is replaced, so what is copied is linted, typed and tested like the rest of the zoo.
"""

import keyword
import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from registry import DATASETS, MODELS, Registry
from zoo.errors import ConfigError
from zoo.files import StorageError, replaced_folder

_TEMPLATES = Path(__file__).parent / "templates"
_LONGEST = 50


@dataclass(frozen=True)
class Kind:
    """What can be begun: ``templates/KIND``, whose package is called ``my_NOUN``."""

    noun: str
    registry: Registry


KINDS = {"baseline": Kind("model", MODELS), "dataset": Kind("dataset", DATASETS)}


def new_package(kind: str, name: str, folder: Path | str = ".") -> Path:
    """Write the package `name` into a new folder of that name; return the folder.

    It appears whole or not at all.

    Args:
        kind: of `KINDS`.
        name: of the model or dataset, the package, the module and the distribution alike.
        folder: where the new folder goes; made if it is not there.

    Raises:
        ConfigError: the name is no lower-case Python identifier, or taken; the folder exists.
        StorageError: the folder cannot be written.
    """
    chosen = KINDS[kind]
    _check_name(name, chosen)
    template = _TEMPLATES / kind
    target = Path(folder).expanduser() / name
    if target.exists() or target.is_symlink():
        raise ConfigError(f"{target} exists already: choose another name, or another folder=")
    try:
        with replaced_folder(target) as staging:
            for path in sorted(filter(Path.is_file, template.rglob("*"))):
                within = path.relative_to(template)
                if not any(part.startswith((".", "__pycache__")) for part in within.parts):
                    file = staging / _renamed(str(within), name, chosen.noun)
                    file.parent.mkdir(parents=True, exist_ok=True)
                    text = _renamed(path.read_text(encoding="utf-8"), name, chosen.noun)
                    file.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise StorageError(f"cannot write {target}: {error.strerror}") from error
    return target


def _check_name(name: str, kind: Kind) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*[a-z0-9]", name) or len(name) > _LONGEST:
        near = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_0123456789")[:_LONGEST].strip("_")
        hint = f", such as {near!r}" if len(near) > 1 else ""
        raise ConfigError(
            f"{name!r} cannot be the name of a Python package: use 2 to {_LONGEST} lower-case "
            f"letters, digits and underscores, a letter first and no underscore last{hint}"
        )
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        raise ConfigError(f"{name!r} is a word of the Python language: choose another name")
    for entry in kind.registry:
        if entry.name.replace("-", "_") == name:
            what = f"{entry.owner} has a {kind.noun} called {entry.name!r} already"
            raise ConfigError(f"{what}: choose another name")
    spec = find_spec(name)
    if spec is not None and spec.origin is not None:  # a folder without code has no origin
        raise ConfigError(
            f"a module called {name!r} is there already ({spec.origin}), and `import {name}` "
            "could find either: choose another name"
        )


def _renamed(text: str, name: str, noun: str) -> str:
    words, kind = name.split("_"), noun.capitalize()
    title = "".join(word.capitalize() for word in words)
    # The noun at the end keeps the class apart from what the module imports (Batch, Layout, …)
    title = title if title.endswith(kind) else f"{title}{kind}"
    for old, new in (
        (f"my_{noun}", name),
        (f"My{kind}", title),
        (f"My {noun}", " ".join(words).capitalize()),
    ):
        text = text.replace(old, new)
    return text
