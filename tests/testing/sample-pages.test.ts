/** The empty page: every byte that a viewer needs, according to the specification of its format. */
import { describe, expect, it } from "vitest";
import { emptyPage } from "../../src/testing/sample-pages.js";

describe("the empty page as PDF (ISO 32000-1, section 7.5)", () => {
  const read = () => new TextDecoder("latin1").decode(emptyPage("application/pdf"));

  it("has a cross-reference table with the offset of each object", () => {
    const text = read();
    expect(text.startsWith("%PDF-1.4\n")).toBe(true);
    const start = Number(/startxref\n(\d+)\n%%EOF\n$/.exec(text)![1]);
    const table = /^xref\n0 4\n((?:\d{10} \d{5} [fn] \n){4})trailer\n/.exec(text.slice(start))!;
    const [free, ...used] = table[1]!.match(/.{19}\n/g)!;
    expect(free).toBe("0000000000 65535 f \n");
    used.forEach((entry, i) => {
      expect(entry).toMatch(/^\d{10} 00000 n \n$/);
      expect(text.slice(Number(entry.slice(0, 10)))).toMatch(
        new RegExp(`^${i + 1} 0 obj\n<< /Type /[^]* >>\nendobj\n`),
      );
    });
  });

  it("has a catalog, a tree of one page, and a page of letter size", () => {
    const text = read();
    expect(text).toMatch(/trailer\n<< \/Size 4 \/Root 1 0 R >>\n/);
    expect(text).toMatch(/1 0 obj\n<< \/Type \/Catalog \/Pages 2 0 R >>\nendobj/);
    expect(text).toMatch(/2 0 obj\n<< \/Type \/Pages \/Kids \[3 0 R\] \/Count 1 >>\nendobj/);
    expect(text).toMatch(/3 0 obj\n<< \/Type \/Page \/Parent 2 0 R \/MediaBox \[0 0 612 792\] >>\nendobj/);
  });
});

describe("the empty page as TIFF (TIFF 6.0, section 4)", () => {
  const read = () => new DataView(emptyPage("image/tiff").buffer);

  it("is little-endian, with one sorted directory at the end of the file", () => {
    const view = read();
    expect([view.getUint16(0), view.getUint16(2, true)]).toEqual([0x4949, 42]);
    const at = view.getUint32(4, true);
    const count = view.getUint16(at, true);
    const tags = Array.from({ length: count }, (_, i) => view.getUint16(at + 2 + 12 * i, true));
    expect(tags).toEqual([...tags].sort((a, b) => a - b));
    expect(view.getUint32(at + 2 + 12 * count, true)).toBe(0);
    expect(view.byteLength).toBe(at + 2 + 12 * count + 4);
  });

  it("has the fields of a bilevel image, and its strip is inside the file", () => {
    const view = read();
    const at = view.getUint32(4, true);
    const fields = new Map<number, number>();
    for (let i = 0; i < view.getUint16(at, true); i++) {
      const entry = at + 2 + 12 * i;
      const type = view.getUint16(entry + 2, true);
      expect(view.getUint32(entry + 4, true)).toBe(1);
      const value = type === 3 ? view.getUint16(entry + 8, true) : view.getUint32(entry + 8, true);
      fields.set(view.getUint16(entry, true), value);
    }
    const [WIDTH, LENGTH, COMPRESSION, PHOTOMETRIC, OFFSET, ROWS, BYTES] = [256, 257, 259, 262, 273, 278, 279];
    expect([WIDTH, LENGTH, ROWS].map((tag) => fields.get(tag!))).toEqual([8, 1, 1]);
    expect([COMPRESSION, PHOTOMETRIC].map((tag) => fields.get(tag!))).toEqual([1, 0]);
    expect(fields.get(BYTES!)).toBe((fields.get(WIDTH!)! / 8) * fields.get(LENGTH!)!);
    expect(view.getUint8(fields.get(OFFSET!)!)).toBe(0); // white
    expect(fields.get(OFFSET!)).toBeLessThan(at);
  });
});
