import { defineConfig } from "tsup";

export default defineConfig({
  entry: ["src/index.ts", "src/webhook/index.ts"],
  format: ["esm", "cjs"],
  target: "node20",
  dts: true,
  clean: true,
  // Both entries share the core, so that a FaxResponse of one is a FaxResponse of the other.
  splitting: true,
  // workerd knows node:crypto, and no crypto
  removeNodeProtocol: false,
  esbuildOptions: (options) => void (options.chunkNames = "core"),
});
