/** The executable: exit codes, output streams, standard input, closed pipes. */
import { execFile, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const CLI = join(import.meta.dirname, "../dist/cli.js");

function run(args: string[], input = ""): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [CLI, ...args], (error, out, err) => {
      resolve({ code: error ? Number(error.code) : 0, out, err });
    });
    child.stdin!.end(input);
  });
}

describe("twiml-fax", () => {
  it("check - prints OK for a document from standard input, without colors, and exits with 0", async () => {
    expect(await run(["check", "-"], "<Response><Reject/></Response>")).toEqual({ code: 0, out: "-: OK\n", err: "" });
  });

  it("check - prints the error of a document and exits with 1", async () => {
    const out = expect.stringMatching(/^-:1:11: error 12200: .*"reject".*\n$/) as string;
    expect(await run(["check", "-"], "<Response><reject/></Response>")).toEqual({ code: 1, out, err: "" });
  });

  it("--version prints the version of the package and exits with 0", async () => {
    const manifest = readFileSync(join(import.meta.dirname, "../package.json"), "utf8");
    expect(await run(["--version"])).toEqual({ code: 0, out: `${JSON.parse(manifest).version}\n`, err: "" });
  });

  it("prints a usage error to stderr as one line and exits with 2", async () => {
    const err = expect.stringMatching(/^Unknown command "dial"[^\n]*\n$/) as string;
    expect(await run(["dial", "x"])).toEqual({ code: 2, out: "", err });
  });

  it("prints no error if the reader closes the pipe", async () => {
    const child = spawn(process.execPath, [CLI, "check", "-"], { stdio: ["pipe", "pipe", "pipe"] });
    child.stdout.destroy();
    let err = "";
    child.stderr.on("data", (data) => (err += data));
    child.stdin.end("<Response/>");
    await new Promise((resolve) => child.once("close", resolve));
    expect(err).toBe("");
  });
});
