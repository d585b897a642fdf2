import type * as Nn from "./base.ts"
import { nin } from "../../../src/models/nin.ts"
const net = nin()
export const out: ["N", 10] = net.out
export const names: keyof Nn.StateDict<typeof net> = "0.2.weight"
