"""NTU's text form, OpenSim's TRC, C3D, and the re-issues of IRDS and KIMORE."""

import builtins

import numpy as np
import pytest

from zoo.data.readers import readers_of
from zoo.data.recording import INFERRED, NOT_TRACKED
from zoo.errors import DataError
from zoo.skeleton.layout import load_layout


def edit(file, line, new):
    """Replaces a line, counted from 1; None deletes it."""
    lines = file.read_text().split("\n")
    lines[line - 1 : line] = [] if new is None else [new]
    file.write_text("\n".join(lines))


# NTU


def test_ntu(files, tmp_path, read):
    file = files.ntu(tmp_path)
    (found,), notes = read("ntu", file)
    np.testing.assert_allclose(found.positions, files.person("kinect-v2"), rtol=1e-6)
    assert (found.subject, found.exercise, found.session) == ("P003", "A013", "S001C002R002")
    assert found.orientations is not None
    assert notes == []
    plain = tmp_path / "take.txt"
    plain.write_text(file.read_text())
    assert readers_of(plain) == ["ntu"]
    assert read("ntu", plain)[0][0].subject == "unknown"


def test_several_bodies_of_ntu_and_frames_with_nobody(files, tmp_path, read):
    file = files.ntu(tmp_path)
    lines = file.read_text().split("\n")
    frames = [lines[1 + 28 * t : 29 + 28 * t] for t in range(20)]
    still = ["2 0 1 1 1 1 0 0 0 2", *frames[0][2:]]
    for frame in frames:
        frame[0:1] = ["2", *still]
    frames[4] = ["0"]
    file.write_text("\n".join(["20", *(line for frame in frames for line in frame)]))
    (found,), notes = read("ntu", file)
    body = files.person("kinect-v2")
    np.testing.assert_allclose(np.delete(found.positions, 4, 0), np.delete(body, 4, 0), rtol=1e-6)
    assert (found.tracked[4] == NOT_TRACKED).all()
    assert "2 people were seen; the one who moves most is kept, in 19 of 20 frames" in notes[0]


@pytest.mark.parametrize(
    ("line", "new", "said"),
    [
        (1, "21", "found the end of the file, expected the number of bodies in frame 20"),
        (1, "19", "found 28 lines behind the last frame"),
        (1, "1e9", "line 1: found 1e"),
        (2, "99", "line 2: found 99, expected the number of bodies in frame 0, 0 to 20"),
        (4, "24", "found 24 joints in frame 0, expected 25"),
        (9, "1 2 3", "line 9: found 3 values, expected 12: a joint of twelve numbers"),
        (9, "a b c d e f g h i j k l", "line 9: found a b c d"),
        (9, "0 0 0 0 0 0 0 1 0 0 0 7", "found 7 as a state, expected 0 .lost"),
    ],
)
def test_faults_of_ntu(line, new, said, files, tmp_path, read):
    file = files.ntu(tmp_path)
    edit(file, line, new)
    with pytest.raises(DataError, match=said):
        read("ntu", file)


# TRC


def test_trc(files, tmp_path, read):
    file = files.trc(tmp_path)
    (found,), notes = read("trc", file)
    np.testing.assert_allclose(found.positions, files.person("halpe26"), rtol=1e-6)
    assert (found.layout, found.fps, notes) == ("halpe26", 25, [])
    (mapped,), _ = read("trc", file, layout="coco")
    assert mapped.num_joints == 17


@pytest.mark.parametrize(
    ("layout", "more"), [("pose2sim", []), ("pose2sim", ["Hip"]), ("opencap", ["r.ASIS_study"])]
)
def test_markers_of_pose2sim_and_opencap(layout, more, files, tmp_path, read):
    """Header and cells as in Pose2Sim's demonstration files: no blank line, names every third."""
    names = [*load_layout(layout).joints, *more]
    body = np.concatenate([files.person(layout), np.ones((20, len(more), 3))], axis=1)
    head = files.trc(tmp_path).read_text().split("\n")
    head[2] = f"60\t60\t20\t{len(names)}\tm\t60\t0\t20"
    head[3] = "Frame#\tTime\t" + "\t\t\t".join(names) + "\t\t"
    rows = ["\t".join(map(repr, [t + 1, (t + 1) / 60, *frame.ravel().tolist()]))
            for t, frame in enumerate(body)]  # fmt: skip
    file = tmp_path / "demo.trc"
    file.write_text("\n".join([*head[:5], *rows]) + "\n")
    (found,), notes = read("trc", file)
    assert (found.layout, round(found.fps), notes) == (layout, 60, [])
    np.testing.assert_allclose(found.positions, files.person(layout), rtol=1e-6)


def test_trc_in_millimetres_with_gaps(files, tmp_path, read):
    file = files.trc(tmp_path)
    lines = file.read_text().split("\n")
    lines[2] = lines[2].replace("\tm\t", "\tmm\t")
    for t in range(20):
        cells = lines[6 + t].split("\t")
        cells[2:] = [str(1000 * float(c)) for c in cells[2:]]
        if t == 4:
            cells[2:5] = ["", "", ""]
        lines[6 + t] = "\t".join(cells) + "\t"
    file.write_text("\r\n".join(lines))
    (found,), notes = read("trc", file)
    expected = files.person("halpe26")
    np.testing.assert_allclose(found.positions, expected, atol=1e-5)
    assert found.tracked[4, 0] == NOT_TRACKED
    assert notes == []


@pytest.mark.parametrize(
    ("line", "new", "said"),
    [
        (1, "Frame,Time", "line 1: found 'Frame,Time', expected PathFileType"),
        (3, "25\t25\t20\t26\tfeet\t25\t1\t20", "line 3: found 'feet' as Units, expected mm, cm"),
        (9, "3\t0.08\t1.0", "line 9: found 3 values, expected 80: 26 markers"),
        (9, "3\tsoon" + "\t1" * 78, "line 9: found 'soon', expected a number"),
        (9, "3\t0.01" + "\t1" * 78, "line 9: found time 0.01 after 0.04, expected times in order"),
        (4, "Frame#\tTime\tA\t\t\tB\t\t", "line 7: found 80 values, expected 8: 2 markers"),
    ],
)
def test_faults_of_trc(line, new, said, files, tmp_path, read):
    file = files.trc(tmp_path)
    edit(file, line, new)
    with pytest.raises(DataError, match=said):
        read("trc", file)


# C3D


@pytest.mark.filterwarnings("ignore::UserWarning:c3d")
def test_c3d(files, tmp_path, read):
    pytest.importorskip("c3d")
    (found,), notes = read("c3d", files.c3d(tmp_path))
    expected = files.person("uiprmd-vicon")
    np.testing.assert_allclose(
        np.delete(found.positions, 3, 0), np.delete(expected, 3, 0), atol=1e-4
    )
    assert (found.layout, found.fps) == ("uiprmd-vicon", 100)
    assert (found.tracked[3] == NOT_TRACKED).all()
    assert notes == []


def test_c3d_without_its_library_names_what_to_install(files, tmp_path, read, monkeypatch):
    pytest.importorskip("c3d")
    file = files.c3d(tmp_path)
    real = builtins.__import__

    def without(name, *rest, **more):
        if name == "c3d":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DataError, match=r"not installed: pip install 'skeleton-zoo\[formats\]'"):
        read("c3d", file)


def test_faults_of_c3d(files, tmp_path, read):
    pytest.importorskip("c3d")
    file = files.c3d(tmp_path)
    whole = file.read_bytes()
    file.write_bytes(whole[:2000])
    with pytest.raises(DataError, match="found 2000 bytes, 39 points in frames 1 to 20"):
        read("c3d", file)
    file.write_bytes(b"x" * 2000)
    with pytest.raises(DataError, match="2000 bytes that begin otherwise, expected a C3D file"):
        read("c3d", file)
    file.write_bytes(whole.replace(b"mm", b"ft", 1))
    with pytest.raises(DataError, match="'ft' as POINT:UNITS, expected mm, cm or m"):
        read("c3d", file)


# IRDS as CSV


def test_irds_csv(files, tmp_path, read):
    file = files.irds_csv(tmp_path)
    found, _ = read("irds-csv", file)
    assert [r.id for r in found] == ["303/4/18_10_1_stand", "303/4/18_11_1_stand"]
    first = found[0]
    assert (first.subject, first.group, first.exercise) == ("303", "student", "4")
    assert (dict(first.scores), first.extra["label"]) == ({"total": 1.0}, "correct")
    assert (first.fps, first.num_frames) == (25, 20)
    np.testing.assert_allclose(first.positions, files.person("kinect-v2"), rtol=1e-6)
    text = file.read_text().replace("Tracked", "Inferred", 1)
    file.write_text(text)
    assert read("irds-csv", file)[0][0].tracked[0, 0] == INFERRED


@pytest.mark.parametrize(
    ("line", "change", "said"),
    [
        (1, ("JointName", "Bone"), "line 1: found .*, expected JointName too"),
        (5, ("Head", "Tail"), "line 5: found 'Tail', 'Tracked', expected a joint of kinect-v2"),
        (5, (",Tracked", ",Seen"), "line 5: found 'Head', 'Seen'"),
        (5, ("303,", "903,"), "line 2: found one frame of 303/4/18_10_1_stand, expected all rows"),
        (2, (",1,stand", ",7,stand"), "line 2: found person '303', label '7'"),
        (5, (",200.5,100.5", ""), "line 5: found 14 values, expected 16"),
        (5, (",Tracked,", ",Tracked,x"), "line 5: found 'x[-.0-9]+' as X, expected a number"),
    ],
)
def test_faults_of_irds_csv(line, change, said, files, tmp_path, read):
    file = files.irds_csv(tmp_path)
    own = file.read_text().split("\n")[line - 1]
    edit(file, line, own.replace(*change, 1))
    with pytest.raises(DataError, match=said):
        read("irds-csv", file)


# KIMORE, filtered


@pytest.mark.parametrize("ending", ["0", "0.0", ""])
def test_kimore_filtered(ending, files, tmp_path, read):
    file = files.kimore_filtered(tmp_path)
    file.write_text(file.read_text().replace(",0.0\n", f",{ending}\n"))
    assert readers_of(file) == ["kimore-filtered"]
    (found,), _ = read("kimore-filtered", file)
    np.testing.assert_allclose(found.positions, files.person("kinect-v2"), rtol=1e-6)
    assert (found.layout, found.fps) == ("kinect-v2", 30)


def test_faults_of_kimore_filtered(files, tmp_path, read):
    file = files.kimore_filtered(tmp_path)
    own = file.read_text().split("\n")[3].split(",")
    edit(file, 4, ",".join([*own[:7], "5", *own[8:]]))
    with pytest.raises(DataError, match="line 4: found 5 as state of SpineMid"):
        read("kimore-filtered", file)
    edit(file, 4, ",".join([*own[:7], "much", *own[8:]]))
    with pytest.raises(DataError, match="line 4: found 'much' as 7, expected a number"):
        read("kimore-filtered", file)
    edit(file, 4, ",".join(own[:90]))
    with pytest.raises(DataError, match="line 4: found 90 values, expected 101"):
        read("kimore-filtered", file)


def test_layouts_have_unlike_names():
    from registry import LAYOUTS
    from zoo.data.readers.joints import key, layout_of

    for name in LAYOUTS.names():
        layout = load_layout(name)
        assert len({key(joint) for joint in layout.joints}) == layout.num_joints, name
        assert layout_of(layout.joints) == name.removesuffix("-agcn")
