import type * as Nn from "./base.ts"
import { densenet201 } from "../../../src/models/densenet.ts"
const net = densenet201()
export const out: ["N", 1000] = net.out
export const names: keyof Nn.StateDict<typeof net> = "features.denseblock4.denselayer16.conv2.weight"
