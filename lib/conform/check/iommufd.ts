/** What an iommufd answers to requests in general, to options, and about ranges of addresses. */

import type { Bench } from "../bench.ts";
import type { Check, Say } from "../check.ts";
import { type Numbers, RawIommufd } from "../iommufd.ts";
import { KERNEL_SPACE, NOWHERE } from "../place.ts";
import { answer, NULL } from "../raw.ts";
import { good, mapIoas } from "./ioas.ts";

const check = (
  name: string,
  rule: string,
  run: (iommufd: RawIommufd, say: Say, bench: Bench) => void,
): Check => ({
  name,
  rule,
  needs: ["iommufd"],
  run: (bench, say) => {
    using iommufd = RawIommufd.open(bench.kernel);
    run(iommufd, say, bench);
  },
});

/** Requests of Linux 6.12 by name: the number, bytes at least, and bytes that the kernel knows. */
const REQUESTS: readonly (readonly [string, number, number, number])[] = [
  ["DESTROY", 0x3b80, 8, 8],
  ["IOAS_ALLOC", 0x3b81, 12, 12],
  ["IOAS_ALLOW_IOVAS", 0x3b82, 24, 24],
  ["IOAS_COPY", 0x3b83, 40, 40],
  ["IOAS_IOVA_RANGES", 0x3b84, 32, 32],
  ["IOAS_MAP", 0x3b85, 40, 40],
  ["IOAS_UNMAP", 0x3b86, 24, 24],
  ["OPTION", 0x3b87, 24, 24],
  ["HWPT_ALLOC", 0x3b89, 24, 48],
  ["GET_HW_INFO", 0x3b8a, 32, 40],
  ["HWPT_SET_DIRTY_TRACKING", 0x3b8b, 16, 16],
  ["HWPT_GET_DIRTY_BITMAP", 0x3b8c, 48, 48],
];

/** A struct of zeroes that says its size; its last byte may be another one. */
function sized(iommufd: RawIommufd, number: number, size: number, last = 0): string {
  const bytes = new Uint8Array(Math.max(4, size));
  new DataView(bytes.buffer).setUint32(0, size, true);
  if (last !== 0) bytes[size - 1] = last;
  return answer(iommufd.ask(number, bytes));
}

const general: readonly Check[] = [
  check("iommufd: an argument that is NULL", "iommufd.argument", (iommufd, say) => {
    for (const [name, number] of REQUESTS) say(name, answer(iommufd.ask(number, NULL)));
  }),
  check("iommufd: requests that it does not know", "iommufd.known", (iommufd, say) => {
    const ask = (number: number): string => sized(iommufd, number, 8);
    say("MAP_FILE, of v6.13", ask(0x3b8f));
    say("HW_QUEUE_ALLOC, of v6.17", ask(0x3b94));
    say("0x3bff", ask(0x3bff));
    say("DEVICE_GET_INFO", ask(0x3b6b));
    say("another type", ask(0x7b85));
  }),
  check("iommufd: a struct that is too short", "iommufd.size", (iommufd, say) => {
    for (const [name, number, least] of REQUESTS) say(name, sized(iommufd, number, least - 1));
    say("size 0", sized(iommufd, 0x3b81, 0));
  }),
  check("iommufd: a struct that is longer", "iommufd.tail", (iommufd, say) => {
    for (const [name, number, , whole] of REQUESTS) {
      say(`${name}, a byte that is 0`, sized(iommufd, number, whole + 1));
      say(`${name}, one that is not`, sized(iommufd, number, whole + 1, 1));
    }
  }),
  check("iommufd: DESTROY of what is not there", "destroy.found", (iommufd, say) => {
    say("0", answer(iommufd.destroy(0)));
    say("999", answer(iommufd.destroy(999)));
    const ioas = iommufd.ioas();
    say("an address space", answer(iommufd.destroy(ioas)));
    say("again", answer(iommufd.destroy(ioas)));
    say("the next one has its number", iommufd.ioas() === ioas ? "yes" : "no");
  }),
  check(
    "iommufd: DESTROY of an address space with mappings",
    "destroy.users",
    (iommufd, say, bench) => {
      const ioas = iommufd.ioas();
      mapIoas(bench, iommufd, ioas, 0);
      say("DESTROY", answer(iommufd.destroy(ioas)));
      say("IOAS_MAP afterwards", answer(iommufd.map(good(bench, ioas, 0)).result));
    },
  ),
  check("iommufd: IOAS_ALLOC with flags", "ioas.alloc-flags", (iommufd, say) => {
    const ask = (flags: number): string =>
      answer(iommufd.ask(0x3b81, new Uint8Array(Uint32Array.of(12, flags, 0).buffer)));
    say("0", ask(0));
    say("1", ask(1));
  }),
];

const option = (
  name: string,
  rule: string,
  steps: (ioas: number) => readonly (readonly [string, Numbers])[],
): Check =>
  check(`option: ${name}`, rule, (iommufd, say) => {
    const ioas = iommufd.ioas();
    for (const [step, fields] of steps(ioas)) {
      const { result, value } = iommufd.option({ option_id: 0, op: 1, object_id: 0, ...fields });
      say(step, result < 0 ? answer(result) : fields.op === 0 ? "OK" : `${value}`);
    }
  });

const options: readonly Check[] = [
  option("what is not known", "option.known", () => [
    ["option 2", { option_id: 2 }],
    ["the reserved field", { __reserved: 1 }],
    ["option 2, set", { option_id: 2, op: 0 }],
  ]),
  option("neither set nor read", "option.op", (ioas) => [
    ["the account", { op: 2 }],
    ["huge pages", { option_id: 1, op: 2, object_id: ioas }],
  ]),
  option("the account of an object", "option.object", (ioas) => [
    ["read", { object_id: ioas }],
    ["set", { object_id: ioas, op: 0, val64: 7n }],
  ]),
  option("huge pages of what is no address space", "option.found", () => [
    ["object 0", { option_id: 1 }],
    ["object 999, neither set nor read", { option_id: 1, op: 2, object_id: 999 }],
  ]),
  option("huge pages", "option.value", (ioas) => [
    ["read", { option_id: 1, object_id: ioas }],
    ["off", { option_id: 1, object_id: ioas, op: 0, val64: 0n }],
    ["read again", { option_id: 1, object_id: ioas }],
    ["2", { option_id: 1, object_id: ioas, op: 0, val64: 2n }],
    ["on", { option_id: 1, object_id: ioas, op: 0, val64: 1n }],
  ]),
  option("the account with an object there", "option.objects", () => [
    ["read", {}],
    ["set", { op: 0, val64: 1n }],
    ["set to 2", { op: 0, val64: 2n }],
  ]),
  check("option: the account before the first object", "option.value", (iommufd, say) => {
    const ask = (fields: Numbers): string => {
      const { result, value } = iommufd.option({ option_id: 0, object_id: 0, ...fields });
      return result < 0 ? answer(result) : fields.op === 0 ? "OK" : `${value}`;
    };
    say("read", ask({ op: 1 }));
    say("the process's", ask({ op: 0, val64: 1n }));
    say("read again", ask({ op: 1 }));
    say("2", ask({ op: 0, val64: 2n }));
    say("the user's", ask({ op: 0, val64: 0n }));
    say("read at the end", ask({ op: 1 }));
  }),
  check("option: huge pages off with bytes mapped", "option.odd", (iommufd, say, bench) => {
    const ioas = iommufd.ioas();
    const half = { ...good(bench, ioas, 0), length: bench.page / 2n };
    say("IOAS_MAP of half a page", answer(iommufd.map(half).result));
    const off = { option_id: 1, op: 0, object_id: ioas, val64: 0n };
    say("off", answer(iommufd.option(off).result));
    iommufd.unmapAll(ioas);
    say("off without", answer(iommufd.option(off).result));
  }),
];

const ranges: readonly Check[] = [
  check("ioas ranges: ALLOW_IOVAS, the head", "ioas.allow-reserved", (iommufd, say) => {
    const ioas = iommufd.ioas();
    say("the reserved field", answer(iommufd.allow(999, [], { reserved: 1 })));
    say("no address space", answer(iommufd.allow(999, [[9n, 9n]])));
    say("none", answer(iommufd.allow(ioas, [])));
  }),
  check(
    "ioas ranges: ALLOW_IOVAS of a list that is not there",
    "ioas.allow-read",
    (iommufd, say) => {
      const ioas = iommufd.ioas();
      say("one", answer(iommufd.allow(ioas, [[0n, 9n]], { list: NOWHERE })));
      say("none", answer(iommufd.allow(ioas, [], { list: NOWHERE })));
      say("in kernel space", answer(iommufd.allow(ioas, [[0n, 9n]], { list: KERNEL_SPACE })));
    },
  ),
  check("ioas ranges: ALLOW_IOVAS of wrong ranges", "ioas.allow-range", (iommufd, say) => {
    const ioas = iommufd.ioas();
    say("two", answer(iommufd.allow(ioas, [[0n, 9n], [10n, 20n]])));
    say("one byte", answer(iommufd.allow(ioas, [[9n, 9n]])));
    say("backwards", answer(iommufd.allow(ioas, [[9n, 8n]])));
    say("two with a common byte", answer(iommufd.allow(ioas, [[10n, 20n], [0n, 10n]])));
    say("everything", answer(iommufd.allow(ioas, [[0n, (1n << 64n) - 1n]])));
  }),
  check("ioas ranges: IOVA_RANGES", "ioas.ranges-room", (iommufd, say) => {
    const ioas = iommufd.ioas();
    const ask = (step: string, room: number): void => {
      const { result, value } = iommufd.ranges(ioas, room);
      say(step, `${answer(result)}: ${value.count} of unit ${value.alignment}`);
      if (room > 0) say(`${step}, the list`, value.ranges.join(" "));
    };
    ask("room for none", 0);
    ask("room for one", 1);
    ask("room for two", 2);
  }),
  check("ioas ranges: IOVA_RANGES, the head", "ioas.ranges-reserved", (iommufd, say) => {
    say("the reserved field", answer(iommufd.ranges(999, 0, { reserved: 1 }).result));
    say("no address space", answer(iommufd.ranges(999, 1).result));
  }),
  check(
    "ioas ranges: IOVA_RANGES to a list that is not there",
    "ioas.ranges-write",
    (iommufd, say) => {
      const ioas = iommufd.ioas();
      say("room for one", answer(iommufd.ranges(ioas, 1, { list: NOWHERE }).result));
      say("room for none", answer(iommufd.ranges(ioas, 0, { list: NOWHERE }).result));
    },
  ),
];

/** All checks of the file. */
export const iommufdChecks: readonly Check[] = [...general, ...options, ...ranges];
