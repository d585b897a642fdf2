/**
 * Lets V8 fuse pairs of 128-bit vectors into 256-bit ones in the modules compiled after it, in the whole process; engines before
 * V8 12 do not know the flag and are left alone, as is a browser. Whether it gained anything, `selectKernels` finds out.
 */
export const enableRevectorization = (): void => {
  if (typeof process === "undefined" || typeof process.getBuiltinModule !== "function") return
  const version = Number(process.versions.v8.split(".")[0])
  // no import: a bundler for browsers has nothing to resolve
  if (version >= 12) process.getBuiltinModule("node:v8").setFlagsFromString("--experimental-wasm-revectorize")
}
