/** FUZZ_RUNS says how often every property is tried, FUZZ_SEED where to start: the seed of a failure repeats it. */
import { describe, it } from "vitest";
import { CORE, runsFromEnvironment } from "./properties.js";

const runs = runsFromEnvironment();
console.log(`core properties: FUZZ_SEED=${runs.seed} FUZZ_RUNS=${runs.numRuns}`);

describe("the core", () => {
  it.each(Object.entries(CORE))("%s", { timeout: 3_600_000 }, (_, property) => property(runs));
});
