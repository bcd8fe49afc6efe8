/** The files that the examples put into an object store, by name; shared by every module graph. */
declare global {
  var storedByExamples: Map<string, Uint8Array> | undefined;
}

export const stored: Map<string, Uint8Array> = (globalThis.storedByExamples ??= new Map());
