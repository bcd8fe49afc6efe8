/** The entry "twiml-fax": exports, nothing else. */
export { FaxResponse, toTwiml, TWIML_CONTENT_TYPE } from "./response.js";
export { parseTwiml, type ParseTwimlOptions } from "./document.js";
export {
  HTTP_METHODS,
  type HttpMethod,
  MEDIA_TYPES,
  type MediaType,
  PAGE_SIZES,
  type PageSize,
  receive,
  type Receive,
  type ReceiveAttributes,
  type ReceiveOptions,
  reject,
  type Reject,
  type UrlReference,
  type Verb,
} from "./verbs.js";
export type { FaxMedia, FaxParamSource } from "./params.js";
export {
  FAX_STATUSES,
  type FaxCallback,
  type FaxParser,
  type FaxRequest,
  type FaxSchemaResult,
  type FaxStatus,
  parseFax,
  parseFaxCallback,
  parseFaxRequest,
} from "./request.js";
export {
  FAX_ISSUE_CODES,
  FaxRequestError,
  type FaxRequestIssue,
  TWIML_ERROR_CODES,
  TwimlError,
  type TwimlErrorCode,
} from "./errors.js";
