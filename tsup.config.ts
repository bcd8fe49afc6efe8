import { rm } from "node:fs/promises";
import { defineConfig } from "tsup";

export default defineConfig({
  entry: ["src/index.ts", "src/webhook/index.ts", "src/testing/index.ts", "src/cli.ts"],
  format: ["esm", "cjs"],
  target: "node20",
  // The command line is run, not imported: it has no declarations, and one format.
  dts: { entry: ["src/index.ts", "src/webhook/index.ts", "src/testing/index.ts"] },
  onSuccess: () => rm("dist/cli.cjs", { force: true }),
  clean: true,
  // The entries share their core, so that a FaxResponse of one is a FaxResponse of the other.
  splitting: true,
  // workerd knows node:crypto, and no crypto
  removeNodeProtocol: false,
  esbuildOptions: (options) => void (options.chunkNames = "shared-[hash]"),
});
