import { describe, expect, it } from "vitest";
import { didYouMean, foldName, formatValue, redactUrl } from "../../src/shared/messages.js";

describe("formatValue", () => {
  it.each(
    (
      [
        ["a", '"a"'],
        ["", '""'],
        ['"', '"\\""'],
        ["\n", '"\\n"'],
        ["\0", '"\\u0000"'],
        ["\x7f", '"\\u007f"'],
        ["\u001b[31m", '"\\u001b[31m"'],
        ["é", '"\\u00e9"'],
        ["\u202e", '"\\u202e"'],
        ["😀", '"\\ud83d\\ude00"'],
        ["\ud800", '"\\ud800"'],
        ["x".repeat(40), `"${"x".repeat(40)}"`],
        ["x".repeat(41), `"${"x".repeat(40)}…"`],
        ["x".repeat(1e6), `"${"x".repeat(40)}…"`],
        [undefined, "undefined"],
        [null, "null"],
        [true, "true"],
        [-0.5, "-0.5"],
        [NaN, "NaN"],
        [[], "an array"],
        [{ toString: () => "secret" }, "an object"],
        [Object.create(null), "an object"],
        [() => 1, "a function"],
        [Symbol("s"), "a symbol"],
        [10n, "a bigint"],
      ] as [unknown, string][]
    ).map(([value, shown]) => ({ value, shown })),
  )("shows $shown", ({ value, shown }) => {
    expect(formatValue(value)).toBe(shown);
  });

  it.each([
    "https://user:s3cret@example.com/",
    "ftp://user:s3cret@example.com/",
    "//user:s3cret@example.com/",
    "see https://user:s3cret@a/ and https://b:s3cret@c/",
    "https://user:p@s3cret@example.com/",
    "https://user:s3cret\n@example.com/",
    "https:/user:s3cret@example.com/",
    "https:user:s3cret@example.com/",
    "https:\\\\user:s3cret@example.com/",
    "https:\\user:s3cret@example.com/",
    "https:///user:s3cret@example.com/",
    "https://user:a/s3cret@example.com/",
    "https://user:a?s3cret@example.com/",
    "https://user:a#s3cret@example.com/",
    "user:s3cret@example.com/",
    `https://user:s3cret${"x".repeat(2000)}@example.com/`,
  ])("hides the password of %j", (url) => {
    expect(formatValue(url)).not.toContain("s3cret");
  });

  it.each([
    ["https://user:s3cret@example.com/fax", '"https://***@example.com/fax"'],
    ["https:\\\\user:s3cret@example.com/fax", '"https:\\\\\\\\***@example.com/fax"'],
    ["https://a@b@example.com/", '"https://***@example.com/"'],
    ["https:user@example.com", '"https:***@example.com"'],
    ["//user:s3cret@example.com/", '"***@example.com/"'],
    ["user@example.com", '"***@example.com"'],
    ["https://user:p%2540example.com/", '"https://***@example.com/"'],
    ["@", '"***@"'],
    ["a b:c@d", '"***@d"'],
    [`https://u:p@${"h".repeat(28)}`, `"https://***@${"h".repeat(28)}"`],
    [`https://u:p@${"h".repeat(29)}`, `"https://***@${"h".repeat(28)}…"`],
    ["https://example.com/fax", '"https://example.com/fax"'],
  ])("still tells which URL %j was: %s", (url, shown) => {
    expect(formatValue(url)).toBe(shown);
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
    ['https://é.example/<a>"\n', "https://%e9.example/%3ca%3e%22%0a"],
    [`https://${"x".repeat(192)}`, `https://${"x".repeat(192)}`],
    [`https://${"x".repeat(193)}`, `https://${"x".repeat(189)}...`],
    ["", ""],
  ])("makes %j %s", (url, redacted) => {
    expect(redactUrl(url)).toBe(redacted);
  });
});

describe("foldName", () => {
  it.each([
    ["FaxSid", "faxsid"],
    ["fax_sid", "faxsid"],
    ["Fax-Sid", "faxsid"],
    [" fax sid\n", "faxsid"],
    ["", ""],
  ])("makes %j %j", (name, folded) => {
    expect(foldName(name)).toBe(folded);
  });
});

describe("didYouMean", () => {
  const names = ["action", "method", "mediaType", "pageSize", "storeMedia"];
  it.each([
    ["pagesize", "pageSize"],
    ["PAGE_SIZE", "pageSize"],
    ["page-size", "pageSize"],
    ["pagSize", "pageSize"],
    ["pageSizes", "pageSize"],
    ["aciton", "action"],
    ["methods", "method"],
    ["media", "mediaType"],
    ["storemedia", "storeMedia"],
    ["media_type", "mediaType"],
    ["acton", "action"],
    ["actn", "action"],
    ["tion", "action"],
    ["actionUrl", "action"],
    ["the action", "action"],
    ["mxdxaType", "mediaType"],
    ["x".repeat(34) + "action", "action"],
  ])("suggests for %j %j", (value, name) => {
    expect(didYouMean(value, names)).toBe(` (did you mean "${name}"?)`);
  });

  it.each([
    "",
    "x",
    "on",
    "timeout",
    "onclick",
    "acxxxn",
    "mxdxaTxpe",
    "sxorxMexia",
    "storeMedia".repeat(5),
    "x".repeat(35) + "action",
    5,
    null,
    undefined,
    {},
    ["action"],
    Symbol("action"),
  ])("suggests nothing for what is near to none: %j", (value) => {
    expect(didYouMean(value, names)).toBe("");
  });

  it.each([
    ["post", ["GET", "POST"], '"POST"'],
    ["PST", ["GET", "POST"], '"POST"'],
    ["pdf", ["application/pdf", "image/tiff"], '"application/pdf"'],
    ["A4", ["letter", "legal", "a4"], '"a4"'],
    ["true", [true, false], "true"],
    ["False", [true, false], "false"],
    ["gat", ["GET", "POST"], '"GET"'],
    ["legel", ["letter", "legal", "a4"], '"legal"'],
    ["lettre", ["letter", "legal", "a4"], '"letter"'],
    ["a4 paper", ["letter", "legal", "a4"], '"a4"'],
    ["tiff", ["application/pdf", "image/tiff"], '"image/tiff"'],
    ["recieve", ["Receive", "Reject"], '"Receive"'],
    ["receive", ["Receive", "Reject"], '"Receive"'],
    ["rejetc", ["Receive", "Reject"], '"Reject"'],
  ])("suggests for the value %j of %j %s", (value, candidates, shown) => {
    expect(didYouMean(value, candidates)).toBe(` (did you mean ${shown}?)`);
  });

  it.each([
    ["DELETE", ["GET", "POST"]],
    ["PUT", ["GET", "POST"]],
    ["gxx", ["GET", "POST"]],
    ["a3", ["letter", "legal", "a4"]],
    ["a", ["letter", "legal", "a4"]],
    ["lxgxl", ["letter", "legal", "a4"]],
    ["lxxxer", ["letter", "legal", "a4"]],
    ["rexxxve", ["Receive", "Reject"]],
    ["a3x", ["letter", "legal", "a4"]],
    ["yes", [true, false]],
  ])("suggests nothing for the value %j of %j", (value, candidates) => {
    expect(didYouMean(value, candidates)).toBe("");
  });
});
