/** WebGPU where there is none: in Node, that of the optional package `webgpu` (Dawn). */

interface HasGpu {
  gpu?: unknown
}

const webgpuPackage = "webgpu"

/**
 * Dawn ends the process if its instance is collected while anything of it lives, so the one made is kept. SwiftShader
 * compiles kernels with workgroup memory forty times faster where that is not cleared first; ours write it before they
 * read it.
 */
let instance: unknown
const features = ["enable-dawn-features=disable_workgroup_init"]

/** Whether `navigator.gpu` is there; where it is not and this is Node, Dawn's is put there. Gives what takes it away. */
export const installWebGpu = async (): Promise<{ readonly remove: () => void } | { readonly missing: string }> => {
  const scope: { navigator?: HasGpu; process?: { versions?: { node?: string } } } = globalThis as object
  if (scope.navigator?.gpu !== undefined && scope.navigator.gpu !== null) return { remove: () => {} }
  if (scope.process?.versions?.node === undefined) {
    return { missing: "this browser has no WebGPU (navigator.gpu is missing); take another one or another device" }
  }
  let create: (options: ReadonlyArray<string>) => unknown
  try {
    // a name in a variable, so that no bundler looks for the package; what it exports is in its README
    const dawn = (await import(/* @vite-ignore */ /* webpackIgnore: true */ webgpuPackage)) as { create: typeof create }
    create = dawn.create
  } catch (cause) {
    return {
      missing:
        `Node has no WebGPU of its own and the package webgpu could not be loaded ` +
        `(${cause instanceof Error ? cause.message : String(cause)}); install it with: npm install webgpu`,
    }
  }
  const gpu = (instance ??= create(features))
  if (scope.navigator === undefined) {
    Object.defineProperty(scope, "navigator", { value: { gpu }, configurable: true })
    return { remove: () => void delete scope.navigator }
  }
  const { navigator } = scope
  Object.defineProperty(navigator, "gpu", { value: gpu, configurable: true })
  return { remove: () => void delete navigator.gpu }
}
