/** The verification step of the webhook: the signature has to match one of the URLs with one of the tokens. */
import { findMismatchHint, findSchemeHint, PUBLIC_URL_HINT } from "./hints.js";
import type { WebhookRequest } from "./http.js";
import { RefusedError } from "./refusal.js";
import {
  matchesAnyVariant,
  parseSignatures,
  SIGNALWIRE_SIGNATURE,
  type SignedRequest,
  toHashInput,
  TWILIO_SIGNATURE,
} from "./signature.js";
import { candidateUrls, type PublicUrlSource, redactUrls } from "./url-variants.js";

/** Refuses a request without a signature header. Runs before the body is read, so unsigned requests cost no memory. */
export function requireSignature({ headers }: WebhookRequest): void {
  if (headers[TWILIO_SIGNATURE] || headers[SIGNALWIRE_SIGNATURE]) return;
  throw new RefusedError({ reason: "missing-signature" }, findSchemeHint(headers));
}

/** Returns the URL that was signed with one of the tokens. Refuses a request whose signature matches none. */
export function verify(
  request: WebhookRequest,
  signedTexts: readonly string[],
  tokens: readonly string[],
  publicUrl: PublicUrlSource,
): string {
  const { method, headers } = request;
  const signed: SignedRequest = {
    tokens,
    signatures: parseSignatures([headers[TWILIO_SIGNATURE], headers[SIGNALWIRE_SIGNATURE]]),
    // The URL of a GET contains the parameters.
    signedTexts: method === "POST" ? signedTexts.map(toHashInput) : [""],
  };
  const urls = candidateUrls(request, publicUrl);
  const matched = signed.signatures.length > 0 && urls.find((url) => matchesAnyVariant(signed, url));
  if (typeof matched === "string") return matched;
  const isInvalid = urls.length === 0 && typeof publicUrl === "function";
  const hint = isInvalid ? PUBLIC_URL_HINT : findMismatchHint(request, signed, urls);
  throw new RefusedError({ reason: "signature-mismatch", urls: redactUrls(urls) }, hint);
}
