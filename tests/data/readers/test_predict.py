"""A model trained on Kinect's joints scores files of other forms that can give them."""

import numpy as np
import pytest

import zoo
from zoo.cli.main import main
from zoo.errors import DataError, ZooError


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    made = zoo.train(
        "ridge-pose", "synthetic", exercise="5", runs=folder, data_root=folder / "data"
    )
    return made.path


@pytest.mark.parametrize(
    ("name", "options"),
    [("ntu", {}), ("wide-csv", {}), ("long-csv", {}), ("irds-csv", {}), ("kimore-filtered", {}),
     ("mediapipe", {}), ("numpy", {"fps": 25})],
)  # fmt: skip
def test_scores(name, options, run, files, tmp_path):
    scored = zoo.predict(run, [files.SAMPLES[name][0](tmp_path)], dataset=name, **options)
    assert all(np.isfinite(each.score) for each in scored)
    assert any("never tested on such recordings" in note for note in scored[0].notes)
    assert (name == "mediapipe") == any("made of others" in note for note in scored[0].notes)


def test_settings_and_another_form_on_the_command_line(run, files, tmp_path, capsys):
    file = files.mediapipe_csv(tmp_path)
    rows = [line.partition(",")[2] for line in file.read_text().split("\n")]
    file.write_text("\n".join(rows))
    command = ["predict", str(run), str(file)]
    assert main([*command, "--dataset", "mediapipe"]) == 2
    assert "give the reader fps" in capsys.readouterr().err
    assert main([*command, "fps=30", "--dataset", "mediapipe"]) == 0
    assert "world landmarks" in capsys.readouterr().out
    assert main([*command, "--dataset", "kimore"]) == 2
    assert "looks like a file of mediapipe" in " ".join(capsys.readouterr().err.split())
    assert main([*command, "frames=30", "--dataset", "mediapipe"]) == 2
    assert "has no key 'frames'" in " ".join(capsys.readouterr().err.split())


def test_joints_that_cannot_be_made_are_told(run, files, tmp_path):
    with pytest.raises(DataError, match="of kinect-v2, the nearest, .* are missing"):
        zoo.predict(run, [files.alphapose(tmp_path)], dataset="alphapose", fps=25)
    with pytest.raises(ZooError, match="looks like a file of openpose"):
        zoo.predict(run, [files.openpose(tmp_path)], dataset="ntu")
