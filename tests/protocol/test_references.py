"""Models that belong on every leaky board say so themselves."""

from registry import MODELS, Source
from zoo.catalogue import card
from zoo.protocol.references import LEAK_REFERENCE, leak_references


def test_the_neighbour_on_bone_lengths_is_the_reference():
    assert leak_references() == ["knn-bones"]
    assert LEAK_REFERENCE in card("knn-bones").tags
    assert LEAK_REFERENCE not in card("mean").tags


def test_a_broken_model_does_not_end_the_question(monkeypatch):
    monkeypatch.setattr(MODELS, "added", [("broken", Source("nowhere", "Model", "somebody"))])
    assert MODELS.get("broken").problem
    assert leak_references() == ["knn-bones"]
