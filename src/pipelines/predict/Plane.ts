/** A picture of one number for each pixel, row by row from the top. */
export interface Plane {
  readonly width: number
  readonly height: number
  readonly data: Float32Array
}
