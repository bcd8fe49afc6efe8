/** The chart of the benchmark. */
import { describe, expect, it } from "vitest";

const { createChart } = (await import("./chart.mjs" as string)) as {
  createChart(title: string, times: Record<string, number>, show: (value: number) => string): string;
};
const svg = createChart("a request", { "twiml-fax": 5, twilio: 10, SignalWire: 20 }, (value) => `${value} µs`);

describe("the chart", () => {
  it("draws bars in proportion to the times, with names and values", () => {
    expect([...svg.matchAll(/width="(\d+)" height/g)].map(([, width]) => Number(width))).toEqual([105, 210, 420]);
    expect([...svg.matchAll(/<text [^>]*>([^<]+)</g)].map(([, text]) => text)).toEqual([
      "a request",
      "twiml-fax",
      "5 µs",
      "twilio",
      "10 µs",
      "SignalWire",
      "20 µs",
    ]);
  });

  it.each(["#ffffff", "#0d1117"])("has a contrast of at least 3.9 on a page of the color %s", (page) => {
    const colors = [...svg.matchAll(/fill(?:: |=")(#[0-9a-f]{6})/g)].map(([, color]) => color!);
    expect(colors.length).toBe(4);
    expect(getContrast(colors[0]!, page)).toBeGreaterThan(3.9);
    for (const color of colors) expect(getContrast(color, page)).toBeGreaterThan(3); // graphics need 3
  });
});

/** https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
function getContrast(one: string, other: string): number {
  const [light, dark] = [getLuminance(one), getLuminance(other)].sort((a, b) => b - a) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

function getLuminance(color: string): number {
  const [red, green, blue] = [1, 3, 5].map((start) => {
    const channel = Number.parseInt(color.slice(start, start + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
