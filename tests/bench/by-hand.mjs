/** Lower bounds: the shortest code for exactly one case. */
import { createHmac, timingSafeEqual } from "node:crypto";

const ENTITIES = { "&": "&amp;", "<": "&lt;", '"': "&quot;", "\t": "&#x9;", "\n": "&#xA;", "\r": "&#xD;" };
const escape = (text) => text.replace(/[&<"\t\n\r]/g, (character) => ENTITIES[character]);

export const EMPTY_RESPONSE = '<?xml version="1.0" encoding="UTF-8"?><Response/>';

export function writeByHand({ action, method, mediaType, pageSize }) {
  return (
    `<?xml version="1.0" encoding="UTF-8"?><Response><Receive action="${escape(action)}" ` +
    `method="${method}" mediaType="${mediaType}" pageSize="${pageSize}"/></Response>`
  );
}

export function bareSignature(authToken, url, params) {
  let text = url;
  for (const name of Object.keys(params).sort()) text += name + params[name];
  return createHmac("sha1", authToken).update(text).digest("base64");
}

export function bareVerify(authToken, signature, url, params) {
  const expected = Buffer.from(bareSignature(authToken, url, params));
  const given = Buffer.from(signature);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

export const decodeBySearchParams = (body) => Object.fromEntries(new URLSearchParams(body));

export function decodeByHand(body) {
  const decode = (text) => decodeURIComponent(text.replaceAll("+", " "));
  const params = Object.create(null);
  for (const pair of body.split("&")) {
    const equals = pair.indexOf("=");
    params[decode(pair.slice(0, equals))] = decode(pair.slice(equals + 1));
  }
  return params;
}

const isForm = ({ method, headers, body }) =>
  method === "POST" &&
  headers["content-type"].startsWith("application/x-www-form-urlencoded") &&
  body.length <= 64 * 1024;

// V8 is slow with a counted repetition such as {1,40}.
const isSid = (text) => text.length <= 40 && /^[\w-]+$/.test(text);

/** The minimum for a valid request; `write` creates the response body from the parameters. */
export function handleByHand(authToken, decode, write) {
  return async (request) => {
    if (!isForm(request)) return { status: 415 };
    const params = decode(request.body);
    const signature = request.headers["x-twilio-signature"] ?? "";
    if (!bareVerify(authToken, signature, "https://fax.example.com" + request.url, params)) return { status: 403 };
    for (const name of ["FaxSid", "AccountSid", "From", "To", "ApiVersion"]) {
      if (params[name] === undefined) return { status: 400 };
    }
    if (!isSid(params.FaxSid) || !isSid(params.AccountSid)) return { status: 400 };
    const headers = { "content-type": "text/xml; charset=utf-8", "cache-control": "no-store" };
    return { status: 200, headers, body: write(params) };
  };
}
