/** What is used of the optional package `sharp`: decoding, resizing and encoding pictures, off the main thread. */
import type * as Effect from "effect/Effect"
import { type MissingPackage, optionalPackage } from "../MissingPackage.ts"

/** a picture as rows of pixels, each of `channels` bytes */
export interface Raw {
  readonly data: Uint8Array
  readonly info: { readonly width: number; readonly height: number; readonly channels: number }
}

/** a picture on its way through sharp; each call gives the next stage */
export interface Pipeline {
  readonly autoOrient: () => Pipeline
  readonly flatten: (options: { readonly background: string }) => Pipeline
  readonly removeAlpha: () => Pipeline
  readonly toColourspace: (space: "srgb" | "b-w") => Pipeline
  readonly resize: (options: {
    readonly width: number
    readonly height: number
    readonly fit: "cover" | "fill" | "inside"
    readonly kernel?: "nearest" | "linear" | "lanczos3"
    readonly withoutEnlargement?: boolean
  }) => Pipeline
  readonly raw: () => Pipeline
  readonly png: (options?: { readonly compressionLevel?: number; readonly palette?: boolean }) => Pipeline
  readonly toBuffer: {
    (): Promise<Uint8Array>
    (options: { readonly resolveWithObject: true }): Promise<Raw>
  }
}

/** sharp itself */
export type Sharp = (
  source: Uint8Array,
  options?: { readonly raw?: Raw["info"]; readonly limitInputPixels?: number },
) => Pipeline

/** sharp, where it is installed; `purpose` says what for: `to decode pictures` */
export const loadSharp = (purpose: string): Effect.Effect<{ readonly default: Sharp }, MissingPackage> =>
  optionalPackage("sharp", purpose)
