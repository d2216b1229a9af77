/**
 * Owner and name, or an old model's name alone.
 * https://github.com/huggingface/huggingface_hub/blob/v0.34.0/src/huggingface_hub/utils/_validators.py#L96
 */
export function isHubId(name: string): boolean {
  return /^(?:\w(?:[\w.-]{0,94}\w)?\/)?\w(?:[\w.-]{0,94}\w)?$/.test(name) && !/--|\.\.|\.git$/.test(name);
}
