"""Names resolve late, from three sources, and every fault names its owner."""

import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import registry
from registry import REGISTRIES, Registry, RegistryError, Source

OWN = {
    "model": {"d2sta", "stgcn", "stgcn-small", "aagcn", "aagcn-small", "mean"},
    "dataset": {"synthetic", "kimore", "stgcn-rehab", "uiprmd-kinect", "uiprmd-vicon", "irds"},
    "protocol": {"person-kfold", "d2sta-paper"},
    "layout": {"kinect-v2", "kinect-v2-agcn", "uiprmd-vicon-angles", "coco", "mediapipe"},
}


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """Puts a distribution with one module and its entry points on the path."""
    made = []

    def put(
        dist: str,
        points: dict[str, str],
        *,
        module: str | None = None,
        body: str = "",
        group: str = "zoo.models",
        owns: bool = True,
    ) -> Path:
        site = tmp_path / f"site-{len(made)}-{dist}"
        info = site / f"{dist.replace('-', '_')}-1.2.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: 1.2\n")
        lines = "\n".join(f"{name} = {target}" for name, target in points.items())
        (info / "entry_points.txt").write_text(f"[{group}]\n{lines}\n")
        record = [f"{info.name}/METADATA,,"]
        if module:
            (site / f"{module}.py").write_text(textwrap.dedent(body))
        if module or owns:
            record.append(f"{module or dist}.py,,")
        (info / "RECORD").write_text("\n".join(record) + "\n")
        monkeypatch.syspath_prepend(str(site))
        made.append(module)
        registry.refresh()
        return site

    yield put
    for module in made:
        sys.modules.pop(module or "", None)
    registry.refresh()


@pytest.mark.parametrize("kind", sorted(OWN))
def test_own_entries_come_through_entry_points(kind: str) -> None:
    entries = {e.name: e for e in REGISTRIES[kind].entries()}
    assert OWN[kind] <= set(entries)
    for name in OWN[kind]:
        assert entries[name].owner.startswith("skeleton-zoo ")
        assert entries[name].problem is None


def test_listing_imports_neither_torch_nor_the_models() -> None:
    code = """
        import sys, registry
        for r in registry.REGISTRIES.values():
            if not r.home:
                r.entries()
        heavy = {"torch", "numpy", "scipy", "zoo", "baselines"} & set(sys.modules)
        sys.exit(f"imported {heavy}" if heavy else 0)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)


def test_unknown_name_names_the_nearest() -> None:
    with pytest.raises(RegistryError, match=r"no model is called 'd2stb'.*'d2sta'"):
        registry.MODELS.get("d2stb")


def test_entry_point_of_a_stranger(install: Callable[..., Path]) -> None:
    install(
        "strange-models",
        {"strange": "strange_mod:Net"},
        module="strange_mod",
        body="""
        class Net: ...
    """,
    )
    entry = registry.MODELS.get("strange")
    assert entry.owner == "strange-models 1.2"
    assert "strange_mod" not in sys.modules
    assert entry.load().__name__ == "Net"
    assert registry.MODELS.names("str*nge") == ["strange"]


def test_file_of_an_installed_package_named_as_a_plugin_is_no_second_owner(
    install: Callable[..., Path], models: Registry
) -> None:
    body = """
        from registry import register_model

        @register_model("strange")
        class Net: ...
    """
    site = install(
        "strange-models", {"strange": "strange_mod:Net"}, module="strange_mod", body=body
    )
    registry.add_plugin(site / "strange_mod.py")
    for _ in range(2):  # loading runs the decorator, which names the class once more
        assert models.get("strange").owner == "strange-models 1.2"
        assert models.get("strange").load().__name__ == "Net"


def test_two_owners_are_both_named(install: Callable[..., Path]) -> None:
    install("dist-a", {"twice": "mod_a:Net"}, module="mod_a", body="class Net: ...")
    install("dist-b", {"twice": "mod_b:Net"}, module="mod_b", body="class Net: ...")
    with pytest.raises(RegistryError, match=r"twice") as caught:
        registry.MODELS.get("twice").load()
    assert "dist-a 1.2" in str(caught.value)
    assert "dist-b 1.2" in str(caught.value)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("import a_package_nobody_has\nclass Net: ...", "a_package_nobody_has"),
        ("class Net(:", "line 1"),
        ("class Other: ...", "defines no 'Net'"),
    ],
    ids=["import", "syntax", "name"],
)
def test_broken_plugin_is_listed_with_its_reason_without_being_run(
    install: Callable[..., Path], body: str, reason: str
) -> None:
    install("broken-dist", {"broken": "broken_mod:Net"}, module="broken_mod", body=body)
    entries = {e.name: e for e in registry.MODELS.entries()}
    assert reason in (entries["broken"].problem or "")
    assert entries["d2sta"].problem is None
    with pytest.raises(RegistryError, match="broken-dist 1.2"):
        entries["broken"].load()


def test_plugin_that_fails_when_run_is_found_by_check(install: Callable[..., Path]) -> None:
    body = "raise RuntimeError('no licence file')\nclass Net: ..."
    install("late-dist", {"late": "late_mod:Net"}, module="late_mod", body=body)
    assert registry.MODELS.get("late").problem is None
    (entry,) = registry.MODELS.entries("late", check=True)
    assert "RuntimeError: no licence file" in (entry.problem or "")


def test_missing_module_is_broken(install: Callable[..., Path]) -> None:
    install("gone-dist", {"gone": "gone_mod:Net"}, owns=False)
    assert registry.MODELS.get("gone").problem == "its module 'gone_mod' is not installed"


def test_module_of_somebody_else_is_refused_with_both_paths(install: Callable[..., Path]) -> None:
    mine = install("mine", {"m": "shared_name:Net"}, module="shared_name", body="class Net: ...")
    other = install("other", {}, module="shared_name", body="class Net: ...")
    problem = registry.MODELS.get("m").problem or ""
    assert str(other / "shared_name.py") in problem
    assert str(mine / "shared_name.py") in problem


PLUGIN = """
    from registry import register_model

    @register_model("from-file")
    class Net:
        '''A model in one file.'''
"""


@pytest.fixture
def models() -> Iterator[Registry]:
    """The model registry, cleared of the plug-ins of the test afterwards."""
    before = list(registry.MODELS._added)
    yield registry.MODELS
    registry.MODELS._added[:] = before


def test_plugin_file(tmp_path: Path, models: Registry) -> None:
    file = tmp_path / "my_net.py"
    file.write_text(textwrap.dedent(PLUGIN))
    assert registry.add_plugin(file) == ["from-file"]
    entry = models.get("from-file")
    assert entry.owner == str(file)
    loaded = entry.load()
    assert loaded.__doc__ == "A model in one file."
    assert models.get("from-file").load() is loaded, "the decorator is not a second owner"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1", "nothing is registered"),
        ("def f(:", "line 1"),
        (None, "no such Python file"),
    ],
)
def test_useless_plugin_file(tmp_path: Path, text: str | None, message: str) -> None:
    file = tmp_path / "p.py"
    if text is not None:
        file.write_text(text)
    with pytest.raises(RegistryError, match=message):
        registry.add_plugin(file)


def test_two_plugin_files_with_one_name(tmp_path: Path, models: Registry) -> None:
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text(textwrap.dedent(PLUGIN))
        registry.add_plugin(tmp_path / name)
    with pytest.raises(RegistryError, match=r"a\.py.*b\.py"):
        models.get("from-file").load()


def test_decorator_and_forget(models: Registry) -> None:
    @registry.register_model("decorated")
    class Net: ...

    assert models.get("decorated").load() is Net
    models.forget("decorated")
    assert "decorated" not in models


def test_plugin_cannot_take_the_name_of_a_built_in_model(tmp_path: Path, models: Registry) -> None:
    file = tmp_path / "thief.py"
    file.write_text(textwrap.dedent(PLUGIN).replace("from-file", "d2sta"))
    registry.add_plugin(file)
    with pytest.raises(RegistryError, match=r"skeleton-zoo .*thief\.py"):
        models.get("d2sta").load()


def test_source_target() -> None:
    assert Source("a.b", "C.d", "x").target == "a.b:C.d"
