export { type BuildBox, Builder, type ImageOptions } from "./builder.ts";
export { coverImage } from "./cover.ts";
export { type BuildOrder, type ImageMount, type Images, Shelf } from "./images.ts";
export { refuseImage } from "./refuse.ts";
export type { Registry } from "./registry/registry.ts";
export { ImageStore } from "./store.ts";
