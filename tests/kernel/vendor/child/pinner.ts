/**
 * Runs as a worker of meanwhile_test.ts: pins and releases page after page through a device's file,
 * while the test's own thread reads. `state` is 1 for "go"; at its end 2, or -errno.
 */
import { rawLinux as linux } from "../../../../mod.ts";
import { AT, FLAG, OP } from "../layout.ts";
import { commandBytes } from "../vendor_device.ts";

/** What the worker is told. */
export interface PinnerOrder {
  readonly fd: number;
  readonly iovas: readonly bigint[];
  readonly state: Int32Array<SharedArrayBuffer>;
}

function command(fd: number, op: number, iova: bigint): number {
  const bytes = commandBytes(op, iova, 1, FLAG.PROT_READ | FLAG.PROT_WRITE);
  const written = linux.pwrite(fd, bytes, 0n);
  if (written !== bytes.length) return written < 0 ? written : -5;
  const result = new Uint8Array(8);
  linux.pread(fd, result, BigInt(AT.result));
  return Number(new DataView(result.buffer).getBigInt64(0, true));
}

function work({ fd, iovas, state }: PinnerOrder): number {
  for (const iova of iovas) {
    for (const op of [OP.PIN, OP.UNPIN]) {
      const result = command(fd, op, iova);
      if (result !== 1) return result < 0 ? result : -5;
    }
    if (Atomics.load(state, 0) !== 1) return -4; // the test has given up
  }
  return 2;
}

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<PinnerOrder>) => void;
  postMessage: (message: string) => void;
};
using _held = linux.retain();
scope.onmessage = ({ data }) => {
  scope.postMessage("ready");
  Atomics.wait(data.state, 0, 0);
  Atomics.store(data.state, 0, work(data));
};
