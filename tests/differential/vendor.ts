/** One command of the lab's vendor driver, through the region of a device's file. */
import { errnoName } from "../../lib/base/errno.ts";
import type { Kernel } from "../../lib/sys/kernel.ts";
import { AT, DATA, OP } from "../kernel/vendor/layout.ts";
import type { Answer, Operation } from "./operation.ts";

/** Where a region begins in the device's file. @see VFIO_PCI_INDEX_TO_OFFSET */
const REGION_SHIFT = 40n;
/** The region is the first of a mediated device, and the first behind the usual ones of a PCI device. */
const PCI_REGION = 9n;

/** FNV-1a: says whether data is the same without writing 4096 bytes. */
function digest(bytes: Uint8Array): string {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x0100_0193) >>> 0;
  return hash.toString(16);
}

/** Runs a command and gives its result, what was read, and how many pages are pinned. */
export function runVendor(
  kernel: Kernel,
  fd: number,
  device: string,
  operation: Operation & { op: "vendor" },
): Answer {
  const { run, flags, iova, length } = operation;
  const base = (/^[0-9a-f]{4}:/.test(device) ? PCI_REGION : 0n) << REGION_SHIFT;
  if (run === OP.WRITE || run === OP.WRITE_PINNED) {
    const data = new Uint8Array(Math.min(length, DATA)).fill(length + flags + 1);
    if (data.length > 0) kernel.pwrite(fd, data, base + BigInt(AT.data));
  }
  const command = new DataView(new ArrayBuffer(AT.result));
  command.setUint32(AT.op, run, true);
  command.setUint32(AT.flags, flags, true);
  command.setBigUint64(AT.iova, iova, true);
  command.setBigUint64(AT.length, BigInt(length), true);
  command.setBigUint64(AT.doorbell, 1n, true);
  const sent = kernel.pwrite(fd, new Uint8Array(command.buffer), base);
  if (sent < 0) return { result: `command ${errnoName(-sent)}` };
  // From the result to the end of the log: what is pinned, and which unmap callbacks came.
  const state = new Uint8Array(AT.log + 64 - AT.result);
  const got = kernel.pread(fd, state, base + BigInt(AT.result));
  if (got < 0) return { result: `state ${errnoName(-got)}` };
  const view = new DataView(state.buffer);
  const result = Number(view.getBigInt64(0, true));
  const count = (at: number): number => Number(view.getBigUint64(at - AT.result, true));
  const text = result < 0 ? errnoName(-result) : String(result);
  const pinned = `pinned=${count(AT.pinned)}/${count(AT.pins)}`;
  const calls = `unmaps=${count(AT.unmaps)} returned=${count(AT.returned)}`;
  const log = digest(state.subarray(AT.log - AT.result));
  if (run !== OP.READ || result < 0) return { result: text, written: `${pinned} ${calls} ${log}` };
  const data = new Uint8Array(Math.min(length, DATA));
  if (data.length > 0) kernel.pread(fd, data, base + BigInt(AT.data));
  return { result: text, written: `${pinned} ${calls} ${log} data=${digest(data)}` };
}
