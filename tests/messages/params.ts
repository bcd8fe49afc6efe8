/** The calls that produce the messages of the section "params". */
import { Readable } from "node:stream";
import { type FaxParamSource, parseFax, parseFaxCallback, parseFaxRequest } from "../../src/index.js";
import type { Messages } from "./types.js";

const REQUEST = { FaxSid: "FX1", AccountSid: "AC1", From: "+15017122661", To: "+15558675310", ApiVersion: "v1" };

/** Parses a new fax that has all parameters, replaced or extended by those given. */
function request(params: object): unknown {
  return parseFaxRequest({ ...REQUEST, ...params });
}

/** The messages that are noted in the issues of a callback, or else of the error. */
function callback(params: object): string {
  const { issues } = parseFaxCallback({ ...REQUEST, FaxStatus: "received", ...params });
  return issues.map(({ message }) => message).join("\n");
}

/** The first message of the Standard Schema. */
function validate(source: unknown): string | undefined {
  return parseFax["~standard"].validate(source).issues?.[0]?.message;
}

/** A source whose reading fails. */
const throwing: FaxParamSource = {
  [Symbol.iterator]: () => {
    throw new Error("secret");
  },
} as never;

export const params: Messages = {
  scope: { Readable, parseFaxRequest, request, callback, validate, throwing },
  calls: [
    // The source has no parameters.
    "parseFaxRequest(undefined)",
    "parseFaxRequest({})",
    'parseFaxRequest("")',
    "parseFaxRequest(new ArrayBuffer(0))",
    "parseFaxRequest(Promise.resolve({}))",
    "parseFaxRequest(() => ({}))",
    'parseFaxRequest(new URL("https://example.com/?FaxSid=FX1"))',
    'parseFaxRequest(new Request("https://example.com/"))',
    "parseFaxRequest(Readable.from([]))",
    // A problem with one parameter.
    "request({ FaxSid: undefined })",
    'request({ FaxSid: undefined, faxsid: "FX1" })',
    'request({ To: "" })',
    'request({ To: ["+15558675310", "+15558675311"] })',
    "request({ To: 15558675310 })",
    "request({ To: { a: 1 } })",
    'request({ FaxSid: "../etc/passwd" })',
    'request({ FaxSid: "ftp://user:password@example.com/" })',
    'request({ FaxSid: "\\u001b[2J".repeat(1000) })',
    'callback({ MediaSid: "a b" })',
    'callback({ NumPages: "two" })',
    'callback({ MediaUrl: "/fax.pdf", OriginalMediaUrl: "ftp://example.com/fax.pdf" })',
    'callback({ Timestamp: "yesterday" })',
    'callback({ FaxStatus: "" })',
    'callback({ Media: "%PDF-1.7" })',
    // Several problems.
    "parseFaxRequest({ a: 1, b: 2 })",
    'validate({ FaxSid: "" })',
    "validate(throwing)",
  ],
};
