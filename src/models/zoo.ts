/** Every model by its name, with the options it has when none are given. */
import { alexnet, alexnet5x5, alexnetHalf } from "./alexnet.ts"
import { alexnetD2l, alexnetD2lImagenet, alexnetD2lNopad } from "./alexnetD2l.ts"
import { densenet121, densenet161, densenet169, densenet201 } from "./densenet.ts"
import { googlenet, googlenetAuxiliary } from "./googlenet.ts"
import { lenet } from "./lenet.ts"
import { mnistcnn } from "./mnistcnn.ts"
import { mobilenetV2 } from "./mobilenetV2.ts"
import { nin } from "./nin.ts"
import { resnet18, resnet34, resnet50, resnet101, resnet152 } from "./resnet.ts"
import { squeezenet1_0, squeezenet1_1 } from "./squeezenet.ts"
import { tinyVgg } from "./tinyvgg.ts"
import { vgg11, vgg11Bn, vgg13, vgg13Bn, vgg16, vgg16Bn, vgg19, vgg19Bn } from "./vgg.ts"
import type { Layer } from "./Layer.ts"
import type { Net } from "./sequential.ts"
import type { Shape } from "../shapes/Shape.ts"

/** a model whose layers are not looked at */
export interface AnyNet extends Layer {
  readonly in: Shape
  readonly out: Shape
  readonly refusal: Net<Shape, Shape, []>["refusal"]
}

/**
 * The models by name.
 *
 * @example
 * Nn.zoo["resnet18"]?.().out // => ["N", 1000]
 */
export const zoo: { readonly [name: string]: () => AnyNet } = {
  lenet,
  tinyvgg: () => tinyVgg({ input: 1, hidden: 10, output: 10 }),
  mnistcnn,
  alexnet: () => alexnet(),
  "alexnet-5x5": () => alexnet5x5(),
  "alexnet-half": () => alexnetHalf(),
  "alexnet-d2l": alexnetD2l,
  "alexnet-d2l-nopad": alexnetD2lNopad,
  "alexnet-d2l-imagenet": alexnetD2lImagenet,
  vgg11: () => vgg11(),
  vgg13: () => vgg13(),
  vgg16: () => vgg16(),
  vgg19: () => vgg19(),
  "vgg11-bn": () => vgg11Bn(),
  "vgg13-bn": () => vgg13Bn(),
  "vgg16-bn": () => vgg16Bn(),
  "vgg19-bn": () => vgg19Bn(),
  nin: () => nin(),
  googlenet: () => googlenet(),
  "googlenet-aux": () => googlenetAuxiliary(),
  resnet18: () => resnet18(),
  resnet34: () => resnet34(),
  resnet50: () => resnet50(),
  resnet101: () => resnet101(),
  resnet152: () => resnet152(),
  densenet121: () => densenet121(),
  densenet161: () => densenet161(),
  densenet169: () => densenet169(),
  densenet201: () => densenet201(),
  "mobilenet-v2": () => mobilenetV2(),
  squeezenet1_0: () => squeezenet1_0(),
  squeezenet1_1: () => squeezenet1_1(),
}
