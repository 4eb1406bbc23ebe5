/**
 * The forecast of a migration against migrations that are really carried out on the model: a driver
 * writes pages at a known rate, time is counted and not waited for.
 */
import { ConvergeBuilder, type Convergence } from "../../lib/record/mod.ts";
import { Container, DirtyMap, type DirtyTracker } from "../../mod.ts";
import { DEFAULT_MDEV, ModelKernel } from "../../lib/model/mod.ts";
import { equal, match, ok, throws } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { Random } from "../unit/random.ts";

const PAGE = 4096n;
const PAGES = 4096;
const SIZE = BigInt(PAGES) * PAGE;
const SCENE = { devices: [{ kind: "mdev", name: DEFAULT_MDEV, group: 1 }] } as const;
/** 64 pages in a millisecond, of which 128 are left at most. */
const PLAN = { bandwidth: 64 * 4096 * 1000, downtime: 2 };

/** How a driver works: writes a millisecond, each to any of the first pages. */
interface Load {
  readonly rate: number;
  readonly pages: number;
}

/** A tracker with a driver that works when time goes on. */
function withLoad(load: Load, seed: number, body: (world: World) => void): void {
  const kernel = new ModelKernel(SCENE);
  using container = Container.open({ kernel });
  using group = container.attach(DEFAULT_MDEV);
  using _device = group.device();
  using memory = container.allocate(SIZE);
  using _mapping = container.map(memory, { iova: 0n });
  using tracker = container.trackDirty();
  const random = new Random(seed);
  const driver = kernel.vendor(DEFAULT_MDEV);
  const byte = new Uint8Array(1);
  let owed = 0;
  const pass = (ms: number): void => {
    for (owed += ms * load.rate; owed >= 1; owed -= 1) {
      driver.write(BigInt(random.below(load.pages)) * PAGE, byte);
    }
  };
  body({ pass, read: () => read(tracker) });
}

interface World {
  readonly pass: (ms: number) => void;
  readonly read: () => DirtyMap;
}

function read(tracker: DirtyTracker): DirtyMap {
  const map = new DirtyMap(PAGE);
  for (const window of tracker.drain()) map.add(window);
  return map;
}

/** Measures rounds of `elapsed` milliseconds, and foretells. */
function foretold(load: Load, elapsed: number, count = 64): Convergence {
  const builder = new ConvergeBuilder();
  withLoad(load, 1, ({ pass, read }) => {
    for (let round = 1; round <= count; round += 1) {
      pass(elapsed);
      const mappings = [{ iova: 0n, size: SIZE }];
      const labels = ["pinned-scope"] as const;
      builder.add({
        round,
        at: round * elapsed,
        elapsed,
        dirty: read(),
        labels,
        mappings,
        readTime: 0,
      });
    }
  });
  return builder.forecast(PLAN);
}

/** Migrates: sends what is dirty while the driver goes on, until the rest fits into the downtime. */
function migrated(load: Load): { converges: boolean; rounds: number; sent: number } {
  let [left, sent, rounds] = [PAGES, 0, 0];
  withLoad(load, 2, ({ pass, read }) => {
    while (left * 4096 * 1000 / PLAN.bandwidth > PLAN.downtime && rounds < 60) {
      sent += left * 4096;
      rounds += 1;
      pass(left * 4096 * 1000 / PLAN.bandwidth);
      left = read().count;
    }
  });
  const converges = left * 4096 * 1000 / PLAN.bandwidth <= PLAN.downtime;
  return { converges, rounds, sent: sent + left * 4096 };
}

describe("the forecast of a migration", () => {
  for (
    const load of [{ rate: 20, pages: PAGES }, { rate: 10, pages: 1000 }, { rate: 1, pages: 50 }]
  ) {
    it(`of ${load.rate} writes a ms to ${load.pages} pages is what a migration does`, () => {
      const { verdict, best, worst } = foretold(load, 1);
      const real = migrated(load);
      equal([verdict, real.converges], ["converges", true]);
      ok(best.rounds <= real.rounds && real.rounds <= worst.rounds, `${real.rounds} rounds`);
      ok(best.sent * 0.98 <= real.sent && real.sent <= worst.sent * 1.02, `${real.sent} sent`);
    });
  }

  it("sees that the same pages again and again are sent once a round", () => {
    // 20 times as many writes as pages that can be sent, but only 100 pages.
    const load = { rate: 1280, pages: 100 };
    equal([foretold(load, 10, 16).verdict, migrated(load).converges], ["converges", true]);
  });

  it("does not converge where pages get dirty faster than they are sent", () => {
    const load = { rate: 200, pages: PAGES };
    const { verdict, best, reason } = foretold(load, 10);
    equal([verdict, best.converges, migrated(load).converges], ["never", false, false]);
    match(reason, /as fast as they are sent/);
  });

  it("says that it depends where the rounds were too long to tell", () => {
    const { verdict, best, worst } = foretold({ rate: 20, pages: 1000 }, 500, 16);
    equal([verdict, best.converges, worst.converges], ["depends", true, false]);
    equal(migrated({ rate: 20, pages: 1000 }).converges, true);
    equal(migrated({ rate: 2000, pages: 1000 }).converges, false);
  });

  it("cannot converge where every mapped page is dirty by rule", () => {
    const builder = new ConvergeBuilder();
    const mappings = [{ iova: 0n, size: SIZE }];
    const dirty = new DirtyMap(PAGE).addRange(0n, PAGES);
    builder.add({
      round: 1,
      at: 9,
      elapsed: 9,
      dirty,
      labels: ["all-mapped"],
      mappings,
      readTime: 0,
    });
    const { verdict, reason, best } = builder.forecast(PLAN);
    equal([verdict, best.downtime], ["never", 64]);
    match(reason, /it cannot: every mapped page is dirty in each round, by rule/);
    equal(builder.forecast({ ...PLAN, downtime: 64 }).verdict, "converges");
  });

  it("needs a round, and numbers that make sense", () => {
    throws(() => new ConvergeBuilder().forecast(PLAN), RangeError, "a round");
    throws(
      () => new ConvergeBuilder().forecast({ ...PLAN, bandwidth: 0 }),
      RangeError,
      "bandwidth",
    );
  });
});
