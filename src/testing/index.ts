/** The entry "twiml-fax/testing": an offline provider to try a server against. */
export {
  createFaxProvider,
  type FaxProvider,
  type FaxProviderOptions,
  type FaxToSend,
  type ProviderFetch,
  type ProviderRequest,
  type ProviderResponse,
} from "./provider.js";
export type { FaxOutcome, FaxTranscript } from "./conversation.js";
export type { FaxExchange, ReceivedResponse } from "./exchange.js";
export type { SentRequest } from "./request.js";
