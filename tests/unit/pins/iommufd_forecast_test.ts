import { forecastIommufd, type IommufdForecastState } from "../../../lib/pins/iommufd_forecast.ts";
import { PinSnapshot } from "../../../lib/pins/snapshot.ts";
import { equal, match, throws } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";

const PAGE = 4096n;
const MiB = 1n << 20n;

const pins = (more: Partial<PinSnapshot> = {}): PinSnapshot =>
  new PinSnapshot({
    locked: 0n,
    pinned: 0n,
    limit: { soft: 64n * PAGE, hard: 64n * PAGE },
    ipcLock: false,
    command: "deno",
    dmaAvailable: undefined,
    ...more,
  });

const state = (more: Partial<IommufdForecastState> = {}): IommufdForecastState => ({
  alignment: PAGE,
  ranges: [{ start: 0n, end: MiB - 1n }, { start: 2n * MiB, end: 64n * MiB - 1n }],
  mappings: [],
  hasTable: true,
  mode: "process",
  pins: pins(),
  ...more,
});

describe("the forecast of an address space of iommufd", () => {
  it("meets the limit at the map, where there is a page table: exactly the limit fits", () => {
    const found = forecastIommufd(state(), [{ size: 32n * PAGE, count: 3 }]);
    equal([found.fits, found.mappings, found.mapped], [false, 2, 64n * PAGE]);
    equal([found.locked, found.pinned], [64n * PAGE, 64n * PAGE]);
    const { stop } = found;
    equal([stop?.index, stop?.limit, stop?.code], [2, "memlock", "ENOMEM"]);
    match(stop?.reason ?? "", /^VmLck 256 KiB \+ 128 KiB is above RLIMIT_MEMLOCK 256 KiB/);
  });

  it("counts what is locked for the process, and what is pinned for the user", () => {
    const taken = { locked: 60n * PAGE, pinned: 8n * PAGE };
    const plan = [{ size: PAGE, count: 60 }];
    const ask = (mode: "process" | "user" | "none") =>
      forecastIommufd(state({ mode, pins: pins(taken) }), plan);
    equal(ask("process").mappings, 4);
    const user = ask("user");
    equal([user.mappings, user.locked, user.pinned], [56, 60n * PAGE, 64n * PAGE]);
    match(user.stop?.reason ?? "", /pinned for its user, 256 KiB \+ 4 KiB, is above/);
    match(user.later[0] ?? "", /no file shows how much/);
    const none = ask("none");
    equal([none.fits, none.later], [true, []]);
  });

  it("says what the first page table will cost, where there is none", () => {
    const mappings = [{ iova: 0n, size: 60n * PAGE }];
    const ask = (count: number) =>
      forecastIommufd(state({ hasTable: false, mappings }), [{
        iova: 4n * MiB,
        size: PAGE,
        count,
      }]);
    const [fits, not] = [ask(4), ask(5)];
    equal([fits.fits, fits.pinned, fits.locked], [true, 0n, 0n]);
    match(fits.later[0] ?? "", /pins all 256 KiB that are mapped, which fits/);
    equal(not.fits, true);
    match(not.later[0] ?? "", /which will not \(ENOMEM there\): VmLck 0 bytes \+ 260 KiB is above/);
  });

  it("stops at addresses that are reserved, taken, or no multiple of the unit", () => {
    const mappings = [{ iova: 4n * MiB, size: PAGE }];
    const stop = (iova: bigint, size = PAGE) => {
      const found = forecastIommufd(state({ mappings, mode: "none" }), [{ iova, size }]).stop;
      return [found?.limit, found?.code];
    };
    equal(stop(5n * MiB), [undefined, undefined]);
    equal(stop(MiB), ["iova-range", "EINVAL"]);
    equal(stop(4n * MiB), ["overlap", "EEXIST"]);
    equal(stop(5n * MiB + 8n), ["request", "EINVAL"]);
    equal(stop(5n * MiB, 0n), ["request", "EINVAL"]);
    const large = forecastIommufd(state({ mode: "none" }), [{ size: 1n << 30n }]).stop;
    equal([large?.limit, large?.code], ["iova-range", "ENOSPC"]);
  });

  it("refuses a plan that is none", () => {
    throws(() => forecastIommufd(state(), [{ size: PAGE, count: 0 }]), RangeError, "at least 1");
    throws(() => forecastIommufd(state(), [{ size: 5 as never }]), TypeError, "size");
  });
});
