"""Writing the page of recordings: what `zoo.view` and `zoo view` call."""

from collections.abc import Sequence
from pathlib import Path

from zoo.errors import ConfigError, UserError
from zoo.files import path_part
from zoo.prediction import Predictor
from zoo.report.publish import save
from zoo.viewer.page import render
from zoo.viewer.view import View, views_of


def write_page(
    predictor: Predictor,
    recordings: Sequence[Path | str],
    output: Path | None = None,
    *,
    beside: Path | str | None = None,
    method: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Show recordings in one page; arguments and errors as in `zoo.view`."""
    _require_new(output, overwrite)
    views = views_of(predictor, recordings, beside=beside, method=method)
    file = output or _name(views)
    _require_new(file, overwrite)
    return save(render(views, showable=showable(predictor, views)), file)


def showable(predictor: Predictor, views: Sequence[View]) -> bool:
    """Whether everybody may see these recordings: they are a dataset's of which that is known."""
    if predictor.dataset != predictor.run.record.dataset.name:
        return False
    try:
        dataset = predictor.own_dataset()
    except UserError:
        return False
    known = {info.id for info in dataset.index}
    bodies = [body for v in views for body in (v.body, v.beside and v.beside.body) if body]
    return dataset.showable and all(body.recording.id in known for body in bodies)


def _name(views: Sequence[View]) -> Path:
    """``RECORDING-MODEL.html``, with the number of others where there are several."""
    first = views[0]
    others = f"-and-{len(views) - 1}-more" if len(views) > 1 else ""
    model = first.predictor.run.record.model.name
    name = f"{first.body.recording.id}{others}-{model}".replace("/", "-")
    return Path(f"{path_part(name)}.html")


def _require_new(file: Path | None, overwrite: bool) -> None:
    if file is None or not (file.exists() or file.is_symlink()):
        return
    if file.is_dir():
        raise ConfigError(f"{file} is a folder: name a file, such as {file / 'movement.html'}")
    if not overwrite:
        raise ConfigError(f"{file} is there already: name another, or say that it is replaced")
