/** The parameters of a callback, as the providers' documentation shows them. */
import { isHttpUrl } from "../shared/values.js";
import type { MediaType } from "../twiml/verbs.js";
import type { FlavorRules } from "./flavors.js";
import type { FileToSend } from "./request.js";

/** The input of {@link createCallbackParams}. */
export interface CallbackParts {
  /** The parameters of the new fax. */
  readonly incoming: Readonly<Record<string, string>>;
  /** Parameters that replace the default ones. `FaxStatus`, or else `Status`, determines the other defaults. */
  readonly overrides: Readonly<Record<string, string>>;
  readonly outcome: "received" | "failed";
  /** The type of the pages that the provider stores; absent if the callback contains the pages. */
  readonly storedMediaType?: MediaType | undefined;
  readonly mediaUrl?: string | undefined;
  readonly now: Date;
}

/** Creates the parameters of a callback. */
export function createCallbackParams(parts: CallbackParts, rules: FlavorRules): Record<string, string> {
  const { incoming, overrides, outcome, now } = parts;
  const status = getStatus(overrides) ?? outcome;
  const name = "Status" in overrides ? "Status" : "FaxStatus";
  const common = { ...incoming, ...rules.callbackParams(now), [name]: status };
  const outcomeParams = isSuccess(status) ? createPageParams(parts, rules) : status === "failed" ? FAILURE_PARAMS : {};
  return { ...common, ...outcomeParams, ...overrides };
}

const FAILURE_PARAMS = { ErrorCode: "34007", ErrorMessage: "The sending machine hung up." };

function createPageParams(parts: CallbackParts, rules: FlavorRules): Record<string, string> {
  const { incoming, storedMediaType, mediaUrl } = parts;
  const pages = { RemoteStationId: incoming["From"] ?? "", NumPages: "1" };
  if (storedMediaType === undefined) return pages;
  const media = rules.mediaParams(`${incoming["FaxSid"]}.${storedMediaType === "image/tiff" ? "tiff" : "pdf"}`);
  return { ...pages, ...media, ...(mediaUrl !== undefined && { MediaUrl: mediaUrl }) };
}

/** Stores the pages at the `MediaUrl` of a callback, if it has one. Returns the parameters. */
export function storePages<Params extends Readonly<Record<string, string>>>(
  storedPages: Map<string, FileToSend>,
  params: Params,
  file: FileToSend,
): Params {
  const mediaUrl = params["MediaUrl"];
  // fetchMedia requests the URL as the URL parser formats it.
  if (mediaUrl !== undefined && isHttpUrl(mediaUrl)) storedPages.set(new URL(mediaUrl).href, file);
  return params;
}

/** The status of a fax. About half of the public programs read `Status`, although no provider documents it. */
export function getStatus(params: Readonly<Record<string, string>>): string | undefined {
  return params["FaxStatus"] ?? params["Status"];
}

/** Whether a fax with this status has pages. */
export function isSuccess(status: string): boolean {
  return status === "received" || status === "delivered";
}
