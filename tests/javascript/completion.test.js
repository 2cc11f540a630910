import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { completed, partAt, quoted, SOURCES, suggestions } from "../../web/static/js/core/completion.js";

const KNOWN = {
  values: new Map([
    [
      "status",
      new Map([
        ["PAID", 3],
        ["FAILED", 9],
        ["two words", 1],
      ]),
    ],
    ["team", new Map([["blue", 1]])],
    ["data.total", new Map([["10", 1]])],
    ["odd name", new Map([['a "b"', 1]])],
  ]),
  choices: new Map([
    ["kind", ["json", "text"]],
    ["has", ["data", "key"]],
    ["subscription", ["builds", "orders"]],
  ]),
};

/** @param {string} typed a filter with | where the caret is */
function suggested(typed) {
  const caret = typed.indexOf("|");
  return suggestions(partAt(typed.replace("|", ""), caret), KNOWN).map(({ text }) => text);
}

describe("suggestions", () => {
  /** @type {[string, string, string[]][]} */
  const cases = [
    ["an empty word has none", "|", []],
    ["the blank after a word has none", "status=PAID |", []],
    ["a name is suggested by its beginning", "sta|", ["status="]],
    ["a name is suggested by a part, after those that begin with it", "t|", ["team=", "status=", "data.total="]],
    ["case is ignored", "TEA|", ["team="]],
    ["a name with a blank is quoted", "odd|", ['"odd name"=']],
    ["a prefix and a measure are suggested", "s|", ["status=", "smaller:", "subscription:", "size>", "severity>="]],
    ["values come by how often they were seen", "status=|", ["status=FAILED", "status=PAID", 'status="two words"']],
    ["values are suggested by a part", "status=ai|", ["status=FAILED", "status=PAID"]],
    ["a value that is typed is not suggested", "team=blue|", []],
    ["values of another operator", "status!=p|", ["status!=PAID"]],
    ["a comparison has no values", "data.total>|", []],
    ["severities", "severity>=err|", ["severity>=ERROR"]],
    ["kinds", "kind:|", ["kind:json", "kind:text"]],
    ["subscriptions", "subscription:or|", ["subscription:orders"]],
    ["has: names qualities and names", "has:t|", ["has:team", "has:data", "has:status", "has:data.total"]],
    ["the word at the caret counts", "status=PAID tea| x", ["team="]],
    ["an excluded word", "-sta|", ["status="]],
    ["a word in a group", "(a OR -sta|)", ["status="]],
    ["a quoted value that is open", 'status="two w|', ['status="two words"']],
    ["quotes within a value", '"odd name"=a|', ['"odd name"="a \\"b\\""']],
  ];
  for (const [name, typed, texts] of cases) test(name, () => assert.deepEqual(suggested(typed), texts));

  test("are at most eight", () => {
    const values = new Map(Array.from({ length: 30 }, (_, index) => [`name${index}`, new Map()]));
    assert.equal(suggestions(partAt("name", 4), { values, choices: new Map() }).length, 8);
  });

  test("come from further sources as well", () => {
    SOURCES.push(({ name }) => (name === "mine" ? [{ text: "mine:", isOpen: true }] : []));
    assert.deepEqual(suggested("mine|"), ["mine:"]);
    SOURCES.pop();
  });
});

describe("a suggestion", () => {
  /** @type {[string, string, string, string][]} */
  const cases = [
    ["replaces the word and adds a blank", "sta|", "status=PAID", "status=PAID |"],
    ["keeps what follows", "a sta| b", "status=PAID", "a status=PAID| b"],
    ["replaces the rest of the word", "sta|tus=x b", "status=PAID", "status=PAID| b"],
    ["keeps the minus and the brackets", "-(-sta|)", "status=PAID", "-(-status=PAID|)"],
    ["stays open before its value", "sta|", "status=", "status=|"],
  ];
  for (const [name, typed, text, result] of cases) {
    test(name, () => {
      const caret = typed.indexOf("|");
      const filter = typed.replace("|", "");
      const suggestion = { text, isOpen: text.endsWith("=") };
      const done = completed(filter, partAt(filter, caret), suggestion);
      assert.equal(`${done.filter.slice(0, done.caret)}|${done.filter.slice(done.caret)}`, result);
    });
  }
});

test("texts with signs of the language are quoted", () => {
  assert.deepEqual(["a", "a b", "", "-a", "f(x)", "a>b", "or", 'a"b', "/a+/", "a-b/c"].map(quoted), [
    "a",
    '"a b"',
    '""',
    '"-a"',
    '"f(x)"',
    '"a>b"',
    '"or"',
    '"a\\"b"',
    '"/a+/"',
    "a-b/c",
  ]);
});
