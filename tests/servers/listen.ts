/** Starts servers on a free port of this machine, and closes them. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";

/** Fits `http.Server`, `https.Server` and the server of `@hono/node-server`. */
export interface AnyServer {
  address(): AddressInfo | string | null;
  close(callback?: (error?: Error) => void): unknown;
}

/** The port of a server after its `listen()`. */
export async function portOf(server: AnyServer): Promise<number> {
  if (server.address() === null) await once(server as never, "listening");
  return (server.address() as AddressInfo).port;
}

export async function close(server: AnyServer): Promise<void> {
  (server as { closeAllConnections?(): void }).closeAllConnections?.();
  await new Promise((resolve) => server.close(resolve));
}
