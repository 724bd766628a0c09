"""Names resolve late, from three sources, and every fault names its owner."""

import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import registry
from registry import REGISTRIES, Registry, RegistryError, Source
from zoo.protocol.protocol import load_protocol
from zoo.skeleton import load_layout

OWN = {
    "model": {"d2sta", "stgcn", "stgcn-small", "aagcn", "aagcn-small", "mean"},
    "dataset": {"synthetic", "kimore", "stgcn-rehab", "uiprmd-kinect", "uiprmd-vicon", "irds"},
    "protocol": {"person-kfold", "d2sta-paper"},
    "layout": {"kinect-v2", "kinect-v2-agcn", "uiprmd-vicon-angles", "coco", "mediapipe"},
}


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """Puts a distribution with one package on the path: its code, and the YAML files of entries."""
    made = []

    def put(
        dist: str,
        package: str,
        entries: dict[str, str],
        *,
        body: str = "",
        there: bool = True,
    ) -> Path:
        site = tmp_path / f"site-{len(made)}-{dist}"
        info = site / f"{dist.replace('-', '_')}-1.2.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(f"[zoo.catalogues]\n{dist} = {package}\n")
        (info / "RECORD").write_text(f"{info.name}/METADATA,,\n{package}/__init__.py,,\n")
        if there:
            (site / package / "configs").mkdir(parents=True)
            (site / package / "__init__.py").write_text(textwrap.dedent(body))
        for name, text in entries.items():
            file = site / package / "configs" / f"{name}.yaml"
            file.parent.mkdir(exist_ok=True)
            file.write_text(textwrap.dedent(text))
        monkeypatch.syspath_prepend(str(site))
        made.append(package)
        registry.refresh()
        return site / package

    yield put
    for module in made:
        for known in [m for m in sys.modules if m == module or m.startswith(f"{module}.")]:
            del sys.modules[known]
    registry.refresh()


@pytest.mark.parametrize("kind", sorted(OWN))
def test_own_entries_come_through_a_catalogue(kind: str) -> None:
    entries = {e.name: e for e in REGISTRIES[kind].entries()}
    assert OWN[kind] <= set(entries)
    for name in OWN[kind]:
        assert entries[name].owner.startswith("skeleton-zoo ")
        assert entries[name].problem is None


def test_listing_imports_neither_torch_nor_the_models() -> None:
    code = """
        import sys, registry
        for r in registry.REGISTRIES.values():
            if not r.home:  # the others' built-in entries register themselves when imported
                r.entries()
        assert len([r for r in registry.REGISTRIES.values() if not r.home]) == 4
        heavy = {"torch", "numpy", "scipy", "zoo", "baselines"} & set(sys.modules)
        sys.exit(f"imported {heavy}" if heavy else 0)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)


def test_unknown_name_names_the_nearest() -> None:
    with pytest.raises(RegistryError, match=r"no model is called 'd2stb'.*'d2sta'"):
        registry.MODELS.get("d2stb")


def test_every_file_makes_entries_and_every_entry_has_one() -> None:
    for kind, entries in REGISTRIES.items():
        own = [e for e in entries.entries() if e.owner.startswith("skeleton-zoo ")]
        files = {str(e.file).rpartition("/")[2].removesuffix(".yaml") for e in own}
        assert set(registry.config_names(kind)) == files, kind


def test_entry_of_a_stranger(install: Callable[..., Path]) -> None:
    install(
        "strange-models",
        "strange_mod",
        {"model/strange": "code: strange_mod:Net"},
        body="""
        class Net: ...
    """,
    )
    entry = registry.MODELS.get("strange")
    assert entry.owner == "strange-models 1.2"
    assert "strange_mod" not in sys.modules
    assert entry.load().__name__ == "Net"
    assert registry.MODELS.names("str*nge") == ["strange"]


def test_a_strangers_layout_and_protocol_need_no_code(install: Callable[..., Path]) -> None:
    files = {
        "layout/stick": "joints: [{name: low}, {name: high, parent: low}]",
        "protocol/mine": "params: {selection: last}",
    }
    install("strange-rooms", "strange_rooms", files)
    assert registry.LAYOUTS.get("stick").owner == "strange-rooms 1.2"
    assert load_layout("stick").joints == ("low", "high")
    assert load_protocol("mine").selection == "last"


def test_any_kind_takes_what_a_strangers_file_names(install: Callable[..., Path]) -> None:
    files = {"metric/share": "code: strange_metrics:share"}
    install("strange-metrics", "strange_metrics", files, body="def share(true, predicted): ...")
    metrics = Registry("metric")
    assert metrics.get("share").owner == "strange-metrics 1.2"
    assert metrics.get("share").load().__name__ == "share"


def test_an_added_file_is_an_entry_at_once(install: Callable[..., Path]) -> None:
    """A new model is one .py and one .yaml, and nothing is installed anew."""
    package = install("strange-models", "strange_mod", {})
    (package / "reach.py").write_text(
        "class Reach:\n    def __init__(self, layout, width=4): ...\n"
    )
    (package / "configs" / "model").mkdir()
    file = package / "configs" / "model" / "reach.yaml"
    file.write_text("code: strange_mod.reach:Reach\n")
    assert registry.MODELS.get("reach").problem is None
    assert "strange_mod" not in sys.modules
    file.write_text(file.read_text() + "variants:\n  wide:\n    params: {width: 8}\n")
    assert registry.MODELS.names("reach*") == ["reach", "reach-wide"]
    assert registry.MODELS.get("reach-wide").config == {"params": {"width": 8}}
    assert registry.MODELS.get("reach-wide").load().__name__ == "Reach"


def test_a_variant_is_laid_over_what_it_begins_with(install: Callable[..., Path]) -> None:
    text = """
        code: strange_mod:Net
        card: {title: Net, tags: [neural], year: 2020}
        params: {width: 8, depth: 2}
        variants:
          small:
            card: {title: Net, tags: [neural, small]}
            params: {width: 4}
          other: {code: "strange_mod:Other"}
    """
    install("strange-models", "strange_mod", {"model/net": text})
    small = registry.MODELS.get("net-small").config
    assert small["card"] == {"title": "Net", "tags": ["neural", "small"], "year": 2020}
    assert small["params"] == {"width": 4, "depth": 2}
    assert registry.MODELS.get("net-other").source.attribute == "Other"
    assert registry.MODELS.get("net").config["params"]["width"] == 8


def test_where_only_variants_name_code_the_file_is_no_entry(install: Callable[..., Path]) -> None:
    text = "variants: {a: {code: 'strange_mod:A'}, b: {code: 'strange_mod:B'}}"
    install("strange-models", "strange_mod", {"model/pair": text})
    assert registry.MODELS.names("pair*") == ["pair-a", "pair-b"]


def test_file_of_an_installed_package_named_as_a_plugin_is_no_second_owner(
    install: Callable[..., Path], models: Registry
) -> None:
    body = """
        from registry import register_model

        @register_model("strange")
        class Net: ...
    """
    package = install(
        "strange-models", "strange_mod", {"model/strange": "code: strange_mod:Net"}, body=body
    )
    registry.add_plugin(package / "__init__.py")
    for _ in range(2):  # loading runs the decorator, which names the class once more
        assert models.get("strange").owner == "strange-models 1.2"
        assert models.get("strange").load().__name__ == "Net"


def test_two_owners_are_both_named(install: Callable[..., Path]) -> None:
    install("dist-a", "mod_a", {"model/twice": "code: mod_a:Net"}, body="class Net: ...")
    install("dist-b", "mod_b", {"model/twice": "code: mod_b:Net"}, body="class Net: ...")
    with pytest.raises(RegistryError, match=r"twice") as caught:
        registry.MODELS.get("twice").load()
    assert "dist-a 1.2" in str(caught.value)
    assert "dist-b 1.2" in str(caught.value)


def test_two_owners_of_what_the_zoo_builds_are_both_named(install: Callable[..., Path]) -> None:
    install("dist-a", "mod_a", {"layout/twice": "joints: [{name: a}]"})
    install("dist-b", "mod_b", {"layout/twice": "joints: [{name: a}]"})
    with pytest.raises(RegistryError, match=r"dist-. 1\.2 .*dist-. 1\.2 "):
        registry.LAYOUTS.get("twice").load()


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
    install("broken-dist", "broken_mod", {"model/broken": "code: broken_mod:Net"}, body=body)
    entries = {e.name: e for e in registry.MODELS.entries()}
    assert reason in (entries["broken"].problem or "")
    assert entries["d2sta"].problem is None
    with pytest.raises(RegistryError, match="broken-dist 1.2"):
        entries["broken"].load()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("code: [", "broken.yaml"),
        ("- 1", "expected a mapping"),
        ("params: {}", "broken.yaml names no code"),
        ("code: broken_mod", "code is 'broken_mod', expected package.module:Object"),
        ("code: 3", "code is 3"),
        ("{code: 'broken_mod:Net', variants: [small]}", r"variants is \['small'\]"),
        ("{code: 'broken_mod:Net', variants: {small: 3}}", r"variants.small is 3"),
    ],
)
def test_a_broken_file_is_listed_with_its_reason(
    install: Callable[..., Path], text: str, reason: str
) -> None:
    install("broken-dist", "broken_mod", {"model/broken": text}, body="class Net: ...")
    assert registry.MODELS.get("d2sta").problem is None
    with pytest.raises(RegistryError, match=reason) as caught:
        registry.MODELS.get("broken").load()
    assert "broken-dist 1.2" in str(caught.value)
    assert "broken.yaml" in str(caught.value)


def test_plugin_that_fails_when_run_is_found_by_check(install: Callable[..., Path]) -> None:
    body = "raise RuntimeError('no licence file')\nclass Net: ..."
    install("late-dist", "late_mod", {"model/late": "code: late_mod:Net"}, body=body)
    assert registry.MODELS.get("late").problem is None
    (entry,) = registry.MODELS.entries("late", check=True)
    assert "RuntimeError: no licence file" in (entry.problem or "")


def test_a_missing_package_is_listed_where_people_look(install: Callable[..., Path]) -> None:
    install("gone-dist", "gone_mod", {}, there=False)
    entry = registry.MODELS.get("gone-dist")
    assert entry.owner == "gone-dist 1.2"
    assert entry.problem == "its package 'gone_mod' is not installed"


def test_missing_module_is_broken(install: Callable[..., Path]) -> None:
    files = {"model/gone": "code: gone_mod:Net", "model/lost": "code: here_mod.gone:Net"}
    install("gone-dist", "here_mod", files)
    assert registry.MODELS.get("gone").problem == "its module 'gone_mod' is not installed"
    assert "its module 'here_mod.gone' does not exist" in str(registry.MODELS.get("lost").problem)


def test_module_of_somebody_else_is_refused_with_both_paths(install: Callable[..., Path]) -> None:
    files = {"model/m": "code: shared_name:Net"}
    mine = install("mine", "shared_name", files, body="class Net: ...")
    other = install("other", "shared_name", {}, body="class Net: ...")
    problem = registry.MODELS.get("m").problem or ""
    assert str(other) in problem
    assert str(mine) in problem


def test_code_of_another_distribution_may_be_named(install: Callable[..., Path]) -> None:
    text = "code: baselines.stgcn:STGCN\nparams: {dropout: 0.125}"
    install("strange-models", "strange_mod", {"model/wide": text})
    entry = registry.MODELS.get("wide")
    assert entry.problem is None
    assert entry.owner == "strange-models 1.2"


PLUGIN = """
    from registry import register_model

    @register_model("from-file")
    class Net:
        '''A model in one file.'''
"""


@pytest.fixture
def models() -> Iterator[Registry]:
    """The model registry, cleared of the plug-ins of the test afterwards."""
    before = list(registry.MODELS.added)
    yield registry.MODELS
    registry.MODELS.added[:] = before


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


def test_a_file_beside_a_plugin_says_more_of_it(tmp_path: Path, models: Registry) -> None:
    file = tmp_path / "my_net.py"
    file.write_text(textwrap.dedent(PLUGIN))
    text = "card: {title: Net}\nvariants:\n  wide:\n    params: {width: 8}\n"
    (tmp_path / "from-file.yaml").write_text(text)
    registry.add_plugin(file)
    assert models.get("from-file").config == {"card": {"title": "Net"}}
    wide = models.get("from-file-wide")
    assert wide.config == {"card": {"title": "Net"}, "params": {"width": 8}}
    assert wide.load() is models.get("from-file").load()
    models.forget("from-file")
    assert models.names("from-file*") == []


def test_source_target() -> None:
    assert Source("a.b", "C.d", "x").target == "a.b:C.d"


def test_names_that_differ_in_case_only_are_refused(tmp_path: Path, models: Registry) -> None:
    """Their folders would be one on Windows and macOS."""
    file = tmp_path / "p.py"
    file.write_text("class Mine: ...\n")
    models.add("mine", Source(str(file), "Mine", str(file)))
    models.add("Mine", Source(str(file), "Mine", str(file)))
    assert models.get("mine").problem is None
    for entry in (models.get("Mine"), *models.entries("Mine")):
        assert "there is 'mine' already, which differs in upper and lower case only" in str(
            entry.problem
        )
        with pytest.raises(RegistryError, match="differs in upper and lower case only"):
            entry.load()
