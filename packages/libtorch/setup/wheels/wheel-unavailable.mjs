/** No wheel can be had here (no index in reach, or none of its wheels runs); something else may do. */
export class WheelUnavailable extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = "WheelUnavailable";
  }
}
