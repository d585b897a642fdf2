import type * as Nn from "./base.ts"
import { mobilenetV2 } from "../../../src/models/mobilenetV2.ts"
const net = mobilenetV2()
export const out: ["N", 1000] = net.out
export const names: keyof Nn.StateDict<typeof net> = "features.18.0.weight"
