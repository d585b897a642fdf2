/** Tensors, ops, differentiation and programs. */
export * as HostTensor from "./HostTensor.ts"
export { NotDifferentiable } from "./NotDifferentiable.ts"
export * as Op from "./Op.ts"
export * as Ops from "./Ops.ts"
export * as Program from "./Program.ts"
export * as State from "./State.ts"
export { StaleState } from "./State.ts"
export * as Tensor from "./Tensor.ts"
