/** One turn of the webhook, in plain steps: the parts of a request in, the parts of the reply out. */
import { FaxRequestError } from "../shared/errors.js";
import type { ReceivedParams } from "../params/received-params.js";
import { isCallback, toFaxCallback, toFaxRequest } from "../params/fax.js";
import { formOf, refuseIfFileWasConsumed, sourceOf } from "./body.js";
import { type HandleRequest, normalizeRequest, type WebhookReply, type WebhookRequest } from "./http.js";
import type { Settings } from "./options.js";
import { RefusedError } from "./refusal.js";
import { replyToCallback, replyToFax, replyToRefused } from "./reply.js";
import { resolveTokens } from "./tokens.js";
import { requireSignature, verify } from "./verify.js";

/** The reply to a request. Rejects with what a function of the user's throws. */
export async function handleRequest(settings: Settings, handleRequest: HandleRequest): Promise<WebhookReply> {
  const request = normalizeRequest(handleRequest);
  try {
    requireMethod(request);
    if (settings.authToken !== false) requireSignature(request);
    const source = sourceOf(request, handleRequest.body, settings);
    const form = formOf(request, source instanceof Promise ? await source : source, settings);
    if (settings.authToken !== false) {
      const tokens = await resolveTokens(settings.authToken, form.params["AccountSid"]);
      verify(request, form, tokens, settings.publicUrl);
    }
    return isCallback(form) ? await handleCallback(settings, request, form) : await handleFax(settings, request, form);
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    const { refusal } = error;
    if (settings.isObserved(refusal.reason)) await settings.onRefused(refusal, request);
    return replyToRefused(request, refusal);
  }
}

function requireMethod({ method }: WebhookRequest): void {
  if (method !== "GET" && method !== "HEAD" && method !== "POST")
    throw new RefusedError({ reason: "method-not-allowed" });
}

async function handleFax(settings: Settings, request: WebhookRequest, form: ReceivedParams): Promise<WebhookReply> {
  if (settings.onFax === undefined) throw new RefusedError({ reason: "no-handler" });
  const fax = parseOrRefuse(toFaxRequest, form);
  return replyToFax(request, await settings.onFax(fax, request), settings.maxMediaBytes);
}

async function handleCallback(
  settings: Settings,
  request: WebhookRequest,
  form: ReceivedParams,
): Promise<WebhookReply> {
  const callback = parseOrRefuse(toFaxCallback, form);
  refuseIfFileWasConsumed(request, callback);
  await settings.onCallback?.(callback, request);
  return replyToCallback(request);
}

function parseOrRefuse<Fax>(read: (form: ReceivedParams) => Fax, form: ReceivedParams): Fax {
  try {
    return read(form);
  } catch (error) {
    throw error instanceof FaxRequestError ? new RefusedError({ reason: "invalid-parameters", error }) : error;
  }
}
