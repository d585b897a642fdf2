/** Node only: nothing that a browser loads may import this file. */
import * as v8 from "node:v8"

/**
 * Lets V8 fuse pairs of 128-bit vectors into 256-bit ones in the modules compiled after it, in the whole process; engines before
 * V8 12 do not know the flag and are left alone. Whether it gained anything, `selectKernels` finds out.
 */
export const enableRevectorization = (): void => {
  const version = Number(process.versions.v8.split(".")[0])
  if (version >= 12) v8.setFlagsFromString("--experimental-wasm-revectorize")
}
