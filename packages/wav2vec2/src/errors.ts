/**
 * A mistake the user can mend: a missing file, a bad recipe, a corrupt clip. The command line prints its
 * message without a stack trace; everything else that is thrown is a broken invariant of this project.
 */
export class UserError extends Error {
  override readonly name: string = "UserError";
}

/** Wrong usage or configuration, as opposed to wrong data: the command line exits with 2 instead of 1. */
export class ConfigurationError extends UserError {
  override readonly name = "ConfigurationError";
}
