import { checkKind, checkOptions, given, type Kinds } from "../base/argument.ts";
import { ERRNO } from "../base/errno.ts";
import { check, RuleError, VfioError } from "../base/error.ts";
import { type Extent, ExtentSet, totalSize } from "../base/extent.ts";
import { formatSize, plural } from "../base/format.ts";
import { showAsText } from "../base/inspect.ts";
import { isAligned } from "../base/page.ts";
import { cutRanges } from "../dirty/pieces.ts";
import { LOG_MAX_RANGES, LOG_REPORT_RULES, LOG_START_RULES } from "../rules/dma_log.ts";
import { firstRefusal, type Refusal } from "../rules/refusal.ts";
import { joinRanges, mergeRanges, widenRanges } from "./log_ranges.ts";
import { LogSource } from "./log_source.ts";
import { type FeatureHost, logSupport, requestStart, requestStop } from "./log_support.ts";
import { type DirtyTracker, startTracking } from "../track/tracker.ts";

/** What a device is to log. */
export interface LogDmaOptions {
  /** The device addresses to log, as mappings are: whole pages, none over another. */
  readonly ranges: Iterable<Extent>;
  /** Bytes of a page of the log, a power of two of at least 4096, which is the default: a wish. */
  readonly pageSize?: bigint;
}

const OPTIONS: Kinds<LogDmaOptions> = { ranges: "object", pageSize: "bigint" };
const OPERATION = "VFIO_DEVICE_FEATURE";

/**
 * A device whose driver takes the requests of a DMA log, and does not log: no page would ever be
 * reported as written.
 */
export class NoDmaLogError extends Error {
  /** "NoDmaLogError". */
  override readonly name: string = "NoDmaLogError";
}

/** What a {@link DmaLog} is made from. */
interface LogInit {
  readonly host: FeatureHost;
  readonly pageSize: bigint;
  readonly asked: readonly Extent[];
  readonly ranges: readonly Extent[];
  readonly logged: readonly Extent[];
}

/** Set by the class, for this module alone. */
let make: (init: LogInit) => DmaLog;

/**
 * A log that a device keeps of its own writes. Read it with its tracker; dispose stops it.
 *
 * It tells exactly which pages the device wrote, in a type1 container too, where all that is mapped
 * counts as dirty. What the processor writes, for the device or for itself, is not in it.
 *
 * @example What a device wrote
 * ```ts
 * import { Container } from "@pinscope/vfio";
 * import { DEFAULT_MDEV, ModelKernel } from "@pinscope/vfio/model";
 *
 * const kernel = new ModelKernel();
 * using container = Container.open({ kernel });
 * using group = container.attach(DEFAULT_MDEV);
 * using device = group.device();
 * using memory = container.allocate(16n * 4096n);
 * using mapping = container.map(memory, { iova: 0x10000n });
 * using log = device.logDma({ ranges: [mapping] });
 * kernel.vendor(DEFAULT_MDEV).write(0x12000n, new Uint8Array(4096));
 * const [window] = log.tracker.drain();
 * if (window?.label !== "written" || window.count !== 1) throw new Error("one page was written");
 * ```
 * @see drivers/vfio/vfio_main.c, vfio_ioctl_device_feature_logging_start
 */
export class DmaLog implements Disposable {
  /** The device, as sysfs names it. */
  readonly device: string;
  /** Bytes of a page of the log: what the device granted. */
  readonly pageSize: bigint;
  /** What is reported, by rising address: what was asked for, in whole pages of the log. */
  readonly ranges: readonly Extent[];
  /** What the device logs: more than that, where there were too many ranges. */
  readonly logged: readonly Extent[];
  /** Reads the log: each window takes what it reports. */
  readonly tracker: DirtyTracker;
  /** Bytes that were asked for. */
  readonly #asked: bigint;

  static {
    showAsText(this.prototype);
    make = (init) => new DmaLog(init);
  }

  private constructor({ host, pageSize, asked, ranges, logged }: LogInit) {
    this.device = host.name;
    this.pageSize = pageSize;
    this.ranges = ranges;
    this.logged = logged;
    this.#asked = totalSize(asked);
    const pieces = new ExtentSet<Extent>();
    for (const piece of cutRanges(ranges, { pageSize, unit: pageSize })) pieces.add(piece);
    const source = new LogSource(host, pageSize);
    this.tracker = startTracking({ kernel: host.kernel, source, pieces, onEnd: () => {} });
  }

  /**
   * Pages that are reported though nobody asked for them: the device's pages are larger than those
   * that were wished for.
   */
  get widened(): number {
    return Number((totalSize(this.ranges) - this.#asked + this.pageSize - 1n) / this.pageSize);
  }

  /** Pages that the device logs and nobody is told of: they lie in gaps that had to be closed. */
  get added(): number {
    return Number((totalSize(this.logged) - totalSize(this.ranges)) / this.pageSize);
  }

  /** Whether the log is still kept. */
  get isOn(): boolean {
    return this.tracker.isOn;
  }

  /** Stops the log; what was not read is lost. Twice does nothing. */
  [Symbol.dispose](): void {
    this.tracker[Symbol.dispose]();
  }

  /** A line for people, which `console.log` shows too: the page size that was granted, and what merging has added. */
  toString(): string {
    const size = formatSize(totalSize(this.ranges));
    const wide = this.widened === 0 ? "" : `, ${plural(this.widened, "page")} more than asked for`;
    const merged = this.logged.length < this.ranges.length
      ? `; ${this.ranges.length} ranges merged to ${this.logged.length}, so that the device logs ` +
        `${plural(this.added, "page")} more, which are not reported`
      : "";
    return `DMA log of ${this.device}: ${size} in ${formatSize(this.pageSize)} pages` +
      `${wide}${merged}`;
  }
}

function fail(refusal: Refusal | undefined, action: string): void {
  if (refusal !== undefined) throw new RuleError(`Cannot ${action}: ${refusal.reason}`, refusal);
}

/** Only START takes any page size; a report of such a log would be refused. */
function checkPage(pageSize: bigint, action: string): void {
  fail(firstRefusal(LOG_REPORT_RULES, { iova: 0n, size: 0n, pageSize }, {}), action);
}

/** Checks what a script asks for, by the kernel's rules and by some that it lacks. */
function checked(
  options: LogDmaOptions,
  action: string,
): { ranges: Extent[]; pageSize: bigint } {
  checkKind("options", options, "object");
  const { ranges: wanted, pageSize = 4096n } = checkOptions(options, OPTIONS);
  checkKind("ranges", wanted, "object");
  if (wanted === undefined || typeof wanted[Symbol.iterator] !== "function") {
    throw new TypeError(`ranges must be an array, or a set, of ranges; got ${given(wanted)}`);
  }
  const ranges: Extent[] = [];
  for (const range of wanted) {
    checkKind("A range", range, "object");
    const { iova, size } = range;
    checkKind("iova", iova, "bigint");
    checkKind("size", size, "bigint");
    // The kernel takes ranges of no bytes, and a page size of 0.
    if (iova < 0n || size <= 0n) {
      throw new RangeError(
        `A range has an iova of at least 0 and a size above 0; got ${iova} and ${size}`,
      );
    }
    ranges.push({ iova, size });
  }
  const rules = LOG_START_RULES.filter(({ name }) => name !== "log.many"); // those are merged
  checkPage(pageSize, action);
  fail(firstRefusal(rules, { ranges, pageSize }, {}), action);
  return { ranges: ranges.toSorted((a, b) => a.iova < b.iova ? -1 : 1), pageSize };
}

function checkSupport(host: FeatureHost, action: string): void {
  const support = logSupport(host);
  if (support.works) return;
  const { text: hint, errno } = support;
  if (errno !== undefined) throw new VfioError({ operation: OPERATION, errno, action, hint });
  throw new NoDmaLogError(`Cannot ${action}: ${hint}`);
}

function explainStart(
  name: string,
  errno: number,
  logged: readonly Extent[],
): string | undefined {
  switch (errno) {
    case ERRNO.EINVAL:
      return `the driver of ${name} takes no log of this page size, or keeps one already that ` +
        "somebody else has started";
    case ERRNO.EOPNOTSUPP:
      return `the ranges have ${formatSize(logged.reduce((sum, { size }) => sum + size, 0n))} ` +
        "together: more than the device can log at once, or less";
    case ERRNO.ENOMEM:
    case ERRNO.E2BIG:
      return "the device has no room for a log of these ranges: log fewer";
    default:
      return undefined;
  }
}

/** Starts a log; `device.logDma` does. */
export function startDmaLog(host: FeatureHost, options: LogDmaOptions): DmaLog {
  const action = `log the DMA of ${host.name}`;
  const { ranges: asked, pageSize: wish } = checked(options, action);
  checkSupport(host, action);
  let pageSize = wish;
  let ranges: readonly Extent[] = asked;
  // A device with larger pages is asked again, for ranges of whole pages.
  for (;;) {
    const logged = mergeRanges(ranges, LOG_MAX_RANGES);
    const { result, granted } = requestStart(host, logged, pageSize);
    check(result, OPERATION, action, (errno) => explainStart(host.name, errno, logged));
    using undo = new DisposableStack();
    undo.defer(() => check(requestStop(host), OPERATION, `stop the DMA log of ${host.name}`));
    checkPage(granted, action);
    if (ranges.every(({ iova, size }) => isAligned(iova, granted) && isAligned(size, granted))) {
      const log = make({ host, pageSize: granted, asked, ranges: joinRanges(ranges), logged });
      undo.move();
      return log;
    }
    pageSize = granted;
    ranges = widenRanges(asked, granted);
    const wide = mergeRanges(ranges, LOG_MAX_RANGES);
    fail(firstRefusal(LOG_START_RULES, { ranges: wide, pageSize }, {}), action);
  }
}
