/** The hints of a refusal: the fix for a known cause. They are for the log, and never grant access. */
import { redactUrl } from "../shared/messages.js";
import type { WebhookRequest } from "./http.js";
import { matchesUrl, SIGNALWIRE_SIGNATURE, type SignedRequest, TWILIO_SIGNATURE } from "./signature.js";
import { getPath, isHost, trimTrailingSlashes } from "./url-variants.js";

/** The hint for SWML, another product of SignalWire, which sends a JSON body and a hex signature. */
export const SWML_HINT =
  "The request looks like SWML, not TwiML. Set the phone number to cXML (Compatibility API) at SignalWire.";

const API_TOKEN_HINT =
  "authToken is an API token (PT…), which does not sign webhooks. Set it to the project's signing key (PSK_…).";

/** The hint for a signature mismatch, or `undefined` if its cause is unknown. */
export function findMismatchHint({ headers, url }: WebhookRequest, signed: SignedRequest): string | undefined {
  if (isHexSignature(headers[TWILIO_SIGNATURE]) || isHexSignature(headers[SIGNALWIRE_SIGNATURE])) return SWML_HINT;
  const path = getPath(url);
  const base = listForwardedBases(headers).find((each) => matchesUrl(signed, each + path));
  if (base !== undefined) {
    return `The signature matches "${redactUrl(base + path)}". Set publicUrl to "${redactUrl(base)}".`;
  }
  if (headers[SIGNALWIRE_SIGNATURE] !== undefined && signed.tokens.some(isApiToken)) return API_TOKEN_HINT;
  return undefined;
}

/** Whether a header has the hex HMAC-SHA1 that signs SWML requests. */
function isHexSignature(value = ""): boolean {
  return /^[\da-f]{40}$/i.test(value);
}

/** Whether a token is an API token of SignalWire, not a signing key. */
function isApiToken(token: string): boolean {
  return token.startsWith("PT");
}

/** The origins in the headers of a proxy, with and without a prefix: at most 12, each of which is a hash. */
function listForwardedBases(headers: WebhookRequest["headers"]): string[] {
  const forwarded = firstValue(headers["forwarded"]);
  const hosts = [firstValue(headers["x-forwarded-host"]), readForwardedPart(forwarded, "host"), headers["host"]];
  const schemes = [firstValue(headers["x-forwarded-proto"]), readForwardedPart(forwarded, "proto"), "https", "http"];
  const prefix = trimTrailingSlashes(firstValue(headers["x-forwarded-prefix"]));
  const bases = new Set<string>();
  for (const host of hosts.filter(isHost)) {
    for (const scheme of schemes.filter((each) => each === "https" || each === "http")) {
      if (prefix.startsWith("/")) bases.add(`${scheme}://${host}${prefix}`);
      bases.add(`${scheme}://${host}`);
    }
  }
  return [...bases];
}

/** The first value of a list: each proxy in a chain appends its own after a comma. */
function firstValue(value = ""): string {
  return value.split(",", 1)[0]!.trim();
}

/** Reads one part of a `Forwarded` header (RFC 7239): `for=1.2.3.4;host=fax.example.com;proto=https`. */
function readForwardedPart(forwarded: string, name: string): string {
  const pairs = forwarded.split(";").map((part) => part.trim().split("=", 2));
  const found = pairs.find(([key]) => key!.toLowerCase() === name);
  return found?.[1]?.replaceAll('"', "") ?? "";
}
