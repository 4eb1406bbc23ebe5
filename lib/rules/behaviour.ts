/**
 * Where kernels differ in what they answer. A behaviour is found by asking, never by a version
 * number: distributions carry patches back.
 *
 * @module
 */

/** The answers in which kernels differ. */
export interface Behaviour {
  /** A short name, as the release that it was recorded on: "6.12". */
  readonly name: string;
  /**
   * What a range that wraps around 2^64 is answered.
   *
   * Since Linux commit ef270ec4 (in v6.18) it is EOVERFLOW.
   */
  readonly wrap: "EINVAL" | "EOVERFLOW";
  /**
   * Whether a range may end at 2^64. Before v6.18 GET_BITMAP refuses it, and a mapping made there
   * is found by nothing until its container goes.
   */
  readonly top: boolean;
  /** Whether CHECK_EXTENSION knows id 6, once VFIO_TYPE1_NESTING_IOMMU; SET_IOMMU never takes it. */
  readonly nesting: boolean;
  /**
   * Whether GET_INFO ends at cap_offset, and its capabilities follow one another without room between
   * them; since v6.6 the struct has padding, and each begins at a multiple of 8.
   */
  readonly packsInfo?: boolean;
  /** Whether SET_CONTAINER takes containers only; since v6.2 also an iommufd, and has EBADFD for others. */
  readonly onlyContainers?: boolean;
  /**
   * Whether a driver may pin as soon as any in its container is told of unmaps; in v6.12 it has to be
   * told itself.
   */
  readonly anyCallback?: boolean;
  /**
   * Whether DEVICE_FEATURE knows DMA_BUF, since v6.19, and MIG_PRECOPY_INFOv2, which it refuses with
   * EINVAL where a device does not migrate.
   */
  readonly newFeatures?: boolean;
  /**
   * Whether vfio itself has what reports of a DMA log are written with, as before v6.7; later kernels
   * have it in iommufd.
   */
  readonly ownBitmaps?: boolean;
  /** Whether devices that migrate have neither pre-copy nor a size of their data, as before v6.2. */
  readonly firstMigration?: boolean;
  /** Whether it was built with iommufd, and with nodes of devices. */
  readonly iommufd?: boolean;
}

/** Linux 6.12. */
export const BEFORE_V6_18: Behaviour = {
  name: "6.12",
  wrap: "EINVAL",
  top: false,
  nesting: true,
};

/** The own kernel of Pinscope's lab: Linux 6.12 with iommufd, which Debian's kernels are without. */
export const LAB_OWN: Behaviour = { ...BEFORE_V6_18, name: "own", iommufd: true };

/** Linux 6.1: as 6.12, but in the form of GET_INFO and in what it thinks of a foreign descriptor. */
export const BEFORE_V6_2: Behaviour = {
  ...BEFORE_V6_18,
  name: "6.1",
  packsInfo: true,
  onlyContainers: true,
  anyCallback: true,
  ownBitmaps: true,
  firstMigration: true,
};

/** Linux 7: ranges may end at 2^64, those that wrap have an error of their own. */
export const SINCE_V7: Behaviour = {
  name: "7",
  wrap: "EOVERFLOW",
  top: true,
  nesting: false,
  newFeatures: true,
};

/** The behaviours that were recorded, by name. */
export const BEHAVIOURS: readonly Behaviour[] = [
  BEFORE_V6_2,
  BEFORE_V6_18,
  LAB_OWN,
  SINCE_V7,
];
