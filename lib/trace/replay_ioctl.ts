/**
 * An ioctl of a trace, made again: with descriptors and addresses of this process.
 *
 * @module
 */

import type { Kernel } from "../sys/kernel.ts";
import { VFIO_GROUP_GET_DEVICE_FD } from "../uapi/request.ts";
import { sameBytes, unpackBytes } from "./bytes.ts";
import { compareArguments, compareBitmaps, compareResults, type Difference } from "./compare.ts";
import type { IoctlRecord, PointerRecord } from "./record.ts";
import type { ReplayFiles } from "./replay_files.ts";
import type { ReplayMemory } from "./replay_memory.ts";

/** What an ioctl needs from the replay. */
export interface ReplayPlaces {
  readonly kernel: Kernel;
  readonly files: ReplayFiles;
  readonly memory: ReplayMemory;
}

/** Behind each argument: a trace from elsewhere may claim more bytes than it has. */
const SLACK = 64 << 10;

/** Makes the call; gives what differs, or why it was left out. */
export function replayIoctl(
  record: IoctlRecord,
  fd: number,
  places: ReplayPlaces,
): readonly Difference[] | string {
  const request = Number(record.request);
  if (record.in !== undefined) return withBuffer(record, record.in, fd, places);
  const got = record.value === undefined
    ? places.kernel.ioctl(fd, request)
    : places.kernel.ioctlValue(fd, request, BigInt(record.value));
  return finish(record, got, places);
}

/** Compares the result, and takes over a descriptor that it is. */
function finish(
  record: IoctlRecord,
  got: number,
  { kernel, files }: ReplayPlaces,
): readonly Difference[] {
  const { result, made } = record;
  if (made !== undefined && result >= 0) {
    files.set(result, got < 0 ? { why: "its file was not to be had here" } : { fd: got });
  } else if (got >= 0 && isDeviceRequest(record)) kernel.close(got);
  return compareResults(result, got, made === undefined);
}

const isDeviceRequest = ({ kind, request }: IoctlRecord): boolean =>
  kind === "group" && Number(request) === VFIO_GROUP_GET_DEVICE_FD;

function withBuffer(
  record: IoctlRecord,
  text: string,
  fd: number,
  places: ReplayPlaces,
): readonly Difference[] | string {
  const { kernel, files, memory } = places;
  const original = renamed(record, unpackBytes(text), files);
  const length = original.length;
  const argument = kernel.allocate(length === 0 ? 0 : length + SLACK).subarray(0, length);
  argument.set(original);
  const view = new DataView(argument.buffer, argument.byteOffset, length);
  const pointers = (record.pointers ?? []).filter(({ at }) => at + 8 <= length);
  const fds = (record.fds ?? []).filter(({ at }) => at + 4 <= length);
  const addresses: bigint[] = [];
  for (const pointer of pointers) {
    const address = memory.resolve(pointer, view.getBigUint64(pointer.at, true), record.result);
    if (address === undefined) return "its memory was not to be had here";
    view.setBigUint64(pointer.at, address, true);
    memory.fill(pointer, address);
    addresses.push(address);
  }
  for (const { at, fd: recorded, made } of fds) {
    if (made === undefined) view.setInt32(at, files.number(recorded), true);
  }
  const input = argument.slice();
  const got = kernel.ioctlBuffer(fd, Number(record.request), argument);
  if (got >= 0 && record.result >= 0) {
    for (const { at, fd: recorded, made } of fds) {
      if (made !== undefined) files.set(recorded, { fd: view.getInt32(at, true) });
    }
  }
  const expected = wantedBytes(record, original, input, argument);
  const differences = [...finish(record, got, places)];
  if (!sameBytes(expected, argument)) {
    differences.push(
      ...compareArguments(record.kind, Number(record.request), expected, argument.slice()),
    );
  }
  return [...differences, ...pointers.flatMap((one, i) => behind(one, addresses[i]!, memory))];
}

/** The bytes that the trace wants after the call, with this process's addresses and descriptors. */
function wantedBytes(
  record: IoctlRecord,
  original: Uint8Array,
  input: Uint8Array,
  argument: Uint8Array,
): Uint8Array {
  const wanted = record.out === undefined ? original.slice() : unpackBytes(record.out);
  const own = (at: number, width: number, from: Uint8Array): void => {
    if (at + width <= wanted.length) wanted.set(from.subarray(at, at + width), at);
  };
  for (const { at } of record.pointers ?? []) own(at, 8, input);
  for (const { at, made } of record.fds ?? []) own(at, 4, made === undefined ? input : argument);
  return wanted;
}

/** The name of a device that is another one here. */
function renamed(record: IoctlRecord, bytes: Uint8Array, files: ReplayFiles): Uint8Array {
  const end = bytes.indexOf(0);
  if (!isDeviceRequest(record) || end < 0) return bytes;
  const name = new TextDecoder().decode(bytes.subarray(0, end));
  const here = files.deviceName(name);
  return here === name ? bytes : new TextEncoder().encode(`${here}\0`);
}

function behind(pointer: PointerRecord, address: bigint, memory: ReplayMemory): Difference[] {
  if (pointer.after === undefined) return [];
  const got = memory.look(pointer, address);
  const wanted = unpackBytes(pointer.after);
  if (got === undefined || sameBytes(got, wanted)) return [];
  return compareBitmaps(pointer.field, wanted, got);
}
