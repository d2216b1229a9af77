import { lazyPackage } from "../../lazy-package.js";

export const z = lazyPackage<typeof import("zod")>("zod");
