/** The entry "twiml-fax/testing": an offline provider that tests a server. */
export { createFaxProvider, type FaxProvider } from "./provider.js";
export type {
  FaxProviderOptions,
  FaxToSend,
  ProviderFetch,
  ProviderMedia,
  ProviderRequest,
  ProviderResponse,
} from "./options.js";
export type { FaxOutcome, FaxTranscript } from "./conversation.js";
export type { FaxExchange, ReceivedResponse } from "./http-client.js";
export type { SentRequest } from "./request.js";
