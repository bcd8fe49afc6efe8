/** A user's code, compiled as ESM and as CommonJS with the packed declarations. */
import {
  FAX_STATUSES,
  type FaxCallback,
  type FaxParamSource,
  type FaxRequest,
  FaxRequestError,
  FaxResponse,
  type FaxStatus,
  parseFaxCallback,
  parseFaxRequest,
  receive,
  type ReceiveAttributes,
  reject,
  toTwiml,
  TWIML_CONTENT_TYPE,
  TwimlError,
  type TwimlErrorCode,
  type Verb,
} from "twiml-fax";
import { faxWebhook, type FaxWebhookOptions, type Refusal, signRequest, verifyRequest } from "twiml-fax/webhook";

const attributes: ReceiveAttributes = { action: "/x", pageSize: "a4", storeMedia: false };
const verb: Verb = attributes.action ? receive(attributes, { unchecked: { retention: "1" } }) : reject();
export const twiml: string = toTwiml(verb) + new FaxResponse(verb).comment("x").toString() + TWIML_CONTENT_TYPE;
export const status: FaxStatus = FAX_STATUSES[0];
export const read = (source: FaxParamSource): FaxRequest => parseFaxRequest(source);
export const pages = (callback: FaxCallback): number | undefined => callback.numPages;
export const sent = parseFaxCallback(new Map([["FaxSid", "FX1"]])).timestamp?.toISOString();
export function code(error: unknown): TwimlErrorCode | undefined {
  if (error instanceof FaxRequestError) return void error.issues[0]?.parameter;
  return error instanceof TwimlError ? error.code : undefined;
}

const options: FaxWebhookOptions = {
  authToken: async (accountSid) => [accountSid],
  publicUrl: (request) => `https://${request.headers["host"]}`,
  onFax: async (fax) =>
    fax.from ? { twiml: receive(), headers: { "set-cookie": ["a=1", "b=2"] } } : new FaxResponse().reject(),
  onCallback: (callback) => void callback.media?.arrayBuffer(),
  onRefused: (refusal: Refusal) => void refusal.reason.length,
};
export const webhook = faxWebhook(options);
export const reply = webhook.handle({ method: "POST", url: "/", headers: { a: ["b"], c: undefined }, body: "" });
export const signed: boolean = verifyRequest({
  authToken: "t",
  url: "u",
  signature: signRequest({ authToken: "t", url: "u" }),
});

// @ts-expect-error attribute names are case-sensitive
receive({ pagesize: "a4" });
// @ts-expect-error not one of the page sizes
receive({ pageSize: "A4" });
// @ts-expect-error without an action the pages are lost
receive({ storeMedia: false });
// @ts-expect-error with GET the pages are lost
receive({ action: "/x", method: "GET", storeMedia: false });
// @ts-expect-error onFax must return a verb
faxWebhook({ authToken: "t", onFax: () => undefined });
// @ts-expect-error the token is required
faxWebhook({ onFax: () => reject() });
// @ts-expect-error results are read-only
parseFaxRequest("").from = "";

import { createFaxProvider, type FaxTranscript } from "twiml-fax/testing";

const provider = createFaxProvider({ url: "https://fax.example.com/fax", authToken: "key", flavor: "twilio" });
export const transcript: Promise<FaxTranscript> = provider.sendFax({ from: "", params: { Trunk: "7" } });
void transcript.then(({ outcome, error }) => (outcome === "error" ? error?.code : outcome));
// @ts-expect-error not one of the flavors
createFaxProvider({ url: "https://fax.example.com/fax", authToken: "key", flavor: "telnyx" });
