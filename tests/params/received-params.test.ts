import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { createIssue } from "../../src/shared/errors.js";
import { createListIssue, isFaxMedia, readParams } from "../../src/params/received-params.js";

const FILE = new Blob(["%PDF-1.7"], { type: "application/pdf" });

/** Every pair of a source. The values of a repeated name follow its first one. */
function readPairs(source: unknown): [string, unknown][] {
  const { params, repeatedOrNonText: lists } = readParams(source);
  const names = [...new Set([...Object.keys(params), ...lists.keys()])];
  return names.flatMap((name) => (lists.get(name) ?? [params[name]]).map((value): [string, unknown] => [name, value]));
}

function sort(pairs: Iterable<readonly [string, unknown]>): (readonly [string, unknown])[] {
  return [...pairs].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** The issues of repeated and non-text names, as "name code". */
function readIssues(source: unknown): string[] {
  const issues = [...readParams(source).repeatedOrNonText].map(([name, values]) => createListIssue(name, values));
  return issues.map(({ parameter, code }) => `${parameter} ${code}`);
}

/** Pairs from alternating names and values. */
function toPairs(...flat: unknown[]): [unknown, unknown][] {
  return flat.flatMap((name, i): [unknown, unknown][] => (i % 2 === 0 ? [[name, flat[i + 1]]] : []));
}

function createForm(...parts: [string, string | Blob][]): FormData {
  const form = new FormData();
  for (const [name, value] of parts) {
    if (typeof value === "string") form.append(name, value);
    else form.append(name, value, "fax.pdf");
  }
  return form;
}

describe("readParams: text", () => {
  // The expected names and values are written by hand from the URL Standard, and compared with the platform's decoder.
  it.each<[string, ...string[]]>([
    [""],
    ["?"],
    ["&&"],
    // The example of section 5.
    ["list=1&name=caf%C3%A9+%26+co", "list", "1", "name", "café & co"],
    ["?a=b", "a", "b"],
    ["??a=b", "?a", "b"],
    ["a", "a", ""],
    ["=b", "", "b"],
    ["a=b=c", "a", "b=c"],
    ["a=b=%", "a", "b=%"],
    ["a=1;b=#c?d", "a", "1;b=#c?d"],
    ["&a=1&&a=2&", "a", "1", "a", "2"],
    ["a&b&c", "a", "", "b", "", "c", ""],
    ["a+b=c+d", "a b", "c d"],
    ["a=%2b1%2B2+3", "a", "+1+2 3"],
    ["a=%2541", "a", "%41"],
    ["%3D=%26", "=", "&"],
    ["%3F=1", "?", "1"],
    ["a[b]=1&a[]=2", "a[b]", "1", "a[]", "2"],
    ["__proto__=1&%74oString=2", "__proto__", "1", "toString", "2"],
    // Incomplete and invalid escapes.
    ["a=%", "a", "%"],
    ["%=%%", "%", "%%"],
    ["a=%4&b=%u0041", "a", "%4", "b", "%u0041"],
    ["a=100%+sure", "a", "100% sure"],
    ["a=%%41", "a", "%A"],
    ["%zz+a", "%zz a", ""],
    ["a=%zz%41+%2B", "a", "%zzA +"],
    ["a=1&?b=%zz&c=%41", "a", "1", "?b", "%zz", "c", "A"],
    // Bytes that are not UTF-8, a byte order mark, and lone surrogates.
    ["a=%F0%9F%98%80", "a", "😀"],
    ["a=%E9", "a", "\ufffd"],
    ["a=%C3&b=%A9", "a", "\ufffd", "b", "\ufffd"],
    ["a=%E2%82+%41", "a", "\ufffd A"],
    ["a=%C0%80", "a", "\ufffd\ufffd"],
    ["a=%ED%A0%80", "a", "\ufffd\ufffd\ufffd"],
    ["a=%F4%90%80%80", "a", "\ufffd\ufffd\ufffd\ufffd"],
    ["a=%EF%BB%BF%FF", "a", "\ufeff\ufffd"],
    ["\ufeffa=%EF%BB%BFb", "\ufeffa", "\ufeffb"],
    ["a=%00%0A\0\n\t", "a", "\0\n\0\n\t"],
    ["a=\ud7ff\ue000é", "a", "\ud7ff\ue000é"],
    ["?a=😀+%2B&&b", "a", "😀 +", "b", ""],
    ["\ud83d=\ude00", "\ufffd", "\ufffd"],
    ["a=\udbff\udfff\udbff", "a", "\u{10ffff}\ufffd"],
    ["a=\ud83d%DE00&b=%\ud800", "a", "\ufffd\ufffd00", "b", "%\ufffd"],
  ])("decodes %j by the URL Standard", (text, ...expected) => {
    expect(readPairs(text).flat()).toEqual(expected);
    expect([...new URLSearchParams(text)].flat()).toEqual(expected);
  });

  it("decodes every pair of escaped bytes, and every UTF-16 code unit, as URLSearchParams does", () => {
    const wrong: string[] = [];
    for (let code = 0; code <= 0xffff; code++) {
      const hex = code.toString(16).padStart(4, "0");
      for (const text of [`a=%${hex.slice(0, 2)}%${hex.slice(2)}`, `a=x${String.fromCharCode(code)}`]) {
        if (readParams(text).params["a"] !== new URLSearchParams(text).get("a")) wrong.push(text);
      }
    }
    expect(wrong).toEqual([]);
  });

  it.each([
    "a=1&b=2&a=3&b=4&a=5",
    "b=1&a=2&b=3&c=4&a=",
    "a&a=&a=1",
    "a=1&a=1&a=1",
    "a=1&%61=2&+=3&%20=4",
    "__proto__=1&constructor=2&__proto__=3&constructor=4&__proto__=5",
    "a=1&b=%zz&a=2&b=%C3&a=3",
    "?a=1&&a=2&?a=3&?a=4",
    "=1&=2&&=3",
  ])("keeps the first value of a repeated name in params, and all values in repeatedOrNonText: %j", (text) => {
    const expected = new URLSearchParams(text);
    const names = [...new Set(expected.keys())];
    const { params, repeatedOrNonText, count } = readParams(text);
    expect(Object.entries(params)).toEqual(names.map((name) => [name, expected.get(name)]));
    const repeated = names.filter((name) => expected.getAll(name).length > 1);
    expect(sort(repeatedOrNonText)).toEqual(sort(repeated.map((name) => [name, expected.getAll(name)])));
    expect(count).toBe([...expected].length);
  });

  it("reads 200,000 parameters of different names, or of one name", () => {
    const { params } = readParams(Array.from({ length: 200_000 }, (_, i) => `a${i}=%zz${i}`).join("&"));
    expect([Object.keys(params).length, params["a199999"]]).toEqual([200_000, "%zz199999"]);
    expect(readIssues("a=1&".repeat(200_000))).toEqual(["a repeated"]);
  });
});

describe("readParams: bytes", () => {
  const encode = (text: string) => new TextEncoder().encode(text);

  it.each(["", "?a=1", "a=1&b=2&a=3", "a=%C3%A9&b=é+😀", "a=%zz&a=%", "\ufeffa=\ufeff1", "%EF%BB%BFa=1"])(
    "reads the bytes of %j as its text",
    (text) => {
      const part = encode(`x&${text}&y`).subarray(2, 2 + encode(text).length);
      for (const source of [encode(text), Buffer.from(text), part]) expect(readPairs(source)).toEqual(readPairs(text));
    },
  );

  it("replaces bytes that are not UTF-8", () => {
    expect(readPairs(new Uint8Array([0x61, 0x3d, 0xff, 0x26, 0x62, 0x3d, 0xc3])).flat()).toEqual([
      ...["a", "\ufffd", "b", "\ufffd"],
    ]);
  });
});

describe("readParams: an empty name", () => {
  it.each<unknown>([
    "a=1&=",
    "=&a=1&=&",
    [
      ["a", "1"],
      ["", ""],
    ],
    { a: "1", "": "" },
  ])("ignores an empty name with an empty value, which adds nothing to the signed text: %j", (source) => {
    expect(readParams(source).params).toEqual({ a: "1" });
  });

  it("keeps an empty name with a value", () => {
    expect(readParams("a=1&=2").params).toEqual({ a: "1", "": "2" });
  });
});

describe("readParams: an ArrayBuffer or a view", () => {
  const text = "a=1&b=%C3%A9";
  const [buffer, otherRealm, otherView] = runInNewContext(
    "[bytes.buffer, Uint8Array.from(bytes).buffer, Uint8Array.from(bytes)]",
    {
      bytes: new TextEncoder().encode(text),
    },
  ) as Uint8Array<ArrayBuffer>[];

  it.each<[string, unknown]>([
    ["an ArrayBuffer", buffer],
    ["an ArrayBuffer of another realm", otherRealm],
    ["a Uint8Array of another realm", otherView],
    ["a DataView", new DataView(new TextEncoder().encode(text).buffer)],
    ["a part of a buffer", new DataView(new TextEncoder().encode(`x&${text}&y`).buffer, 2, text.length)],
  ])("reads %s as its text", (_, source) => {
    expect(readPairs(source)).toEqual(readPairs(text));
  });
});

describe("readParams: maxCount", () => {
  it.each<[string, (count: number) => unknown]>([
    ["a form", (count) => "a=1&".repeat(count)],
    ["a form with an invalid escape", (count) => "a=1&%zz=1&".repeat(count)],
    ["pairs", (count) => Array.from({ length: count }, (_, i) => [`a${i}`, "1"])],
    ["an object", (count) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`a${i}`, "1"]))],
  ])("stops after maxCount and one more parameters of %s", (_, create) => {
    expect(readParams(create(5000), 1000).count).toBe(1001);
  });
});

describe("readParams: other sources", () => {
  const record = { FaxSid: "FX1", faxsid: "other", New: "é & +", "": "empty name", Empty: "", constructor: "own" };
  const pairs: [string, string][] = [...Object.entries(record), ["__proto__", "own"], ["lone", "\ud800"]];
  const withoutPrototype = Object.create(null) as Record<string, string>;
  for (const [name, value] of pairs) withoutPrototype[name] = value;
  const wellFormed = pairs.map(([name, value]) => [name, value.replace("\ud800", "\ufffd")]);

  it.each<[string, unknown, unknown]>([
    ["an array of pairs", pairs, pairs],
    ["a Map", new Map(pairs), pairs],
    ["a Set of pairs", new Set(pairs), pairs],
    ["a generator, which can be read only once", pairs.values(), pairs],
    ["a plain object", Object.fromEntries(pairs), pairs],
    ["an object without a prototype", withoutPrototype, pairs],
    // These replace lone surrogates themselves.
    ["URLSearchParams", new URLSearchParams(pairs), wellFormed],
    ["FormData", createForm(...pairs), wellFormed],
    ["a query string", "?" + new URLSearchParams(pairs).toString(), wellFormed],
  ])("reads all pairs of %s", (_, source, expected) => {
    expect(readPairs(source)).toEqual(expected);
    expect(readIssues(source)).toEqual([]);
  });

  it.each<[string, unknown]>([
    ["undefined", undefined],
    ["null", null],
    ["a number", 5],
    ["NaN", NaN],
    ["true", true],
    ["a bigint", 1n],
    ["a symbol", Symbol("FaxSid=1")],
    ["an empty object", {}],
    ["an empty array", []],
    ["a function", Object.assign(() => "a=b", { a: "b" })],
    ["a promise", Promise.resolve("a=b")],
    ["a stream with properties", { a: "1", [Symbol.asyncIterator]: () => undefined }],
    ["an array of other things", ["FaxSid=1", 5, null, undefined, {}, [5, "x"], [], { 0: "a", 1: "b" }]],
    ["a Set of text", new Set(["ab"])],
    ["a Map whose keys are not text", new Map<unknown, string>([...[[1, "1"] as const], [null, "2"], [{}, "3"]])],
  ])("finds no parameters in %s", (_, source) => {
    expect(readPairs(source)).toEqual([]);
    expect(readParams(source)).toMatchObject({ count: 0, media: undefined });
  });

  it("returns a frozen record without a prototype", () => {
    for (const { params } of ["FaxSid=1", { FaxSid: "1" }, undefined].map((source) => readParams(source))) {
      expect([Object.getPrototypeOf(params), Object.isFrozen(params)]).toEqual([null, true]);
    }
  });

  it("ignores undefined and null", () => {
    const source = toPairs("a", null, "a", "1", "a", undefined, "Media", FILE, "Media", undefined);
    expect([readPairs(source), readIssues(source)]).toEqual([[["a", "1"]], []]);
    expect(readPairs({ a: undefined, b: null, c: "1" })).toEqual([["c", "1"]]);
  });

  it("ignores inherited, symbol and non-enumerable properties", () => {
    const own = { hidden: { value: "2" }, own: { value: "3", enumerable: true } };
    const source = Object.create({ inherited: "1" }, own) as Record<symbol, string>;
    source[Symbol("s")] = "4";
    expect(readPairs(source)).toEqual([["own", "3"]]);
  });

  it("reads an iterable only once and without its properties, and each property of an object only once", () => {
    const reads = { iterator: 0, property: 0 };
    const iterable = {
      b: "no parameter",
      [Symbol.iterator]() {
        reads.iterator++;
        return [["a", "1"]].values();
      },
    };
    const object = Object.defineProperty({}, "a", { enumerable: true, get: () => String(++reads.property) });
    expect([readPairs(iterable), readPairs(object)]).toEqual([[["a", "1"]], [["a", "1"]]]);
    expect(reads).toEqual({ iterator: 1, property: 1 });
  });

  it("neither changes its source nor depends on later changes", () => {
    const list = Object.freeze(["1", "2"]);
    const source = Object.freeze([Object.freeze(["a", list]), Object.freeze(["a", "3"])]);
    expect(readParams(source).repeatedOrNonText.get("a")).toEqual([list, "3"]);
    expect(readParams(Object.freeze({ a: list, b: Object.freeze([]) })).repeatedOrNonText.get("a")).toEqual([list]);
    const map = new Map([["FaxSid", "1"]]);
    const { params } = readParams(map);
    map.set("FaxSid", "2");
    expect(params["FaxSid"]).toBe("1");
  });
});

describe("readParams: repeated and non-text values", () => {
  it.each<[string, unknown]>([
    ["a body", "a=1&b=2&a=3"],
    ["a body, with equal values", "a=1&a=1&b=2"],
    ["a body, with an escaped name", "a=1&%61=2&b=2"],
    ["a body, with an empty value first", "a&a=1&b=2"],
    ["a body, three times", "a=1&a=2&b=2&a=3"],
    ["URLSearchParams", new URLSearchParams("a=1&a=2&b=2")],
    ["a body parser's array", { a: ["1", "2", "3"], b: "2" }],
    ["text and an array", toPairs("a", "1", "b", "2", "a", ["2", "3"])],
    ["an array and text", toPairs("a", ["2", "3"], "b", "2", "a", "1")],
    ["text and an object", toPairs("a", "1", "b", "2", "a", { c: "3" })],
    ["an object and text", toPairs("a", { c: "3" }, "b", "2", "a", "1")],
    ["text and a file", toPairs("a", "1", "b", "2", "a", FILE)],
  ])("reports a name that is repeated in %s, once", (_, source) => {
    expect(readIssues(source)).toEqual(["a repeated"]);
    expect(readParams(source).params["b"]).toBe("2");
  });

  it.each<[string, unknown]>([
    ["a nested object", { a: "1" }],
    ["an empty object", {}],
    ["an object with toString", { toString: () => "1" }],
    ["an array of one", ["1"]],
    ["an empty array", []],
    ["a number", 2],
    ["true", true],
    ["a function", () => "1"],
    ["a function with arrayBuffer", Object.assign(() => 0, { arrayBuffer: () => 0 })],
    ["a symbol", Symbol("1")],
    ["a bigint", 1n],
    ["a String object", new String("1")],
    ["bytes", new Uint8Array(3)],
    ["a date", new Date(0)],
    ["an object whose arrayBuffer is not a function", { arrayBuffer: new ArrayBuffer(1) }],
  ])("reports a value that is not text: %s", (_, value) => {
    for (const name of ["NumPages", "Media"]) {
      const source = { [name]: value, To: "1" };
      expect(readIssues(source)).toEqual([`${name} not-text`]);
      expect(Object.entries(readParams(source).params)).toEqual([["To", "1"]]);
      expect(readParams(source)).toMatchObject({ count: 2, media: undefined });
    }
  });

  it("keeps every value of a name unchanged: text, an array, an object, a file", () => {
    const [list, object] = [["2", "3"], { b: "4" }];
    const source = toPairs("a", "1", "a", list, "a", undefined, "a", object, "a", FILE, "once", list);
    const { params, repeatedOrNonText, count, media } = readParams(source);
    expect([...repeatedOrNonText.keys()]).toEqual(["a", "once"]);
    expect(repeatedOrNonText.get("once")).toEqual([list]);
    for (const [i, value] of ["1", list, object, FILE].entries()) expect(repeatedOrNonText.get("a")?.[i]).toBe(value);
    expect({ ...params }).toEqual({ a: "1", once: "2" });
    expect([count, media]).toEqual([7, undefined]);
  });

  it("has no params value for an array whose first value is not text", () => {
    expect(readParams({ a: [1, "2"] }).params).not.toHaveProperty("a");
  });

  it("orders the names by their first repeated or non-text value", () => {
    const source = toPairs("r", "1", "x", 1, "r", "2", "q", ["1", "2"], "y", {}, "r", "3");
    expect(readIssues(source)).toEqual(["x not-text", "r repeated", "q repeated", "y not-text"]);
    expect(readIssues("a=1&b=1&a=2&b=2&__proto__=1&__proto__=2&c=3")).toEqual([
      ...["a repeated", "b repeated", "__proto__ repeated"],
    ]);
  });

  it("ignores the properties of a nested __proto__", () => {
    const source: unknown = JSON.parse('{"__proto__":{"FaxSid":"FX1"},"a":"1"}');
    expect(Object.entries(readParams(source).params)).toEqual([["a", "1"]]);
    expect(readParams(source).params["FaxSid"]).toBeUndefined();
    expect(readIssues(source)).toEqual(["__proto__ not-text"]);
  });
});

describe("readParams: the file", () => {
  it("returns the file Media, and the texts in params", async () => {
    const { media, params, count } = readParams(createForm(["FaxSid", "1"], ["Media", FILE]));
    expect(media).toMatchObject({ name: "fax.pdf", type: "application/pdf", size: 8 });
    expect(new TextDecoder().decode(await media?.arrayBuffer())).toBe("%PDF-1.7");
    expect([{ ...params }, count]).toEqual([{ FaxSid: "1" }, 2]);
    expect(readParams({ Media: FILE }).media).toBe(FILE);
  });

  it("ignores files of other names, without an issue, and texts of its name", () => {
    expect(readParams("Media=x&Media=y").media).toBeUndefined();
    const source = toPairs("Media", FILE, "Cover", "text", "media", "text", "Scan", FILE, "Attachment", FILE);
    expect(readIssues(source)).toEqual([]);
    expect({ ...readParams(source).params }).toEqual({ Cover: "text", media: "text" });
    expect(readParams(createForm(["media", FILE], ["Attachment", FILE])).media).toBeUndefined();
  });

  it("returns the first of two files, and the file before or after a text of its name", () => {
    const second = new Blob(["2"]);
    const sources = [
      toPairs("Media", FILE, "Media", second),
      toPairs("Media", FILE, "Media", "x"),
      toPairs("Media", "x", "Media", FILE, "Media", second),
      toPairs("Media", ["x", "y"], "Media", FILE),
    ];
    for (const source of sources) {
      expect(readIssues(source)).toEqual(["Media repeated"]);
      expect(readParams(source).media).toBe(FILE);
    }
  });
});

describe("isFaxMedia", () => {
  it("isFaxMedia is true only for objects with the method arrayBuffer", () => {
    const like = { arrayBuffer: () => Promise.resolve(new ArrayBuffer(0)) };
    expect([FILE, new File([], "x"), like].map(isFaxMedia)).toEqual([true, true, true]);
    const others = [
      { arrayBuffer: true },
      Object.assign(() => 0, like),
      {},
      null,
      undefined,
      "text",
      new Uint8Array(1),
    ];
    expect(others.filter(isFaxMedia)).toEqual([]);
  });
});

describe("createListIssue", () => {
  it.each<[readonly unknown[], string]>([
    [["1", "2"], '"To" is repeated.'],
    [[["1"]], '"To" must be text, but received an array.'],
    [[new String("1")], '"To" must be text, but received a String.'],
    [[false], '"To" must be text, but received false.'],
    [[15558675310], '"To" must be text, but received a number.'],
  ])("createListIssue describes a value, but hides numbers, which can be phone numbers (row %#)", (values, message) => {
    expect(createListIssue("To", values).message).toBe(message);
  });

  it("createListIssue truncates and escapes a long name", () => {
    const name = "\u001b\n".repeat(5e5);
    const issue = createListIssue(name, ["1", "2"]);
    expect(issue.parameter).toBe(name.slice(0, 64));
    expect(issue.message).toMatch(/^[\x20-\x7e…]{1,400}$/);
  });
});

describe("createIssue", () => {
  it("createIssue keeps a name of 64 characters, and truncates one of 65", () => {
    const issue = { parameter: "x".repeat(64), code: "repeated", message: "m" };
    expect(createIssue("x".repeat(64), "repeated", "m")).toEqual(issue);
    expect(createIssue("x".repeat(65), "repeated", "m")).toEqual(issue);
  });
});
