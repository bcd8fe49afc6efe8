/** The server of the pages that `twiml-fax send` starts, so that users can try `fetchMedia`. */
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { FaxProvider } from "../testing/index.js";

/** One request for the pages. */
export interface Download {
  /** Milliseconds from the start of the conversation. */
  readonly startMs: number;
  /** Whether all bytes were sent. */
  isComplete: boolean;
}

/** A running server. */
export interface PagesServer {
  readonly mediaUrl: string;
  readonly downloads: readonly Download[];
  /** When the conversation starts, on the time scale of `performance.now()`. */
  start: number;
  /** Resolves after the first complete download, or after 10 seconds. */
  waitForDownload(): Promise<void>;
  close(): void;
}

/** Starts a server of the provider's pages at a loopback address. Rejects if the port is in use. */
export async function startPagesServer(provider: FaxProvider, port: number): Promise<PagesServer> {
  const downloads: Download[] = [];
  const server = createServer((_, res) => {
    // Not rounded up, so that a download is never later than the response to the callback that waits for it.
    const download = { startMs: Math.floor(performance.now() - running.start), isComplete: false };
    downloads.push(download);
    res.once("finish", () => {
      download.isComplete = true;
      server.emit("download");
    });
    void sendPages(res, provider, mediaUrl);
  });
  await once(server.listen(port, "127.0.0.1"), "listening");
  const mediaUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/fax`;
  const waitForDownload = async (): Promise<void> => {
    if (downloads.some(({ isComplete }) => isComplete)) return;
    await once(server, "download", { signal: AbortSignal.timeout(10_000) }).catch(() => undefined);
  };
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  const running: PagesServer = { mediaUrl, downloads, start: performance.now(), waitForDownload, close };
  return running;
}

async function sendPages(res: ServerResponse, provider: FaxProvider, mediaUrl: string): Promise<void> {
  const response = await provider.mediaFetch(mediaUrl);
  res.writeHead(response.status, Object.fromEntries(response.headers));
  res.end(new Uint8Array(await response.arrayBuffer()));
}
