"""What is known of the datasets that runs name."""

import pytest

from zoo.board.facts import dataset_facts


@pytest.mark.parametrize(
    ("dataset", "digits"), [("kimore", 2), ("synthetic", 2), ("uiprmd-kinect", 4), ("nobodys", 2)]
)
def test_decimals_follow_the_range_of_the_scores(dataset, digits):
    assert dataset_facts(dataset).digits == digits
