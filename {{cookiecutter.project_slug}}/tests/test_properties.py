from hypothesis import given, settings
from hypothesis import strategies as st

import reference
from {{ cookiecutter.package_name }} import count_doubles

settings.register_profile("any machine", deadline=None)  # a busy one is no failure
settings.load_profile("any machine")

# Few letters make doubles common; every character, lone surrogates too, may occur.
texts = st.one_of(
    st.text(alphabet=st.sampled_from("ab")),
    st.text(alphabet=st.sampled_from("aß人🦀\ud800")),
    st.text(alphabet=st.characters(exclude_categories=[])),
)


@given(text=texts, repeat=st.integers(1, 200))
def test_text_agrees_with_the_reference(text: str, repeat: int) -> None:
    assert count_doubles(text * repeat) == reference.count_doubles(text * repeat)


@given(data=st.one_of(st.binary(), st.lists(st.sampled_from(b"ab")).map(bytes)))
def test_bytes_agree_with_the_reference(data: bytes) -> None:
    assert count_doubles(data) == reference.count_doubles(data)


@given(left=texts, right=texts)
def test_joining_adds_at_most_the_pair_at_the_seam(left: str, right: str) -> None:
    seam = bool(left and right) and left[-1] == right[0]
    assert count_doubles(left + right) == count_doubles(left) + count_doubles(right) + seam
