/** `undici`, as far as the example uses it: a fetch that records its dispatcher. */
export class EnvHttpProxyAgent {}

export const dispatchers: unknown[] = [];

export async function fetch(_url: string, { dispatcher }: { dispatcher?: unknown }): Promise<Response> {
  dispatchers.push(dispatcher);
  return new Response("%PDF-1.4");
}
