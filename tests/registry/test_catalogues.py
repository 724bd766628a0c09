"""The user's folder on top of all catalogues; files that are no entries; catalogues in a wheel."""

import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import registry
from registry import LAYOUTS, MODELS, RegistryError, catalogues, use_config_dir
from registry.errors import ConfigError
from registry.yaml_files import read_yaml
from zoo.catalogue import card, parameters
from zoo.compose import compose
from zoo.models import create_model


@pytest.fixture
def user_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A user's config folder, forgotten afterwards."""
    monkeypatch.setattr(catalogues, "_user_dirs", [])
    folder = tmp_path / "my-configs"
    for kind in ("model", "layout", "protocol", "experiment"):
        (folder / kind).mkdir(parents=True)
    use_config_dir(folder)
    return folder


def test_a_users_file_is_laid_over_the_entry(user_dir: Path) -> None:
    usual = parameters(MODELS.get("gru"))
    (user_dir / "model" / "gru.yaml").write_text("params: {hidden: 16}\n")
    assert compose(model="gru")["model"] == {"name": "gru", **usual, "hidden": 16}
    assert card("gru").year == 2014
    assert MODELS.get("gru").owner.startswith("skeleton-zoo ")


def test_a_variant_is_three_lines_of_yaml(user_dir: Path) -> None:
    (user_dir / "model" / "stgcn.yaml").write_text(
        "variants:\n  narrow:\n    params: {channels: [8, 8], strides: [1, 2]}\n"
    )
    assert compose(model="stgcn-narrow")["model"]["channels"] == [8, 8]
    assert compose(model="stgcn")["model"]["channels"] != [8, 8]
    assert sum(p.numel() for p in create_model("stgcn-narrow").parameters()) < 20_000
    assert MODELS.get("stgcn-narrow").source.attribute == "STGCN"
    assert MODELS.get("stgcn-narrow").owner == str(user_dir / "model" / "stgcn.yaml")
    assert card("stgcn-narrow").year == 2018


def test_a_users_file_changes_a_variant_that_is_there(user_dir: Path) -> None:
    text = "variants:\n  small:\n    params: {dropout: 0.125}\n"
    (user_dir / "model" / "stgcn.yaml").write_text(text)
    small = compose(model="stgcn-small")["model"]
    assert (small["dropout"], len(small["channels"])) == (0.125, 6)
    (user_dir / "model" / "stgcn-small.yaml").write_text("params: {dropout: 0.25}\n")
    assert compose(model="stgcn-small")["model"]["dropout"] == 0.25


def test_the_folder_named_last_lies_on_top(user_dir: Path, tmp_path: Path) -> None:
    (user_dir / "model" / "gru.yaml").write_text("params: {hidden: 16, layers: 3}\n")
    (tmp_path / "other" / "model").mkdir(parents=True)
    (tmp_path / "other" / "model" / "gru.yaml").write_text("params: {hidden: 8}\n")
    use_config_dir(tmp_path / "other")
    made = compose(model="gru")["model"]
    assert (made["hidden"], made["layers"]) == (8, 3)


def test_a_new_entry_of_the_user(user_dir: Path) -> None:
    (user_dir / "model" / "mine.yaml").write_text("code: baselines.gru:GRU\n")
    (user_dir / "layout" / "stick.yaml").write_text("joints: [{name: a}]\n")
    assert MODELS.get("mine").load() is MODELS.get("gru").load()
    assert MODELS.get("mine").owner == str(user_dir / "model" / "mine.yaml")
    assert "stick" in LAYOUTS.names()


def test_a_users_code_does_not_take_a_name(user_dir: Path) -> None:
    (user_dir / "model" / "gru.yaml").write_text("code: baselines.bilstm:BiLSTM\n")
    with pytest.raises(RegistryError, match=r"claimed by skeleton-zoo .*gru\.yaml"):
        MODELS.get("gru").load()


def test_a_users_model_without_code(user_dir: Path) -> None:
    (user_dir / "model" / "new.yaml").write_text("params: {}\n")
    with pytest.raises(RegistryError, match=r"new\.yaml names no code .code: package"):
        MODELS.get("new").load()


def test_a_users_broken_file_is_named(user_dir: Path) -> None:
    (user_dir / "model" / "gru.yaml").write_text("params: [\n")
    with pytest.raises(RegistryError, match=r"'gru' of skeleton-zoo .*gru\.yaml"):
        compose(model="gru")


def test_missing_config_dir(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such folder"):
        use_config_dir(tmp_path / "absent")


def test_files_of_a_kind_without_a_registry(user_dir: Path) -> None:
    (user_dir / "experiment" / "mine.yaml").write_text("seed: 3\n")
    assert "mine" in registry.config_names("experiment")
    file = registry.find_config("experiment", "mine")
    assert file == user_dir / "experiment" / "mine.yaml"
    assert registry.find_config("experiment", "absent") is None


@pytest.mark.parametrize("text", ["a: [", "- 1\n- 2\n", "a: ${missing}\n"])
def test_bad_yaml_names_the_file(user_dir: Path, text: str) -> None:
    file = user_dir / "experiment" / "bad.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"bad\.yaml"):
        read_yaml(file)


def test_configs_are_found_inside_a_zip(tmp_path: Path) -> None:
    """A wheel holds the configs in `zoo/configs`; Python can import it without unpacking."""
    root = Path(registry.__file__).resolve().parents[1]
    archive = tmp_path / "wheel.zip"
    info = "skeleton_zoo-9.9.dist-info"
    with zipfile.ZipFile(archive, "w") as z:
        packages = [*(root / "zoo").rglob("*.py"), *(root / "registry").rglob("*.py")]
        for file in packages:
            z.write(file, file.relative_to(root))
        for file in (root / "configs").rglob("*.yaml"):
            z.write(file, Path("zoo") / file.relative_to(root))
        z.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: skeleton-zoo\nVersion: 9.9\n")
        z.writestr(f"{info}/entry_points.txt", "[zoo.catalogues]\nskeleton-zoo = zoo\n")
        z.writestr(f"{info}/RECORD", "".join(f"{f.relative_to(root)},,\n" for f in packages))
    code = f"""
        import sys
        sys.path.insert(0, {str(archive)!r})
        import registry
        from zoo.catalogue import card
        assert ".zip" in registry.__file__, registry.__file__
        assert "kinect-v2" in registry.config_names("layout")
        entry = registry.PROTOCOLS.get("person-kfold")
        assert (entry.owner, entry.problem) == ("skeleton-zoo 9.9", None), entry
        assert ".zip" in str(entry.file), entry.file
        assert card("stgcn-small").title == "ST-GCN, small"
    """
    subprocess.run([sys.executable, "-I", "-c", textwrap.dedent(code)], check=True, cwd=tmp_path)
