import * as K from "../gpu/Kernel.ts"
import { elementwise } from "./elementwise.ts"
import * as Op from "./Op.ts"
import type { Tensor } from "./Tensor.ts"

const op = (comparison: "ge" | "le"): Op.Primitive<object> =>
  elementwise({
    name: `prefers ${comparison}`,
    kernel: ([a = K.constant(0), b = K.constant(0)]) =>
      K.select(K.compare("eq", a, b), 0.5, K.select(K.compare(comparison, a, b), 1, 0)),
    gradient: Op.zero,
  })

const ops = { ge: op("ge"), le: op("le") }

/** the share of `a` in the gradient of `maximum` (`"ge"`) or `minimum` (`"le"`): 1 where it is chosen, ½ on a tie */
export const prefers = (comparison: "ge" | "le", a: Tensor, b: Tensor): Tensor => Op.call(ops[comparison], [a, b], {})
