import type * as Nn from "./base.ts"
import { alexnetD2l } from "../../../src/models/alexnetD2l.ts"
const net = alexnetD2l()
export const out: ["N", 10] = net.out
export const names: keyof Nn.StateDict<typeof net> = "fc.6.weight"
