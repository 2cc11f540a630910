"""The mask: the result does not reveal a hidden value, and all other text stays as it was sent."""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.messages.masking import HIDDEN, NO_MASK, Mask
from tests.support.cpu_cost import assert_cheap
from tests.support.received import message_with

SECRET = "tell-nobody"
CARD = Mask(("data.card.number", "email", "ordering_key"))


def masked(text: str, *fields: str) -> str:
    """Mask a JSON payload."""
    data = Mask(fields).see(message_with(text.encode())).data
    assert data is not None
    return data.decode()


@pytest.mark.parametrize(
    ("sent", "left"),
    [
        ('{"ssn":1,"a":1.50}', '{"ssn":"•••","a":1.50}'),
        ('{ "a": 1e5,\n  "ssn" : "x\\"y" }', '{ "a": 1e5,\n  "ssn" : "•••" }'),
        ('{"ssn":{"a":[1,{"b":"}"}]},"z":[]}', '{"ssn":"•••","z":[]}'),
        ('{"ssn":[1,2],"ssn":3}', '{"ssn":"•••","ssn":"•••"}'),
        ('{"a":{"b":[{"ssn":true},["ssn",null]]}}', '{"a":{"b":[{"ssn":"•••"},["ssn",null]]}}'),
        ('[{"ssn":1},[{"ssn":2}]]', '[{"ssn":"•••"},[{"ssn":"•••"}]]'),
        ('{"S\\u0073N":1}', '{"S\\u0073N":"•••"}'),
        ('{"ssn":{}}', '{"ssn":"•••"}'),
        ('{"a":"ssn","assn":"ssn:1","ssn2":{"x":1}}', '{"a":"ssn","assn":"ssn:1","ssn2":{"x":1}}'),
        ("{}", "{}"),
    ],
)
def test_member_is_hidden_at_every_depth(sent: str, left: str) -> None:
    assert masked(sent, "data.ssn") == left


@pytest.mark.parametrize(
    ("sent", "left"),
    [
        ('{"card":{"number":1,"kind":2},"number":3}', '{"card":{"number":"•••","kind":2},"number":3}'),
        ('{"orders":[{"card":[{"number":1}]}]}', '{"orders":[{"card":[{"number":"•••"}]}]}'),
        ('{"card":{"x":{"number":1}}}', '{"card":{"x":{"number":1}}}'),
        ('{"card.number":1,"my.card":{"number":2}}', '{"card.number":"•••","my.card":{"number":"•••"}}'),
        ('{"mycard":{"number":1}}', '{"mycard":{"number":1}}'),
    ],
)
def test_path_hides_every_member_that_ends_with_it(sent: str, left: str) -> None:
    assert masked(sent, "data.card.number") == left


def test_attributes_and_ordering_key_ignore_case() -> None:
    masked_message = CARD.see(message_with(b"", key=SECRET, Email=SECRET, team="payments"))
    assert (masked_message.attributes, masked_message.ordering_key) == ({"Email": HIDDEN, "team": "payments"}, HIDDEN)
    assert masked_message.tokens == ("team=payments",)
    assert CARD.see(message_with(b"", team="payments")).ordering_key == "", "there is no key that could be hidden"


def test_empty_mask_changes_nothing() -> None:
    unmasked = message_with(b'{"a":1}', a="b")
    assert NO_MASK.see(unmasked) is unmasked
    assert Mask(("email",)).see(unmasked) == unmasked


@pytest.mark.parametrize("inline", [True, False], ids=["small", "large"])
def test_derived_fields_do_not_reveal_a_hidden_field(inline: bool) -> None:
    sent = message_with(json.dumps({"id": 7, "card": {"number": SECRET}, "number": SECRET}).encode(), inline=inline)
    masked_message = Mask(("data.number",)).see(sent)
    assert SECRET not in repr(masked_message)
    assert masked_message.sha256 == "", "the checksum could prove a guess"
    assert masked_message.tokens == ("data.id=7",)
    assert masked_message.preview == '{"id": 7, "card": {"number": "•••"}, "number": "•••"}'


@pytest.mark.parametrize("data", [SECRET.encode(), b"\xff" + SECRET.encode(), b'{"card": "' + SECRET.encode()])
@pytest.mark.parametrize("inline", [True, False], ids=["small", "large"])
def test_payload_that_is_no_json_is_withheld(data: bytes, inline: bool) -> None:
    sent = message_with(data, inline=inline)
    masked_message = CARD.see(sent)
    assert SECRET not in repr(masked_message)
    assert masked_message.sha256 == ""
    assert CARD.withholds(masked_message)
    assert CARD.see_payload(data, sent) is None
    assert not Mask(("email",)).withholds(sent), "no member of a payload is hidden"


def test_document_with_a_false_kind_is_withheld() -> None:
    lying = replace(message_with(SECRET.encode()), kind="json")
    assert SECRET not in repr(replace(CARD.see(lying), preview=""))
    assert CARD.withholds(CARD.see(lying))
    odd = replace(message_with(b"", inline=False), kind="json", size_bytes=1, preview='}]"{"card.number":1}')
    assert CARD.see(odd).preview == HIDDEN, "no JSON begins like this"


ODD = '"}:-] ]}\\"{' + SECRET


@pytest.mark.parametrize("value", [SECRET, [SECRET, {"a": ODD}], {"x": [ODD], ODD: 1}, 123456789, ODD], ids=repr)
def test_first_part_reveals_no_more_than_the_whole(value: object) -> None:
    start, end = '{"a": "b", "card": {"number":', ', "kind": "visa"}}'
    whole, left = f"{start}{json.dumps(value)}{end}".encode(), f'{start}"{HIDDEN}"{end}'.encode()
    for cut in range(len(whole) + 1):
        part = CARD.see_payload(whole[:cut], message_with(whole))
        assert part is not None
        assert left.startswith(part)
        assert len(part) >= min(cut, len(start)), "all before the value is shown"


@pytest.mark.parametrize(
    ("token", "hidden"),
    [
        ("data.card.number=4", True),
        ("data.my.card.number=4", True),
        ("email=a=b", True),
        ("EMAIL=a", True),
        ("data.email=a", False),
        ("card.number=4", False),
        ("data.number=4", False),
        ("team=email", False),
        ("email=\u0338a", True),
    ],
)
def test_tokens_of_hidden_fields_are_hidden(token: str, hidden: bool) -> None:
    assert CARD.hides_token(token) is hidden


@pytest.mark.parametrize("value", ["secret", "\u0338secret", "\u0301\u0338secret", "\u0338" * 40], ids=ascii)
@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("größe", "gro\u0308ße"),
        ("gro\u0308ße", "GRÖSSE"),
        ("a=b", "A=B"),
        ("a≠b", "a=\u0338b"),
        ("a=\u0338b", "a≠b"),
        ("größe", "größe"),
    ],
    ids=ascii,
)
def test_value_that_begins_with_an_accent_leaves_its_token_hidden(field: str, name: str, value: str) -> None:
    assert Mask((field,)).hides_token(f"{name}={value}")
    assert Mask((f"data.{field}",)).hides_token(f"data.{name}={value}")
    assert Mask((f"data.{field}",)).hides_token(f"data.outer.{name}={value}")
    sent = replace(message_with(json.dumps({name: value}).encode()), attributes={name: value})
    hidden = Mask((field, f"data.{field}")).see(replace(sent, tokens=(*sent.tokens, f"{name}={value}")))
    assert (hidden.attributes, hidden.tokens) == ({name: HIDDEN}, ())
    assert json.loads(hidden.data or b"") == {name: HIDDEN}


NAMES = st.sampled_from(["card", "number", "Number", "a", "", 'q"uote', "é", "card.number", "\\", "{", "\u0000"])
SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.sampled_from(['"', "}", "],:", "•••"])
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.lists(st.tuples(NAMES, inner), max_size=4).map(tuple),
    max_leaves=25,
)


@given(root=st.lists(st.tuples(NAMES, JSON), max_size=6).map(tuple), ascii_only=st.booleans(), indent=st.booleans())
@settings(max_examples=400, deadline=None)
def test_masked_json_parses_and_lacks_the_hidden_members(root: object, ascii_only: bool, indent: bool) -> None:
    text = _written(root, ascii_only, "\n " if indent else "")
    left = json.loads(masked(text, "data.card.number"), object_pairs_hook=tuple)
    assert left == _without(json.loads(text, object_pairs_hook=tuple), "")


def _written(node: object, ascii_only: bool, space: str) -> str:
    """Write JSON; a tuple of pairs is an object, so that names can repeat."""
    if isinstance(node, tuple):
        pairs = (f"{json.dumps(k, ensure_ascii=ascii_only)}:{space}{_written(v, ascii_only, space)}" for k, v in node)
        return "{" + f",{space}".join(pairs) + "}"
    if isinstance(node, list):
        return "[" + f",{space}".join(_written(item, ascii_only, space) for item in node) + "]"
    return json.dumps(node, ensure_ascii=ascii_only)


def _without(node: object, path: str) -> object:
    if isinstance(node, tuple):
        return tuple(_members(node, path))
    return [_without(item, path) for item in node] if isinstance(node, list) else node


def _members(node: tuple[tuple[str, object], ...], path: str) -> Iterator[tuple[str, object]]:
    for name, value in node:
        below = f"{path}.{name.casefold()}"
        yield name, HIDDEN if below.endswith(".card.number") else _without(value, below)


def test_hostile_text_is_masked_in_linear_time() -> None:
    names = json.dumps({"n" * 400_000: {str(number): [number] for number in range(100_000)}, "number": 1})
    deep = '{"number":' * 900 + "1" + "}" * 900
    hidden = json.dumps({"card": {"number": {"text": '"{[' * 100_000}}})
    for text in (names, deep, hidden):
        assert_cheap(partial(masked, text, "data.card.number"), loops=150)
        assert_cheap(partial(CARD.see_payload, text[:-8].encode(), message_with(b"{}")), loops=150)


@pytest.mark.parametrize("cut", range(480, 512))
def test_preview_cut_inside_a_hidden_value_reveals_nothing(cut: int) -> None:
    text = {"padding": "x" * (cut - 60), "card": {"number": {"text": ODD * 2_000}}}
    masked_message = CARD.see(message_with(json.dumps(text).encode(), inline=False))
    assert SECRET not in masked_message.preview
    assert masked_message.preview.startswith('{"padding": "xxx')


def test_size_does_not_reveal_a_hidden_value() -> None:
    for inline in (True, False):
        sizes = {
            CARD.see(message_with(b'{"card":{"number":%s}}' % value, inline=inline)).size_bytes
            for value in (b"1", b"true")
        }
        assert len(sizes) == 1
    assert CARD.see(message_with(b"yes")).size_bytes == CARD.see(message_with(b"maybe")).size_bytes > 0
    assert CARD.see(message_with(b"")).size_bytes == 0


def test_document_without_a_size_is_masked() -> None:
    for data in (b'{"card.number":"tell-nobody"}', b"tell-nobody"):
        assert SECRET not in repr(CARD.see(replace(message_with(data), size_bytes=0)))


@pytest.mark.parametrize("field", ["data", "Data"])
def test_data_hides_the_whole_payload(field: str) -> None:
    mask = Mask((field,))
    for inline in (True, False):
        masked_message = mask.see(message_with(b'{"a":"tell-nobody"}', inline=inline, team="payments"))
        assert SECRET not in repr(masked_message)
        assert mask.withholds(masked_message)
        assert (masked_message.tokens, masked_message.kind) == (("team=payments",), "json")
    assert not mask.withholds(mask.see(message_with(b"")))


@pytest.mark.parametrize(
    ("field", "sent", "left"),
    [
        ("data.items.0.id", '{"items":[{"id":1,"a":2}]}', '{"items":[{"id":"•••","a":2}]}'),
        ("data.2026.total", '{"2026":{"total":1}}', '{"2026":{"total":"•••"}}'),
        ("DATA.Total", '{"total":1}', '{"total":"•••"}'),
        ("data.0", '{"0":1,"a":[2]}', '{"0":"•••","a":[2]}'),
        ("data.0", "[1,2]", '"•••"'),
        ("data.1.0", '\ufeff [1,["x"]]', '"•••"'),
        ("data.0.id", '[{"id":1,"a":2}]', '[{"id":"•••","a":2}]'),
        ("data.id", '\ufeff{"id":1,"a":2}', '\ufeff{"id":"•••","a":2}'),
        ("data.größe", '{"gro\u0308ße":1,"GR\u00d6SSE":2}', '{"gro\u0308ße":"•••","GR\u00d6SSE":"•••"}'),
        ("data.gro\u0308ße", '{"größe":1}', '{"größe":"•••"}'),
    ],
)
def test_filter_path_hides_what_the_filter_finds(field: str, sent: str, left: str) -> None:
    assert masked(sent, field) == left


@pytest.mark.parametrize(
    ("stored", "left"),
    [
        (r'{"email":\t"top-4711"}', '{"email": "•••"}'),
        (r'{"email"\t:\r\n"top-4711", "a": 1}', '{"email" :  "•••", "a": 1}'),
        (r'\t{\t"email"\t:\t{"a":\t"top-4711"}\t}', ' { "email" : "•••" }'),
        (r'\ufeff{"a": "\t", "email": "top-4711', r' {"a": "\t", "email": "•••"'),
        (r'{"a": 1\u20', '{"a": 1 '),
        (r'{"a": "b\u20', r'{"a": "b\u20'),
        (r'{"a"\u2028: "b", "email": "top-4711"}', '{"a"•••'),
        (r'{"email"\u00a0: "top-4711"}', '{"email"•••'),
        (r'{"email":\ttop-4711', '{"email": "•••"'),
        ('{"email"\u00a0: "top-4711"}', '{"email"•••'),
        ('}{"email": "top-4711"}', "•••"),
        ('{"a": 1}} {"email" "top-4711"}', '{"a": 1}•••'),
    ],
)
def test_stored_preview_is_masked_or_withheld(stored: str, left: str) -> None:
    sent = replace(message_with(b"{}", inline=False), preview=stored)
    assert Mask(("data.email",)).see(sent).preview == left


def test_key_means_the_ordering_key() -> None:
    assert Mask(("key",)).see(message_with(b"", key=SECRET)).ordering_key == HIDDEN


def test_unreadable_name_is_hidden() -> None:
    text = json.dumps({"\U000e0001.number": SECRET, "padding": "x" * 20_000}, ensure_ascii=False)
    assert SECRET not in Mask(("data.number",)).see(message_with(text.encode(), inline=False)).preview
