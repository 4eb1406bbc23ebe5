/**
 * The one module that reaches fast-check, which draws and shrinks. Where the package is not in Deno's
 * cache there is no differential test: {@link fastCheck} says why, and what enables it.
 *
 * @module
 */

/**
 * The package. It stands here and not in the imports of deno.json, for `deno task` fetches all packages
 * of npm that stand there before it does anything else, and fails where there is no network.
 */
export const FAST_CHECK = "npm:fast-check@4.10.2";

/** What makes values of a kind. */
export interface Arbitrary<T> {
  /** The same, turned into something else. */
  map<U>(change: (value: T) => U): Arbitrary<U>;
}

/** A choice with its weight. */
export interface Weighted<T> {
  readonly weight: number;
  readonly arbitrary: Arbitrary<T>;
}

/** How a check ended. */
export interface CheckResult<T> {
  readonly failed: boolean;
  readonly counterexample: [T] | null;
}

/** A statement about drawn values. */
export interface Property<T> {
  readonly about?: T;
}

/** The part of fast-check that is used here. */
export interface FastCheck {
  constant<T>(value: T): Arbitrary<T>;
  constantFrom<T>(...values: T[]): Arbitrary<T>;
  oneof<T>(...choices: Weighted<T>[]): Arbitrary<T>;
  integer(range: { min: number; max: number }): Arbitrary<number>;
  boolean(): Arbitrary<boolean>;
  record<T extends object>(fields: { [K in keyof T]: Arbitrary<T[K]> }): Arbitrary<T>;
  array<T>(
    element: Arbitrary<T>,
    range: { minLength: number; maxLength: number; size: "max" },
  ): Arbitrary<T[]>;
  property<T>(arbitrary: Arbitrary<T>, holds: (value: T) => boolean): Property<T>;
  check<T>(property: Property<T>, options: { seed: number; numRuns: number }): CheckResult<T>;
}

/** Loads the package; a text where that is not possible. */
export async function loadFastCheck(): Promise<FastCheck | string> {
  try {
    return await import(FAST_CHECK) as unknown as FastCheck;
  } catch {
    return "fast-check is not in Deno's cache: deno task lab prepare fetches it, with a network";
  }
}
