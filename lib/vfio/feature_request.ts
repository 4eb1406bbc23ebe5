import type { Fields, Struct } from "../uapi/field.ts";
import { vfio_device_feature } from "../uapi/feature.ts";
import type { Layout } from "../uapi/layout.ts";

/** A DEVICE_FEATURE request: its bytes, and the feature's own struct in them. */
export interface FeatureRequest<F extends Fields> {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly payload: Struct<F>;
}

/** Who has the bytes has what they point at: the struct keeps that, and nobody else needs it. */
const HELD = new WeakMap<Uint8Array, object>();

/**
 * Makes a DEVICE_FEATURE request.
 *
 * @param flags The feature's number, with GET, SET or PROBE.
 * @param layout The feature's struct, behind the head.
 */
export function featureRequest<F extends Fields>(
  flags: number,
  layout: Layout<F>,
): FeatureRequest<F> {
  const { bytes } = emptyFeatureRequest(flags, layout.size);
  const payload = layout.over(bytes.subarray(vfio_device_feature.size));
  HELD.set(bytes, payload);
  return { bytes, payload };
}

/** Makes a DEVICE_FEATURE request of a feature that has no struct, or with zeros for one. */
export function emptyFeatureRequest(
  flags: number,
  room: number = 0,
): { readonly bytes: Uint8Array<ArrayBuffer> } {
  const { bytes, fields } = vfio_device_feature.create(room);
  fields.argsz = bytes.length;
  fields.flags = flags >>> 0;
  return { bytes };
}
