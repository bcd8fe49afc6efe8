/** The calls that produce the messages about bodies, multipart callbacks and pages. */
import { faxWebhook, fetchMedia } from "../../src/webhook/index.js";
import { readMultipart } from "../../src/webhook/multipart.js";
import type { Messages } from "./types.js";

/** The message of the refusal of a POST with this Content-Type and body. */
async function refusal(contentType: string, body: unknown): Promise<string> {
  let message = "not refused";
  const { handle } = faxWebhook({
    authToken: false,
    onCallback: () => {},
    maxMediaBytes: 1000,
    onRefused: (refusal) => (message = `${refusal.status} ${refusal.reason}: ${refusal.message}`),
  });
  await handle({ method: "POST", url: "/fax", headers: { "content-type": contentType }, body });
  return message;
}

async function* interrupted() {
  yield "FaxSid=";
  throw new Error("aborted");
}

const multipart = (body: string, boundary: string | undefined = "b") =>
  readMultipart(Buffer.from(body, "latin1"), boundary, { maxFormBytes: 4000, maxMediaBytes: 4000 });

const part = (headers: string, content = "1") =>
  `--b\r\nContent-Disposition: form-data; name="a"${headers}\r\n\r\n${content}\r\n`;

const respond =
  (status: number, headers: Record<string, string> = {}, body = "%PDF-") =>
  async () =>
    new Response(body, { status, headers });

const callback = { faxSid: "FX1", mediaUrl: "https://files.signalwire.com/1.pdf" };
const faxAt = (mediaUrl: string) => ({ faxSid: "FX1", mediaUrl });
const faxWith = (media: object) => ({ faxSid: "FX1", media });
const unreadable = { type: "", size: 1, arrayBuffer: () => Promise.reject(new Error("moved")) };
const consumed = { FaxSid: "FX1", AccountSid: "AC1", From: "", To: "1", ApiVersion: "v1", FaxStatus: "received" };

export const media: Messages = {
  scope: { callback, consumed, faxAt, faxWith, fetchMedia, interrupted, multipart, part, refusal, respond, unreadable },
  calls: [
    // body.ts
    `refusal("application/x-www-form-urlencoded, text/plain", "FaxSid=FX1")`,
    `refusal("multipart/form-data; boundary=b", "--b\\ufffd")`,
    `refusal("application/x-www-form-urlencoded", interrupted())`,
    `refusal("multipart/form-data; boundary=b", consumed)`,
    // multipart.ts
    `refusal("multipart/form-data; boundary=b", "--b\\r\\n")`,
    `multipart("", "b\\n")`,
    `multipart("\\n--b--")`,
    `multipart(part("") + "--bc\\r\\n")`,
    `multipart("--b--\\r\\n--b--")`,
    `multipart("--b\\r\\nContent-Disposition: form-data; name=a\\r\\n--b--")`,
    `multipart(part("\\r\\n folded") + "--b--")`,
    `multipart("--b\\r\\nContent-Disposition: attachment\\r\\n\\r\\n1\\r\\n--b--")`,
    `multipart(part("\\r\\nContent-Transfer-Encoding: base64") + "--b--")`,
    `multipart(part("\\r\\nContent-Type: multipart/mixed; boundary=c") + "--b--")`,
    `multipart(part("\\r\\nContent-Type: text") + "--b--")`,
    `multipart(part("\\r\\nContent-Type: text/plain; charset=utf-16") + "--b--")`,
    `multipart(part("", "\\xeb") + "--b--")`,
    `multipart(part("").repeat(1001))`,
    `multipart(part("\\r\\nX: " + "y".repeat(4096)) + "--b--")`,
    `multipart(part(Array.from({ length: 16 }, (_, i) => "\\r\\nX" + i + ": y").join("")) + "--b--")`,
    `multipart(part("", "x".repeat(4001)) + "--b--")`,
    `multipart(part("; filename=x", "x".repeat(4001)) + "--b--")`,
    // media.ts: arguments
    `fetchMedia(Promise.resolve(callback))`,
    `fetchMedia(faxAt)`,
    `fetchMedia({ FaxSid: "FX1", MediaUrl: "https://files.signalwire.com/1.pdf" })`,
    `fetchMedia({ faxSid: "../FX1" })`,
    `fetchMedia(callback, "files.signalwire.com")`,
    `fetchMedia(callback, { timeout: 1000 })`,
    `fetchMedia(callback, { hosts: "files.signalwire.com" })`,
    `fetchMedia(callback, { hosts: [] })`,
    `fetchMedia(callback, { hosts: ["files.signalwire.com", "https://files.example"] })`,
    `fetchMedia(callback, { redirectHosts: null })`,
    `fetchMedia(callback, { redirectHosts: ["*.amazonaws.com"] })`,
    `fetchMedia(callback, { headers: "authorization: Bearer secret" })`,
    `fetchMedia(callback, { headers: ["authorization: Bearer secret"] })`,
    `fetchMedia(callback, { headers: { authorization: undefined } })`,
    `fetchMedia(callback, { headers: { authorization: "Bearer\\nsecret" } })`,
    `fetchMedia(callback, { maxBytes: "1" })`,
    `fetchMedia(callback, { timeoutMs: Infinity })`,
    `fetchMedia(callback, { retries: 0.5 })`,
    `fetchMedia(callback, { fetch: null })`,
    // media.ts: pages
    `fetchMedia({ faxSid: "FX1" })`,
    `fetchMedia(faxWith(unreadable))`,
    `fetchMedia(faxWith(new Blob(["%PDF-1.4"])), { maxBytes: 4 })`,
    `fetchMedia(faxWith({ size: 4, arrayBuffer: async () => new ArrayBuffer(8) }), { maxBytes: 4 })`,
    `fetchMedia(callback, { fetch: respond(200, {}, "<!DOCTYPE html><title>Sign in</title>") })`,
    `fetchMedia(callback, { fetch: respond(200, {}, "") })`,
    `fetchMedia(callback, { fetch: () => new Promise(() => {}), timeoutMs: 1 })`,
    // download.ts
    `fetchMedia(faxAt("1.pdf"))`,
    `fetchMedia(faxAt("https://me:secret@files.signalwire.com/1.pdf"))`,
    `fetchMedia(faxAt("http://10.0.0.1/1.pdf"))`,
    `fetchMedia(faxAt("blob:https://files.signalwire.com/1"))`,
    `fetchMedia(faxAt("https://files.example/1.pdf"))`,
    `fetchMedia(callback, { fetch: respond(302, { location: "https://[" }) })`,
    `fetchMedia(callback, { fetch: respond(302, { location: "http://169.254.169.254/latest/meta-data/" }) })`,
    `fetchMedia(callback, { fetch: respond(302, { location: "https://storage.example/1.pdf" }) })`,
    `fetchMedia(callback, { fetch: respond(302, { location: "/2.pdf" }) })`,
    `fetchMedia(callback, { fetch: async () => ({ status: 200, redirected: true }) })`,
    `fetchMedia(callback, { fetch: () => { throw new Error("no proxy"); }, retries: 0 })`,
    `fetchMedia(callback, { fetch: respond(401) })`,
    `fetchMedia(callback, { fetch: respond(404), retries: 0 })`,
    `fetchMedia(callback, { fetch: respond(410) })`,
    `fetchMedia(callback, { fetch: respond(500), retries: 0 })`,
    `fetchMedia(callback, { fetch: respond(200, { "content-length": "2000" }), maxBytes: 1000 })`,
    `fetchMedia(callback, { fetch: respond(200), maxBytes: 4 })`,
    `fetchMedia(callback, { fetch: respond(200, { "content-length": "2000" }), retries: 0 })`,
  ],
};
