/** What the examples have put into a store that is no disk, by name; the same for every module graph. */
declare global {
  var storedByExamples: Map<string, Uint8Array> | undefined;
}

export const stored: Map<string, Uint8Array> = (globalThis.storedByExamples ??= new Map());
