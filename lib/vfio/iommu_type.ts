/**
 * The versions of the type1 IOMMU. In a `v2` container an unmap takes whole mappings and there are
 * dirty pages; a `v1` container has its own way of cutting mappings, and refuses every DIRTY_PAGES
 * request with EACCES.
 */
export type IommuType = "v1" | "v2";
