/** The version of this library, as files that it writes tell it; a test holds it to package.json. */
export const version = "0.1.0"
