"""What a model computes of recordings alone is computed once, and never stale."""

from dataclasses import replace

import pytest
import torch

from zoo.data.batch import Batch
from zoo.data.dataset import load_dataset
from zoo.data.derived import FOLDER, derivation
from zoo.data.samples import build_samples
from zoo.data.segment import Sampling
from zoo.errors import ConfigError


class Measuring:
    """The mean place of each joint, and the calls it takes."""

    def __init__(self, times: float = 1.0) -> None:
        self.times, self.seen = times, []

    def derive(self, batch: Batch) -> Batch:
        x = batch.stream("position")
        assert batch.mask is None, "a recording comes without its padding"
        self.seen.append(tuple(x.shape))
        return batch._replace(x={"place": self.times * x.mean(1, keepdim=True)})


@pytest.fixture
def samples(trained):
    dataset = load_dataset("kimore", trained.data_root)
    return build_samples(list(dataset)[:4], Sampling(), (), ("position",), frames=None)


def of(measuring, samples, folder, **settings):
    return derivation(measuring.derive, settings).of(samples, folder)


def test_a_recording_is_measured_once_without_its_padding(samples, tmp_path):
    first, again = Measuring(), Measuring()
    found = of(first, samples, tmp_path)
    lengths = samples.mask.sum(1).tolist()
    assert [shape[1] for shape in first.seen] == lengths
    assert len(set(lengths)) > 1
    assert found.mask is None
    for i, length in enumerate(lengths):
        x = samples.streams["position"][i, :length]
        torch.testing.assert_close(found.streams["place"][i], x.mean(0, keepdim=True))
    kept = of(again, samples.subset([3, 1]), tmp_path)
    assert again.seen == []
    assert torch.equal(kept.streams["place"], found.streams["place"][[3, 1]])


def test_what_is_missing_is_added(samples, tmp_path):
    of(Measuring(), samples.subset([0, 1]), tmp_path)
    more = Measuring()
    of(more, samples, tmp_path)
    assert len(more.seen) == 2
    assert len(list((tmp_path / FOLDER).iterdir())) == 1


@pytest.mark.parametrize("change", ["settings", "frames", "rate"])
def test_other_settings_or_recordings_are_measured_anew(samples, tmp_path, change):
    of(Measuring(), samples, tmp_path)
    other = samples
    if change == "frames":
        x = samples.streams["position"].clone()
        x[2, 5] += 0.01
        other = replace(samples, streams={"position": x})
    elif change == "rate":
        other = replace(samples, fps=[2 * fps for fps in samples.fps])
    again = Measuring()
    of(again, other, tmp_path, **({"times": 1} if change == "settings" else {}))
    assert len(again.seen) == {"settings": 4, "frames": 1, "rate": 4}[change]


def test_a_damaged_file_is_made_anew(samples, tmp_path):
    of(Measuring(), samples, tmp_path)
    (file,) = (tmp_path / FOLDER).iterdir()
    file.write_bytes(file.read_bytes()[:-20])
    again = Measuring()
    of(again, samples, tmp_path)
    assert len(again.seen) == 4


def test_a_folder_that_cannot_be_written_only_costs_time(samples, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    measuring = Measuring()
    assert "place" in of(measuring, samples, blocked).streams
    assert len(measuring.seen) == 4


def test_other_code_has_another_key(tmp_path, module_of):
    text = "class Own:\n    def derive(self, batch):\n        return batch\n"
    keys = []
    for number in range(2):
        file = tmp_path / f"own{number}.py"
        file.write_text(text + f"# {number}\n")
        own = module_of(str(file)).Own()
        keys.append(derivation(own.derive, {}).key)
    assert keys[0] != keys[1]


def test_tensors_of_one_shape_or_a_plain_refusal(samples, tmp_path):
    class Longer(Measuring):
        def derive(self, batch: Batch) -> Batch:
            return batch

    with pytest.raises(ConfigError, match="different shapes.*tensors of one shape"):
        of(Longer(), samples, tmp_path)
