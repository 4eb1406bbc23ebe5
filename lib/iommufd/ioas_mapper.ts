import { checkKind, checkOptions, given } from "../base/argument.ts";
import { type Extent, ExtentSet } from "../base/extent.ts";
import { formatSize, hex } from "../base/format.ts";
import { holdMemory, HostMemory } from "../sys/memory.ts";
import { checkPart, checkPlace, checkUnmap } from "./check.ts";
import type { IoasRequests, Place } from "./ioas_request.ts";
import { type IoasMapFileOptions, type IoasMapOptions, MAP_OPTIONS } from "./map_option.ts";
import {
  IoasMapping,
  type IoasMappingInit,
  newMapping,
  releaseMapping,
  sliceOf,
} from "./mapping.ts";
import type { IommufdFile } from "./object.ts";
import { recorded } from "./recorder.ts";
import type { MappingWatch } from "./watch.ts";

/** What the mappings of an address space belong to. */
export interface MapperInit {
  readonly file: IommufdFile;
  /** The kernel's number of the address space. */
  readonly id: number;
  readonly requests: IoasRequests;
  /** Throws once the address space is gone. */
  readonly alive: () => void;
}

/** The mappings of an address space: how they are made and go, and who is told. See {@link Ioas}. */
export class IoasMapper {
  readonly mappings: ExtentSet<IoasMapping> = new ExtentSet();
  /** Who is told of mappings. */
  readonly watches: Set<MappingWatch> = new Set();
  readonly #init: MapperInit;

  /** Nothing is mapped yet. */
  constructor(init: MapperInit) {
    this.#init = init;
  }

  /** See `Ioas.map`. */
  map(memory: HostMemory, options?: IoasMapOptions): IoasMapping {
    if (!(memory instanceof HostMemory)) {
      throw new TypeError(`memory must be host memory, as allocate gives; got ${given(memory)}`);
    }
    const { offset = 0n, access = "rw", ...rest } = checkOptions(options, MAP_OPTIONS);
    const size = rest.size ?? memory.size - offset;
    checkPart("A mapping", offset, size, memory.size);
    // Held before the call: memory that was given back must not reach the kernel.
    using undo = new DisposableStack();
    const held = undo.use(holdMemory(memory));
    const place = this.#place({ iova: rest.iova, size, access });
    return this.#record("map", () => {
      const iova = this.#init.requests.map(memory.address + offset, place);
      undo.move();
      const slice = { origin: {}, start: offset, size };
      return this.#add({ iova, size, access, memory, held, slice });
    });
  }

  /** See `Ioas.mapFile`. */
  mapFile(fd: number, options: IoasMapFileOptions): IoasMapping {
    checkKind("fd", fd, "number");
    const { offset = 0n, access = "rw", size, iova } = checkOptions<IoasMapOptions>(
      options,
      MAP_OPTIONS,
    );
    checkKind("size", size, "bigint");
    checkPart("A mapping", offset, size!, 1n << 63n);
    const place = this.#place({ iova, size: size!, access });
    return this.#record("map", () => {
      const at = this.#init.requests.mapFile(fd, offset, place);
      const slice = { origin: {}, start: offset, size: size! };
      const nothing = { memory: undefined, held: undefined };
      return this.#add({ iova: at, size: size!, access, ...nothing, slice });
    });
  }

  /** See `Ioas.copy`. */
  copy(from: number, source: IoasMapping, options?: IoasMapOptions): IoasMapping {
    if (!(source instanceof IoasMapping)) {
      throw new TypeError(`source must be a mapping of an address space; got ${given(source)}`);
    }
    if (!source.isMapped) throw new ReferenceError("Cannot copy a mapping: it is gone already");
    const { offset = 0n, access = source.access, ...rest } = checkOptions(options, MAP_OPTIONS);
    const size = rest.size ?? source.size - offset;
    checkPart("A copy", offset, size, source.size);
    const { memory } = source;
    using undo = new DisposableStack();
    const held = memory === undefined ? undefined : undo.use(holdMemory(memory));
    const place = this.#place({ iova: rest.iova, size, access });
    const { origin, start } = sliceOf(source);
    return this.#record("copy", () => {
      const iova = this.#init.requests.copy({ id: from, iova: source.iova + offset }, place);
      undo.move();
      const slice = { origin, start: start + offset, size };
      return this.#add({ iova, size, access, memory, held, slice });
    });
  }

  /** Makes a mapping, and enters it in the ledger if one is kept. */
  #record(kind: "map" | "copy", act: () => IoasMapping): IoasMapping {
    return recorded(this.#init.file.recorder, act, (book, mode, mapping) => {
      book.add(this.#init.id, mapping, sliceOf(mapping), mode);
      return [kind, this.#subject(mapping)];
    });
  }

  #subject({ iova, size }: Extent): string {
    return `${formatSize(size)} at iova ${hex(iova)} in address space ${this.#init.id}`;
  }

  #place(place: Place): Place {
    this.#init.alive();
    checkPlace(place, this.#init.requests.ranges(), this.mappings);
    const { iova, size } = place;
    const range = iova === undefined ? { size } : { iova, size };
    for (const watch of this.watches) watch.allow(range);
    return place;
  }

  #add(init: Omit<IoasMappingInit, "unmap">): IoasMapping {
    const mapping = newMapping({ ...init, unmap: (gone) => void this.unmap(gone) });
    this.mappings.add(mapping);
    for (const watch of this.watches) watch.mapped(mapping);
    return mapping;
  }

  /** See `Ioas.unmap`. */
  unmap(range: Extent): bigint {
    this.#init.alive();
    checkUnmap(range, this.mappings);
    const inside = this.mappings.inRange(range.iova, range.size);
    return this.#remove(range, inside, this.#subject(range));
  }

  /** See `Ioas.unmapAll`. */
  unmapAll(): bigint {
    this.#init.alive();
    const what = `everything in address space ${this.#init.id}`;
    return this.#remove({ iova: 0n, size: (1n << 64n) - 1n }, [...this.mappings], what);
  }

  #remove(range: Extent, inside: readonly IoasMapping[], what: string): bigint {
    const wanted = inside.reduce((sum, { size }) => sum + size, 0n);
    return recorded(this.#init.file.recorder, () => {
      const left = [...this.watches].map((watch) => watch.leaving(inside));
      const removed = this.#init.requests.unmap(range, wanted, `unmap ${what}`);
      for (const gone of left) gone();
      this.forget(inside);
      return removed;
    }, (book) => {
      for (const mapping of inside) book.remove(this.#init.id, mapping);
      return ["unmap", what];
    });
  }

  /** Notes that mappings are gone, and lets go of their memory. */
  forget(mappings: readonly IoasMapping[]): void {
    using stack = new DisposableStack(); // each is forgotten, whatever happens to another's memory
    for (const mapping of mappings) {
      this.mappings.delete(mapping);
      stack.defer(() => releaseMapping(mapping));
    }
  }
}
