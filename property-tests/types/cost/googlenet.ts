import type * as Nn from "./base.ts"
import { googlenet } from "../../../src/models/googlenet.ts"
const net = googlenet()
export const out: ["N", 1000] = net.out
export const names: keyof Nn.StateDict<typeof net> = "inception5b.branch4.1.conv.weight"
