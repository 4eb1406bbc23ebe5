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
  /** Whether a capability of GET_INFO begins where the last one ends; since v6.6 at a multiple of 8. */
  readonly packsCapabilities?: boolean;
}

/** Linux 6.12. */
export const BEFORE_V6_18: Behaviour = {
  name: "6.12",
  wrap: "EINVAL",
  top: false,
  nesting: true,
};

/** Linux 6.1, which differs in the places of capabilities only. */
export const BEFORE_V6_6: Behaviour = { ...BEFORE_V6_18, name: "6.1", packsCapabilities: true };

/** Linux 7: ranges may end at 2^64, those that wrap have an error of their own. */
export const SINCE_V7: Behaviour = {
  name: "7",
  wrap: "EOVERFLOW",
  top: true,
  nesting: false,
};

/** The behaviours that were recorded, by name. */
export const BEHAVIOURS: readonly Behaviour[] = [BEFORE_V6_6, BEFORE_V6_18, SINCE_V7];
