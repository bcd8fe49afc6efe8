// The face of the offline fax provider: exports, nothing else.
export { createProvider, MAX_ATTEMPTS } from "./provider.js";
export type { IncomingFax, Provider, ProviderOptions, RawRequest, Transcript } from "./provider.js";
export { MAX_REDIRECTS } from "./http.js";
export type { Exchange, FilePart, Method } from "./http.js";
export { ERRORS, ProviderError, readDocument } from "./document.js";
export type { ErrorCode, FaxVerb } from "./document.js";
export { sign, SIGNATURE_HEADER } from "./sign.js";
export type { Flavor, Signer, SignInput } from "./sign.js";
export { blankPage } from "./pages.js";
export type { MediaType, Pages, PageSize } from "./pages.js";
export { COOKIE_LIFETIME_MS } from "./cookies.js";
export { MAX_DOCUMENT_BYTES } from "./transport.js";
