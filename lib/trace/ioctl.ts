/**
 * One ioctl as a record: what went in, what came out, and what of it is a place in this process.
 *
 * @module
 */

import { hex } from "../base/format.ts";
import { describeRequest, requestName } from "../uapi/decode.ts";
import { isZero, packBytes, sameBytes, toHex } from "./bytes.ts";
import type { MemoryTable } from "./memory_table.ts";
import { fdKindOf, type FdRecord, type FileKind, type PointerRecord } from "./record.ts";
import { placesOf, type PointerField } from "./role.ts";

/** What an ioctl looks like before the call. */
export interface IoctlStart {
  readonly kind: FileKind;
  readonly request: number;
  /** A copy of the argument's bytes. */
  readonly input: Uint8Array;
  /** What stood behind its pointers. */
  readonly behind: readonly (Uint8Array | undefined)[];
  readonly pointers: readonly PointerField[];
}

/** The parts of a record that tell an argument. */
export interface ArgumentParts {
  readonly in: string;
  readonly out?: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly wrote?: Readonly<Record<string, string>>;
  readonly pointers?: readonly PointerRecord[];
  readonly fds?: readonly FdRecord[];
}

/** The C name of a request on a kind of descriptor, or its number. */
export function nameOf(kind: FileKind, request: number): string {
  const known = fdKindOf(kind);
  return known === undefined ? hex(request >>> 0) : requestName(known, request);
}

/** The fields of a request as text; nothing where the descriptor has no requests of VFIO. */
export function fieldsOf(
  kind: FileKind,
  request: number,
  argument: Uint8Array | number,
): Readonly<Record<string, string>> {
  const known = fdKindOf(kind);
  return known === undefined ? {} : describeRequest(known, request, argument).fields;
}

/** Copies what the kernel is about to read or write. */
export function beforeIoctl(
  kind: FileKind,
  request: number,
  argument: Uint8Array,
  memory: MemoryTable,
): IoctlStart {
  const input = argument.slice();
  const { pointers } = placesOf(kind, request, input);
  const behind = pointers.map(({ content, address, length }) =>
    content ? memory.peek(address, length) : undefined
  );
  return { kind, request, input, behind, pointers };
}

/** Tells what the call did to its argument and behind its pointers. */
export function afterIoctl(
  start: IoctlStart,
  argument: Uint8Array,
  memory: MemoryTable,
): ArgumentParts {
  const { kind, request, input, pointers } = start;
  const fields = fieldsOf(kind, request, input);
  const changed = !sameBytes(input, argument);
  const fds = fdsOf(start, argument);
  return {
    in: toHex(input),
    ...(changed ? { out: toHex(argument) } : {}),
    ...(Object.keys(fields).length > 0 ? { fields } : {}),
    ...(changed ? { wrote: changedFields(fields, fieldsOf(kind, request, argument)) } : {}),
    ...(pointers.length > 0
      ? { pointers: pointers.map((one, i) => pointerRecord(one, start.behind[i], memory)) }
      : {}),
    ...(fds.length > 0 ? { fds } : {}),
  };
}

function changedFields(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(Object.entries(after).filter(([name, text]) => before[name] !== text));
}

function pointerRecord(
  pointer: PointerField,
  before: Uint8Array | undefined,
  memory: MemoryTable,
): PointerRecord {
  const { at, field, address, length, content } = pointer;
  const place = memory.find(address);
  const after = content ? memory.peek(address, length) : undefined;
  return {
    at,
    field,
    ...(place === undefined ? {} : { memory: place.memory.id, offset: hex(place.offset) }),
    length: hex(length),
    ...(before === undefined || isZero(before) ? {} : { before: packBytes(before) }),
    ...(after === undefined ? {} : { after: packBytes(after) }),
  };
}

function fdsOf(start: IoctlStart, argument: Uint8Array): FdRecord[] {
  const read = (bytes: Uint8Array, at: number): number =>
    new DataView(bytes.buffer, bytes.byteOffset).getInt32(at, true);
  return placesOf(start.kind, start.request, start.input).fds.map(({ at, kind }) => {
    const [before, after] = [read(start.input, at), read(argument, at)];
    return before === after ? { at, fd: before } : { at, fd: after, made: kind };
  });
}
