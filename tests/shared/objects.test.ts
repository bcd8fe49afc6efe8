import { describe, expect, it } from "vitest";
import { emptyRecord, readOwn } from "../../src/shared/objects.js";

describe("emptyRecord", () => {
  it("makes an object that inherits nothing, so that any name can be its own", () => {
    const object = emptyRecord<string>();
    expect(Object.getPrototypeOf(object)).toBeNull();
    object["__proto__"] = "own";
    expect(Object.entries(object)).toEqual([["__proto__", "own"]]);
    expect("toString" in object).toBe(false);
  });

  it("makes a new one every time", () => {
    expect(emptyRecord()).not.toBe(emptyRecord());
  });
});

describe("ownValue", () => {
  it("reads own properties alone", () => {
    expect(readOwn({ a: 1 }, "a")).toBe(1);
    for (const value of [Object.create({ a: 1 }), undefined, null, "a", 5]) expect(readOwn(value, "a")).toBeUndefined();
    expect(readOwn({}, "toString")).toBeUndefined();
  });
});
