/** A device that keeps a log of its own writes and has migration states, asked by hand. */

import {
  vfio_device_feature,
  vfio_device_feature_dma_logging_control,
  vfio_device_feature_dma_logging_range,
  vfio_device_feature_dma_logging_report,
  vfio_device_feature_mig_data_size,
  vfio_device_feature_mig_state,
  vfio_device_feature_migration,
} from "../uapi/feature.ts";
import type { Fields, Struct } from "../uapi/field.ts";
import {
  VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT,
  VFIO_DEVICE_FEATURE_DMA_LOGGING_START,
  VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP,
  VFIO_DEVICE_FEATURE_GET,
  VFIO_DEVICE_FEATURE_MIG_DATA_SIZE,
  VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE,
  VFIO_DEVICE_FEATURE_MIGRATION,
  VFIO_DEVICE_FEATURE_SET,
} from "../uapi/flag.ts";
import type { Layout } from "../uapi/layout.ts";
import { VFIO_DEVICE_FEATURE } from "../uapi/request.ts";
import type { Bench } from "./bench.ts";
import type { Member, RawContainer } from "./container.ts";
import { Pinner } from "./pinner.ts";
import { answer, RawFile, Unprepared } from "./raw.ts";

const [GET, SET] = [VFIO_DEVICE_FEATURE_GET, VFIO_DEVICE_FEATURE_SET];

/** Addresses of a log: where they begin, and bytes. */
export type LogRange = readonly [iova: bigint, length: bigint];

/** See the file. */
export class RawLogger implements Disposable {
  /** Its file. */
  readonly device: RawFile;
  /** What commands it. */
  readonly pinner: Pinner;
  /** The container that it is in. */
  readonly container: RawContainer;

  /** Opens a device in a container of its own. */
  constructor(bench: Bench, member: Member) {
    using stack = new DisposableStack();
    this.container = stack.use(bench.container(member));
    this.device = stack.use(this.container.group.device(member.name));
    this.pinner = new Pinner(this.device);
    stack.move();
  }

  #feature<F extends Fields>(
    flags: number,
    layout: Layout<F>,
    fill: (payload: Struct<F>) => void = () => {},
  ): { readonly result: number; readonly payload: Struct<F> } {
    const { bytes, fields } = vfio_device_feature.create(layout.size);
    Object.assign(fields, { argsz: bytes.length, flags });
    const payload = layout.over(bytes.subarray(vfio_device_feature.size));
    fill(payload);
    return { result: this.device.ask(VFIO_DEVICE_FEATURE, bytes), payload };
  }

  /** DMA_LOGGING_START: the page size that is granted, or the error. `list` is another place of the ranges. */
  start(ranges: readonly LogRange[], pageSize: bigint, list?: bigint): string {
    const { size } = vfio_device_feature_dma_logging_range;
    const { kernel } = this.device;
    const bytes = kernel.allocate(Math.max(1, ranges.length) * size);
    ranges.forEach(([iova, length], i) => {
      const one = vfio_device_feature_dma_logging_range.over(bytes.subarray(i * size));
      Object.assign(one.fields, { iova, length });
    });
    const flags = VFIO_DEVICE_FEATURE_DMA_LOGGING_START | SET;
    const { result, payload } = this.#feature(
      flags,
      vfio_device_feature_dma_logging_control,
      ({ fields, point }) => {
        Object.assign(fields, { page_size: pageSize, num_ranges: ranges.length });
        point("ranges", list === undefined ? kernel.addressOf(bytes) : { address: list });
      },
    );
    return result < 0 ? answer(result) : `pages of ${payload.fields.page_size}`;
  }

  /** DMA_LOGGING_STOP. */
  stop(): string {
    const { bytes, fields } = vfio_device_feature.create();
    const flags = VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP | SET;
    Object.assign(fields, { argsz: bytes.length, flags });
    return answer(this.device.ask(VFIO_DEVICE_FEATURE, bytes));
  }

  /** DMA_LOGGING_REPORT into memory at an address. */
  report([iova, length]: LogRange, pageSize: bigint, bitmap: bigint): number {
    const flags = VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT | GET;
    return this.#feature(flags, vfio_device_feature_dma_logging_report, ({ fields, point }) => {
      Object.assign(fields, { iova, length, page_size: pageSize });
      point("bitmap", { address: bitmap });
    }).result;
  }

  /** MIGRATION: its flags, or the error. */
  flags(): string {
    const flags = VFIO_DEVICE_FEATURE_MIGRATION | GET;
    const { result, payload } = this.#feature(flags, vfio_device_feature_migration);
    return result < 0 ? answer(result) : `${payload.fields.flags}`;
  }

  /** GET of MIG_DEVICE_STATE: the number of the state, or the error. */
  state(): string {
    const flags = VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE | GET;
    const { result, payload } = this.#feature(flags, vfio_device_feature_mig_state);
    return result < 0 ? answer(result) : `${payload.fields.device_state}`;
  }

  /** GET of MIG_DATA_SIZE: bytes, or the error. */
  dataSize(): string {
    const flags = VFIO_DEVICE_FEATURE_MIG_DATA_SIZE | GET;
    const { result, payload } = this.#feature(flags, vfio_device_feature_mig_data_size);
    return result < 0 ? answer(result) : `${payload.fields.stop_copy_length} bytes`;
  }

  /** SET of MIG_DEVICE_STATE: the answer, and the stream that it opened. */
  go(state: number): { readonly answer: string; readonly stream: RawFile | undefined } {
    const flags = VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE | SET;
    const { result, payload } = this.#feature(
      flags,
      vfio_device_feature_mig_state,
      ({ fields }) => void Object.assign(fields, { device_state: state, data_fd: -1 }),
    );
    const fd = result < 0 ? -1 : payload.fields.data_fd;
    const stream = fd < 0 ? undefined : new RawFile(this.device.kernel, fd);
    return { answer: answer(result), stream };
  }

  /** The same, which must open a stream. */
  open(state: number): RawFile {
    const { answer: text, stream } = this.go(state);
    if (stream === undefined) throw new Unprepared(`a stream of state ${state}`, text);
    return stream;
  }

  /** The same, which must work; a stream is closed. */
  mustGo(state: number): void {
    const { answer: text, stream } = this.go(state);
    stream?.[Symbol.dispose]();
    if (text !== "OK") throw new Unprepared(`MIG_DEVICE_STATE ${state}`, text);
  }

  /** Closes device and container. */
  [Symbol.dispose](): void {
    this.pinner[Symbol.dispose]();
    this.container[Symbol.dispose]();
  }
}
