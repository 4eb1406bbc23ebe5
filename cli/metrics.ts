/**
 * Rounds as OpenTelemetry metrics, sent by the exporter that is built into Deno.
 *
 * @module
 */

import type { ViewRound } from "../lib/view/mod.ts";
import { InputError } from "./input.ts";
import type { Output } from "./output.ts";
import { type ParsedOptions, UsageError } from "./parse.ts";
import { rateOf } from "./watch_state.ts";

/** Where Deno puts its OpenTelemetry API, if it was started with OTEL_DENO=true. */
const API = Symbol.for("opentelemetry.js.api.1");

type Attributes = Readonly<Record<string, string>>;

interface Instrument {
  record(value: number, attributes: Attributes): void;
}

interface InstrumentOptions {
  readonly unit: string;
  readonly description: string;
  readonly advice?: { readonly explicitBucketBoundaries: number[] };
}

interface Meter {
  createGauge(name: string, options: InstrumentOptions): Instrument;
  createHistogram(name: string, options: InstrumentOptions): Instrument;
}

interface MeterProvider {
  getMeter(name: string): Meter;
}

/** Seconds; reads take from microseconds to minutes. */
const BOUNDS = [1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100];

const WANTED =
  "--metrics sends through the exporter of Deno, which is off: it is switched on when Deno starts, " +
  "by OTEL_DENO=true in its environment. Where to send is said there too:\n" +
  "  OTEL_DENO=true OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318 pinscope ...";

/**
 * Sees to it that rounds can be sent, before anything is opened.
 *
 * @throws {UsageError} With a recording: its rounds are not of now.
 * @throws {InputError} If Deno was started without its exporter.
 */
export function checkMetrics({ flags, values }: ParsedOptions, out: Output): boolean {
  if (!flags.has("metrics")) return false;
  if (values.has("from")) throw new UsageError("--metrics and --from exclude each other");
  meter();
  out.hint("metrics are given to Deno, which sends them and does not tell whether they arrive");
  return true;
}

function meter(): Meter {
  const api = (globalThis as { [API]?: { readonly metrics?: MeterProvider } })[API];
  if (api?.metrics === undefined) throw new InputError(WANTED);
  return api.metrics.getMeter("pinscope");
}

/** What rounds are told to a collector as. */
export class Metrics {
  readonly #attributes: Attributes;
  readonly #dirty: Instrument;
  readonly #rate: Instrument;
  readonly #pinned: Instrument;
  readonly #locked: Instrument;
  readonly #available: Instrument;
  readonly #read: Instrument;

  /**
   * Finds Deno's exporter.
   *
   * @param devices Those that are measured, as they were named.
   * @param source Where the dirty pages come from.
   * @throws {InputError} If Deno was started without it.
   */
  constructor(devices: readonly string[], source: string) {
    const found = meter();
    this.#attributes = {
      "pinscope.devices": devices.join(" "),
      "pinscope.source": source,
    };
    const gauge = (name: string, unit: string, description: string): Instrument =>
      found.createGauge(`pinscope.${name}`, { unit, description });
    this.#dirty = gauge("dirty.pages", "{page}", "Pages that were dirty in the last round");
    this.#rate = gauge("dirty.rate", "By/s", "Dirty bytes of the last round a second");
    this.#pinned = gauge("pinned.pages", "{page}", "Pages that drivers have pinned");
    this.#locked = gauge("locked", "By", "Locked memory of this process, VmLck");
    this.#available = gauge(
      "dma_available",
      "{mapping}",
      "Mappings that the container still takes",
    );
    this.#read = found.createHistogram("pinscope.read.duration", {
      unit: "s",
      description: "Time in the kernel of a round's reads",
      advice: { explicitBucketBoundaries: BOUNDS },
    });
  }

  /** Tells a round. What is not known of it is not told: there is no zero for it. */
  record(round: ViewRound): void {
    const { dirty, pinned, account, readTime, labels } = round;
    const of = { ...this.#attributes, "pinscope.labels": [...labels].sort().join(" ") };
    this.#dirty.record(dirty.count, of);
    this.#rate.record(rateOf(round), of);
    if (pinned !== undefined) this.#pinned.record(pinned.count, this.#attributes);
    this.#read.record(readTime / 1000, this.#attributes);
    if (account === undefined) return;
    this.#locked.record(Number(account.locked), this.#attributes);
    const { dmaAvailable } = account;
    if (dmaAvailable !== undefined) this.#available.record(dmaAvailable, this.#attributes);
  }
}
