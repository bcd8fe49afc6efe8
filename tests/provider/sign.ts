// Signs a webhook request as Twilio or as SignalWire does (protocol section 5).
import { createHmac } from "node:crypto";

export type Flavor = "twilio" | "signalwire";

export interface SignInput {
  authToken: string;
  url: string;
  /** The form parameters of a POST; absent for a GET, whose query already holds them. */
  params?: URLSearchParams;
}

export type Signer = (input: SignInput) => string;

export const SIGNATURE_HEADER = {
  twilio: "x-twilio-signature",
  signalwire: "x-signalwire-signature",
} as const satisfies Record<Flavor, string>;

export function sign({ authToken, url, params }: SignInput, flavor: Flavor = "twilio"): string {
  const hmac = createHmac("sha1", authToken).update(url);
  for (const name of [...new Set(params?.keys())].sort()) {
    const values = params?.getAll(name) ?? [];
    // A repeated name is where the two SDKs differ: distinct and sorted, or all and in order.
    const signed = flavor === "twilio" ? [...new Set(values)].sort() : values;
    for (const value of signed) hmac.update(name + value);
  }
  return hmac.digest("base64");
}
