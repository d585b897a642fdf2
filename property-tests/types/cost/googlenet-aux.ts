import type * as Nn from "./base.ts"
import { googlenetAuxiliary } from "../../../src/models/googlenet.ts"
const net = googlenetAuxiliary()
export const out: ["N", 1000] = net.out
export const names: keyof Nn.StateDict<typeof net> = "aux2.fc2.bias"
