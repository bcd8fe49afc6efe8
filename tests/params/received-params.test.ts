import { describe, expect, it } from "vitest";
import { createIssue } from "../../src/shared/errors.js";
import { isFaxMedia, createListIssue, readParams as read } from "../../src/params/received-params.js";

const entries = (source: unknown) => Object.entries(readWithIssues(source).params);

/** The received parameters, with the issue of each repeated or non-text name. */
function readWithIssues(source: unknown) {
  const form = read(source);
  return { ...form, issues: [...form.repeatedOrNonText].map(([name, values]) => createListIssue(name, values)) };
}

/** All values of every name, in order. */
function valuesOf(source: unknown) {
  const { params, repeatedOrNonText: lists } = readWithIssues(source);
  return grouped([...new Set([...Object.keys(params), ...lists.keys()])].flatMap((name) => valuesOfName(name)));
  function valuesOfName(name: string): [string, unknown][] {
    return (lists.get(name) ?? [params[name]]).map((value) => [name, value]);
  }
}

function grouped(pairs: readonly (readonly [string, unknown])[]) {
  const groups = new Map<string, unknown[]>();
  for (const [name, value] of pairs) groups.set(name, [...(groups.get(name) ?? []), value]);
  return groups;
}

/** What the platform's own decoder makes of a body: the reference. */
const reference = (body: string) => [...new URLSearchParams(body)];

describe("readParams of text", () => {
  it.each([
    "",
    "?",
    "a=1",
    "?a=1",
    "??a=1",
    "a",
    "a=",
    "=",
    "=a",
    "==",
    "a==b=c",
    "&",
    "&&",
    "a=1&&b=2&",
    "&a=1",
    "a&b&c",
    "a=1;b=2",
    "a=+1+&+b=+",
    "a=%2B1&b=%20",
    "a%3Db=c%26d",
    "a=%C3%A9&%F0%9F%98%80=%E6%97%A5",
    "a=é&😀=日",
    "a=%",
    "a=%%",
    "a=%4",
    "a=%zz",
    "a=%4g%41",
    "%=%",
    "a=%u0041",
    "a=100%&b=50%25",
    "a=%ff",
    "a=%C3",
    "a=%C3%28+x",
    "a=%ED%A0%80",
    "a=%C0%80",
    "a=%F4%90%80%80",
    "a=%E6%97",
    "a=%00%0A%0D",
    "a=\0\n\r\t",
    "\ufeffa=1",
    "%EF%BB%BFa=%EF%BB%BF1",
    "a=\ud800&b=1",
    "\udc00=\ud800%",
    "a=%\ud800",
    "?\ud800=1",
    "a=\ud83d%DE00",
    "__proto__=1&constructor=2&toString=3",
    "%5F_proto__=1",
    "a[b]=1&a[]=2",
    "1=a&0=b",
    "a=#b?c",
  ])("decodes %j as URLSearchParams does", (body) => {
    expect(entries(body).sort()).toEqual(reference(body).sort());
    expect(valuesOf(body)).toEqual(grouped(reference(body)));
    expect(readWithIssues(body).issues).toEqual([]);
  });

  it("decodes the example of the URL Standard, section 5", () => {
    expect(readWithIssues("list=1&name=caf%C3%A9+%26+co").params).toEqual(
      Object.assign(Object.create(null) as object, { list: "1", name: "café & co" }),
    );
  });

  it("keeps all of 200,000 parameters", () => {
    const body = Array.from({ length: 200_000 }, (_, i) => `a${i}=%zz${i}`).join("&");
    const { params, issues } = readWithIssues(body);
    expect(Object.keys(params).length).toBe(200_000);
    expect(params["a199999"]).toBe("%zz199999");
    expect(issues).toEqual([]);
  });

  it.each([
    ["empty pairs", "&".repeat(1e6)],
    ["percent signs", "a=" + "%".repeat(1e6)],
    ["plus signs", "+".repeat(1e6)],
    ["equals signs", "=".repeat(1e6)],
    ["lone surrogates", "\ud800".repeat(1e5)],
  ])("reads a megabyte of %s", (_, body) => {
    expect(entries(body)).toEqual(reference(body));
  });

  it("reads 200,000 parameters of one name as one issue", () => {
    expect(readWithIssues("a=1&".repeat(200_000)).issues).toMatchObject([{ parameter: "a", code: "repeated" }]);
  });
});

describe("readParams", () => {
  const pairs: [string, string][] = [
    ["FaxSid", "FX1"],
    ["faxsid", "other"],
    ["New", "é & +"],
    ["", "empty name"],
    ["Empty", ""],
    ["__proto__", "own"],
    ["constructor", "own"],
    ["lone", "\ud800"],
  ];
  const formData = new FormData();
  for (const [name, value] of pairs) formData.append(name, value);
  const bare = Object.create(null) as Record<string, string>;
  for (const [name, value] of pairs) bare[name] = value;
  function* generator() {
    yield* pairs;
  }
  const wellFormed = pairs.map(([name, value]) => [name, value.replace("\ud800", "\ufffd")]);

  it.each<[string, unknown, unknown]>([
    ["an array of pairs", pairs, pairs],
    ["a Map", new Map(pairs), pairs],
    ["a generator", generator(), pairs],
    ["a plain object", Object.fromEntries(pairs), pairs],
    ["an object without a prototype", bare, pairs],
    // These replace lone surrogates themselves.
    ["URLSearchParams", new URLSearchParams(pairs), wellFormed],
    ["FormData", formData, wellFormed],
    ["a body", new URLSearchParams(pairs).toString(), wellFormed],
    ["a query string", "?" + new URLSearchParams(pairs).toString(), wellFormed],
  ])("loses nothing of %s", (_, source, expected) => {
    expect(entries(source)).toEqual(expected);
    expect(readWithIssues(source).issues).toEqual([]);
  });

  it.each<[string, unknown]>([
    ["a body", "FaxSid=1"],
    ["an object", { FaxSid: "1" }],
    ["an empty body", ""],
    ["nothing", undefined],
  ])("makes of %s a frozen record without a prototype", (_, source) => {
    const { params } = readWithIssues(source);
    expect(Object.getPrototypeOf(params)).toBeNull();
    expect(Object.isFrozen(params)).toBe(true);
    expect("toString" in params).toBe(false);
    expect(params["__proto__"]).toBeUndefined();
  });

  it.each<[string, unknown]>([
    ["undefined", undefined],
    ["null", null],
    ["a number", 5],
    ["true", true],
    ["a symbol", Symbol("FaxSid=1")],
    ["an empty object", {}],
    ["an empty array", []],
    ["a function", () => "FaxSid=1"],
    ["an array of what is not a pair", ["FaxSid=1", 5, null, undefined, {}, [5, "x"], []]],
    ["a Set of text", new Set(["ab"])],
  ])("finds no parameters in %s", (_, source) => {
    expect(readWithIssues(source)).toMatchObject({ issues: [], media: undefined });
    expect(entries(source)).toEqual([]);
  });

  it("does not change or keep its source", () => {
    const source = Object.freeze({ FaxSid: "1" });
    const { params } = readWithIssues(source);
    expect(params).not.toBe(source);
    const map = new Map([["FaxSid", "1"]]);
    const form = readWithIssues(map);
    map.set("FaxSid", "2");
    expect(form.params["FaxSid"]).toBe("1");
  });

  it("leaves out what is undefined or null, as body parsers leave it", () => {
    expect(entries({ a: undefined, b: null, c: "1" })).toEqual([["c", "1"]]);
    expect(readWithIssues({ a: undefined, b: null }).issues).toEqual([]);
  });

  it("takes no inherited property of a plain object", () => {
    expect(entries(Object.assign(Object.create({ FaxSid: "inherited" }) as object, { To: "1" }))).toEqual([
      ["To", "1"],
    ]);
  });

  it.each<[string, unknown]>([
    ["a body", "FaxSid=1&To=2&FaxSid=3"],
    ["a body, the same value twice", "FaxSid=1&FaxSid=1"],
    ["a body, one of them encoded", "FaxSid=1&Fax%53id=2"],
    ["a body, one of them empty", "FaxSid=&FaxSid="],
    ["a body, one of them without =", "FaxSid&FaxSid=1"],
    ["URLSearchParams", new URLSearchParams("FaxSid=1&FaxSid=2")],
    [
      "an array of pairs",
      [
        ["FaxSid", "1"],
        ["FaxSid", "2"],
      ],
    ],
    [
      "an array of three pairs",
      [
        ["FaxSid", "1"],
        ["FaxSid", "2"],
        ["FaxSid", "3"],
      ],
    ],
    ["an array as body parsers make it", { FaxSid: ["1", "2"] }],
    [
      "text, then a nested object",
      [
        ["FaxSid", "1"],
        ["FaxSid", { a: "2" }],
      ],
    ],
  ])("says that a name is repeated in %s, once", (_, source) => {
    const { issues } = readWithIssues(source);
    expect(issues).toMatchObject([{ parameter: "FaxSid", code: "repeated" }]);
    expect(issues[0]?.message).toContain('"FaxSid"');
  });

  it("says of every repeated name that it is, known or not", () => {
    const { issues } = readWithIssues("a=1&b=1&a=2&b=2&__proto__=1&__proto__=2&c=3");
    expect(issues.map(({ parameter, code }) => [parameter, code])).toEqual([
      ["a", "repeated"],
      ["b", "repeated"],
      ["__proto__", "repeated"],
    ]);
  });

  it.each<[string, unknown]>([
    ["a nested object", { a: "1" }],
    ["an empty object", {}],
    ["an array of one", ["1"]],
    ["an empty array", []],
    ["a number", 2],
    ["true", true],
    ["a function", () => "1"],
    ["a symbol", Symbol("1")],
    ["a bigint", 1n],
    ["bytes", new Uint8Array(3)],
    ["a date", new Date(0)],
  ])("says that %s is not text", (_, value) => {
    const { issues, params } = readWithIssues({ NumPages: value, To: "1" });
    expect(issues).toMatchObject([{ parameter: "NumPages", code: "not-text" }]);
    expect(issues[0]?.message).toContain("must be text");
    expect(Object.entries(params)).toEqual([["To", "1"]]);
  });

  it("cuts the name in an issue, and the message", () => {
    const name = "\u001b\n".repeat(5e5);
    const [found] = readWithIssues([
      [name, "1"],
      [name, "2"],
    ]).issues;
    expect(found?.parameter).toBe(name.slice(0, 64));
    expect(found?.message.length).toBeLessThan(400);
    expect(found?.message).toMatch(/^[\x20-\x7e…]*$/);
  });
});

describe("readParams of names that come more than once", () => {
  it.each([
    "a=1&a=2",
    "a=1&b=2&a=3&b=4&a=5",
    "b=1&a=2&b=3&c=4&a=",
    "a&a=&a=1",
    "a=1&a=1&a=1",
    "a=1&%61=2&+=3&%20=4",
    "__proto__=1&constructor=2&__proto__=3&constructor=4&__proto__=5",
    "a=1&b=%zz&a=2&b=%C3&a=3",
    "?a=1&&a=2&?a=3&?a=4",
    "=1&=2&&=3",
  ])("keeps the first value of %j in params and all of them in lists, as URLSearchParams has them", (body) => {
    const expected = new URLSearchParams(body);
    const names = [...new Set(expected.keys())];
    const { params, repeatedOrNonText: lists } = readWithIssues(body);
    expect(Object.entries(params)).toEqual(names.map((name) => [name, expected.get(name)]));
    const repeated = names.filter((name) => expected.getAll(name).length > 1);
    expect(Object.fromEntries(lists)).toEqual(
      Object.fromEntries(repeated.map((name) => [name, expected.getAll(name)])),
    );
    expect(lists.size).toBe(repeated.length);
  });

  it("keeps all that is odd about a name, as it came: text, an array, an object, a file", () => {
    const [list, object, file] = [["2", "3"], { b: "4" }, new Blob([])];
    const { params, repeatedOrNonText: lists } = readWithIssues([
      ["a", "1"],
      ["a", list],
      ["a", undefined],
      ["a", object],
      ["a", file],
      ["once", list],
    ]);
    expect([...lists]).toEqual([
      ["a", ["1", list, object, file]],
      ["once", [list]],
    ]);
    for (const [i, value] of [list, object, file].entries()) expect(lists.get("a")?.[i + 1]).toBe(value);
    expect(Object.entries(params)).toEqual([
      ["a", "1"],
      ["once", "2"],
    ]);
  });
});

describe("readParams of bytes", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);

  it.each(["", "?a=1", "a=1&b=2&a=3", "a=%C3%A9&b=é+😀", "a=%zz&a=%", "\ufeffa=\ufeff1", "%EF%BB%BFa=1"])(
    "reads those of %j as its text",
    (body) => {
      for (const source of [bytes(body), Buffer.from(body), bytes(`x&${body}&y`).subarray(2, 2 + bytes(body).length)]) {
        expect(valuesOf(source)).toEqual(grouped(reference(body)));
        expect(Object.entries(readWithIssues(source).params).sort()).toEqual(entries(body).sort());
      }
    },
  );

  it("replaces what is not UTF-8", () => {
    expect(entries(new Uint8Array([0x61, 0x3d, 0xff, 0x26, 0x62, 0x3d, 0xc3]))).toEqual([
      ["a", "\ufffd"],
      ["b", "\ufffd"],
    ]);
  });
});

describe("readParams, as its source is", () => {
  it("reads a source once, because it may give its pairs only once", () => {
    function* pairs() {
      yield ["a", "1"];
      yield ["a", "2"];
    }
    expect(valuesOf(pairs()).get("a")).toEqual(["1", "2"]);
  });

  it("asks an iterable once for its pairs, and an object once for each property", () => {
    const asked = { iterator: 0, property: 0 };
    const iterable = {
      [Symbol.iterator]() {
        asked.iterator++;
        return [["a", "1"]][Symbol.iterator]();
      },
    };
    const object = Object.defineProperty({}, "a", { enumerable: true, get: () => String(++asked.property) });
    expect([entries(iterable), entries(object)]).toEqual([[["a", "1"]], [["a", "1"]]]);
    expect(asked).toEqual({ iterator: 1, property: 1 });
  });

  it("changes nothing that it is given", () => {
    const list = ["1", "2"];
    expect(
      valuesOf([
        ["a", list],
        ["a", "3"],
      ]).get("a"),
    ).toEqual([["1", "2"], "3"]);
    expect(list).toEqual(["1", "2"]);
    const frozen = Object.freeze({ a: Object.freeze(["1", "2"]), b: Object.freeze([]) });
    expect(Object.fromEntries(readWithIssues(frozen).repeatedOrNonText)).toEqual({ a: [["1", "2"]], b: [[]] });
    const pairs = [Object.freeze(["a", frozen.a]), Object.freeze(["a", "3"])];
    expect(valuesOf(Object.freeze(pairs)).get("a")).toEqual([["1", "2"], "3"]);
  });
});

describe("readParams: the file part", () => {
  const pdf = new Blob(["%PDF-1.7"], { type: "application/pdf" });
  const form = (...parts: [string, string | Blob][]) => {
    const data = new FormData();
    for (const [name, value] of parts) {
      if (typeof value === "string") data.append(name, value);
      else data.append(name, value, "fax.pdf");
    }
    return data;
  };

  it("is the file named Media", async () => {
    const { media, params, issues } = readWithIssues(form(["FaxSid", "1"], ["Media", pdf]));
    expect(media).toMatchObject({ name: "fax.pdf", type: "application/pdf", size: 8 });
    expect(new TextDecoder().decode(await media?.arrayBuffer())).toBe("%PDF-1.7");
    expect([Object.entries(params), issues]).toEqual([[["FaxSid", "1"]], []]);
  });

  it("is taken from a plain object as well", () => {
    expect(readWithIssues({ Media: pdf }).media).toBe(pdf);
  });

  it("is none when the file has another name, and that is no issue", () => {
    expect(readWithIssues(form(["media", pdf], ["Attachment", pdf]))).toMatchObject({ media: undefined, issues: [] });
  });

  it.each<[string, FormData]>([
    ["two files", form(["Media", pdf], ["Media", pdf])],
    ["a file, then text", form(["Media", pdf], ["Media", "x"])],
    ["text, then a file", form(["Media", "x"], ["Media", pdf])],
  ])("is repeated: %s", (_, source) => {
    expect(readWithIssues(source).issues).toMatchObject([{ parameter: "Media", code: "repeated" }]);
  });

  it.each<[unknown, boolean]>([
    [pdf, true],
    [new File([], "x"), true],
    [{ arrayBuffer: () => Promise.resolve(new ArrayBuffer(0)) }, true],
    [{ arrayBuffer: true }, false],
    [{}, false],
    [null, false],
    [undefined, false],
    ["text", false],
    [new Uint8Array(1), false],
  ])("is told apart by its arrayBuffer method (row %#)", (value, expected) => {
    expect(isFaxMedia(value)).toBe(expected);
  });
});

describe("readParams of text, by hand", () => {
  // By hand from the URL Standard; held against the platform as well, so that neither can be wrong alone.
  it.each<[string, [string, string][]]>([
    ["?a=b", [["a", "b"]]],
    ["??a=b", [["?a", "b"]]],
    ["a", [["a", ""]]],
    ["=b", [["", "b"]]],
    ["=", [["", ""]]],
    ["a=b=c", [["a", "b=c"]]],
    ["a=b=%", [["a", "b=%"]]],
    [
      "&a=1&&a=2&",
      [
        ["a", "1"],
        ["a", "2"],
      ],
    ],
    ["a+b=c+d", [["a b", "c d"]]],
    ["a=%2b1%2B2+3", [["a", "+1+2 3"]]],
    ["a=%2541", [["a", "%41"]]],
    ["%3D=%26", [["=", "&"]]],
    ["%3F=1", [["?", "1"]]],
    ["a=%", [["a", "%"]]],
    ["a=100%+sure", [["a", "100% sure"]]],
    ["a=%%41", [["a", "%A"]]],
    ["%zz+a", [["%zz a", ""]]],
    ["a=%zz%41+%2B", [["a", "%zzA +"]]],
    ["a=%F0%9F%98%80", [["a", "😀"]]],
    ["a=%E9", [["a", "\ufffd"]]],
    [
      "a=%C3&b=%A9",
      [
        ["a", "\ufffd"],
        ["b", "\ufffd"],
      ],
    ],
    ["a=%E2%82+%41", [["a", "\ufffd A"]]],
    ["a=%C0%80", [["a", "\ufffd\ufffd"]]],
    ["a=%ED%A0%80", [["a", "\ufffd\ufffd\ufffd"]]],
    ["a=%EF%BB%BF%FF", [["a", "\ufeff\ufffd"]]],
    ["\ufeffa=%EF%BB%BFb", [["\ufeffa", "\ufeffb"]]],
    ["a=\ud7ff\ue000", [["a", "\ud7ff\ue000"]]],
    [
      "?a=😀+%2B&&b",
      [
        ["a", "😀 +"],
        ["b", ""],
      ],
    ],
    ["\ud83d=\ude00", [["\ufffd", "\ufffd"]]],
    ["a=\udbff\udfff\udbff", [["a", "\u{10ffff}\ufffd"]]],
  ])("decodes %j", (text, pairs) => {
    expect(valuesOf(text)).toEqual(grouped(pairs));
    expect(reference(text)).toEqual(pairs);
  });

  it("decodes every pair of escaped bytes, and every UTF-16 code unit, as URLSearchParams does", () => {
    const wrong: string[] = [];
    for (let code = 0; code <= 0xffff; code++) {
      const hex = code.toString(16).padStart(4, "0");
      for (const text of [`a=%${hex.slice(0, 2)}%${hex.slice(2)}`, `a=x${String.fromCharCode(code)}`]) {
        if (JSON.stringify(entries(text)) !== JSON.stringify(reference(text))) wrong.push(text);
      }
    }
    expect(wrong).toEqual([]);
  });
});

describe("readParams of what is not text", () => {
  it.each<[string, unknown, [string, unknown][]]>([
    [
      "an object",
      { a: "%2B+", b: 2 },
      [
        ["a", "%2B+"],
        ["b", 2],
      ],
    ],
    [
      "an iterable object, whose own properties do not count",
      {
        b: "no",
        *[Symbol.iterator]() {
          yield ["a", "1"];
        },
      },
      [["a", "1"]],
    ],
    ["a Set of pairs", new Set([["a", "1"]]), [["a", "1"]]],
    [
      "an array of pairs and other things",
      ["a=b", ["a", "1"], null, 5, {}, [1, "2"], [], { 0: "a", 1: "b" }],
      [["a", "1"]],
    ],
    [
      "a Map with keys of any kind",
      new Map<unknown, unknown>([
        [1, "1"],
        [null, "2"],
        [{}, "3"],
        ["a", "4"],
      ]),
      [["a", "4"]],
    ],
    ["a promise", Promise.resolve("a=b"), []],
    ["an ArrayBuffer", new ArrayBuffer(3), []],
    ["NaN", NaN, []],
    ["a bigint", 1n, []],
    ["a function", Object.assign(() => "a=b", { a: "b" }), []],
  ])("finds the pairs of %s", (_, source, pairs) => {
    expect(valuesOf(source)).toEqual(grouped(pairs));
  });

  it("leaves inherited, symbol and hidden properties alone", () => {
    const source = Object.create(
      { inherited: "1" },
      { hidden: { value: "2" }, own: { value: "3", enumerable: true } },
    ) as Record<symbol, string>;
    source[Symbol("s")] = "4";
    expect(valuesOf(source)).toEqual(grouped([["own", "3"]]));
  });
});

describe("an issue of readParams", () => {
  it.each<[unknown, string]>([
    [2, "2"],
    [NaN, "NaN"],
    [false, "false"],
    [["1"], "an array"],
    [[], "an array"],
    [{ toString: () => "1" }, "an object"],
    [new String("1"), "a String"],
    [{ arrayBuffer: new ArrayBuffer(1) }, "an object"],
  ])("says exactly what came where text belongs (row %#)", (value, shown) => {
    const { issues, media } = readWithIssues({ Media: value });
    expect(issues).toEqual([{ parameter: "Media", code: "not-text", message: `"Media" must be text, not ${shown}.` }]);
    expect(media).toBeUndefined();
  });

  it.each<[string, unknown]>([
    ["twice", "a=1&b=2&a=3"],
    ["twice, first empty", "a&a=1&b=2"],
    ["three times", "a=1&a=2&b=2&a=3"],
    ["as an array of three", { a: ["1", "2", "3"], b: "2" }],
    [
      "as text and as an array of two",
      [
        ["a", "1"],
        ["b", "2"],
        ["a", ["2", "3"]],
      ],
    ],
    [
      "as an array of two and as text",
      [
        ["a", ["2", "3"]],
        ["b", "2"],
        ["a", "1"],
      ],
    ],
    [
      "as text and as a file",
      [
        ["a", "1"],
        ["a", new Blob([])],
        ["b", "2"],
      ],
    ],
  ])("says exactly, and once, that a name came %s", (_, source) => {
    const { params, issues } = readWithIssues(source);
    expect(params["b"]).toBe("2");
    expect(issues).toEqual([{ parameter: "a", code: "repeated", message: '"a" came more than once.' }]);
  });

  it("is none for undefined and null beside a value", () => {
    const source = [
      ["a", null],
      ["a", "1"],
      ["a", undefined],
      ["Media", new Blob([])],
      ["Media", undefined],
    ];
    expect(readWithIssues(source).issues).toEqual([]);
    expect(entries(source)).toEqual([["a", "1"]]);
  });

  it("is none for another name beside the file", () => {
    const source = [
      ["Media", new Blob([])],
      ["Cover", "text"],
      ["media", "text"],
      ["Scan", new Blob([])],
    ];
    expect(readWithIssues(source).issues).toEqual([]);
    expect(entries(source)).toEqual([
      ["Cover", "text"],
      ["media", "text"],
    ]);
  });

  it("comes in the order in which the names came to be odd", () => {
    const { issues } = readWithIssues([
      ["r", "1"],
      ["x", 1],
      ["r", "2"],
      ["q", ["1", "2"]],
      ["y", {}],
      ["r", "3"],
    ]);
    expect(issues.map(({ parameter, code }) => `${parameter} ${code}`)).toEqual([
      "x not-text",
      "r repeated",
      "q repeated",
      "y not-text",
    ]);
  });

  it("is for the nested name itself: nothing of __proto__ reaches the record", () => {
    const { params, issues } = readWithIssues(JSON.parse('{"__proto__":{"FaxSid":"FX1"},"a":"1"}'));
    expect([Object.entries(params), params["FaxSid"]]).toEqual([[["a", "1"]], undefined]);
    expect(issues).toEqual([
      { parameter: "__proto__", code: "not-text", message: '"__proto__" must be text, not an object.' },
    ]);
  });

  it("leaves the first of two files, and the first of two texts", () => {
    const [first, second] = [new Blob(["1"]), new Blob(["2"])];
    const { media, params } = readWithIssues([
      ["Media", first],
      ["Media", second],
      ["a", "1"],
      ["a", "2"],
    ]);
    expect(media).toBe(first);
    expect(params["a"]).toBe("1");
  });

  it("names a parameter of 64 characters whole, and cuts one of 65", () => {
    expect(createIssue("x".repeat(64), "repeated", "m")).toEqual({
      parameter: "x".repeat(64),
      code: "repeated",
      message: "m",
    });
    expect(createIssue("x".repeat(65), "repeated", "m").parameter).toBe("x".repeat(64));
  });

  it("is no file for a function that has the method", () => {
    expect(isFaxMedia(Object.assign(() => 0, { arrayBuffer: () => 0 }))).toBe(false);
  });
});

describe("readParams of a body parser's object", () => {
  it("takes Media for pages only where it is a file, and no other name", () => {
    const file = new Blob(["%PDF-"]);
    expect(readWithIssues({ FaxSid: "1", Media: file }).media).toBe(file);
    expect(readWithIssues({ FaxSid: "1", Other: file }).media).toBeUndefined();
    expect(readWithIssues({ FaxSid: "1", Media: { size: 1 } }).media).toBeUndefined();
    expect(readWithIssues({ FaxSid: "1", Media: "text" }).media).toBeUndefined();
  });
});
