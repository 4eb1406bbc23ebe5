/** The header of the vendor driver and its mirror in TypeScript say the same. */
import { AT, DATA, FLAG, LOG, MAGIC, OP, REGION_SUBTYPE } from "../kernel/vendor/layout.ts";
import { equal } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";

const header = Deno.readTextFileSync(new URL("./vendor/layout.h", import.meta.url));

/** Every number that the header defines, without its prefix. */
const defined = Object.fromEntries(
  [...header.matchAll(/^#define PINSCOPE_VENDOR_(\w+)\s+(\w+)/gm)]
    .map(([, name, value]) => [name, Number(value)]),
);

const bytes: Record<string, number> = { __u8: 1, __u32: 4, __u64: 8, __s64: 8 };

/** Where each field of the region lies; all are aligned by their order. */
function offsets(): Record<string, number> {
  const body = /struct pinscope_vendor_region \{(.*?)\n\};/s.exec(header)?.[1] ?? "";
  const found: Record<string, number> = {};
  let at = 0;
  for (
    const [, type = "", name = "", count] of body.matchAll(
      /^\t(\w+|struct \w+) (\w+)(?:\[(\w+)\])?;/gm,
    )
  ) {
    found[name] = at;
    const constant = count?.replace("PINSCOPE_VENDOR_", "");
    const length = constant === undefined ? 1 : defined[constant] ?? Number(constant);
    at += (bytes[type] ?? 16) * length;
  }
  return found;
}

describe("the vendor driver's layout", () => {
  it("has the same numbers on both sides", () => {
    const { PCI_VENDOR, PCI_SUBTYPE, PROT_READ, PROT_WRITE, ONE_CALL, ...rest } = defined;
    equal(PCI_VENDOR, 0x1234);
    equal(PCI_SUBTYPE, REGION_SUBTYPE);
    equal({ PROT_READ, PROT_WRITE, ONE_CALL }, { ...FLAG });
    equal(rest, { MAGIC, ...OP, LOG, DATA });
  });

  it("has the same offsets on both sides", () => {
    const { reserved: _, reserved2: __, ...rest } = offsets();
    const named = Object.entries(rest).map(([name, at]) =>
      [name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()), at] as const
    );
    equal(Object.fromEntries(named), { ...AT });
  });
});
