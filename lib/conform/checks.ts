/** All checks of the suite, in the order in which they run. */

import type { Check } from "./check.ts";
import { accountChecks } from "./check/account.ts";
import { deviceChecks } from "./check/device.ts";
import { dirtyChecks } from "./check/dirty.ts";
import { featureChecks } from "./check/feature.ts";
import { groupChecks } from "./check/group.ts";
import { infoChecks } from "./check/info.ts";
import { hwptChecks } from "./check/hwpt.ts";
import { hwptDirtyChecks } from "./check/hwpt_dirty.ts";
import { ioasChecks } from "./check/ioas.ts";
import { ioasCopyChecks } from "./check/ioas_copy.ts";
import { iommufdChecks } from "./check/iommufd.ts";
import { iommufdAccountChecks } from "./check/iommufd_account.ts";
import { logChecks } from "./check/log.ts";
import { mapChecks } from "./check/map.ts";
import { scopeChecks } from "./check/scope.ts";
import { migrationChecks } from "./check/migration.ts";
import { nodeChecks } from "./check/node.ts";
import { pinChecks } from "./check/pin.ts";
import { scopePciChecks } from "./check/scope_pci.ts";
import { setupChecks } from "./check/setup.ts";
import { staleChecks } from "./check/stale.ts";
import { topChecks } from "./check/top.ts";
import { unmapChecks } from "./check/unmap.ts";
import { vaddrChecks } from "./check/vaddr.ts";

/** The suite. */
export const CHECKS: readonly Check[] = [
  ...setupChecks,
  ...groupChecks,
  ...infoChecks,
  ...mapChecks,
  ...unmapChecks,
  ...vaddrChecks,
  ...topChecks,
  ...dirtyChecks,
  ...scopeChecks,
  ...scopePciChecks,
  ...staleChecks,
  ...accountChecks,
  ...pinChecks,
  ...deviceChecks,
  ...featureChecks,
  ...logChecks,
  ...migrationChecks,
  ...iommufdChecks,
  ...ioasChecks,
  ...ioasCopyChecks,
  ...nodeChecks,
  ...hwptChecks,
  ...hwptDirtyChecks,
  ...iommufdAccountChecks,
];
