/** The steps from a request to its reply. */
import { FaxRequestError } from "../shared/errors.js";
import { isPromise } from "../shared/messages.js";
import type { ReceivedParams } from "../params/received-params.js";
import { getSignedTexts } from "../params/signed-text.js";
import { isCallback, toFaxCallback, toFaxRequest } from "../params/fax.js";
import { readRequestParams, refuseIfFileWasConsumed } from "./body.js";
import { type HandleRequest, normalizeRequest, requireMethod, type WebhookReply, type WebhookRequest } from "./http.js";
import { reportRefusal, type Settings } from "./options.js";
import { RefusedError } from "./refusal.js";
import { type FaxAnswer, replyToCallback, replyToFax, replyToRefused } from "./reply.js";
import { resolveTokens } from "./tokens.js";
import { createAction } from "./url-variants.js";
import { requireSignature, verify } from "./verify.js";

/** Returns the reply to a request. Rejects with any error that a handler throws. */
export async function handleRequest(settings: Settings, received: HandleRequest): Promise<WebhookReply> {
  const { authToken, publicUrl, onFax, onCallback, onRefused, maxMediaBytes } = settings;
  const request = normalizeRequest(received);
  try {
    requireMethod(request);
    if (authToken !== false) requireSignature(request);
    const result = readRequestParams(request, received.body, settings);
    const params = result instanceof Promise ? await result : result;
    const signedTexts = getSignedTexts(params);
    let url: string | undefined;
    if (authToken !== false) {
      const tokens = resolveTokens(authToken, params.params["AccountSid"]);
      url = verify(request, signedTexts, tokens instanceof Promise ? await tokens : tokens, publicUrl);
    }
    if (isCallback(params, signedTexts)) {
      const done = callOnCallback(onCallback, params, request);
      if (isPromise(done)) await done;
      return replyToCallback(request);
    }
    const answer = callOnFax(onFax, params, request);
    const getAction = onCallback && (() => createAction(request, publicUrl, url));
    return replyToFax(request, isPromise(answer) ? await answer : answer, { maxMediaBytes, getAction });
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    await reportRefusal(onRefused, error.refusal, request);
    return replyToRefused(request, error.details.reason);
  }
}

function callOnFax(
  onFax: Settings["onFax"],
  params: ReceivedParams,
  request: WebhookRequest,
): FaxAnswer | Promise<FaxAnswer> {
  if (onFax === undefined) throw new RefusedError({ reason: "no-handler" });
  return onFax(parseOrRefuse(toFaxRequest, params), request);
}

function callOnCallback(onCallback: Settings["onCallback"], params: ReceivedParams, request: WebhookRequest): unknown {
  const callback = parseOrRefuse(toFaxCallback, params);
  refuseIfFileWasConsumed(request, callback);
  return onCallback?.(callback, request);
}

function parseOrRefuse<Fax>(parse: (params: ReceivedParams) => Fax, params: ReceivedParams): Fax {
  try {
    return parse(params);
  } catch (error) {
    throw error instanceof FaxRequestError ? new RefusedError({ reason: "invalid-parameters", error }) : error;
  }
}
