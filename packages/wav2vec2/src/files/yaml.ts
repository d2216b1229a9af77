import { lazyPackage } from "../lazy-package.js";

export const yaml = lazyPackage<typeof import("yaml")>("yaml");
