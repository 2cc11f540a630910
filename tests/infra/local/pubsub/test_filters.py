"""The filter of a subscription on the local cloud, alone and in delivery."""

from contextlib import suppress

import pytest
from google.api_core import exceptions
from hypothesis import given
from hypothesis import strategies as st

from infra.local.pubsub.filters import compile_filter
from infra.local.rpc import RpcError
from infra.pubsub.subscription_filter import attributes_that_pass
from tests.support.pubsub import Bench


@pytest.mark.parametrize(
    ("text", "passing", "dropped"),
    [
        ("", {}, None),
        ('attributes.kind = "build"', {"kind": "build"}, {"kind": "Build"}),
        ("attributes:kind", {"kind": ""}, {"sort": "build"}),
        ('attributes:"a.b/c"', {"a.b/c": "1"}, {"a": "1"}),
        ('attributes.kind != "build"', {"kind": "x"}, {"kind": "build"}),
        ('hasPrefix(attributes.kind, "build")', {"kind": "builds"}, {"kind": "abuse"}),
        ("NOT attributes:kind", {}, {"kind": ""}),
        ("-attributes:kind", {}, {"kind": ""}),
        ('attributes:a AND attributes.b="2"', {"a": "", "b": "2"}, {"a": ""}),
        ('attributes:a OR attributes.b = "\\u0032"', {"b": "2"}, {"b": "3"}),
        ("(attributes:a OR attributes:b) AND NOT (attributes:c AND attributes:d)", {"a": "", "c": ""}, {"c": ""}),
    ],
)
def test_filter_passes_matching_attributes(text: str, passing: dict[str, str], dropped: dict[str, str] | None) -> None:
    passes = compile_filter(text)
    assert passes(passing)
    assert dropped is None or not passes(dropped)


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "attributes",
        "attributes.a",
        "attributes.a = b",
        'attributes.a = "b" AND',
        "attributes:a OR attributes:b AND attributes:c",
        "(attributes:a",
        "attributes:a)",
        'attributes.a = "' + "x" * 256 + '"',
        'attributes.a = "\\q"',
    ],
)
def test_wrong_filter_is_refused_with_its_position(local: Bench, text: str) -> None:
    with pytest.raises(exceptions.InvalidArgument, match="Invalid filter"):
        local.subscription(local.topic(), filter=text)


def test_only_matching_messages_are_delivered(local: Bench) -> None:
    topic = local.topic()
    name = local.subscription(topic, filter='attributes.region = "eu"')
    local.publish(
        topic, {"data": b"no"}, {"data": b"yes", "attributes": {"region": "eu"}}, {"attributes": {"region": "us"}}
    )
    assert [one.message.data for one in local.pull(name)] == [b"yes"]
    assert local.subscriber.get_subscription(subscription=name).filter == 'attributes.region = "eu"'


_keys = st.sampled_from(["a", "b", '"c.d"'])
_texts = st.sampled_from(['""', '"1"', '"12"', '"test"'])
_comparisons = st.one_of(
    st.builds("attributes:{}".format, _keys),
    st.builds("attributes.{} = {}".format, _keys, _texts),
    st.builds("attributes.{} != {}".format, _keys, _texts),
    st.builds("hasPrefix(attributes.{}, {})".format, _keys, _texts),
)
_filters = st.recursive(
    _comparisons,
    lambda terms: st.one_of(
        st.builds("({} AND {})".format, terms, terms),
        st.builds("({} OR {})".format, terms, terms),
        st.builds("NOT {}".format, terms),
    ),
    max_leaves=5,
)


@given(_filters)
def test_attributes_of_the_test_message_pass_the_filter(text: str) -> None:
    """The product's reader and the local cloud's are separate, so each one proves the other."""
    attributes = attributes_that_pass(text, {"subscope": "test"})
    assert attributes is None or compile_filter(text)(attributes)


@given(st.text(max_size=300))
def test_any_text_is_compiled_or_refused(text: str) -> None:
    with suppress(RpcError):
        compile_filter(text)
