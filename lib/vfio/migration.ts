import { checkKind } from "../base/argument.ts";
import { ERRNO } from "../base/errno.ts";
import { check, RuleError, VfioError } from "../base/error.ts";
import {
  hasState,
  MIGRATION_RULES,
  MIGRATION_STATES,
  migrationPath,
  type MigrationState,
} from "../rules/migration.ts";
import { firstRefusal } from "../rules/refusal.ts";
import {
  vfio_device_feature_mig_data_size,
  vfio_device_feature_mig_state,
  vfio_device_feature_migration,
} from "../uapi/feature.ts";
import {
  VFIO_DEVICE_FEATURE_GET,
  VFIO_DEVICE_FEATURE_MIG_DATA_SIZE,
  VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE,
  VFIO_DEVICE_FEATURE_MIGRATION,
  VFIO_DEVICE_FEATURE_SET,
  VFIO_MIGRATION_P2P,
  VFIO_MIGRATION_PRE_COPY,
} from "../uapi/flag.ts";
import { VFIO_DEVICE_FEATURE } from "../uapi/request.ts";
import { featureRequest } from "./feature_request.ts";
import type { FeatureHost } from "./log_support.ts";
import { adoptStream, type MigrationStream } from "./migration_stream.ts";

const NAME = "VFIO_DEVICE_FEATURE";
const STATE = VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE;

/** Set by the class, for this module alone. */
let make: (host: FeatureHost, flags: number, onStream: (stream: Disposable) => void) => Migration;

/**
 * The migration states of a device: how it is stopped, saved, and restored elsewhere.
 *
 * To save: `setState("stop-copy")`, read the stream to its end. To restore on another device of the
 * same kind: `setState("resuming")`, write the stream, `setState("running")`.
 *
 * @example The state of a device that runs on
 * ```ts
 * import { Container } from "@pinscope/vfio";
 * import { DEFAULT_MDEV, ModelKernel } from "@pinscope/vfio/model";
 *
 * using container = Container.open({ kernel: new ModelKernel() });
 * using group = container.attach(DEFAULT_MDEV);
 * using device = group.device();
 * const migration = device.migration();
 * using stream = migration.setState("pre-copy");
 * const bytes = stream?.readAll().length ?? 0;
 * if (bytes === 0) throw new Error("there is a state to read");
 * if (String(migration.path("stop")) !== "running,running-p2p,stop") throw new Error("the way");
 * ```
 * @see drivers/vfio/vfio_main.c, vfio_ioctl_device_feature_mig_device_state
 */
export class Migration {
  /** The device, as sysfs names it. */
  readonly device: string;
  /** All VFIO_MIGRATION flags. */
  readonly flags: number;
  readonly #host: FeatureHost;
  readonly #onStream: (stream: Disposable) => void;

  static {
    make = (...init) => new Migration(...init);
  }

  private constructor(host: FeatureHost, flags: number, onStream: (stream: Disposable) => void) {
    this.device = host.name;
    this.flags = flags;
    this.#host = host;
    this.#onStream = onStream;
  }

  /** Whether the device can be saved while it runs: the states `pre-copy`. */
  get hasPreCopy(): boolean {
    return (this.flags & VFIO_MIGRATION_PRE_COPY) !== 0;
  }

  /** Whether it can be kept from reaching other devices: the states `-p2p`. */
  get hasP2p(): boolean {
    return (this.flags & VFIO_MIGRATION_P2P) !== 0;
  }

  /** The states that can be asked for. */
  get states(): readonly MigrationState[] {
    return MIGRATION_STATES.filter((state) => state !== "error" && hasState(state, this.flags));
  }

  /** Asks for the state that the device is in. */
  state(): MigrationState {
    const { kernel, fd, name } = this.#host;
    const { bytes, payload } = featureRequest(
      STATE | VFIO_DEVICE_FEATURE_GET,
      vfio_device_feature_mig_state,
    );
    const action = `read the migration state of ${name}`;
    check(kernel.ioctlBuffer(fd, VFIO_DEVICE_FEATURE, bytes), NAME, action);
    const number = payload.fields.device_state;
    const state = MIGRATION_STATES[number];
    if (state === undefined) throw new RangeError(`${name} is in an unknown state, ${number}`);
    return state;
  }

  /**
   * The states that the kernel takes the device through on its way to another.
   *
   * @param to The wanted state.
   * @param from Where it begins; by default the state that the device is in.
   * @returns The states with the wanted one as the last; none where it is there already; undefined
   *   where no way leads there.
   */
  path(to: MigrationState, from?: MigrationState): readonly MigrationState[] | undefined {
    checkKind("to", to, MIGRATION_STATES);
    if (from !== undefined) checkKind("from", from, MIGRATION_STATES);
    return migrationPath(from ?? this.state(), to, this.flags);
  }

  /**
   * Changes the state, through all that lie between.
   *
   * From `stop-copy` no way leads back to `pre-copy`. It is refused before the kernel sees it: Linux
   * v6.12 looks for the way and never ends, with the device locked.
   *
   * @param to `stop-copy` and `pre-copy` open a stream to read, unless one is open from `pre-copy`
   *   on; `resuming` opens one to write.
   * @returns The stream, if one was opened.
   * @throws {RuleError} If the device does not have the state, or no way leads there.
   * @throws {VfioError} If the driver fails, with the state that the device is in afterwards: EINVAL
   *   for what was written to the stream, others by the driver.
   * @see drivers/vfio/vfio_main.c, vfio_mig_get_next_state
   */
  setState(to: MigrationState): MigrationStream | undefined {
    checkKind("state", to, MIGRATION_STATES);
    const { kernel, fd, name } = this.#host;
    const current = this.state();
    const action = `take ${name} from ${current} to ${to}`;
    const number = MIGRATION_STATES.indexOf(to);
    const refusal = firstRefusal(MIGRATION_RULES, { state: number }, {
      current,
      flags: this.flags,
    });
    if (refusal !== undefined) {
      const remedy = refusal.rule === "migration.error" ? `; ${RESET}` : "";
      throw new RuleError(`Cannot ${action}: ${refusal.reason}${remedy}`, refusal);
    }
    const { bytes, payload } = featureRequest(
      STATE | VFIO_DEVICE_FEATURE_SET,
      vfio_device_feature_mig_state,
    );
    payload.fields.device_state = number;
    payload.fields.data_fd = -1;
    const result = kernel.ioctlBuffer(fd, VFIO_DEVICE_FEATURE, bytes);
    check(result, NAME, action, (errno) => this.#explain(errno, current));
    if (payload.fields.data_fd < 0) return undefined;
    const direction = to === "resuming" ? "load" : "save";
    const stream = adoptStream({ kernel, fd: payload.fields.data_fd, device: name, direction });
    this.#onStream(stream);
    return stream;
  }

  #explain(errno: number, before: MigrationState): string {
    const now = this.#stateIfKnown();
    const why = before === "resuming" && errno === ERRNO.EINVAL
      ? "what was written is no whole state of such a device"
      : "its driver could not do it";
    return now === "error"
      ? `${why}, and the device is in the error state; ${RESET}`
      : now === undefined
      ? `${why}, and the device does not tell its state; ${RESET}`
      : `${why}; the device is in the state ${now}`;
  }

  /** What went wrong first counts, also where the device does not even tell its state any more. */
  #stateIfKnown(): MigrationState | undefined {
    try {
      return this.state();
    } catch (error) {
      if (error instanceof VfioError || error instanceof RangeError) return undefined;
      throw error;
    }
  }

  /**
   * Asks how many bytes are left to read once the device is stopped; an estimate.
   *
   * @throws {VfioError} ENOTTY before Linux v6.2.
   * @see drivers/vfio/vfio_main.c, vfio_ioctl_device_feature_migration_data_size
   */
  dataSize(): bigint {
    const { kernel, fd, name } = this.#host;
    const { bytes, payload } = featureRequest(
      VFIO_DEVICE_FEATURE_MIG_DATA_SIZE | VFIO_DEVICE_FEATURE_GET,
      vfio_device_feature_mig_data_size,
    );
    check(
      kernel.ioctlBuffer(fd, VFIO_DEVICE_FEATURE, bytes),
      NAME,
      `ask how long the migration data of ${name} is`,
      (errno) => errno === ERRNO.ENOTTY ? "this kernel does not tell" : undefined,
    );
    return payload.fields.stop_copy_length;
  }

  /** A line for logs: what the device can. */
  toString(): string {
    return `migration of ${this.device}: ${this.states.join(", ")}`;
  }
}

const RESET = "device.reset() leads out, to running";

/**
 * Asks what a device can; `device.migration` does.
 *
 * @param onStream Told of each stream, which must go before the device does.
 */
export function openMigration(
  host: FeatureHost,
  onStream: (stream: Disposable) => void,
): Migration {
  const { kernel, fd, name } = host;
  const { bytes, payload } = featureRequest(
    VFIO_DEVICE_FEATURE_MIGRATION | VFIO_DEVICE_FEATURE_GET,
    vfio_device_feature_migration,
  );
  check(
    kernel.ioctlBuffer(fd, VFIO_DEVICE_FEATURE, bytes),
    NAME,
    `ask how ${name} migrates`,
    (errno) =>
      errno === ERRNO.ENOTTY
        ? "its driver does not migrate devices, as vfio-pci itself does not"
        : undefined,
  );
  return make(host, Number(payload.fields.flags & 0xffff_ffffn), onStream);
}
