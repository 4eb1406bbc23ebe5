/** Migration states on the model, which has those of the lab's driver. */
import {
  Container,
  type Kernel,
  type Migration,
  type MigrationStream,
  RuleError,
  VfioError,
} from "../../mod.ts";
import { LAB_SCENES, ModelKernel, type Scene } from "../../lib/model/mod.ts";
import { VendorDevice } from "../kernel/vendor/vendor_device.ts";
import { equal, ok, throws } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";

const LOGS = "50696e73-0000-4000-8000-000000000001";
const LOGS2 = "50696e73-0000-4000-8000-000000000002";
const MIGRATES = "50696e73-0000-4000-8000-000000000003";

const bytesOf = (seed: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length: 4096 }, (_, i) => i * seed & 0xff);

function must(stream: MigrationStream | undefined): MigrationStream {
  if (stream === undefined) throw new Error("No stream was opened");
  return stream;
}

/** Two devices, open. */
function withTwo(
  body: (a: VendorDevice, b: VendorDevice) => void,
  scene: Partial<Scene> = LAB_SCENES.own_vendor,
  names: readonly [string, string] = [LOGS, LOGS2],
): void {
  const kernel = new ModelKernel(scene);
  {
    using container = Container.open({ kernel });
    using groupA = container.attach(names[0]);
    using groupB = container.attach(names[1]);
    using a = new VendorDevice(groupA);
    using b = new VendorDevice(groupB);
    body(a, b);
  }
  equal(kernel.openFiles, 0);
}

describe("device.migration on the model", () => {
  it("goes every way that the table has, and the driver says the same", () => {
    for (const [name, flags] of [[LOGS, 7], [MIGRATES, 1]] as const) {
      withTwo(
        (vendor, other) => {
          const migration = vendor.device.migration();
          equal(migration.flags, flags);
          const state = saved(other);
          for (const from of migration.states) {
            for (const to of migration.states) {
              go(migration, "running", state);
              go(migration, from, state);
              const path = migration.path(to);
              if (path === undefined) {
                throws(() => migration.setState(to), RuleError, "no way leads");
                continue;
              }
              go(migration, to, state);
              equal(migration.state(), to);
              const numbers = ["error", "stop", "running", "stop-copy", "resuming", "running-p2p"];
              numbers.push("pre-copy", "pre-copy-p2p");
              equal(vendor.states().path.map((i) => numbers[i]), [...path], `${from} to ${to}`);
            }
          }
        },
        LAB_SCENES.own_vendor,
        [name, LOGS2],
      );
    }
  });

  it("moves a device's data to another, also while it changes", () => {
    withTwo((source, target) => {
      source.data = bytesOf(3);
      const saving = source.device.migration();
      using data = must(saving.setState("pre-copy"));
      equal(data.precopyInfo(), { initialBytes: 4112n, dirtyBytes: 0n });
      const first = [...data.chunks(999)];
      source.data = bytesOf(5);
      equal(data.precopyInfo(), { initialBytes: 0n, dirtyBytes: 4112n });
      equal(saving.dataSize(), 4128n);
      saving.setState("stop-copy");
      const rest = data.readAll();
      equal([rest.length, data.isAtEnd, saving.dataSize()], [4128, true, 0n]);
      const loading = target.device.migration();
      using into = must(loading.setState("resuming"));
      for (const piece of [...first, rest]) into.write(piece);
      loading.setState("running");
      equal([...target.data], [...bytesOf(5)]);
      ok(
        `${loading}`.endsWith(
          "stop, running, stop-copy, resuming, running-p2p, pre-copy, pre-copy-p2p",
        ),
      );
    });
  });

  it("refuses what is no state, and a reset leads out of the error state", () => {
    withTwo((vendor) => {
      const { device } = vendor;
      const migration = device.migration();
      using into = must(migration.setState("resuming"));
      const error = throws(() => into.write(new Uint8Array(16)), VfioError, "does not know this");
      equal([error.code, error.operation], ["EINVAL", "write"]);
      throws(() => migration.setState("stop"), VfioError, /no whole state .* in the error state/);
      throws(() => migration.setState("stop"), RuleError, /only a reset leads out; device\.reset/);
      equal(migration.state(), "error");
      throws(() => into.write(new Uint8Array(1)), VfioError, "has left the states");
      device.reset();
      equal([migration.state(), vendor.states().state], ["running", 2]);
      vendor.failNext();
      throws(() => migration.setState("stop"), VfioError, /EIO .*its driver could not do it/);
    });
  });

  it("keeps to the direction of a stream", () => {
    withTwo(({ device }) => {
      const migration = device.migration();
      using data = must(migration.setState("stop-copy"));
      throws(() => data.write(new Uint8Array(1)), TypeError, "it saves a state");
      throws(() => [...data.chunks(0)], RangeError, "at least 1");
      throws(() => data.precopyInfo(), VfioError, "not in a state pre-copy");
      using into = must(migration.setState("resuming"));
      throws(() => into.readAll(), TypeError, "it loads a state");
      throws(() => migration.setState("error"), RuleError, "has: stop");
      throws(() => migration.setState("away" as never), TypeError, "state must be");
      equal(migration.path("pre-copy", "stop-copy"), undefined);
    });
  });

  it("is that of Linux 6.1 there: no pre-copy, and nobody tells how much data there is", () => {
    withTwo(({ device }) => {
      const migration = device.migration();
      equal([migration.flags, migration.hasPreCopy, migration.hasP2p], [3, false, true]);
      throws(() => migration.dataSize(), VfioError, "this kernel does not tell");
      using data = must(migration.setState("stop-copy"));
      equal(throws(() => data.precopyInfo(), VfioError, "while it runs").code, "ENOTTY");
    }, { ...LAB_SCENES.own_vendor, iommufd: undefined, profile: "6.1" });
  });

  it("is nothing that vfio-pci has", () => {
    using container = Container.open({ kernel: new ModelKernel(LAB_SCENES.own_vendor) });
    using group = container.attach("0000:00:10.0");
    using device = group.device();
    equal(throws(() => device.migration(), VfioError, "does not migrate").code, "ENOTTY");
  });
});

function saved({ device }: VendorDevice): Uint8Array<ArrayBuffer> {
  const migration = device.migration();
  using stream = must(migration.setState("stop-copy"));
  const state = stream.readAll();
  migration.setState("running");
  return state;
}

/** Goes to a state, and leaves it as one that can be left. */
function go(
  migration: Migration,
  to: Parameters<Migration["setState"]>[0],
  state: Uint8Array,
): void {
  using stream = migration.setState(to);
  if (to === "resuming") stream?.write(state);
}

/** The model, with some calls answered by the test: undefined lets one through. */
function answered(answer: (name: string, args: readonly unknown[]) => unknown): Kernel {
  return new Proxy<Kernel>(new ModelKernel(LAB_SCENES.own_vendor), {
    get(target, name): unknown {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      return (...args: unknown[]): unknown =>
        answer(String(name), args) ?? Reflect.apply(member, target, args);
    },
  });
}

describe("a migration with a driver that behaves badly", () => {
  it("does not wait for ever for one that takes no bytes, and takes no bytes for other things", () => {
    const kernel = answered((name) => name === "write" ? 0 : undefined);
    using container = Container.open({ kernel });
    using group = container.attach(LOGS);
    using device = group.device();
    using into = must(device.migration().setState("resuming"));
    const error = throws(
      () => into.write(new Uint8Array(8)),
      VfioError,
      "no more than 0 of 8 bytes",
    );
    equal([error.operation, error.code], ["write", "ENOSPC"]);
    const buffer: unknown = new ArrayBuffer(8);
    throws(() => into.write(buffer as Uint8Array), TypeError, "must be a Uint8Array; got");
  });

  it("tells what failed first where the device tells nothing any more", () => {
    let broken = false;
    const kernel = answered((name, [, request, argument]) => {
      if (name !== "ioctlBuffer" || request !== 0x3b75 || !(argument instanceof Uint8Array)) return;
      const flags = new DataView(argument.buffer, argument.byteOffset).getUint32(4, true);
      if (flags === (2 | 1 << 17)) broken = true; // SET of the state
      return broken ? flags === (2 | 1 << 17) ? -5 : -6 : undefined;
    });
    using container = Container.open({ kernel });
    using group = container.attach(LOGS);
    using device = group.device();
    const migration = device.migration();
    const error = throws(() => migration.setState("stop"), VfioError, "does not tell its state");
    equal(error.code, "EIO");
  });
});

describe("device.feature", () => {
  it("takes EOPNOTSUPP for a feature that the driver lacks, as DMA_BUF on Linux 7", () => {
    const kernel = answered((name, [, request, argument]) => {
      if (name !== "ioctlBuffer" || request !== 0x3b75 || !(argument instanceof Uint8Array)) return;
      return argument[4] === 11 ? -95 : undefined;
    });
    using container = Container.open({ kernel });
    using group = container.attach(LOGS);
    using device = group.device();
    equal(device.feature(11), { get: false, set: false });
    equal(device.feature(1), { get: true, set: false });
  });
});
