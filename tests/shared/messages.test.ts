import { describe, expect, it } from "vitest";
import {
  didYouMean,
  foldName,
  formatUnknownName,
  formatValue,
  optionError,
  redactUrl,
} from "../../src/shared/messages.js";

describe("formatValue", () => {
  const rows: [value: unknown, formatted: string][] = [
    ["", '""'],
    ['"', '"\\""'],
    ["\n", '"\\n"'],
    ["\0", '"\\u0000"'],
    ["\x7f", '"\\u007f"'],
    ["\u001b[31m", '"\\u001b[31m"'],
    ["é\u202e", '"\\u00e9\\u202e"'],
    ["😀", '"\\ud83d\\ude00"'],
    ["\ud800", '"\\ud800"'],
    ["x".repeat(40), `"${"x".repeat(40)}"`],
    ["x".repeat(41), `"${"x".repeat(40)}…"`],
    [undefined, "undefined"],
    [null, "null"],
    [true, "true"],
    [-0.5, "-0.5"],
    [[], "an array"],
    [{ toString: () => "secret" }, "an object"],
    [Object.create(null), "an object"],
    [new Date(0), "a Date"],
    [new Uint8Array(1), "a Uint8Array"],
    [{ [Symbol.toStringTag]: "lower" }, "an object"],
    [{ [Symbol.toStringTag]: "A b" }, "an object"],
    [{ [Symbol.toStringTag]: "A".repeat(31) }, `an ${"A".repeat(31)}`],
    [{ [Symbol.toStringTag]: "A".repeat(32) }, "an object"],
    [() => 1, "a function"],
    [Symbol("s"), "a symbol"],
    [10n, "a bigint"],
  ];
  it.each(rows.map(([value, formatted]) => ({ value, formatted })))(
    "formatValue returns $formatted",
    ({ value, formatted }) => {
      expect(formatValue(value)).toBe(formatted);
    },
  );

  it.each([
    ["https://user:s3cret@example.com/fax", '"https://***@example.com/fax"'],
    ["ftp://user:s3cret@example.com/", '"ftp://***@example.com/"'],
    ["//user:s3cret@example.com/", '"***@example.com/"'],
    ["user:s3cret@example.com", '"user:***@example.com"'],
    ["see https://user:s3cret@a/ and https://b:s3cret@c/", '"***@c/"'],
    ["https://user:s3cret@b@example.com/", '"https://***@example.com/"'],
    ["https://user:s3cret\n@example.com/", '"https://***@example.com/"'],
    ["https:/user:s3cret@example.com/", '"https:/***@example.com/"'],
    ["https:user:s3cret@example.com/", '"https:***@example.com/"'],
    ["https:\\\\user:s3cret@example.com/", '"https:\\\\\\\\***@example.com/"'],
    ["https://user:a/s3cret@example.com/", '"https://***@example.com/"'],
    ["https://user:a?s3cret#s3cret@example.com/", '"https://***@example.com/"'],
    [`https://user:s3cret${"x".repeat(2000)}@example.com/`, '"https://***@example.com/"'],
    ["https://user:s3cret%2540example.com/", '"https://***@example.com/"'],
    ["a s3cret:c@d", '"***@d"'],
    [`https://u:s3cret@${"h".repeat(29)}`, `"https://***@${"h".repeat(28)}…"`],
    ["https://example.com/fax", '"https://example.com/fax"'],
  ])("formatValue removes the password from %j: %s", (url, formatted) => {
    expect(formatValue(url)).toBe(formatted);
  });
});

describe("redactUrl", () => {
  it.each([
    ["https://example.com/fax?From=1", "https://example.com/fax?From=1"],
    ["https://user:s3cret@example.com/fax", "https://***@example.com/fax"],
    ["HTTP://user:s3cret@example.com/", "HTTP://***@example.com/"],
    ["https://example.com/https://user:s3cret%40other/", "https://***@other/"],
    ["https://example.com/fax?next=https://user:s3cret@other/", "https://example.com/fax?***@other/"],
    ["https://user:s3cret@example.com/fax?a@b", "https://***@example.com/fax?***@b"],
    ["https://example.com/?a=s3cret%2540b", "https://example.com/?***@b"],
    ["https://user:s3cret?x@host:bad/", "https://***@host:bad/"],
    ["https://user:s3cret?x@host/?a@b", "https://***@host/?***@b"],
    ['https://é.example/<a>"\n', "https://%e9.example/%3ca%3e%22%0a"],
    [`https://${"x".repeat(192)}`, `https://${"x".repeat(192)}`],
    [`https://${"x".repeat(193)}`, `https://${"x".repeat(189)}...`],
    ["", ""],
  ])("redactUrl converts %j to %s", (url, redacted) => {
    expect(redactUrl(url)).toBe(redacted);
  });
});

describe("optionError", () => {
  it.each<[unknown, string]>([
    ["PUT!", 'a must be b, but received "PUT!".'],
    ["12345", "a must be b, but received a string."],
    ["s3cret_.Key", "a must be b, but received a string."],
    ["", 'a must be b, but received "".'],
    ["/fax", 'a must be b, but received "/fax".'],
    ["ftp://user:s3cret@a.example", 'a must be b, but received "ftp://***@a.example".'],
    ["fax.example.com/x", 'a must be b, but received "fax.example.com/x".'],
    [5, "a must be b, but received 5."],
    [Promise.resolve(), "a must be b, but received a Promise. Is an await missing?"],
    [{ then: () => 1 }, "a must be b, but received an object. Is an await missing?"],
    [() => 1, "a must be b, but received a function. Is a call missing?"],
  ])("optionError ends with a hint for functions and promises (row %#)", (value, message) => {
    expect(optionError("a", "b", value)).toEqual(new TypeError(message));
  });
});

describe("formatUnknownName", () => {
  it("formatUnknownName suggests the nearest name and lists all", () => {
    expect(formatUnknownName("option", "onfax", ["onFax", "maxBytes"])).toBe(
      'unknown option "onfax" (did you mean "onFax"?). Known options: onFax, maxBytes. Names are case-sensitive.',
    );
  });
});

describe("foldName", () => {
  it.each([
    ["FaxSid", "faxsid"],
    ["fax_sid", "faxsid"],
    ["Fax-Sid", "faxsid"],
    [" fax sid\n", "faxsid"],
  ])("foldName converts %j to %j", (name, folded) => {
    expect(foldName(name)).toBe(folded);
  });
});

describe("didYouMean", () => {
  const names = ["action", "method", "mediaType", "pageSize", "storeMedia"];
  const verbs = ["Receive", "Reject"];
  const sizes = ["letter", "legal", "a4"];
  it.each<[unknown, readonly unknown[], string]>([
    ["pagesize", names, '"pageSize"'],
    ["PAGE_SIZE", names, '"pageSize"'],
    ["pagSize", names, '"pageSize"'],
    ["pageSizes", names, '"pageSize"'],
    ["aciton", names, '"action"'],
    ["actn", names, '"action"'],
    ["tion", names, '"action"'],
    ["media", names, '"mediaType"'],
    ["mxdxaType", names, '"mediaType"'],
    ["x".repeat(34) + "action", names, '"action"'],
    ["PST", ["GET", "POST"], '"POST"'],
    ["gat", ["GET", "POST"], '"GET"'],
    ["A4", sizes, '"a4"'],
    ["legel", sizes, '"legal"'],
    ["lettre", sizes, '"letter"'],
    ["a4 paper", sizes, '"a4"'],
    ["tiff", ["application/pdf", "image/tiff"], '"image/tiff"'],
    ["False", [true, false], "false"],
    ["recieve", verbs, '"Receive"'],
    ["rejetc", verbs, '"Reject"'],
  ])("didYouMean suggests for %j of %j: %s", (value, candidates, suggestion) => {
    expect(didYouMean(value, candidates)).toBe(` (did you mean ${suggestion}?)`);
  });

  it.each<[unknown, readonly unknown[]]>([
    ["", names],
    ["x", names],
    ["on", names],
    ["timeout", names],
    ["acxxxn", names],
    ["mxdxaTxpe", names],
    ["sxorxMexia", names],
    ["x".repeat(35) + "action", names],
    [5, names],
    [["action"], names],
    ["DELETE", ["GET", "POST"]],
    ["PUT", ["GET", "POST"]],
    ["a", sizes],
    ["a3", sizes],
    ["a3x", sizes],
    ["lxgxl", sizes],
    ["lxxxer", sizes],
    ["rexxxve", verbs],
    ["yes", [true, false]],
  ])("didYouMean suggests nothing for %j of %j", (value, candidates) => {
    expect(didYouMean(value, candidates)).toBe("");
  });
});
