/** Kernels as data, the devices that run them, and the service through which programs reach one. */
export * as Contraction from "./Contraction.ts"
export { Device, type DeviceBuffer, DeviceError, type DeviceInfo, type DeviceShape, type Executable } from "./Device.ts"
export { deviceLayer, type DeviceName, deviceNames, type DeviceOptions } from "./devices.ts"
export * as GpuJs from "./gpujs/GpuJs.ts"
export * as Kernel from "./Kernel.ts"
export type * as Plan from "./Plan.ts"
export * as Reference from "./reference/Reference.ts"
export * as Wasm from "./wasm/Wasm.ts"
