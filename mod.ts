/**
 * Scripts for Linux VFIO: how a container is set up, which pages its devices have pinned, and which
 * pages are dirty, window by window.
 *
 * @example The whole way on the built-in model kernel, which needs no permission
 * ```ts
 * import { Container } from "@pinscope/vfio";
 * import { ModelKernel } from "@pinscope/vfio/model";
 *
 * using container = Container.open({ kernel: new ModelKernel() });
 * using _group = container.attach("0000:00:10.0");
 * using memory = container.allocate(64n << 20n);
 * using _low = container.map(memory, { iova: 0x1_0000_0000n, access: "rw" });
 * using tracker = container.trackDirty();
 * let pages = 0;
 * for (const window of tracker.drain()) {
 *   for (const run of window.runs()) pages += run.pages;
 * }
 * if (pages !== 16384) throw new Error("a plain vfio-pci device makes every mapped page dirty");
 * ```
 *
 * @module
 */

export { ERRNO, type ErrnoName, errnoName } from "./lib/base/errno.ts";
export {
  PartialUnmapError,
  RuleError,
  type RuleErrorInit,
  VfioError,
  type VfioErrorInit,
} from "./lib/base/error.ts";
export type { Extent } from "./lib/base/extent.ts";
export { formatSize, hex, parseSize } from "./lib/base/format.ts";
export type { Bitmap } from "./lib/dirty/bitmap.ts";
export {
  type CrossCheck,
  crossCheck,
  type CrossRun,
  type CrossSide,
} from "./lib/dirty/cross_check.ts";
export type { DirtyLabel } from "./lib/dirty/label.ts";
export type { Cursor } from "./lib/dirty/plan.ts";
export {
  type DirtyRun,
  type LabelledRun,
  mergeRuns,
  mergeRunsAsync,
  type RunSource,
} from "./lib/dirty/run.ts";
export type { BitmapTarget, DirtySource, ReadRequest } from "./lib/dirty/source.ts";
export { DirtyMap, type PageRuns } from "./lib/dirty/dirty_map.ts";
export { DirtyWindow, type WindowInit } from "./lib/dirty/window.ts";
export type { AccountState, Cost, Operation } from "./lib/pins/cost.ts";
export {
  type Forecast,
  forecast,
  type ForecastState,
  type ForecastStop,
  type PlannedMap,
} from "./lib/pins/forecast.ts";
export {
  Ledger,
  type LedgerEntry,
  type LedgerKind,
  type MappingCost,
  type OperationContext,
} from "./lib/pins/ledger.ts";
export {
  forecastIommufd,
  type IommufdForecast,
  type IommufdForecastState,
  type IommufdForecastStop,
} from "./lib/pins/iommufd_forecast.ts";
export {
  type IommufdCost,
  type IommufdEntry,
  IommufdLedger,
  type IommufdOperation,
} from "./lib/pins/iommufd_ledger.ts";
export type { Limit, StatusCounters } from "./lib/pins/parse.ts";
export { PinBook, type PinMode, type PinSlice, type PinTotals } from "./lib/pins/pin_book.ts";
export { type PinCounters, type PinDelta, PinSnapshot } from "./lib/pins/snapshot.ts";
export { type Behaviour, BEHAVIOURS } from "./lib/rules/behaviour.ts";
export type { BitmapRequest } from "./lib/rules/bitmap.ts";
export type { DirtyPagesRequest } from "./lib/rules/dirty.ts";
export type { IovaRange } from "./lib/rules/iova.ts";
export type { MapRequest } from "./lib/rules/map.ts";
export type { MigrationState } from "./lib/rules/migration.ts";
export type { Refusal } from "./lib/rules/refusal.ts";
export { ruleNamed, RULES, type RuleText } from "./lib/rules/table.ts";
export type { UnmapRequest } from "./lib/rules/unmap.ts";
export type { Attachment, BoundDevice } from "./lib/iommufd/device.ts";
export type { HardwareInfo } from "./lib/iommufd/hw_info.ts";
export type { DirtyReadOptions, Hwpt, HwptOptions } from "./lib/iommufd/hwpt.ts";
export type { Ioas } from "./lib/iommufd/ioas.ts";
export type { IoasMapFileOptions, IoasMapOptions } from "./lib/iommufd/map_option.ts";
export type { IoasRanges } from "./lib/iommufd/ioas_request.ts";
export {
  type IoasOptions,
  Iommufd,
  type IommufdOptions,
  type PinAccount,
} from "./lib/iommufd/iommufd.ts";
export type { TrackOptions } from "./lib/iommufd/tracking.ts";
export type { IoasAccess, IoasMapping } from "./lib/iommufd/mapping.ts";
export type { IommufdObject } from "./lib/iommufd/object.ts";
export type { ContainerRequest, Explanation } from "./lib/vfio/preflight.ts";
export {
  type AsideCall,
  type AsideRequest,
  type AsideResult,
  type Kernel,
  type MemoryAdvice,
  type PollRequest,
  type ResourceLimit,
  UNLIMITED,
  type ViewAddress,
} from "./lib/sys/kernel.ts";
export { linux as rawLinux } from "./lib/sys/libc.ts";
export { bindDevice, type Rebound, unbindDevice } from "./lib/vfio/bind.ts";
export { deviceOf } from "./lib/vfio/bound_device.ts";
export { Container, type ContainerOptions } from "./lib/vfio/container.ts";
export { Device, type DeviceInfo, type FeatureSupport } from "./lib/vfio/device.ts";
export { DmaLog, type LogDmaOptions, NoDmaLogError } from "./lib/vfio/dma_log.ts";
export { EventFd } from "./lib/vfio/event.ts";
export { Group } from "./lib/vfio/group.ts";
export {
  type GroupState,
  type Host,
  type HostDevice,
  type HostGroup,
  listHost,
} from "./lib/vfio/host.ts";
export type { IommuInfo } from "./lib/vfio/iommu_info.ts";
export {
  IommufdContainer,
  type IommufdContainerOptions,
  type IommufdMember,
} from "./lib/vfio/iommufd_container.ts";
export type { IrqInfo } from "./lib/vfio/irq.ts";
export type { LogSupport } from "./lib/vfio/log_support.ts";
export type { MapOptions } from "./lib/vfio/mapper.ts";
export type { Access, Mapping } from "./lib/vfio/mapping.ts";
export {
  type CreatedMdev,
  createMdev,
  listMdevTypes,
  type MdevOptions,
  type MdevType,
  removeMdev,
} from "./lib/vfio/mdev.ts";
export type { Migration } from "./lib/vfio/migration.ts";
export type { MigrationStream, PrecopyInfo } from "./lib/vfio/migration_stream.ts";
export { HostMemory, type MemoryOptions } from "./lib/sys/memory.ts";
export { PinHistory, type PinReadOptions, type PinRound } from "./lib/vfio/pin_history.ts";
export type { PinnedPages } from "./lib/vfio/pinned.ts";
export {
  type HeldContainer,
  type HeldDevice,
  type HeldGroup,
  type Holders,
  listHolders,
  type VfioHolder,
} from "./lib/vfio/holders.ts";
export { pinsOf, type Process } from "./lib/vfio/pins.ts";
export { type DirtyV9, type DirtyV9Request, readDirtyV9 } from "./lib/vfio/proposal.ts";
export { listPins, type ProcessPins } from "./lib/vfio/processes.ts";
export { Region, type RegionInfo } from "./lib/vfio/region.ts";
export type { MappableArea, RegionType } from "./lib/uapi/capability.ts";
export type { RegionMemory } from "./lib/vfio/region_memory.ts";
export type { GroupScope, ScopeEvent, ScopeReport } from "./lib/vfio/scope.ts";
export { checkTarget, type DeviceId, type GroupId } from "./lib/vfio/topology.ts";
export type { IommuType } from "./lib/vfio/iommu_type.ts";
export type {
  DirtyRound,
  DirtyTracker,
  DrainAsyncOptions,
  DrainOptions,
  DrainProgress,
  RoundsOptions,
  TwoReads,
} from "./lib/track/tracker.ts";
export { type DeviceUse, usesOf } from "./lib/vfio/uses.ts";
