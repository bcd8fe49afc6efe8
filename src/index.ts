/** The entry "twiml-fax": exports only. */
export { FaxResponse, toTwiml, TWIML_CONTENT_TYPE } from "./twiml/response.js";
export { parseTwiml, type ParseTwimlOptions } from "./twiml/document.js";
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
} from "./twiml/verbs.js";
export type { FaxMedia, FaxParamSource } from "./params/received-params.js";
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
} from "./params/fax.js";
export {
  FAX_ISSUE_CODES,
  FaxRequestError,
  type FaxRequestIssue,
  TWIML_ERROR_CODES,
  TwimlError,
  type TwimlErrorCode,
} from "./shared/errors.js";
