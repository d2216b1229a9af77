/** Hz; what wav2vec 2.0 was trained on: a frame stands for 20 ms only at this rate. */
export const SAMPLE_RATE = 16000;
