"""A run's configuration: what overrides what, and how mistakes are answered."""

import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import registry
from zoo import config, resources
from zoo.errors import ConfigError


@pytest.fixture
def user_dir(tmp_path: Path) -> Iterator[Path]:
    """A user's config folder, forgotten afterwards."""
    dirs = list(resources._user_dirs)
    added = {r.kind: list(r._added) for r in registry.REGISTRIES.values()}
    folder = tmp_path / "my-configs"
    for kind in ("model", "layout", "experiment", "trainer"):
        (folder / kind).mkdir(parents=True)
    yield folder
    resources._user_dirs[:] = dirs
    for r in registry.REGISTRIES.values():
        r._added[:] = added[r.kind]


def test_defaults() -> None:
    made = config.compose(model="d2sta")
    assert made["dataset"]["name"] == "synthetic"
    assert made["protocol"]["name"] == "person-kfold"
    assert (made["seed"], made["fold"]) == (0, 0)
    assert "card" not in made["model"]


def test_order_of_precedence() -> None:
    made = config.compose(
        model="d2sta", experiment="d2sta_kimore", seed=7, overrides=["trainer.epochs=3"]
    )
    assert made["dataset"]["name"] == "kimore"
    assert made["protocol"]["name"] == "d2sta-paper"
    assert made["trainer"]["lr"] == 1e-4
    assert made["trainer"]["epochs"] == 3
    assert made["seed"] == 7
    assert config.compose(experiment="d2sta_kimore")["seed"] == 3407
    assert config.compose(experiment="d2sta_kimore", model="stgcn-small")["model"]["name"] == (
        "stgcn-small"
    )


def test_a_protocol_can_say_how_to_train() -> None:
    made = config.compose(model="d2sta", protocol="stgcn-rehab")
    plain = config.compose(model="d2sta")
    assert made["model"]["head"] == {"name": "huber", "delta": 0.1}
    assert made["trainer"] == plain["trainer"]
    assert "head" not in plain["model"]
    assert "head" not in config.compose(model="mean", protocol="stgcn-rehab")["model"]
    assert "seeds" not in made["protocol"]
    told = ["model.head=mse"]
    assert config.compose(model="d2sta", protocol="stgcn-rehab", overrides=told)["model"][
        "head"
    ] == "mse"  # fmt: skip


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("model.gruops=4", r"'model\.gruops'.*'model\.groups'"),
        ("trainer.epoch=4", r"'trainer\.epoch'.*'trainer\.epochs'"),
        ("trainer.epochs", "key=value"),
        ("nonsense=1", "no setting is called 'nonsense'"),
        ("trainer.epochs=[1", "trainer.epochs"),
    ],
)
def test_mistyped_override(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        config.compose(model="d2sta", overrides=[override])


def test_unknown_experiment_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="'d2sta_kimor'.*'d2sta_kimore'"):
        config.compose(experiment="d2sta_kimor")


def test_no_model() -> None:
    with pytest.raises(ConfigError, match="--model"):
        config.compose()


def test_every_config_belongs_to_an_entry() -> None:
    for kind, entries in registry.REGISTRIES.items():
        own = {e.name for e in entries.entries() if e.owner.startswith("skeleton-zoo ")}
        assert set(resources.config_names(kind)) == own, kind


def test_every_experiment_composes() -> None:
    trainings = [
        name
        for name in resources.config_names("experiment")
        if "bench" not in config.experiment_block(name)
    ]
    assert trainings
    for name in trainings:
        assert config.compose(experiment=name)["trainer"]["epochs"] > 0


def test_user_dir_wins_and_adds(user_dir: Path) -> None:
    (user_dir / "trainer" / "default.yaml").write_text("epochs: 7\n")
    (user_dir / "model" / "my-stgcn.yaml").write_text("extends: stgcn\nparams: {dropout: 0.125}\n")
    (user_dir / "layout" / "stick.yaml").write_text("title: Stick\n")
    (user_dir / "layout" / "bent.yaml").write_text("extends: stick\n")
    config.use_config_dir(user_dir)
    made = config.compose(model="my-stgcn")
    assert made["model"]["dropout"] == 0.125
    assert config.entry_config("trainer", "default") == {"epochs": 7}
    assert registry.MODELS.get("my-stgcn").source.attribute == "STGCN"
    assert {"stick", "bent"} <= set(registry.LAYOUTS.names())


def test_user_model_without_a_base(user_dir: Path) -> None:
    (user_dir / "model" / "new.yaml").write_text("params: {}\n")
    with pytest.raises(ConfigError, match="extends"):
        config.use_config_dir(user_dir)


def test_missing_config_dir(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such folder"):
        config.use_config_dir(tmp_path / "absent")


def test_circle_of_extends(user_dir: Path) -> None:
    (user_dir / "experiment" / "a.yaml").write_text("extends: b\n")
    (user_dir / "experiment" / "b.yaml").write_text("extends: a\n")
    resources.add_config_dir(user_dir)
    with pytest.raises(ConfigError, match="a -> b -> a"):
        config.entry_config("experiment", "a")


@pytest.mark.parametrize("text", ["a: [", "- 1\n- 2\n", "a: ${missing}\n"])
def test_bad_yaml_names_the_file(user_dir: Path, text: str) -> None:
    file = user_dir / "experiment" / "bad.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"bad\.yaml"):
        config.read_yaml(file)


def test_hash_ignores_the_order_of_keys() -> None:
    assert config.config_hash({"a": 1, "b": 2}) == config.config_hash({"b": 2, "a": 1})
    assert config.config_hash({"a": 1}) != config.config_hash({"a": 2})


def test_configs_are_found_inside_a_zip(tmp_path: Path) -> None:
    """A wheel holds the configs in `zoo/configs`; Python can import it without unpacking."""
    root = Path(resources.__file__).resolve().parents[1]
    archive = tmp_path / "wheel.zip"
    with zipfile.ZipFile(archive, "w") as z:
        for package in ("zoo", "registry"):
            for file in (root / package).rglob("*.py"):
                z.write(file, file.relative_to(root))
        for file in (root / "configs").rglob("*.yaml"):
            z.write(file, Path("zoo") / file.relative_to(root))
    code = f"""
        import sys
        sys.path.insert(0, {str(archive)!r})
        from zoo import resources
        from zoo.config import read_yaml
        assert ".zip" in resources.__file__, resources.__file__
        assert "kinect-v2" in resources.config_names("layout")
        assert read_yaml(resources.find_config("protocol", "person-kfold"))["card"]
    """
    subprocess.run([sys.executable, "-I", "-c", textwrap.dedent(code)], check=True, cwd=tmp_path)
