import { describe, expect, it } from "vitest";
import { checkOptionNames, emptyRecord, isPlainObject, readOwn } from "../../src/shared/objects.js";

describe("emptyRecord", () => {
  it("emptyRecord returns a new object without a prototype", () => {
    const record = emptyRecord<string>();
    expect(emptyRecord()).not.toBe(record);
    expect(Object.getPrototypeOf(record)).toBeNull();
    record["__proto__"] = "own";
    expect(Object.entries(record)).toEqual([["__proto__", "own"]]);
  });
});

describe("readOwn", () => {
  it("readOwn reads own properties only", () => {
    expect(readOwn({ a: 1 }, "a")).toBe(1);
    expect(
      readOwn(
        Object.assign(() => 1, { a: 1 }),
        "a",
      ),
    ).toBe(1);
    for (const value of [Object.create({ a: 1 }), undefined, null, "a", 5]) expect(readOwn(value, "a")).toBeUndefined();
    expect(readOwn("a", "length")).toBeUndefined();
    expect(readOwn({}, "toString")).toBeUndefined();
  });
});

describe("isPlainObject", () => {
  class WithData {
    a = 1;
  }
  class Empty {}
  it.each<[string, unknown, boolean]>([
    ["an object literal", {}, true],
    ["an object without a prototype", Object.create(null), true],
    ["a class instance with data", new WithData(), true],
    ["a class instance without data", new Empty(), false],
    ["a function", () => 1, false],
    ["Object.prototype", Object.prototype, true],
    ["an array", ["a"], false],
    ["a URL with a property", Object.assign(new URL("https://example.com"), { a: 1 }), false],
    ["a Promise", Promise.resolve(), false],
    ["text", "a", false],
    ["null", null, false],
  ])("isPlainObject returns $2 for %s", (_, value, expected) => {
    expect(isPlainObject(value)).toBe(expected);
  });
});

describe("checkOptionNames", () => {
  it("checkOptionNames copies own options onto an object without a prototype", () => {
    const options = checkOptionNames("f", Object.assign(Object.create({ inherited: 1 }) as object, { a: 1 }), [
      "a",
      "b",
    ]);
    expect(Object.getPrototypeOf(options)).toBeNull();
    expect({ ...options }).toEqual({ a: 1 });
  });

  it.each<[unknown, string]>([
    [{ A: 1 }, 'f: unknown option "A" (did you mean "a"?). Known options: a, b. Names are case-sensitive.'],
    [null, "The options of f must be an object, but received null."],
    ["s3cret", "The options of f must be an object, but received a string."],
    [Promise.resolve({}), "The options of f must be an object, but received a Promise. Is an await missing?"],
  ])("checkOptionNames throws a TypeError for an unknown option or a non-object (row %#)", (options, message) => {
    expect(() => checkOptionNames("f", options, ["a", "b"])).toThrow(new TypeError(message));
  });
});
