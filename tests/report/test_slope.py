"""The picture of both protocols."""

from zoo.report.page_table import families
from zoo.report.slope import slopes


def test_an_entry_named_by_its_model_alone_keeps_its_family() -> None:
    entries = [{"name": "gcn (trainer.epochs=30)", "model": "gcn", "family": "graph"}]
    pair = {"entries": [{"name": "gcn", "honest_mad": 6.0, "leaky_mad": 4.0}]}
    assert [m.family for m in slopes(pair, families(entries))] == ["graph"]
