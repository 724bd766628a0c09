"""Which datasets hold the same people: forms of one dataset, and what was made from another."""

from registry import DATASETS
from zoo.catalogue import blocks_of


def dataset_family(dataset: str) -> str:
    """What all forms of a dataset have in common: its name up to the first hyphen.

    People of one name in two forms of a dataset are one person.
    """
    return dataset.partition("-")[0]


def unmatched_people(one: str, other: str) -> list[str]:
    """Datasets whose people are in both of these under names that cannot be held together.

    A dataset made from others lists them in its configuration, under ``card.people_of``. The list
    is empty for two forms of one dataset.

    Raises:
        ConfigError: a configuration that does not parse.
    """
    if dataset_family(one) == dataset_family(other):
        return []
    return sorted(_people_of(one) & _people_of(other))


def _people_of(dataset: str) -> set[str]:
    card = blocks_of(DATASETS.get(dataset)).get("card", {}) if dataset in DATASETS else {}
    return {dataset_family(dataset), *map(str, card.get("people_of", ()))}
