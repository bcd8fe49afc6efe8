/** The handlers that the examples register at their platform, by name; shared by every module graph. */
type Handler = (...args: any[]) => unknown;

declare global {
  var registeredByExamples: Map<string, Handler> | undefined;
}

export const registered: Map<string, Handler> = (globalThis.registeredByExamples ??= new Map());
