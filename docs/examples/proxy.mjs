import { EnvHttpProxyAgent, fetch } from "undici";
import { fetchMedia } from "twiml-fax/webhook";

const dispatcher = new EnvHttpProxyAgent(); // reads HTTPS_PROXY and NO_PROXY

/** @param {import("twiml-fax").FaxCallback} callback */
export function fetchThroughProxy(callback) {
  return fetchMedia(callback, { fetch: (url, init) => fetch(url, { ...init, dispatcher }) });
}
