/** The face of "twiml-fax": exports, nothing else. */
export { FaxResponse, toTwiml, TWIML_CONTENT_TYPE } from "./response.js";
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
  TwimlError,
  type TwimlErrorCode,
  type UrlReference,
  type Verb,
} from "./verbs.js";
export type { FaxMedia, FaxParamSource, FaxRequestIssue } from "./params.js";
export {
  FAX_STATUSES,
  type FaxCallback,
  type FaxRequest,
  FaxRequestError,
  type FaxStatus,
  parseFaxCallback,
  parseFaxRequest,
} from "./request.js";
