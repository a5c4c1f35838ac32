"""Embeddings as bytes: the loss of a score and its bounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom_pipeline.aws.vectors.packing import QueryVector, hamming_distance, pack, unpack
from tests.component.aws.similar import direction, towards

MOST_OFF = 0.003


@given(st.integers(0, 2**32), st.floats(-1, 1))
def test_a_score_is_nearly_the_cosine(seed: int, cosine: float) -> None:
    vector = direction(seed)
    packed = pack(towards(vector, direction(seed + 1), cosine))
    assert QueryVector.from_floats(vector).score(packed) == pytest.approx(cosine, abs=MOST_OFF)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=64).filter(lambda v: max(map(abs, v)) > 0.001))
def test_a_vector_is_the_same_image_as_itself_whatever_its_length(values: list[float]) -> None:
    assert QueryVector.from_floats(values).score(pack(values)) == pytest.approx(1, abs=1e-6)
    again = pack(unpack(pack(values)))
    assert again == pack(values)


@given(st.integers(0, 2**32))
def test_five_hundred_dimensions_take_as_many_bytes(seed: int) -> None:
    packed = pack(direction(seed))
    assert len(packed) == 516
    assert unpack(packed) == pytest.approx(direction(seed), abs=0.001)


def test_a_vector_of_other_dimensions_is_far_away() -> None:
    assert QueryVector.from_floats([1.0, 0.0]).score(pack([1.0, 0.0, 0.0])) == -1


@pytest.mark.parametrize("vector", [(), (0.0, 0.0)])
def test_what_has_no_length_is_refused(vector: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="length"):
        pack(vector)
    with pytest.raises(ValueError, match="length"):
        QueryVector.from_floats(vector)


def test_hashes_differ_in_bits() -> None:
    assert hamming_distance("f" * 16, "f" * 16) == 0
    assert hamming_distance("f" * 16, "0" * 16) == 64
    assert hamming_distance("8000000000000001", "0" * 16) == 2
