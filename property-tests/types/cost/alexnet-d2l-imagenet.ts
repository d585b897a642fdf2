import type * as Nn from "./base.ts"
import { alexnetD2lImagenet } from "../../../src/models/alexnetD2l.ts"
const net = alexnetD2lImagenet()
export const out: ["N", 1000] = net.out
export const names: keyof Nn.StateDict<typeof net> = "fc.6.weight"
