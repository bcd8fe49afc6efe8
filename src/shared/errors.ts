/** Everything that the core throws, and every code. The codes are constants; the types derive from them. */

/**
 * Why a {@link TwimlError} was thrown.
 * @example TWIML_ERROR_CODES.includes("second-verb"); // true
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

/** Why a {@link TwimlError} was thrown. */
export type TwimlErrorCode = (typeof TWIML_ERROR_CODES)[number];

/**
 * The number under which a provider's log shows the mistake. `pages-lost` and `second-verb` have none: providers take
 * such a document, and lose the pages or ignore the second verb. https://www.twilio.com/docs/api/errors
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

/** Where in a document something is wrong, as far as it is known. */
export interface TwimlLocation {
  readonly verb?: string | undefined;
  readonly attribute?: string | undefined;
  /** Both count from 1. The column counts characters (code points), so an emoji is one. */
  readonly line?: number | undefined;
  readonly column?: number | undefined;
}

/**
 * TwiML that must not be sent. `code` says why, `verb` and `attribute` where (as given, at most 64 characters), in a
 * document that was read also `line` and `column`, which count from 1. `providerError` is the number under which a
 * provider's log would show the mistake, if it has one. The message names what came and what is allowed; it is made for
 * developers and holds no more than an excerpt of a value.
 * Compare `name` or `code` rather than the class where an ESM and a CommonJS copy of this library may meet.
 *
 * @example
 * try {
 *   receive(JSON.parse(settings));
 * } catch (error) {
 *   if (error instanceof TwimlError) console.error(error.code, error.attribute, error.message);
 * }
 */
export class TwimlError extends TypeError {
  override readonly name = "TwimlError";
  declare readonly verb?: string;
  declare readonly attribute?: string;
  declare readonly line?: number;
  declare readonly column?: number;
  declare readonly providerError?: number;
  constructor(
    readonly code: TwimlErrorCode,
    message: string,
    where: TwimlLocation = {},
  ) {
    super(where.line === undefined ? message : `Line ${where.line}, column ${where.column}: ${message}`);
    if (where.verb !== undefined) this.verb = where.verb.slice(0, 64);
    if (where.attribute !== undefined) this.attribute = where.attribute.slice(0, 64);
    if (where.line !== undefined) this.line = where.line;
    if (where.column !== undefined) this.column = where.column;
    const providerError = PROVIDER_ERRORS[code];
    if (providerError !== undefined) this.providerError = providerError;
  }
}

/** An error whose message names the verb first, and ends as a sentence does. */
export function verbError(code: TwimlErrorCode, problem: string, verb?: string, attribute?: string): TwimlError {
  return new TwimlError(code, `${verb === undefined ? "" : `<${verb}>: `}${problem}.`, { verb, attribute });
}

/**
 * What can be wrong with a parameter: `missing`; `empty`; `repeated`; `not-text`; `invalid`: the value is not what the
 * parameter can hold.
 * @example FAX_ISSUE_CODES.includes("missing"); // true
 * @see https://www.twilio.com/docs/fax/twiml
 */
export const FAX_ISSUE_CODES = ["missing", "empty", "repeated", "not-text", "invalid"] as const;

/** One thing that is wrong with a request. */
export interface FaxRequestIssue {
  /** Name of the parameter, as on the wire (a stranger's name is cut at 64 characters). */
  readonly parameter: string;
  /** One of `FAX_ISSUE_CODES`. */
  readonly code: (typeof FAX_ISSUE_CODES)[number];
  /** One sentence: what came, what is expected. */
  readonly message: string;
}

/** An issue, with a stranger's name cut short. */
export function createIssue(parameter: string, code: FaxRequestIssue["code"], message: string): FaxRequestIssue {
  return { parameter: parameter.slice(0, 64), code, message };
}

/**
 * A request whose parameters cannot be read. `issues` holds all that is wrong; the message sums it up, with no more
 * than excerpts of what came. Servers that know `status` or `statusCode` answer it with 400.
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
  override readonly name = "FaxRequestError";
  readonly code = "invalid-parameters";
  /** The status to answer with, where Express, Koa and Hono look for it. */
  readonly status = 400;
  /** The same, where Fastify looks for it. */
  readonly statusCode = 400;
  constructor(
    message: string,
    readonly issues: readonly FaxRequestIssue[],
  ) {
    super(message);
  }
}
