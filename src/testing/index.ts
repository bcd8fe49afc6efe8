/** The entry "twiml-fax/testing": an offline provider to try a server against. */
export {
  createFaxProvider,
  type FaxProvider,
  type FaxProviderOptions,
  type ProviderFetch,
  type ProviderRequest,
  type ProviderResponse,
} from "./provider.js";
export type { FaxOutcome, FaxToSend, FaxTranscript } from "./conversation.js";
export type { FaxExchange, SentRequest, ReceivedResponse } from "./exchange.js";
