/** What an open device of vfio-pci answers to requests that are wrong, or ask what all devices have. */

import {
  VFIO_DEVICE_GET_INFO,
  VFIO_DEVICE_GET_IRQ_INFO,
  VFIO_DEVICE_GET_REGION_INFO,
  VFIO_DEVICE_SET_IRQS,
} from "../../uapi/request.ts";
import type { Bench } from "../bench.ts";
import type { Check, Say } from "../check.ts";
import { answer, must, NULL, type RawFile, value, words32 } from "../raw.ts";

/** Opens the device of a container; both go at scope end. */
function withDevice(bench: Bench, body: (device: RawFile) => void): void {
  using container = bench.container();
  using device = container.group.device(bench.pci.name);
  body(device);
}

/** Regions and interrupts that the device says it has. */
function counts(device: RawFile): { regions: number; irqs: number } {
  const info = words32(24, 0, 0, 0, 0, 0);
  must(device.ask(VFIO_DEVICE_GET_INFO, info), "DEVICE_GET_INFO");
  const [, , regions = 0, irqs = 0] = new Uint32Array(info.buffer);
  return { regions, irqs };
}

function lengths(device: RawFile, request: number, sizes: readonly number[], say: Say): void {
  for (const argsz of sizes) {
    const bytes = new Uint8Array(4096);
    new DataView(bytes.buffer).setUint32(0, argsz, true);
    const result = answer(device.ask(request, bytes));
    say(`argsz ${argsz}`, result);
  }
  say("NULL", answer(device.ask(request, NULL)));
}

const check = (
  name: string,
  rule: string,
  body: (device: RawFile, say: Say, bench: Bench) => void,
): Check => ({
  name: `device: ${name}`,
  rule,
  needs: ["container"],
  run: (bench, say) => withDevice(bench, (device) => body(device, say, bench)),
});

const [NONE, BOOL, EVENTFD, MASK, UNMASK, TRIGGER] = [1, 2, 4, 8, 16, 32];

/** struct vfio_irq_set with some 32-bit values behind it. */
const irqs = (
  argsz: number,
  flags: number,
  index: number,
  start: number,
  count: number,
  ...data: number[]
): Uint8Array => words32(argsz, flags, index, start, count, ...data);

/** The interrupt that every PCI device of VFIO has: the host wants it back. */
const REQ = 4;

/** All checks of the file. */
export const deviceChecks: readonly Check[] = [
  check("GET_INFO", "device.argsz", (device, say) => {
    lengths(device, VFIO_DEVICE_GET_INFO, [0, 15, 16, 17, 20, 24, 4096], say);
    const info = words32(16, 0xffff_ffff, 0, 0);
    must(device.ask(VFIO_DEVICE_GET_INFO, info), "DEVICE_GET_INFO");
    const [, flags = 0, regions = 0, count = 0] = new Uint32Array(info.buffer);
    say("flags", (flags & 2) !== 0 && (flags & ~0x83) === 0 ? "a PCI device" : `${flags}`);
    say("regions", regions >= 9 ? "9 or more" : `${regions}`);
    say("interrupts", `${count}`);
  }),
  check("GET_REGION_INFO", "device.region-argsz", (device, say) => {
    lengths(device, VFIO_DEVICE_GET_REGION_INFO, [0, 31, 32, 33, 4096], say);
  }),
  check("region index", "device.region-index", (device, say) => {
    const { regions } = counts(device);
    const ask = (index: number): string =>
      answer(device.ask(VFIO_DEVICE_GET_REGION_INFO, words32(32, 0, index, 0, 0, 0, 0, 0)));
    say("0", ask(0));
    say("7, the configuration", ask(7));
    say("the count", ask(regions));
    say("the count + 1", ask(regions + 1));
    say("0xffffffff", ask(0xffff_ffff));
  }),
  check("GET_IRQ_INFO", "device.irq-argsz", (device, say) => {
    lengths(device, VFIO_DEVICE_GET_IRQ_INFO, [0, 15, 16, 17, 4096], say);
  }),
  check("interrupt index", "device.irq-index", (device, say) => {
    const { irqs: count } = counts(device);
    const ask = (index: number): string =>
      answer(device.ask(VFIO_DEVICE_GET_IRQ_INFO, words32(16, 0, index, 0)));
    say("0, INTx", ask(0));
    say("4, request", ask(4));
    say("the count", ask(count));
    say("0xffffffff", ask(0xffff_ffff));
  }),
  check("SET_IRQS", "device.irqs", (device, say) => {
    const { irqs: count } = counts(device);
    const ask = (...fields: Parameters<typeof irqs>): string =>
      answer(device.ask(VFIO_DEVICE_SET_IRQS, irqs(...fields)));
    say("NULL", answer(device.ask(VFIO_DEVICE_SET_IRQS, NULL)));
    say("argsz 0", ask(0, NONE | TRIGGER, 0, 0, 0));
    say("argsz 19", ask(19, NONE | TRIGGER, 0, 0, 0));
    say("flags 0", ask(20, 0, 0, 0, 1));
    say("no action", ask(20, NONE, 0, 0, 1));
    say("no data", ask(20, TRIGGER, 0, 0, 1));
    say("two actions", ask(20, NONE | TRIGGER | MASK, 0, 0, 1));
    say("two kinds of data", ask(24, NONE | BOOL | TRIGGER, 0, 0, 1, 0));
    say("an unknown flag", ask(20, NONE | TRIGGER | 0x40, 0, 0, 1));
    say("the index beyond the last", ask(20, NONE | TRIGGER, count, 0, 0));
    say("REQ: two of one", ask(20, NONE | TRIGGER, REQ, 0, 2));
    say("REQ: the second", ask(20, NONE | TRIGGER, REQ, 1, 1));
    say("REQ: a start beyond all", ask(20, NONE | TRIGGER, REQ, 0xffff_ffff, 1));
    say("REQ: a count beyond all", ask(20, NONE | TRIGGER, REQ, 0, 0xffff_ffff));
    say("REQ: an eventfd that does not fit", ask(23, EVENTFD | TRIGGER, REQ, 0, 1, 0));
    say("REQ: mask", ask(20, NONE | MASK, REQ, 0, 1));
    say("REQ: unmask", ask(20, NONE | UNMASK, REQ, 0, 1));
  }),
  check("read and write beyond a region", "device.rw", (device, say, bench) => {
    const { regions } = counts(device);
    const { kernel } = bench;
    const bytes = new Uint8Array(4);
    const offset = (index: number): bigint => BigInt(index) << 40n;
    const read = (at: bigint, into = bytes): string => value(kernel.pread(device.fd, into, at));
    say("read of the configuration", read(offset(7)));
    say("of no byte", read(offset(7), new Uint8Array(0)));
    say("at 0x1000 of the configuration", read(offset(7) + 0x1000n));
    say("behind the last region", read(offset(regions)));
    say("write behind the last region", value(kernel.pwrite(device.fd, bytes, offset(regions))));
    say(
      "write behind the configuration",
      value(kernel.pwrite(device.fd, bytes, offset(7) + 0x1000n)),
    );
  }),
  check("requests of other files, and unknown ones", "device.unknown", (device, say) => {
    say("0x3bff", answer(device.ask(0x3bff, NULL)));
    say("GET_API_VERSION", answer(device.call(0x3b64)));
    say("GROUP_GET_STATUS", answer(device.ask(0x3b67, words32(8, 0))));
    say("MAP", answer(device.ask(0x3b72, words32(32, 0, 0, 0, 0, 0, 0, 0))));
  }),
];
