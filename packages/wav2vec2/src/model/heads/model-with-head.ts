import { nn, type Tensor } from "@wav2vec2/libtorch";
import { requireArguments } from "../../argument-kinds.js";
import type { Wav2Vec2Config } from "../configuration.js";
import { CONFIG } from "../configuration-kind.js";
import { Wav2Vec2Model } from "../wav2vec2-model.js";

/** What training does with any network that has a head: freezing parts of it, saving memory. */
export abstract class ModelWithHead extends nn.Module {
  wav2vec2: Wav2Vec2Model;
  readonly config: Wav2Vec2Config;
  /** Parameters of the backbone that learn once it is no longer frozen; undefined where it is not. */
  #waiting: Tensor[] | undefined;

  constructor(config: Wav2Vec2Config) {
    super();
    requireArguments(`new ${new.target.name}`, { config: [config, CONFIG] });
    this.config = config;
    this.wav2vec2 = new Wav2Vec2Model(config);
  }

  /** Keeps the convolutions as they are, as the paper does in fine-tuning (section 4.3). */
  freezeFeatureEncoder(): void {
    this.wav2vec2.freezeFeatureEncoder();
  }

  /** As {@link Wav2Vec2Model.freezeLayers}. */
  freezeLayers(count: number): void {
    this.wav2vec2.freezeLayers(count);
  }

  /** As {@link Wav2Vec2Model.gradientCheckpointingEnable}. */
  gradientCheckpointingEnable(enabled = true): void {
    this.wav2vec2.gradientCheckpointingEnable(enabled);
  }

  /**
   * Whether what is below the head waits, so that the head learns alone, or with attention adapters where there are
   * some: fairseq's `freeze_finetune_updates`. Masks and dropout are those of training.
   */
  get backboneFrozen(): boolean {
    return this.#waiting !== undefined;
  }

  set backboneFrozen(frozen: boolean) {
    if (frozen === this.backboneFrozen) return;
    const learning = this.#waiting ?? this.backboneParameters().filter(({ requiresGrad }) => requiresGrad);
    for (const parameter of learning) parameter.requiresGrad = !frozen;
    this.#waiting = frozen ? learning : undefined;
  }

  /** All parameters but those of the head and of attention adapters. */
  protected backboneParameters(): Tensor[] {
    const parameters = [...this.wav2vec2.namedParameters()];
    return parameters.flatMap(([key, parameter]) => (ATTENTION_ADAPTER.test(key) ? [] : [parameter]));
  }
}

/** The bottlenecks inside layers, which only some models have. */
export const ATTENTION_ADAPTER = /(^|\.)encoder\.layers\.\d+\.adapter_layer\./;
