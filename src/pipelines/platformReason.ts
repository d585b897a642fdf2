import type { PlatformError } from "effect/PlatformError"

/** why the operating system refused a file, in words for people */
export const platformReason = ({ reason, message }: PlatformError): string => {
  switch (reason._tag) {
    case "NotFound":
      return "it does not exist"
    case "PermissionDenied":
      return "permission denied"
    default:
      return reason.cause instanceof Error ? reason.cause.message : message
  }
}
