/** Servers on a free port of this machine, and their end. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";

/** By structure: `http.Server`, `https.Server`, and what `@hono/node-server` returns. */
export interface AnyServer {
  address(): AddressInfo | string | null;
  close(callback?: (error?: Error) => void): unknown;
}

/** The port of a server that was told to listen. */
export async function portOf(server: AnyServer): Promise<number> {
  if (server.address() === null) await once(server as never, "listening");
  return (server.address() as AddressInfo).port;
}

export async function close(server: AnyServer): Promise<void> {
  (server as { closeAllConnections?(): void }).closeAllConnections?.();
  await new Promise((resolve) => server.close(resolve));
}
