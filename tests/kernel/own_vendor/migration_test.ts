/** Devices taken through their migration states, and from one to another. */
import { Container, type MigrationState, type MigrationStream, VfioError } from "../../../mod.ts";
import { MIGRATION_STATES } from "../../../lib/rules/migration.ts";
import { equal, ok, throws } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { refused } from "../support/refused.ts";
import { at, Scene } from "../vendor/scene.ts";
import { VendorDevice } from "../vendor/vendor_device.ts";
import { LOGS, LOGS2, LOGS_PCI, MIGRATES, PINS } from "./scene.ts";

/** Bytes that are like no others: of a seed. */
const bytesOf = (seed: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length: 4096 }, (_, i) => Math.imul(i + seed, 2654435761) >>> 24);

const numberOf = (state: MigrationState): number => MIGRATION_STATES.indexOf(state);

/** A container with several devices, open. */
class Devices implements Disposable {
  readonly devices: readonly VendorDevice[];
  readonly #stack: DisposableStack;

  constructor(...names: readonly string[]) {
    using stack = new DisposableStack();
    const container = stack.use(Container.open());
    this.devices = names.map((name) =>
      stack.use(new VendorDevice(stack.use(container.attach(name))))
    );
    this.#stack = stack.move();
  }

  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}

/** Opens devices and gives them to a body. */
function withDevices(names: readonly string[], body: (...found: VendorDevice[]) => void): void {
  using all = new Devices(...names);
  body(...all.devices);
}

function must(stream: MigrationStream | undefined): MigrationStream {
  if (stream === undefined) throw new Error("No stream was opened");
  return stream;
}

/** A whole state, as any of these devices takes it. */
function savedState(vendor: VendorDevice): Uint8Array<ArrayBuffer> {
  const migration = vendor.device.migration();
  using stream = must(migration.setState("stop-copy"));
  const saved = stream.readAll();
  migration.setState("running");
  return saved;
}

describe("device.migration", () => {
  it("tells what a device can", () => {
    withDevices([LOGS, MIGRATES, PINS], (logs, migrates, pins) => {
      const all = logs!.device.migration();
      equal([all.flags, all.hasP2p, all.hasPreCopy, all.states.length], [7, true, true, 7]);
      equal(all.state(), "running");
      const few = migrates!.device.migration();
      equal([few.flags, few.states], [1, ["stop", "running", "stop-copy", "resuming"]]);
      refused(() => pins!.device.migration(), {
        code: "ENOTTY",
        operation: "VFIO_DEVICE_FEATURE",
        text: "does not migrate devices",
      });
    });
    using scene = new Scene({ device: LOGS_PCI });
    equal(throws(() => scene.vendor.device.migration(), VfioError).code, "ENOTTY");
  });

  for (const [name, device] of [["all", LOGS], ["the least", MIGRATES]] as const) {
    it(`takes a device with ${name} states from each to each, as the kernel's table says`, () => {
      withDevices([device, LOGS2], (vendor, other) => {
        const migration = vendor!.device.migration();
        const state = savedState(other!);
        let ways = 0;
        /** Goes to a state, and leaves a state that can be left. */
        const go = (to: MigrationState): void => {
          using stream = migration.setState(to);
          if (to === "resuming") stream?.write(state);
        };
        for (const from of migration.states) {
          for (const to of migration.states) {
            go("running");
            go(from);
            const path = migration.path(to);
            equal(migration.state(), from);
            if (path === undefined) {
              throws(() => go(to), RangeError, "no way leads");
              equal(migration.state(), from);
              continue;
            }
            ways += 1;
            go(to);
            equal(migration.state(), to, `from ${from}`);
            const witness = vendor!.states();
            equal(witness.state, numberOf(to));
            equal(witness.path, path.map(numberOf), `from ${from} to ${to}`);
          }
        }
        equal(ways, device === LOGS ? 7 * 7 - 2 : 4 * 4);
      });
    });
  }

  it("saves one device and restores it in another, with its data intact", () => {
    for (const [from, to] of [[LOGS, LOGS2], [MIGRATES, LOGS], [LOGS2, MIGRATES]] as const) {
      withDevices([from, to], (source, target) => {
        source!.data = bytesOf(1);
        target!.data = bytesOf(2);
        const saving = source!.device.migration();
        using data = must(saving.setState("stop-copy"));
        equal(saving.dataSize(), 4096n + 32n);
        const pieces = [...data.chunks(1000)];
        equal(pieces.map(({ length }) => length), [1000, 1000, 1000, 1000, 128]);
        equal([data.isAtEnd, data.direction, [...data.chunks()]], [true, "save", []]);

        const loading = target!.device.migration();
        using into = must(loading.setState("resuming"));
        for (const piece of pieces) into.write(piece);
        equal(target!.data, bytesOf(2), "nothing changes while it is written");
        loading.setState("running");
        equal([...target!.data], [...bytesOf(1)]);
        equal([...source!.data], [...bytesOf(1)]);
        equal([loading.state(), saving.state()], ["running", "stop-copy"]);
      });
    }
  });

  it("saves a device that runs on, and what has changed meanwhile", () => {
    withDevices([LOGS, LOGS2], (source, target) => {
      source!.data = bytesOf(1);
      const saving = source!.device.migration();
      using data = must(saving.setState("pre-copy"));
      equal(data.precopyInfo(), { initialBytes: 4112n, dirtyBytes: 0n });
      const first = data.readAll();
      equal([first.length, data.isAtEnd], [4112, false]);
      equal(data.precopyInfo(), { initialBytes: 0n, dirtyBytes: 0n });
      equal(saving.dataSize(), 16n, "only the end is left");
      source!.data = bytesOf(3);
      equal(data.precopyInfo(), { initialBytes: 0n, dirtyBytes: 4112n });
      const second = data.readAll();
      source!.data = bytesOf(4);
      equal(saving.setState("pre-copy-p2p"), undefined, "the stream goes on");
      equal(saving.setState("stop-copy"), undefined);
      equal(throws(() => data.precopyInfo(), VfioError, "not in a state pre-copy").code, "EINVAL");
      const last = data.readAll();
      equal([second.length, last.length, data.isAtEnd], [4112, 4128, true]);

      const loading = target!.device.migration();
      using into = must(loading.setState("resuming"));
      for (const piece of [first, second, last]) into.write(piece);
      loading.setState("stop");
      equal([...target!.data], [...bytesOf(4)]);
    });
  });

  it("keeps a stopped device from writing", () => {
    using scene = new Scene({ device: LOGS });
    const { vendor } = scene;
    const migration = vendor.device.migration();
    using log = vendor.device.logDma({ ranges: scene.container.mappings });
    migration.setState("stop");
    equal(throws(() => vendor.write(at(1), new Uint8Array(1)), VfioError).code, "EBUSY");
    equal(throws(() => vendor.dirty(at(1)), VfioError).code, "EBUSY");
    migration.setState("running");
    vendor.write(at(2), new Uint8Array(1));
    equal([...log.tracker.drain()].map(({ count }) => count), [1]);
  });

  it("ends a stream when its state is left", () => {
    withDevices([LOGS], (vendor) => {
      const migration = vendor!.device.migration();
      using data = must(migration.setState("pre-copy"));
      migration.setState("running");
      const left = { code: "ENODEV", text: "has left the states" };
      refused(() => data.readAll(), { ...left, operation: "read" });
      refused(() => data.precopyInfo(), { ...left, operation: "VFIO_MIG_GET_PRECOPY_INFO" });
      using into = must(migration.setState("resuming"));
      throws(() => into.readAll(), TypeError, "it loads a state");
      throws(() => data.write(new Uint8Array(1)), TypeError, "it saves a state");
    });
  });

  it("closes streams with their device", () => {
    using all = new Devices(LOGS);
    const [vendor] = all.devices;
    const data = must(vendor!.device.migration().setState("stop-copy"));
    vendor![Symbol.dispose]();
    throws(() => data.fd, ReferenceError, "closed");
  });
});

describe("a migration that fails", () => {
  it("with a state that is not whole, or none: the error state, and reset leads out", () => {
    withDevices([LOGS, LOGS2], (vendor, other) => {
      const { device } = vendor!;
      const state = savedState(other!);
      const migration = device.migration();
      ok(device.info().canReset);
      for (const part of [state.subarray(0, 4000), state.subarray(4112), new Uint8Array(0)]) {
        using into = must(migration.setState("resuming"));
        into.write(part);
        refused(() => migration.setState("running"), {
          code: "EINVAL",
          operation: "VFIO_DEVICE_FEATURE",
          text: /no whole state .* in the error state; device\.reset\(\) leads out/,
        });
        equal(migration.state(), "error");
        equal(migration.path("running"), undefined);
        throws(() => migration.setState("running"), RangeError, "only a reset leads out");
        device.reset();
        equal(migration.state(), "running");
      }
    });
  });

  it("with bytes that are no state at all", () => {
    withDevices([LOGS], (vendor) => {
      using into = must(vendor!.device.migration().setState("resuming"));
      refused(() => into.write(new Uint8Array(64)), {
        code: "EINVAL",
        operation: "write",
        text: "does not know this as a state",
      });
    });
  });

  it("in the driver, half-way: with the state in which the device is left", () => {
    withDevices([LOGS], (vendor) => {
      const migration = vendor!.device.migration();
      vendor!.failNext();
      refused(() => migration.setState("stop"), {
        code: "EIO",
        operation: "VFIO_DEVICE_FEATURE",
        text: "its driver could not do it, and the device is in the error state",
      });
      vendor!.device.reset();
      using data = must(migration.setState("stop-copy"));
      ok(data.readAll().length > 0);
    });
  });
});
