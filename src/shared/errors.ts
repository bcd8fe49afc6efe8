/** The error classes and their codes. The codes are constants; the types derive from them. */

/**
 * The codes of a {@link TwimlError}.
 * @see https://www.twilio.com/docs/fax/twiml/receive
 */
export const TWIML_ERROR_CODES = [
  "unknown-verb",
  "unknown-attribute",
  "invalid-value",
  "invalid-text",
  "invalid-name",
  "pages-lost",
  "second-verb",
  "no-verb",
  "too-large",
  "malformed",
  "not-a-response",
] as const;

/** A code of a {@link TwimlError}. */
export type TwimlErrorCode = (typeof TWIML_ERROR_CODES)[number];

/**
 * The provider's error number for each code. `pages-lost` and `second-verb` have no number, because providers accept
 * the document, but lose the pages or ignore the second verb. https://www.twilio.com/docs/api/errors
 */
const PROVIDER_ERRORS: { readonly [Code in TwimlErrorCode]?: number } = {
  malformed: 12100,
  "invalid-text": 12100,
  "not-a-response": 12102,
  "unknown-verb": 12200,
  "unknown-attribute": 12200,
  "invalid-value": 12200,
  "invalid-name": 12200,
  "too-large": 11750,
  "no-verb": 34106,
};

/** The position of an error, if known. */
export interface TwimlLocation {
  /** Name of the verb. */
  readonly verb?: string | undefined;
  /** Name of the attribute. */
  readonly attribute?: string | undefined;
  /** Line in the document, from 1. */
  readonly line?: number | undefined;
  /** Column in the line, from 1, counted in code points, not in UTF-16 code units. */
  readonly column?: number | undefined;
}

/**
 * Thrown for invalid TwiML. The message is for developers: it contains the allowed values and at most an excerpt of the
 * received one. Check `name` or `code` instead of the class if an ESM and a CommonJS copy of this library can coexist.
 *
 * @example
 * try {
 *   receive(JSON.parse(settings));
 * } catch (error) {
 *   if (error instanceof TwimlError) console.error(error.code, error.attribute, error.message);
 * }
 */
export class TwimlError extends TypeError {
  /** Name of the class, which also identifies an error of another copy of this library. */
  override readonly name = "TwimlError";
  /** Name of the verb as given, at most 64 characters. */
  declare readonly verb?: string;
  /** Name of the attribute as given, at most 64 characters. */
  declare readonly attribute?: string;
  /** Line in the document, from 1. */
  declare readonly line?: number;
  /** Column in the line, from 1, in characters (code points). */
  declare readonly column?: number;
  /** The provider's error number, if it has one. */
  declare readonly providerError?: number;
  constructor(
    /** The kind of mistake, one of `TWIML_ERROR_CODES`. */
    readonly code: TwimlErrorCode,
    message: string,
    { verb, attribute, line, column }: TwimlLocation = {},
  ) {
    super(line === undefined ? message : `Line ${line}, column ${column}: ${message}`);
    const names = { verb: verb?.slice(0, 64), attribute: attribute?.slice(0, 64) };
    const details = { ...names, line, column, providerError: PROVIDER_ERRORS[code] };
    for (const [name, value] of Object.entries(details))
      if (value !== undefined) Object.assign(this, { [name]: value });
  }
}

/**
 * The codes of a {@link FaxRequestIssue}. `invalid`: the value does not have the format of the parameter.
 * @see https://www.twilio.com/docs/fax/twiml
 */
export const FAX_ISSUE_CODES = ["missing", "empty", "repeated", "not-text", "invalid"] as const;

/** One problem with one parameter of a request. */
export interface FaxRequestIssue {
  /** Name of the parameter, as on the wire (unknown names are truncated to 64 characters). */
  readonly parameter: string;
  /** One of `FAX_ISSUE_CODES`. */
  readonly code: (typeof FAX_ISSUE_CODES)[number];
  /** The expected value and an excerpt of the received one. */
  readonly message: string;
}

/** Creates an issue. Truncates the name, because a client can send a long one. */
export function createIssue(parameter: string, code: FaxRequestIssue["code"], message: string): FaxRequestIssue {
  return { parameter: parameter.slice(0, 64), code, message };
}

/**
 * Thrown for a request with missing or invalid parameters. The message summarizes `issues`, with at most excerpts of
 * the received values. Frameworks that read `status` or `statusCode` respond with 400.
 *
 * @example
 * try {
 *   parseFaxRequest(req.body);
 * } catch (error) {
 *   if (!(error instanceof FaxRequestError)) throw error;
 *   for (const { parameter, code } of error.issues) console.warn(parameter, code);
 * }
 */
export class FaxRequestError extends Error {
  /** Name of the class, which also identifies an error of another copy of this library. */
  override readonly name = "FaxRequestError";
  /** The only code of this error. */
  readonly code = "invalid-parameters";
  /** Status of the response, as Express and Koa read it. */
  readonly status = 400;
  /** Status of the response, as Fastify reads it. */
  readonly statusCode = 400;
  constructor(
    message: string,
    /** All issues of the request, in the order of the parameters. */
    readonly issues: readonly FaxRequestIssue[],
  ) {
    super(message);
  }
}

/**
 * The codes of a {@link FaxMediaError}.
 *
 * - `no-media`: the callback has no pages
 * - `host-not-allowed`: the host of the URL is not in `hosts`, or that of a redirect is in neither `hosts` nor
 *   `redirectHosts`
 * - `http-status`: the status of the response is not 200
 * - `too-large`: the pages exceed `maxBytes`
 * - `timeout`: the pages were not complete within `timeoutMs`
 * - `not-a-fax`: the bytes are neither PDF nor TIFF
 * - `network`: the connection failed or was interrupted
 *
 * @see https://owasp.org/www-community/attacks/Server_Side_Request_Forgery
 */
export const MEDIA_ERROR_CODES = [
  "no-media",
  "host-not-allowed",
  "http-status",
  "too-large",
  "timeout",
  "not-a-fax",
  "network",
] as const;

/** A code of a {@link FaxMediaError}. */
export type FaxMediaErrorCode = (typeof MEDIA_ERROR_CODES)[number];

/**
 * Thrown when the pages of a fax cannot be fetched. `code` is the reason. The message contains the fix, and at most the
 * origin of a URL. `cause` is the platform's error, if any; its message can contain the whole URL. Check `name` or
 * `code` instead of the class if an ESM and a CommonJS copy of this library can coexist.
 *
 * @example
 * const pages = await fetchMedia(callback).catch((error: unknown) => {
 *   if (!(error instanceof FaxMediaError)) throw error;
 *   console.error(callback.faxSid, error.code, error.message);
 * });
 * @see https://developer.mozilla.org/en-US/docs/Web/JavaScript/Reference/Global_Objects/Error/cause
 */
export class FaxMediaError extends Error {
  /** Name of the class, which also identifies an error of another copy of this library. */
  override readonly name = "FaxMediaError";
  /** Status of the response, for the code `http-status`. */
  declare readonly status?: number;
  constructor(
    /** The reason, one of `MEDIA_ERROR_CODES`. */
    readonly code: FaxMediaErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly status?: number } = {},
  ) {
    super(message, options);
    if (options.status !== undefined) this.status = options.status;
  }
}
