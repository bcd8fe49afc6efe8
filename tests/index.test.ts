import { describe, expect, it } from "vitest";
import * as entry from "../src/index.js";

describe('the entry "twiml-fax"', () => {
  it("twiml-fax exports exactly the documented names", () => {
    expect(Object.keys(entry).sort()).toEqual([
      "FAX_ISSUE_CODES",
      "FAX_STATUSES",
      "FaxRequestError",
      "FaxResponse",
      "HTTP_METHODS",
      "MEDIA_TYPES",
      "PAGE_SIZES",
      "TWIML_CONTENT_TYPE",
      "TWIML_ERROR_CODES",
      "TwimlError",
      "parseFax",
      "parseFaxCallback",
      "parseFaxRequest",
      "parseTwiml",
      "receive",
      "reject",
      "toTwiml",
    ]);
  });

  it("HTTP_METHODS, MEDIA_TYPES, PAGE_SIZES and FAX_STATUSES have the documented values", () => {
    expect(entry.HTTP_METHODS).toEqual(["GET", "POST"]);
    expect(entry.MEDIA_TYPES).toEqual(["application/pdf", "image/tiff"]);
    expect(entry.PAGE_SIZES).toEqual(["letter", "legal", "a4"]);
    expect([...entry.FAX_STATUSES].sort()).toEqual(
      "busy canceled delivered failed no-answer processing queued received receiving sending".split(" "),
    );
  });

  it("TWIML_CONTENT_TYPE is a type that providers accept (error 12300)", () => {
    expect(entry.TWIML_CONTENT_TYPE).toBe("text/xml; charset=utf-8");
  });
});
