/** Inputs of the candidates: several of each, and no literals, because engines cache results for literals. */
import { randomUUID } from "node:crypto";
import querystring from "node:querystring";
import { bareSignature } from "./by-hand.mjs";

const COUNT = 64;
const SIZE = 64 * 1024;

export const authToken = "0123456789abcdef0123456789abcdef";
export const url = "https://fax.example.com/fax/incoming?line=2";

/** A function that calls `use` with another input for each running number, which `race` passes. */
export const over = (inputs, use) => (i) => use(inputs[i % COUNT]);

/** The attributes that a handler creates for each fax. */
export const attributesFor = (to) => ({
  action: `/fax/received?to=${to}&n=1`,
  method: "POST",
  mediaType: "application/pdf",
  pageSize: "a4",
});

export const attributes = Array.from({ length: COUNT }, (_, i) => attributesFor(`+155586753${i}`));

const NUMBERS = { From: "+15017122661", To: "+15558675310" };
export const requests = signedForms(() => ({
  FaxSid: randomUUID(),
  AccountSid: randomUUID(),
  ...NUMBERS,
  ApiVersion: "v1",
}));

export const callbacks = signedForms(() => ({
  FaxSid: randomUUID(),
  AccountSid: randomUUID(),
  ...NUMBERS,
  RemoteStationId: "+15017122661",
  FaxStatus: "received",
  ApiVersion: "v1",
  NumPages: "2",
  MediaSid: randomUUID(),
  MediaUrl: `https://files.signalwire.com/${randomUUID()}/fax/${randomUUID()}.pdf`,
  Timestamp: "2022-01-13T21:54:46Z",
}));

/** The same requests, each with one character of its signature changed. */
export const forgeries = requests.map((request) => ({
  ...request,
  signature: request.signature.replace(/^./, (first) => (first === "A" ? "B" : "A")),
}));

/** A form of a request with `count` parameters. */
export function longForm(count) {
  const more = Array.from({ length: count - 5 }, (_, i) => `&Parameter${i}=value+%23${i}`);
  return flat(requests[0].body + more.join(""));
}

/** Bodies of 64 KiB that are expensive to decode, by their repeated unit. */
export const HARD_FORMS = {
  ...Object.fromEntries(["%", "%zz", "%ff", "+", "&", "a="].map((text) => [text, fill(text)])),
  "a=1& (one name)": fill("a=1&"),
};

function fill(text) {
  return flat(text.repeat(SIZE / text.length));
}

/** Flat text, as from a socket: V8 flattens a concatenated string when it is first read, which would be timed. */
function flat(text) {
  return Buffer.from(text).toString("latin1");
}

function signedForms(makeParams) {
  return Array.from({ length: COUNT }, makeParams).map(signForm);
}

function signForm(params) {
  const body = flat(new URLSearchParams(params).toString());
  const signature = flat(bareSignature(authToken, url, params));
  const headers = {
    host: "fax.example.com",
    "content-type": "application/x-www-form-urlencoded; charset=utf-8",
    "content-length": String(body.length),
    "x-twilio-signature": signature,
    "i-twilio-idempotency-token": randomUUID(),
    accept: "*/*",
    "user-agent": "TwilioProxy/1.1",
    "accept-encoding": "gzip",
    connection: "close",
  };
  return { params: querystring.parse(body), body, signature, headers };
}
