import pytest

from zoo.compose import experiment_block

EXERCISES = tuple("12345")


@pytest.fixture
def published_settings():
    """The trainer's settings of the paper."""
    return experiment_block("d2sta_kimore")["trainer"]


@pytest.fixture
def leaky(make_store):
    """Runs under the protocol of the paper."""
    return make_store(persons=30, exercises=EXERCISES, protocol="d2sta-paper", pieces=10)
