from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.report.placing import (
    Box,
    Clique,
    cliques,
    frontier,
    place_labels,
    shorten,
    spread,
    text_width,
)


@given(wanted=st.lists(st.floats(0, 100), max_size=30), gap=st.floats(0.1, 3), room=st.booleans())
def test_labels_are_spread_in_order(wanted, gap, room):
    high = 100.0 if room else 1e6
    places = spread(wanted, gap, 0.0, high)
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    assert all(places[b] - places[a] >= gap - 1e-6 for a, b in pairwise(order))
    assert all(-1e-6 <= place <= high + 1e-6 for place in places)


def test_what_has_room_stays():
    assert spread([50.0, 10.0], 5, 0, 100) == [50, 10]
    assert spread([10.0, 10.0], 5, 0, 100) == [7.5, 12.5]
    assert spread([0.0, 0.0], 5, 0, 100) == [0, 5]
    assert spread([], 5, 0, 100) == []


def test_names_cover_neither_points_nor_each_other():
    points = [(50.0, 50.0), (58.0, 50.0), (105.0, 70.0)]
    labels = place_labels(points, [(30.0, 10.0)] * 3, Box(0, 0, 110, 100))
    boxes = [label.box for label in labels if label is not None]
    assert len(boxes) == 3
    assert labels[2].anchor == "end"  # there is no room on the right
    assert not any(a.overlaps(b) for a in boxes for b in boxes if a is not b)
    for x, y in points:
        dot = Box(x - 5, y - 5, x + 5, y + 5)
        assert not any(box.overlaps(dot) for box in boxes)


def test_a_name_without_room_is_left_out():
    assert place_labels([(5.0, 5.0)], [(300.0, 10.0)], Box(0, 0, 100, 100)) == [None]


def test_bars_that_overlap_stand_on_levels():
    rank_of = {"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0}
    found = cliques([["a", "b"], ["b", "c"], ["c", "d"]], rank_of)
    assert found == [Clique(1, 2, 0), Clique(2, 3, 1), Clique(3, 4, 0)]


def test_long_names_are_cut():
    assert shorten("gru", 100, 12) == "gru"
    cut = shorten("a-very-long-name-of-a-model", 60, 12)
    assert cut.endswith("…")
    assert text_width(cut, 12) <= 60
    assert text_width("模型", 10) == pytest.approx(2 * text_width("ab", 10))


def test_the_frontier_is_not_beaten_in_both():
    points = [(0.0, 5.0), (1.0, 6.0), (2.0, 4.0), (2.0, 3.0), (9.0, 3.0)]
    assert frontier(points) == [0, 3]
    assert frontier([]) == []
