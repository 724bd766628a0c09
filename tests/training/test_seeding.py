import contextlib
import random

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from zoo.training.seeding import batches, derive_seed, reproducible, seed_all


def test_seeds_are_the_same_on_every_machine():
    assert derive_seed("epoch", 0, 1) == 4494004479074461077
    assert derive_seed("epoch", 0, 1) != derive_seed("epoch", 0, 11)
    assert derive_seed("order", 1, 1) != derive_seed("order", 11)


def draw():
    """A number of every global generator; plug-in models may use any of them."""
    return torch.rand(3).tolist(), random.random(), np.random.rand()  # noqa: NPY002


def test_an_epoch_draws_the_same_whatever_came_before():
    seed_all(3, 5)
    first = draw()
    draw()
    seed_all(3, 5)
    assert draw() == first
    seed_all(3, 6)
    assert not set(draw()[0]) & set(first[0])


def test_orders_differ_between_epochs_and_seeds():
    order = lambda seed, epoch: torch.cat(batches(50, 50, seed, epoch))  # noqa: E731
    assert torch.equal(order(1, 2), order(1, 2))
    assert not torch.equal(order(1, 2), order(1, 3))
    assert not torch.equal(order(1, 2), order(2, 2))


@given(samples=st.integers(1, 70), batch_size=st.integers(1, 40), epoch=st.integers(1, 9))
def test_every_sample_is_visited_once_and_none_alone(samples, batch_size, epoch):
    parts = batches(samples, batch_size, seed=0, epoch=epoch)
    assert sorted(torch.cat(parts).tolist()) == list(range(samples))
    if batch_size > 1 and samples > 1:
        assert min(len(p) for p in parts) > 1
    assert max(len(p) for p in parts) <= batch_size + (batch_size > 1)


def test_settings_and_generators_are_put_back():
    seed_all(1)
    expected = draw()
    seed_all(1)
    threads = torch.get_num_threads()
    with contextlib.suppress(KeyError), reproducible(threads=2):
        assert torch.get_num_threads() == 2
        assert torch.are_deterministic_algorithms_enabled()
        seed_all(9, 9)
        raise KeyError
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()
    assert draw() == expected
