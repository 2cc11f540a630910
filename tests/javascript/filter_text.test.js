import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { addTerm, excluding, listAddress, splitTerms } from "../../web/static/js/core/filter_text.js";

describe("splitting a filter into terms", () => {
  /** @type {[string, string, string[]][]} */
  const cases = [
    ["an empty filter has no terms", "", []],
    ["white space separates terms", " a \t b\nc ", ["a", "b", "c"]],
    ["white space between quotes belongs to the term", 'note="a b" c', ['note="a b"', "c"]],
    ["an escaped quote does not end the quotes", String.raw`note="a \" b" c`, [String.raw`note="a \" b"`, "c"]],
    ["an escaped backslash does not escape the quote", String.raw`note="a\\" b`, [String.raw`note="a\\"`, "b"]],
    ["a line break between quotes belongs to the term", 'note="a\nb" c', ['note="a\nb"', "c"]],
    ["a quote without an end takes the rest", 'a note="b c', ["a", 'note="b c']],
    ["words that OR joins are one term", "a OR b c", ["a OR b", "c"]],
    ["a chain of OR is one term", "a OR b OR c d", ["a OR b OR c", "d"]],
    ["OR between quotes joins nothing", 'a "OR" b', ["a", '"OR"', "b"]],
    ["or in lower case joins nothing", "a or b", ["a", "or", "b"]],
    ["OR at the start joins the first word", "OR a b", ["OR a", "b"]],
    ["OR at the end joins the last word", "a b OR", ["a", "b OR"]],
    ["a group is one term", "a (b OR c) d", ["a", "(b OR c)", "d"]],
    ["a group keeps its white space as one blank", "-( a  b ) c", ["-( a b )", "c"]],
    ["a group within a group ends with the outer one", "(a -(b c) d) e", ["(a -(b c) d)", "e"]],
    ["a group that OR joins is one term", "(a b) OR c d", ["(a b) OR c", "d"]],
    ["AND joins nothing", "a AND (b AND c) AND d", ["a", "(b AND c)", "d"]],
    ["brackets within a word are text", "f(x) :) (g(y) h)", ["f(x)", ":)", "(g(y) h)"]],
    ["brackets between quotes are text", '"(a" (b=")" c) d', ['"(a"', '(b=")" c)', "d"]],
    ["an expression keeps its blanks", "/a (b|c)/ d", ["/a (b|c)/", "d"]],
    ["an expression in a group", "(/a b*/ OR c) d", ["(/a b*/ OR c)", "d"]],
    ["an expression of a name", String.raw`url=~/^\/a b$/ d`, [String.raw`url=~/^\/a b$/`, "d"]],
    ["a quote within an expression is no quote", '/"a b+/ c', ['/"a b+/', "c"]],
    ["a path is no expression", "/a b/ c", ["/a", "b/", "c"]],
  ];
  for (const [name, filter, terms] of cases) test(name, () => assert.deepEqual(splitTerms(filter), terms));
});

describe("adding a term", () => {
  /** @type {[string, string, string, string][]} */
  const cases = [
    ["an empty filter becomes the term", "", "type=order", "type=order"],
    ["a new term goes to the end", "type=order", "status=PAID", "type=order status=PAID"],
    ["a term that is there stays where it is", "a b", "a", "a b"],
    ["a term replaces its exclusion", "-a b", "a", "b a"],
    ["an exclusion replaces its term", "a b", "-a", "b -a"],
    ["a term inside quotes is not removed", 'note="a type=order"', "-type=order", 'note="a type=order" -type=order'],
    ["a term inside an OR is not removed", "a OR b", "-a", "a OR b -a"],
    ["white space between terms becomes one blank", "  a   b ", "c", "a b c"],
    ["a term that only quotes contain is added", '"a s=F b"', "s=F", '"a s=F b" s=F'],
    ["blanks between quotes stay", '"two  spaces"', "a", '"two  spaces" a'],
    ["an exclusion inside quotes is not removed", '"not -s=F here"', "s=F", '"not -s=F here" s=F'],
    [
      "an exclusion after an escaped quote is not removed",
      String.raw`"a \" -s=F b"`,
      "s=F",
      String.raw`"a \" -s=F b" s=F`,
    ],
    ["an exclusion inside an OR is not removed", "-s=F OR team~", "s=F", "-s=F OR team~ s=F"],
    ["a term beside another value's exclusion stays", "-s=W s=F", "s=F", "-s=W s=F"],
    ["a term inside a group is not removed", "(a b)", "-a", "(a b) -a"],
    ["an exclusion inside a group is not removed", "-(a b) c", "a", "-(a b) c a"],
  ];
  for (const [name, filter, term, result] of cases) test(name, () => assert.equal(addTerm(filter, term), result));
});

test("excluding a term adds a minus", () => {
  assert.equal(excluding("type=order"), "-type=order");
});

test("excluding an exclusion leaves it as it is", () => {
  assert.equal(excluding("-type=order"), "-type=order");
});

describe("the address of a list", () => {
  const everything = { filter: "", subscription: "" };

  test("without a filter is plain", () => {
    assert.equal(listAddress(everything), "/messages");
  });

  test("has an empty filter if a default would replace it", () => {
    assert.equal(listAddress({ ...everything, hasDefault: true }), "/messages?q=");
  });

  test("escapes the filter", () => {
    assert.equal(listAddress({ filter: 'a="b&c"', subscription: "" }), "/messages?q=a%3D%22b%26c%22");
  });

  test("has filter, cursor, subscription and columns", () => {
    const options = { filter: "a", subscription: "orders", before: "1-x", columns: "type,data.id" };
    assert.equal(listAddress(options), "/messages?q=a&before=1-x&subscription=orders&columns=type%2Cdata.id");
  });
});
