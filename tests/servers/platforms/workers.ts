/** `cloudflare:workers`, as far as the example uses it: the objects of the bucket are in `stored`. */
import { stored } from "./stored.js";

const FAXES = {
  put: async (name: string, body: ArrayBuffer) => void stored.set(`faxes/${name}`, new Uint8Array(body)),
};

export const env = { ...process.env, FAXES };

export function waitUntil(_work: Promise<unknown>): void {}
