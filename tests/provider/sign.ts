/** Signs a webhook request as Twilio or SignalWire does: a second implementation of `signRequest`. */
import { createHmac } from "node:crypto";

export type Flavor = "twilio" | "signalwire";

export const SIGNATURE_HEADER = {
  twilio: "x-twilio-signature",
  signalwire: "x-signalwire-signature",
} as const satisfies Record<Flavor, string>;

/** `params`: the form parameters of a POST. A GET has none: its URL already contains them. */
export function sign(authToken: string, url: string, params?: URLSearchParams, flavor: Flavor = "twilio"): string {
  const hmac = createHmac("sha1", authToken).update(url);
  for (const name of [...new Set(params?.keys())].sort()) {
    const values = params?.getAll(name) ?? [];
    // The SDKs differ for a repeated name: Twilio signs the distinct values, sorted; SignalWire all, in order.
    const signed = flavor === "twilio" ? [...new Set(values)].sort() : values;
    for (const value of signed) hmac.update(name + value);
  }
  return hmac.digest("base64");
}
