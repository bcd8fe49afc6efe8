/** One turn of the webhook, in plain steps: the parts of a request in, the parts of the reply out. */
import { FaxRequestError } from "../errors.js";
import type { Form } from "../params.js";
import { toFaxCallback, toFaxRequest } from "../request.js";
import { formOf, sourceOf } from "./form.js";
import { type HandleRequest, normalizeRequest, type WebhookReply, type WebhookRequest } from "./http.js";
import type { Settings } from "./options.js";
import { Refused } from "./refusal.js";
import { replyToCallback, replyToFax, replyToRefused } from "./reply.js";
import { requireSignature, tokensFor, verify } from "./verify.js";

/** The reply to a request. Rejects with what a function of the user's throws. */
export async function takeTurn(settings: Settings, handleRequest: HandleRequest): Promise<WebhookReply> {
  const request = normalizeRequest(handleRequest);
  try {
    requireMethod(request);
    if (settings.authToken !== false) requireSignature(request);
    const source = sourceOf(request, handleRequest.body, settings);
    const form = formOf(request, source instanceof Promise ? await source : source, settings);
    if (settings.authToken !== false) verify(request, form, await tokensFor(form, settings.authToken), settings);
    if (isCallback(form)) {
      const callback = readable(toFaxCallback, form);
      return replyToCallback(request, await settings.onCallback(callback, request));
    }
    const fax = readable(toFaxRequest, form);
    return replyToFax(request, await settings.onFax(fax, request));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    await settings.onRefused(error.refusal, request);
    return replyToRefused(request, error.refusal);
  }
}

function requireMethod({ method }: WebhookRequest): void {
  if (method !== "GET" && method !== "HEAD" && method !== "POST") throw new Refused({ reason: "method-not-allowed" });
}

/** A callback is known by its FaxStatus, or by the pages, which must not be taken for a new fax either. */
function isCallback({ params, media }: Form): boolean {
  return params["FaxStatus"] !== undefined || params["Media"] !== undefined || media !== undefined;
}

function readable<Fax>(read: (form: Form) => Fax, form: Form): Fax {
  try {
    return read(form);
  } catch (error) {
    throw error instanceof FaxRequestError ? new Refused({ reason: "invalid-parameters", error }) : error;
  }
}
