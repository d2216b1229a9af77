// Voice variants of espeak-ng, each under an English accent. Looked at as spectrograms and by level and pitch; left
// out: whispering and robot voices, and those that clip (antonio, ed, Gene, gustave, iven, Jacky, john, paul),
// echo (RicishayMax) or are nearly inaudible (klatt, klatt2).

/** @typedef {{ variant: string, accent: string }} Voice */

/** @type {Voice[]} */
export const trainingVoices = [
  { variant: "f1", accent: "en-US" },
  { variant: "f2", accent: "en" },
  { variant: "f3", accent: "en-US" },
  { variant: "f4", accent: "en-029" },
  { variant: "m1", accent: "en-US" },
  { variant: "m2", accent: "en" },
  { variant: "m3", accent: "en-GB-scotland" },
  { variant: "m4", accent: "en-US" },
  { variant: "m6", accent: "en-GB-x-rp" },
  { variant: "m7", accent: "en-US" },
  { variant: "Alex", accent: "en" },
  { variant: "Andy", accent: "en-US" },
  { variant: "Annie", accent: "en-US" },
  { variant: "adam", accent: "en" },
  { variant: "aunty", accent: "en-GB-x-rp" },
  { variant: "belinda", accent: "en-US" },
  { variant: "edward", accent: "en-GB-scotland" },
  { variant: "grandma", accent: "en" },
  { variant: "linda", accent: "en-US" },
  { variant: "max", accent: "en-029" },
  { variant: "norbert", accent: "en-US" },
  { variant: "robert", accent: "en" },
  { variant: "shelby", accent: "en-GB-x-rp" },
  { variant: "steph", accent: "en-US" },
];

/** Heard in the test split only. @type {Voice[]} */
export const unseenVoices = [
  { variant: "f5", accent: "en-US" },
  { variant: "m5", accent: "en" },
  { variant: "m8", accent: "en-US" },
  { variant: "Alicia", accent: "en-US" },
  { variant: "benjamin", accent: "en" },
  { variant: "quincy", accent: "en-GB-x-rp" },
  { variant: "rob", accent: "en-US" },
  { variant: "Mario", accent: "en" },
  { variant: "victor", accent: "en-US" },
  { variant: "travis", accent: "en-GB-scotland" },
];
