"""The JSON tree: source values, folding without a script, bounded size."""

import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from infra.messages.visible_text import visible
from tests.support.cpu_cost import assert_cheap
from tests.support.viewer.visitor import Skeleton
from web.payloads.json_tree import MAX_DEPTH, MAX_NODES, draw


class Lines(HTMLParser):
    """Return the text of each line, indented by its depth."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._depth = 0
        self.feed(str(html))

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "li":
            self.lines.append("  " * (self._depth - 1))
        self._depth += tag in ("ul", "ol")

    def handle_endtag(self, tag: str) -> None:
        self._depth -= tag in ("ul", "ol")

    def handle_data(self, data: str) -> None:
        self.lines[-1] += data


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("{}", ["{}"]),
        ("[ ]", ["[]"]),
        ("\ufeff[ ]", ["[]"]),
        ('{"a":1}', ["{ 1 key }", '  "a": 1']),
        (
            "[1.0, 1e400, -0, 12345678901234567890]",
            ["[ 4 items ]", "  1.0", "  1e400", "  -0", "  12345678901234567890"],
        ),
        ('{"b":1,"a":[],"b":{}}', ["{ 3 keys }", '  "b": 1', '  "a": []', '  "b": repeated {}']),
        (r'{"\u0061":"\ud83d\ude00 \"\n"}', ["{ 1 key }", r'  "\u0061": "\ud83d\ude00 \"\n"']),
        ('[[["x"]]]', ["[ 1 item ]", "  [ 1 item ]", "    [ 1 item ]", '      "x"']),
        ('{"a":{"b":"in the mid', ["{ 1+ keys }", '  "a": { 1+ keys }', '    "b": "in the mid']),
        ("[", ["[ 0+ items ]"]),
        ("]} x", ["]", "}", "x"]),
        ('["\u202eevil\u0000"]', ["[ 1 item ]", '  "\\u202eevil\\u0000"']),
        ("", []),
    ],
)
def test_tree_shows_the_source_values(text: str, lines: list[str]) -> None:
    assert Lines(draw(text).html).lines == lines


def test_each_kind_of_value_has_its_class() -> None:
    html = draw('["s", -1.5e+3, true, null, NaN, 01x]').html
    assert re.findall(r'<span class="(s2|mi|kc|err)">([^<]*)', html) == [
        ("s2", "&#34;s&#34;"),
        ("mi", "-1.5e+3"),
        ("kc", "true"),
        ("kc", "null"),
        ("err", "NaN"),
        ("err", "01x"),
    ]


def test_deep_and_wide_levels_start_folded() -> None:
    deep = draw('{"a":{"b":{"c":{"d":1}}}}').html
    assert re.findall("<details( open)?>", deep) == [" open", " open", " open", ""]
    wide = draw(json.dumps({"a": list(range(101)), "b": [1]})).html
    assert re.findall("<details( open)?>", wide) == [" open", "", " open"]


def test_too_many_values_are_cut_with_a_note() -> None:
    tree = draw(json.dumps(list(range(MAX_NODES + 10))))
    assert tree.note == "The tree ends after 20,000 values."
    assert tree.html.count("<li>") == MAX_NODES
    assert draw(json.dumps(list(range(MAX_NODES - 1)))).note == ""


def test_too_deep_levels_are_cut_with_a_note() -> None:
    assert draw("[" * MAX_DEPTH + "]" * MAX_DEPTH).note == ""
    tree = draw("[" * (MAX_DEPTH + 3) + "7" + "]" * (MAX_DEPTH + 3) + "")
    assert tree.note == "The tree shows 64 levels; deeper ones are left out."
    assert tree.html.count("<details") == MAX_DEPTH
    assert Lines(tree.html).lines[-1].strip() == "[…]"
    after = draw("[" + "[" * MAX_DEPTH + "7" + "]" * MAX_DEPTH + ',"after"]')
    assert Lines(after.html).lines[-1] == '  "after"'


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=20,
)


@given(JSON, st.booleans(), st.sampled_from([None, 2]))
def test_names_and_values_stay_as_sent(value: object, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    sent = re.findall(r'"(?:[^"\\]|\\.)*"|[^\s{}\[\],:"]+', text)
    shown = re.findall('<span class="(?:nt|s2|mi|kc)">([^<]*)</span>', draw(text).html)
    assert [Markup(one).unescape() for one in shown] == [visible(one) for one in sent]


@given(st.text(alphabet='{}[],:"\\ 01ax\n<&', max_size=200))
def test_any_text_gives_balanced_html(text: str) -> None:
    html = draw(text).html
    assert "<" not in re.sub(r"</?(?:ul|ol|li|details|summary|span)(?: [a-z0-9=\" ]*)?>", "", html)
    for tag in ("ul", "ol", "li", "details", "summary", "span"):
        assert html.count(f"<{tag}>") + html.count(f"<{tag} ") == html.count(f"</{tag}>")


def test_hostile_names_and_values_stay_text() -> None:
    hostile = draw('{"</script><img src=x>":"</details><svg onload=alert(1)>","&lt;":[\'"]}').html
    harmless = draw('{"a":"b","c":[\'"]}').html
    assert Skeleton(hostile).elements == Skeleton(harmless).elements


@pytest.mark.parametrize(
    "hostile", ["[" * 128_000, '{"a":' * 25_000, "[0," * 42_000, '"\\' * 64_000, ',"a":1' * 21_000, "\\" * 128_000]
)
def test_hostile_payload_is_drawn_cheaply(hostile: str) -> None:
    assert len(draw(hostile).html) < 4_000_000
    assert_cheap(lambda: draw(hostile), loops=50)
