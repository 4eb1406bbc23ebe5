/** The part of DEVICE_FEATURE that all devices share: length, flags, and which features there are. */

import { VFIO_DEVICE_FEATURE } from "../../uapi/request.ts";
import type { Check, Say } from "../check.ts";
import { answer, NULL, type RawFile, words32 } from "../raw.ts";

const [GET, SET, PROBE] = [1 << 16, 1 << 17, 1 << 18];
/** A feature that vfio-pci has, which takes no data, and may be probed without effect. */
const LOW_POWER_ENTRY = 3;
/** One that it has and that takes 8 bytes. */
const WITH_WAKEUP = 4;
/** One that no device has. */
const NONE = 0xffff;

/** Asks: only requests that have no effect stand in this file. */
function ask(device: RawFile, argsz: number, flags: number): string {
  return answer(device.ask(VFIO_DEVICE_FEATURE, words32(argsz, flags, 0, 0, 0, 0, 0, 0, 0, 0)));
}

const check = (
  name: string,
  rule: string,
  body: (device: RawFile, say: Say) => void,
): Check => ({
  name: `feature: ${name}`,
  rule,
  needs: ["container"],
  run: (bench, say) => {
    using container = bench.container();
    using device = container.group.device(bench.pci.name);
    body(device, say);
  },
});

/** All checks of the file. */
export const featureChecks: readonly Check[] = [
  check("argsz", "feature.argsz", (device, say) => {
    for (const argsz of [0, 7, 8, 9, 40]) {
      say(`argsz ${argsz}`, ask(device, argsz, PROBE | SET | LOW_POWER_ENTRY));
    }
    say("NULL", answer(device.ask(VFIO_DEVICE_FEATURE, NULL)));
    say("argsz 7, unknown flag", ask(device, 7, 1 << 19));
  }),
  check("flags", "feature.flags", (device, say) => {
    say("bit 19", ask(device, 8, PROBE | SET | LOW_POWER_ENTRY | 1 << 19));
    say("bit 31", ask(device, 8, (PROBE | SET | LOW_POWER_ENTRY | 1 << 31) >>> 0));
  }),
  check("GET and SET at once", "feature.verbs", (device, say) => {
    say("of an unknown one", ask(device, 8, GET | SET | NONE));
    say("of a known one", ask(device, 8, GET | SET | LOW_POWER_ENTRY));
    say("with PROBE", ask(device, 8, PROBE | GET | SET | LOW_POWER_ENTRY));
  }),
  check("no operation", "feature.verb", (device, say) => {
    say("no operation", ask(device, 8, NONE));
    say("no operation of a known one", ask(device, 8, LOW_POWER_ENTRY));
  }),
  check("PROBE of a known one", "feature.operation", (device, say) => {
    for (
      const [name, feature] of [["low power", LOW_POWER_ENTRY], [
        "with wake-up",
        WITH_WAKEUP,
      ]] as const
    ) {
      say(`${name}: PROBE`, ask(device, 8, PROBE | feature));
      say(`${name}: PROBE SET`, ask(device, 8, PROBE | SET | feature));
      say(`${name}: PROBE GET`, ask(device, 8, PROBE | GET | feature));
      say(`${name}: PROBE GET SET`, ask(device, 8, PROBE | GET | SET | feature));
      say(`${name}: GET`, ask(device, 8, GET | feature));
    }
  }),
  check("SET without room for its data", "feature.payload", (device, say) => {
    say("with wake-up: SET without room", ask(device, 8, SET | WITH_WAKEUP));
    say("with wake-up: SET with 7 of 8 bytes", ask(device, 15, SET | WITH_WAKEUP));
  }),
  check("an unknown one", "feature.known", (device, say) => {
    say("PROBE", ask(device, 8, PROBE | NONE));
    say("PROBE GET", ask(device, 8, PROBE | GET | NONE));
    say("PROBE GET SET", ask(device, 8, PROBE | GET | SET | NONE));
    say("GET", ask(device, 8, GET | NONE));
    say("SET", ask(device, 8, SET | NONE));
  }),
  check("which there are", "feature.operation", (device, say) => {
    for (const feature of [1, 2, 6, 7, 8, 9, 10, 11, 12, 13]) {
      const get = ask(device, 8, PROBE | GET | feature);
      say(`${feature}`, `${get}, ${ask(device, 8, PROBE | SET | feature)}`);
    }
  }),
];
