import { describe, expect, it } from "vitest";
import * as face from "../src/index.js";

describe('the face of "twiml-fax"', () => {
  it("exports exactly what is documented", () => {
    expect(Object.keys(face).sort()).toEqual([
      "FAX_STATUSES",
      "FaxRequestError",
      "FaxResponse",
      "HTTP_METHODS",
      "MEDIA_TYPES",
      "PAGE_SIZES",
      "TWIML_CONTENT_TYPE",
      "TwimlError",
      "parseFaxCallback",
      "parseFaxRequest",
      "receive",
      "reject",
      "toTwiml",
    ]);
  });

  it("lists the values that the providers document", () => {
    expect(face.HTTP_METHODS).toEqual(["GET", "POST"]);
    expect(face.MEDIA_TYPES).toEqual(["application/pdf", "image/tiff"]);
    expect(face.PAGE_SIZES).toEqual(["letter", "legal", "a4"]);
    expect([...face.FAX_STATUSES].sort()).toEqual(
      "busy canceled delivered failed no-answer processing queued received receiving sending".split(" "),
    );
  });

  it("names a content type that providers take for XML (error 12300)", () => {
    expect(face.TWIML_CONTENT_TYPE).toBe("text/xml; charset=utf-8");
  });
});
